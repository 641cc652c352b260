"""The bits of stored values that count, and colours as red, green and blue (PS3.5 8.1.1, PS3.3
C.7.6.3.1.2)."""

from typing import TYPE_CHECKING, Any

from .elements import Elements
from .overlay import in_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    type Array = NDArray[Any]


def kept_bits(
    values: "Array", bits: int, low: int, *, signed: bool, elements: Elements
) -> "tuple[Array, str]":
    """The `bits` from bit `low` on as numbers, in two's complement where they have a sign; and what
    is to be said of the others, where they are more than the sign once more or an overlay."""
    import numpy as np

    size = values.dtype.itemsize * 8
    native = values.astype(f"u{size // 8}", copy=signed or low > 0 or bits < size)
    spare = ((1 << size) - 1) & ~(((1 << bits) - 1) << low) & ~in_pixels(elements, size)
    beyond = np.asarray(spare & ~((1 << low) - 1), native.dtype)
    # No copy of a large image where none of these bits is set.
    rest = native & beyond if np.bitwise_or.reduce(native, axis=None) & beyond else None
    if signed:
        native <<= np.asarray(size - bits - low, native.dtype)
        found: Array = native.view(f"i{size // 8}")
        found >>= np.asarray(size - bits, found.dtype)
    else:
        found = native
        if low:
            found >>= np.asarray(low, native.dtype)
        if bits < size:
            found &= np.asarray((1 << bits) - 1, native.dtype)
    if rest is None:
        return found, ""
    odd = (rest != 0) & ~((rest == beyond) & (found < 0))
    count = int(np.count_nonzero(odd))
    told = (
        f"{count:,} pixels have bits set beyond Bits Stored ({bits}): these are no part of values"
    )
    return found, told if count else ""


def rgb(values: "Array", bits: int) -> "Array":
    """YBR_FULL as RGB (PS3.3 C.7.6.3.1.2), in the same number of bits."""
    import numpy as np

    half, most = float(1 << (bits - 1)), float((1 << bits) - 1)
    out: Array = np.empty(values.shape, values.dtype)
    for start in range(0, values.shape[0], 256):  # strips, so that no copy is in floats as a whole
        strip = values[start : start + 256].astype("f4")
        y, blue, red = strip[..., 0], strip[..., 1] - half, strip[..., 2] - half
        mixed = (y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue)
        for channel, one in enumerate(mixed):
            out[start : start + 256, :, channel] = np.clip(np.rint(one), 0.0, most)
    return out
