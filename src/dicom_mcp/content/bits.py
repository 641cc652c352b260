"""The bits of stored values that count, and colours as red, green and blue (PS3.5 8.1.1, PS3.3
C.7.6.3.1.2)."""

from typing import TYPE_CHECKING, Any

from .elements import Elements
from .error import ContentError
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
        for channel, plane in enumerate(mixed):
            out[start : start + 256, :, channel] = np.clip(np.rint(plane), 0.0, most)
    return out


def untransformed(values: "Array", bits: int, photometric: str) -> "tuple[Array, str]":
    """Colours that are called a transform of JPEG 2000 (PS3.3 C.7.6.3.1.2) and went through none,
    as RGB, and what is to be said of it. What is black, white or grey decides: its three values are
    one in RGB, and two of them the middle in YBR.

    Raises ContentError where there is too little of that, and for YBR_RCT that somebody made by
    another rule.
    """
    import numpy as np

    near, middle = 2 << max(bits - 8, 0), 1 << (bits - 1)
    wide = values.astype(np.int64)
    is_grey = (wide.max(axis=-1) - wide.min(axis=-1)) <= near
    is_middle = (np.abs(wide[..., 1:] - middle) <= near).all(axis=-1)
    as_rgb, as_ybr = (is_grey & ~is_middle).mean(), (is_middle & ~is_grey).mean()
    told = f"The image says {photometric}, a transform of JPEG 2000, but went through none"
    is_rgb = as_rgb > max(as_ybr * _CLEARLY, _LEAST)
    is_ybr = as_ybr > max(as_rgb * _CLEARLY, _LEAST) and photometric == "YBR_ICT"
    if is_rgb == is_ybr:
        raise ContentError(
            f"{told}: whether its colours are RGB or YBR is not known",
            "Ask whoever made it, or for the image in RGB",
        )
    name, part = ("RGB", as_rgb) if is_rgb else ("YBR_FULL", as_ybr)
    told = f"{told}: its colours are taken for {name}, in which {part:.0%} of its pixels are grey"
    return (values if is_rgb else rgb(values, bits)), told


# Greys among the pixels, at least and against those of the other reading.
_LEAST, _CLEARLY = 0.02, 10
