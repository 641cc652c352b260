"""What the process apart does with a compressed frame: samples side by side, little endian."""

import io
from typing import Any

from .fault import Answer, Fault


def jpeg(content: bytes, wish: dict[str, Any]) -> Answer:
    """8-bit JPEG; with `raw`, colours are left as they are where nothing says what they are."""
    from PIL import Image

    picture: Any = Image.open(io.BytesIO(content), formats=("JPEG",))
    if picture.size != (wish["columns"], wish["rows"]):
        raise Fault("damaged")
    if wish["raw"]:
        picture.draft("YCbCr", picture.size)  # libjpeg would convert them
    return {}, [picture.tobytes()]


def openjpeg(content: bytes, _: dict[str, Any]) -> Answer:
    """JPEG 2000: in as many bytes as the precision takes."""
    import openjpeg as kit  # pyright: ignore[reportMissingTypeStubs]

    decoder: Any = kit
    return {}, [decoder.decode_pixel_data(content, version=2)]


def rle(content: bytes, wish: dict[str, Any]) -> Answer:
    """RLE Lossless (PS3.5 G): plane after plane, as it is kept."""
    from rle import utils  # pyright: ignore[reportMissingTypeStubs]

    kit: Any = utils
    pixels = wish["rows"] * wish["columns"]
    return {}, [kit.decode_frame(content, pixels, wish["bits"], "<")]


def gdcm(content: bytes, wish: dict[str, Any]) -> Answer:
    """JPEG and JPEG-LS of any precision, colours as they are."""
    import gdcm as library  # pyright: ignore[reportMissingTypeStubs]

    kit: Any = library
    fragment, fragments = kit.Fragment(), kit.SequenceOfFragments.New()
    fragment.SetByteStringValue(content)
    fragments.AddFragment(fragment)
    element = kit.DataElement(kit.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = kit.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((wish["columns"], wish["rows"], 1))
    image.SetDataElement(element)
    kinds = kit.PhotometricInterpretation
    image.SetPhotometricInterpretation(
        kinds(kinds.RGB if wish["samples"] == 3 else kinds.MONOCHROME2)
    )
    if wish["samples"] == 3:
        image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(kit.TransferSyntax(kit.TransferSyntax.GetTSType(wish["syntax"])))
    bits = wish["bits"]
    image.SetPixelFormat(
        kit.PixelFormat(wish["samples"], 8 if bits <= 8 else 16, bits, bits - 1, wish["signed"])
    )
    decoded: str | None = image.GetBuffer()
    if decoded is None:
        raise Fault("damaged")
    return {}, [decoded.encode("utf-8", "surrogateescape")]
