"""Pixels whose description is wrong are shown as they are, and said to be, or refused: never as
noise, as another frame or as other values."""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from itertools import cycle, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openjpeg import utils as openjpeg  # pyright: ignore[reportMissingTypeStubs]
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from dicom_mcp.content.apart import Apart
from dicom_mcp.content.elements import Elements
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import render
from dicom_mcp.content.pixels import stored as stored_values
from tests.content import documents as made
from tests.content.samples import gradient, image, images, transfer_syntax
from tests.notes import the_note
from tests.peers.dcmtk import run

type Array = np.ndarray[Any, Any]

ULTRASOUND = "1.2.840.10008.5.1.4.1.1.3.1"
BASELINE = UID("1.2.840.10008.1.2.4.50")
CODECS = {
    "RLE": ("dcmcrle",),
    "JPEG": ("dcmcjpeg", "+e1"),
    "JPEG-LS": ("dcmcjpls", "+el"),
    "JPEG-LS, all bits": ("dcmcjpls", "+el", "+pr"),
}


# How many bits are values


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", [*CODECS, "JPEG 2000", "JPEG 2000, all bits"])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stored", [8, 10, 12, 14])
def test_only_the_bits_that_are_stored_are_values(
    codec: str, stored: int, signed: bool, tmp_path: Path
) -> None:
    dataset, (low, high) = _values(stored, signed=signed)
    packed = _packed(dataset, codec, tmp_path)
    shown = render(packed, window="full")
    assert (shown.low, shown.high, shown.unit) == (low, high, "HU")
    assert shown.notes == ()
    plain = made.saved(dataset, tmp_path)
    run("dcm2pnm", "-O", "-a", "+Wm", plain, tmp_path / "plain.pgm")
    assert np.abs(shown.pixels.astype(int) - _pgm(tmp_path / "plain.pgm")).max() <= 1


@pytest.mark.dcmtk
@pytest.mark.filterwarnings("ignore")  # pydicom's, of files that are broken on purpose
@pytest.mark.parametrize("codec", [*CODECS, "JPEG 2000", "JPEG 2000, all bits"])
def test_every_compressed_file_in_fewer_bits_is_as_dcm2pnm_shows_it(
    codec: str, tmp_path: Path
) -> None:
    kinds = cycle(product((8, 10, 12, 14), (False, True)))
    seen = 0
    for dataset in _compressed_greys():
        stored, signed = next(kinds)
        fewer = _in_bits(dataset, stored, signed=signed)
        plain, shown = made.saved(fewer, tmp_path), tmp_path / "plain.pgm"
        run("dcm2pnm", "-O", "-a", "+Wm", plain, shown)
        ours = render(_packed(fewer, codec, tmp_path), window="full")
        expected = render(fewer, window="full")
        assert (ours.low, ours.high) == (expected.low, expected.high)
        assert np.abs(ours.pixels.astype(int) - _pgm(shown)).max() <= 1
        seen += 1
    assert seen >= 8


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", [None, "RLE", "JPEG-LS, all bits", "JPEG 2000, all bits"])
@pytest.mark.parametrize("signed", [False, True])
def test_an_overlay_in_unused_bits_is_no_value(
    codec: str | None, signed: bool, tmp_path: Path
) -> None:
    dataset, (low, high) = _values(12, signed=signed)
    words = np.frombuffer(dataset.PixelData, "<u2") & 0x0FFF
    words = words | np.where(np.arange(len(words)) % 3 == 0, 0x8000, 0).astype("<u2")
    dataset.PixelData = words.astype("<u2").tobytes()
    shown = render(_packed(dataset, codec, tmp_path) if codec else dataset, window="full")
    assert (shown.low, shown.high) == (low, high)
    assert the_note(
        shown.notes, f"{-(-len(words) // 3)} pixels have bits set beyond Bits Stored (12)"
    )
    dataset.add_new(0x60000010, "US", dataset.Rows)
    dataset.add_new(0x60000011, "US", dataset.Columns)
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", 15)
    shown = render(dataset, window="full")
    assert (shown.low, shown.high) == (low, high)
    assert not any("beyond Bits Stored" in note for note in shown.notes)


def test_signs_that_only_the_codestream_knows_are_kept_and_said() -> None:
    values = gradient(-1000, 1000, "i2", rows=32)
    dataset = image(values)
    dataset.PixelRepresentation = 0
    _encapsulate(dataset, JPEG2000Lossless, [openjpeg.encode_array(values, bits_stored=12)])
    shown = render(dataset)
    assert (shown.low, shown.high) == (-1000, 1000)
    assert the_note(shown.notes, "values have no sign, the compressed frame has negative ones")


# How long the pixel data is


def test_colour_that_is_not_subsampled_is_shown_in_full_where_the_length_says_so() -> None:
    ybr = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.uint8)
    full = render(image(ybr, photometric="YBR_FULL"))
    told = render(image(ybr, photometric="YBR_FULL_422"))
    assert (told.pixels == full.pixels).all()
    assert told.notes == (
        "The header says YBR_FULL_422, the pixel data is as long as YBR_FULL, and is shown so",
    )
    halved = image(ybr, photometric="YBR_FULL")
    halved.PixelData = np.full((12, 8, 4), 128, np.uint8).tobytes()
    told = render(halved)
    assert the_note(told.notes, "as long as YBR_FULL_422")
    assert (told.pixels == 128).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"Columns": 31},
        {"Columns": 30},
        {"Rows": 14},
        {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7},
        {"BitsAllocated": 32},
        {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
        {"Rows": 32},
    ],
)
def test_a_header_that_the_length_contradicts_is_refused(wrong: dict[str, object]) -> None:
    dataset = image(gradient(1, 4095))
    for keyword, value in wrong.items():
        setattr(dataset, keyword, value)
    with pytest.raises(ContentError, match=r"the header accounts for|ends before frame 1"):
        render(dataset)


def test_colour_under_a_header_of_greys_is_refused() -> None:
    dataset = image(np.zeros((16, 16, 3), np.uint8))
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    with pytest.raises(ContentError, match="768 bytes, the header accounts for 256"):
        render(dataset)


def test_a_few_bytes_more_are_said_and_one_is_nothing() -> None:
    dataset = image(gradient(0, 255, "u1"))
    dataset.PixelData += b"\0"
    assert render(dataset).notes == ()
    dataset.PixelData += b"\1\2\3"
    assert the_note(render(dataset).notes, "4 bytes follow the last pixel")


@pytest.mark.parametrize("said", [None, 1])
def test_frames_that_the_header_does_not_count_are_counted_by_length(said: int | None) -> None:
    frames = np.stack([np.full((8, 8), level, np.uint8) for level in (10, 20, 30)])
    dataset = image(frames, NumberOfFrames=3, SOPClassUID=ULTRASOUND)
    if said is None:
        del dataset.NumberOfFrames
    else:
        dataset.NumberOfFrames = said
    shown = render(dataset, 3)
    assert (shown.frames, shown.pixels[0, 0]) == (3, 30)
    assert the_note(shown.notes, "holds 3 frames, NumberOfFrames says")


def test_frames_that_are_only_said_to_be_there_are_refused_and_the_others_told() -> None:
    dataset = image(np.stack([gradient(0, 255, "u1")] * 2), NumberOfFrames=2)
    dataset.NumberOfFrames = 4
    assert render(dataset, 2).notes == ("The pixel data ends after 2 of 4 frames",)
    with pytest.raises(ContentError, match="ends before frame 3"):
        render(dataset, 3)


# What the transfer syntax says


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", [*CODECS, "JPEG 2000"])
def test_fragments_under_a_transfer_syntax_without_are_decoded(codec: str, tmp_path: Path) -> None:
    dataset, (low, high) = _values(12, signed=True)
    packed = _packed(dataset, codec, tmp_path)
    packed.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    shown = render(packed)
    assert (shown.low, shown.high) == (low, high)
    assert the_note(shown.notes, "but the pixel data is compressed")


def test_a_bare_codestream_is_decoded() -> None:
    dataset, (low, high) = _values(12, signed=False)
    values = np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)
    dataset.PixelData = openjpeg.encode_array(values, bits_stored=12)
    shown = render(dataset)
    assert (shown.low, shown.high) == (low, high)
    assert the_note(shown.notes, "but the pixel data is compressed")


@pytest.mark.parametrize("syntax", [BASELINE, JPEG2000Lossless, RLELossless])
def test_pixels_without_fragments_under_a_compressed_syntax_are_shown(syntax: UID) -> None:
    dataset = image(gradient(0, 4095), stored=12)
    expected = render(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    shown = render(dataset)
    assert (shown.pixels == expected.pixels).all()
    assert the_note(shown.notes, "but the pixel data is not compressed")
    dataset.PixelData = dataset.PixelData[:-8]
    with pytest.raises(ContentError, match="is not in fragments"):
        render(dataset)


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", [*CODECS, "JPEG 2000"])
@pytest.mark.parametrize("syntax", [BASELINE, JPEG2000Lossless, RLELossless])
def test_a_frame_is_decoded_by_the_codec_it_is_in(codec: str, syntax: UID, tmp_path: Path) -> None:
    dataset, (low, high) = _values(12, signed=True)
    packed = _packed(dataset, codec, tmp_path)
    right = packed.file_meta.TransferSyntaxUID == syntax
    packed.file_meta.TransferSyntaxUID = syntax
    if codec == "RLE" and not right:
        with pytest.raises(ContentError, match="is not what its transfer syntax"):
            render(packed)
        return
    shown = render(packed)
    assert (shown.low, shown.high) == (low, high)
    assert right == (shown.notes == ())


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_by_plane_that_is_said_to_be_by_pixel_is_doubted(planar: int) -> None:
    waves = 120 + 100 * np.sin(np.arange(1024) / 4).reshape(32, 32)
    colours = np.stack([waves, waves + 3, waves + 5], axis=-1).astype(np.uint8)
    content = colours if planar == 0 else colours.transpose(2, 0, 1).copy()
    dataset = image(content.reshape(32, 32, 3))
    dataset.PlanarConfiguration = planar
    assert render(dataset).notes == ()
    dataset.PlanarConfiguration = 1 - planar
    (note,) = render(dataset).notes
    assert "PlanarConfiguration" in note
    assert "may be wrong" in note
    del dataset.PlanarConfiguration
    assert any("PlanarConfiguration" in note for note in render(dataset).notes)


# Where the frames are


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", ["RLE", "JPEG", "JPEG-LS", "JPEG 2000"])
@pytest.mark.parametrize("table", ["zeros", "nonsense", "of the wrong length", "none"])
@pytest.mark.parametrize("extended", [False, True])
def test_a_table_of_offsets_that_cannot_be_right_is_not_used(
    codec: str, table: str, extended: bool, tmp_path: Path
) -> None:
    frames = _frames(codec, tmp_path)
    dataset = _several(codec, frames, tmp_path)
    size = 8 if extended else 4
    numbers = {
        "zeros": [0] * len(frames),
        "nonsense": [0, 1 << 30, 7, 4],
        "of the wrong length": [0, 100],
        "none": [],
    }[table]
    offsets = b"".join(number.to_bytes(size, "little") for number in numbers)
    if extended:
        dataset.PixelData = encapsulate(frames, has_bot=False)
        if offsets:
            dataset.ExtendedOffsetTable = offsets
            dataset.ExtendedOffsetTableLengths = bytes(len(offsets))
    else:
        dataset.PixelData = (
            b"\xfe\xff\x00\xe0" + len(offsets).to_bytes(4, "little") + offsets
        ) + encapsulate(frames, has_bot=False)[8:]
    for number in range(1, len(frames) + 1):
        shown = render(dataset, number, window="full")
        assert shown.low == number * 100
        assert any("offset table does not fit" in note for note in shown.notes) == bool(offsets)


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", ["JPEG", "JPEG-LS", "JPEG 2000"])
def test_frames_in_several_fragments_are_told_apart_by_their_markers(
    codec: str, tmp_path: Path
) -> None:
    dataset = _several(codec, _frames(codec, tmp_path), tmp_path)
    frames = [*generate_frames(dataset.PixelData, number_of_frames=4)]
    for has_table in (True, False):
        dataset.PixelData = encapsulate(frames, fragments_per_frame=2, has_bot=has_table)
        for number in range(1, 5):
            shown = render(dataset, number, window="full")
            assert shown.low == number * 100
            assert shown.notes == ()


@pytest.mark.dcmtk
def test_a_right_extended_table_is_no_remark(tmp_path: Path) -> None:
    frames = _frames("RLE", tmp_path)
    dataset = _several("RLE", frames, tmp_path)
    content, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
        frames
    )
    dataset.PixelData = content
    shown = render(dataset, 4, window="full")
    assert (shown.low, shown.notes) == (400, ())


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", ["RLE", "JPEG", "JPEG 2000"])
@pytest.mark.parametrize("said", [None, 1, 9])
def test_compressed_frames_are_counted_as_they_are_there(
    codec: str, said: int | None, tmp_path: Path
) -> None:
    dataset = _several(codec, _frames(codec, tmp_path), tmp_path)
    dataset.NumberOfFrames = said
    shown = render(dataset, 4, window="full")
    assert (shown.low, shown.frames) == (400, 4)
    assert the_note(shown.notes, "holds 4 frames, NumberOfFrames says")
    with pytest.raises(ContentError, match=r"no frame 5|holds 4 frames, not 5"):
        render(dataset, 5)


def test_fragments_that_nothing_tells_apart_are_refused() -> None:
    dataset = image(gradient(0, 255, "u1"))
    dataset.NumberOfFrames = 2
    _encapsulate(dataset, RLELossless, [b"\7" * 80] * 3)
    with pytest.raises(ContentError, match="3 fragments for 2 frames, and nothing tells"):
        render(dataset)


@pytest.mark.dcmtk
@pytest.mark.parametrize("codec", ["JPEG-LS", "JPEG 2000"])
def test_a_codestream_without_an_end_is_refused_or_said_to_have_none(
    codec: str, tmp_path: Path
) -> None:
    dataset, _ = _values(12, signed=False)
    packed = _packed(dataset, codec, tmp_path)
    (frame,) = generate_frames(packed.PixelData, number_of_frames=1)
    packed.PixelData = encapsulate([frame[: len(frame) * 3 // 4]])
    told: tuple[str, ...] = ("damaged",)
    with suppress(ContentError):
        told = render(packed).notes
    assert any("has no end" in note or note == "damaged" for note in told)


# Values and tables that cannot be right


@pytest.mark.parametrize(
    ("wrong", "low", "note"),
    [
        ({"RescaleSlope": "0"}, -1024, "RescaleSlope is 0"),
        ({"RescaleSlope": None}, -1024, "RescaleSlope is no number"),
        ({"RescaleIntercept": None}, 0, "RescaleIntercept is no number"),
    ],
)
def test_a_rescale_that_cannot_be_right_gives_values_without_a_unit(
    wrong: dict[str, object], low: float, note: str
) -> None:
    dataset = image(gradient(0, 4095), stored=12, modality="CT")
    dataset.RescaleIntercept, dataset.RescaleSlope = "-1024", "1"
    assert render(dataset).unit == "HU"
    for keyword, value in wrong.items():
        setattr(dataset, keyword, value)
    shown = render(dataset)
    assert (shown.low, shown.unit) == (low, "")
    assert the_note(shown.notes, note)


def test_what_the_header_says_of_the_smallest_and_largest_value_is_not_believed() -> None:
    dataset = image(gradient(10, 900))
    dataset.add_new(0x00280106, "US", 100)
    dataset.add_new(0x00280107, "US", 200)
    assert (render(dataset).low, render(dataset).high) == (10, 900)


def test_a_window_that_shows_nothing_of_the_frame_is_said() -> None:
    dataset = image(gradient(2000, 4000), WindowCenter="40", WindowWidth="400")
    assert the_note(render(dataset).notes, "Nothing can be told apart")
    dataset.WindowWidth = "0"
    shown = render(dataset)
    assert the_note(shown.notes, "window of the file shows nothing")
    assert (shown.pixels.min(), shown.pixels.max()) == (0, 255)


@pytest.mark.parametrize("entries", [0, 300])
def test_a_palette_whose_descriptor_is_wrong_is_refused(entries: int) -> None:
    dataset = image(gradient(0, 255, "u1"), photometric="PALETTE COLOR")
    for channel in ("Red", "Green", "Blue"):
        setattr(dataset, f"{channel}PaletteColorLookupTableDescriptor", [entries, 0, 16])
        content = np.arange(256, dtype="<u2").tobytes()
        setattr(dataset, f"{channel}PaletteColorLookupTableData", content)
    with pytest.raises(ContentError, match=r"look-up table of \d+ entries holds 256"):
        render(dataset)


def test_pixels_that_a_palette_has_no_entry_for_are_told() -> None:
    dataset = image(gradient(0, 255, "u1"), photometric="PALETTE COLOR")
    for channel in ("Red", "Green", "Blue"):
        setattr(dataset, f"{channel}PaletteColorLookupTableDescriptor", [128, 0, 8])
        setattr(dataset, f"{channel}PaletteColorLookupTableData", bytes(range(128)))
    assert render(dataset).notes == ("The palette has no entry for values from 128 to 255",)


# Colours


@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_of_ybr_that_is_declared_rgb_is_shown_in_its_colours(subsampling: int) -> None:
    colours = np.zeros((32, 32, 3), np.uint8)
    colours[:, :16], colours[:, 16:] = (200, 30, 40), (20, 60, 220)
    file = BytesIO()
    Image.fromarray(colours).save(file, "JPEG", quality=95, subsampling=subsampling)
    stream = file.getvalue()
    if subsampling:  # without the marker that says so: its sampling does
        place = stream.index(b"\xff\xe0")
        stream = (
            stream[:place] + stream[place + 2 + int.from_bytes(stream[place + 2 : place + 4]) :]
        )
    dataset = image(colours)
    _encapsulate(dataset, BASELINE, [stream])
    assert any("JPEG with loss, which" in note for note in render(dataset).notes)
    dataset.LossyImageCompression = "01"
    shown = render(dataset)
    assert np.abs(shown.pixels[8, 4].astype(int) - (200, 30, 40)).max() < 8
    assert the_note(shown.notes, "data set says RGB, the compressed frame itself YBR")
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    again = render(dataset)
    assert (again.pixels == shown.pixels).all()
    assert again.notes == ()


# Making them


def _values(stored: int, *, signed: bool) -> tuple[Dataset, tuple[int, int]]:
    """A CT of 16 bits, of which fewer are stored, its values going up and down."""
    half = 1 << (stored - 1)
    low, high = (-half + 3, half - 5) if signed else (2, 2 * half - 9)
    ramp = gradient(low, high, "i2" if signed else "u2", rows=32)
    ramp[::2] = ramp[::2, ::-1]
    dataset = image(ramp, stored=stored, modality="CT")
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "0", "1", "HU"
    return dataset, (low, high)


def _compressed_greys() -> Iterator[Dataset]:
    """The compressed files of the test data whose first frame is grey and can be decoded, as they
    are uncompressed; large ones cut, those left out that openjpeg finds too small to encode."""
    for _, dataset in images():
        syntax = UID(transfer_syntax(dataset))
        if not syntax.is_compressed or int(dataset.get("SamplesPerPixel", 1)) != 1:
            continue
        if min(dataset.Rows, dataset.Columns) < 32:
            continue
        with Apart() as apart, suppress(ContentError):
            found = stored_values(Elements.of(dataset), 1, str(syntax), apart)
            yield image(found.values[:96, :96].astype("i4"))


def _in_bits(dataset: Dataset, stored: int, *, signed: bool) -> Dataset:
    """Its values over the whole range of so many bits."""
    values = np.frombuffer(dataset.PixelData, "<i4").astype(float)
    half = 1 << (stored - 1)
    shares = (values - values.min()) / max(float(np.ptp(values)), 1.0)
    scaled = np.rint(shares * (2 * half - 1)) - (half if signed else 0)
    scaled = scaled.reshape(dataset.Rows, dataset.Columns)
    return image(scaled.astype("i2" if signed else "u2"), stored=stored)


def _packed(dataset: Dataset, codec: str, folder: Path) -> Dataset:
    """The same, compressed."""
    if codec in CODECS:
        program, *options = CODECS[codec]
        packed = folder / "packed.dcm"
        run(program, *options, made.saved(dataset, folder), packed)
        return dcmread(packed)
    found = deepcopy(dataset)
    kind = "<i2" if dataset.PixelRepresentation else "<u2"
    values = np.frombuffer(dataset.PixelData, kind).reshape(dataset.Rows, dataset.Columns)
    if "all bits" in codec:  # as words, whatever is in them
        stream = openjpeg.encode_array(values.view("<u2"), bits_stored=16)
    else:
        stream = openjpeg.encode_array(values, bits_stored=dataset.BitsStored)
    _encapsulate(found, JPEG2000Lossless, [stream])
    return found


def _frames(codec: str, folder: Path) -> list[bytes]:
    """Four compressed frames whose least values are 100, 200, 300 and 400."""
    frames: list[bytes] = []
    for number in range(1, 5):
        packed = _packed(image(gradient(number * 100, 1000, rows=32), stored=12), codec, folder)
        frames += generate_frames(packed.PixelData, number_of_frames=1)
    return frames


def _several(codec: str, frames: list[bytes], folder: Path) -> Dataset:
    """An object of these frames."""
    packed = _packed(image(gradient(100, 1000, rows=32), stored=12), codec, folder)
    packed.NumberOfFrames = len(frames)
    packed.PixelData = encapsulate(frames)
    return packed


def _encapsulate(dataset: Dataset, syntax: UID, frames: list[bytes]) -> None:
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"


def _pgm(path: Path) -> Array:
    return np.asarray(Image.open(path)).astype(int)
