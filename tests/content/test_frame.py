"""Frames look as DCMTK's dcm2pnm shows them; what cannot be shown rightly is refused."""

import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEG2000Lossless

from dicom_mcp.content.codestream import described
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import Frame, render
from dicom_mcp.content.window import PRESETS, Window
from dicom_mcp.demo.hospital import hospital
from tests.content import documents as made
from tests.content.samples import gradient, image, images, transfer_syntax
from tests.peers.dcmtk import PATIENCE, dcmtk, run

type Array = np.ndarray[Any, Any]

# Frames that differ from DCMTK's by more than a grey level, and frames that are refused although
# DCMTK shows something. Everything else is the same.
DIFFERENT = {
    "SC_ybr_full_uncompressed.dcm": "DCMTK takes 127.5 for the middle of CB and CR, PS3.3 says 128",
}
REFUSED = {
    "rtdose_expb.dcm": "32 bits in Explicit VR Big Endian: which word comes first, nobody says",
    "rtdose_expb_1frame.dcm": "as rtdose_expb.dcm",
}

# Explained to DCMTK: JPEG 2000 is not among what it decodes, so GDCM unpacks it.
_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")

# At most so many frames of a file: the 120 of a cine are all alike.
_FRAMES = 12


@pytest.mark.dcmtk
@pytest.mark.filterwarnings("ignore")  # pydicom's, of files that are broken on purpose
def test_frames_are_those_of_dcm2pnm(tmp_path: Path) -> None:
    same, different, refused = 0, set[str](), set[str]()
    for path, dataset in images():
        count = int(getattr(dataset, "NumberOfFrames", None) or 1) if _is_whole(dataset) else 1
        for number in range(1, min(count, _FRAMES) + 1):
            try:
                ours = render(dataset, number, transfer_syntax=transfer_syntax(dataset))
            except ContentError:
                if _dcm2pnm(path, number, [], dataset, tmp_path) is not None:
                    refused.add(path.name)
                continue
            theirs = _dcm2pnm(path, number, _options(ours), dataset, tmp_path)
            if theirs is None:
                continue
            if _apart(ours.pixels, theirs) <= 1:
                same += 1
            else:
                different.add(path.name)
    assert different <= set(DIFFERENT)
    assert refused <= set(REFUSED)
    assert same > 90
    assert same / (same + len(different)) >= 0.97


@pytest.mark.dcmtk
def test_the_demo_hospital_looks_as_dcm2pnm_shows_it(tmp_path: Path) -> None:
    """One image of each series: uncompressed, JPEG, JPEG 2000 and RLE."""
    seen = set[str]()
    for dataset in hospital(date(2026, 3, 4)).pacs():
        if "PixelData" not in dataset or dataset.SeriesInstanceUID in seen:
            continue
        seen.add(dataset.SeriesInstanceUID)
        ours = render(dataset)
        path = made.saved(dataset, tmp_path)
        theirs = _dcm2pnm(path, 1, _options(ours), dataset, tmp_path)
        assert theirs is not None
        assert _apart(ours.pixels, theirs) <= 1, dataset.SeriesDescription
    assert len(seen) > 20


@pytest.mark.dcmtk
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("dtype", "stored", "high"),
    [
        *[("u1", 8, 7), ("u1", 5, 4), ("i1", 8, 7), ("i1", 6, 5)],
        *[("u2", 16, 15), ("u2", 12, 11), ("u2", 10, 15), ("u2", 12, 13)],
        *[("i2", 16, 15), ("i2", 12, 11), ("i2", 10, 15), ("i2", 13, 14)],
    ],
)
def test_bits_and_signs_are_read_as_dcm2pnm_reads_them(
    photometric: str, dtype: str, stored: int, high: int, tmp_path: Path
) -> None:
    noise = np.random.default_rng(3).integers(0, 1 << (8 * int(dtype[1])), (24, 32))
    dataset = image(
        noise.astype(f"u{dtype[1]}").view(dtype), stored=stored, high=high, photometric=photometric
    )
    for window in (None, Window(10, 100), Window(1, 9, "SIGMOID")):
        ours = render(dataset, window=window or "full")
        theirs = _dcm2pnm(made.saved(dataset, tmp_path), 1, _options(ours), dataset, tmp_path)
        assert theirs is not None
        assert _apart(ours.pixels, theirs) <= 1


@pytest.mark.dcmtk
@pytest.mark.parametrize(
    "compress",
    [
        *[("dcmcjpeg", "+e1"), ("dcmcjpeg", "+el"), ("dcmcjpls", "+el"), ("dcmcrle",)],
        ("gdcmconv", "--j2k"),
    ],
)
@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("u1", 8), ("u2", 16), ("u2", 12), ("u2", 10), ("i2", 16), ("i2", 12), ("i1", 8)],
)
def test_a_compressed_image_is_the_uncompressed_one(
    compress: tuple[str, ...], dtype: str, stored: int, tmp_path: Path
) -> None:
    half = 1 << (stored - 1)
    low, high = (-half, half - 1) if dtype[0] == "i" else (0, 2 * half - 1)
    ramp = gradient(low, high, dtype, rows=32)
    ramp[::2] = ramp[::2, ::-1]
    dataset = image(ramp, stored=stored)
    dataset.WindowCenter, dataset.WindowWidth = f"{(low + high) // 3}", f"{high - low}"
    plain, packed = made.saved(dataset, tmp_path), tmp_path / "packed.dcm"
    program, *options = compress
    if program == "gdcmconv":
        _gdcmconv(options[0], plain, packed)
    else:
        run(program, *options, plain, packed)
    held = dcmread(packed)
    assert held.file_meta.TransferSyntaxUID.is_compressed
    ours, expected = render(held), render(dataset)
    assert (ours.low, ours.high) == (low, high)
    assert (ours.pixels == expected.pixels).all()


@pytest.mark.dcmtk
@pytest.mark.parametrize("name", ["lung", "bone", "brain", "abdomen"])
def test_presets_and_rescale_are_those_of_dcm2pnm(name: str, tmp_path: Path) -> None:
    dataset = _ct()
    ours = render(dataset, window=name)
    theirs = _dcm2pnm(made.saved(dataset, tmp_path), 1, _options(ours), dataset, tmp_path)
    assert theirs is not None
    assert _apart(ours.pixels, theirs) <= 1
    assert ours.unit == "HU"
    assert (ours.low, ours.high) == (-1024.0, 3071.0)


@pytest.mark.dcmtk
def test_tables_of_modality_and_voi_are_those_of_dcm2pnm(tmp_path: Path) -> None:
    dataset = image(gradient(0, 4095), stored=12)
    dataset.ModalityLUTSequence = Sequence([_table(range(4095, -1, -1), first=0, bits=12)])
    dataset.ModalityLUTSequence[0].ModalityLUTType = "US"
    voi = [min(255, round((place / 1000) ** 2 * 255)) for place in range(1000)]
    dataset.VOILUTSequence = Sequence([_table(voi, first=1500, bits=8)])
    ours = render(dataset)
    assert ours.shown == "the file's VOI look-up table"
    theirs = _dcm2pnm(made.saved(dataset, tmp_path), 1, ["+Wl", "1"], dataset, tmp_path)
    assert theirs is not None
    assert _apart(ours.pixels, theirs) <= 1


def test_a_table_that_goes_up_and_down_has_its_own_range() -> None:
    dataset = image(gradient(0, 255, "u1"))
    peak = [*range(0, 1280, 10), *range(1270, -10, -10)]
    dataset.ModalityLUTSequence = Sequence([_table(peak, first=0, bits=16)])
    shown = render(dataset)
    assert (shown.low, shown.high) == (0.0, 1270.0)
    assert shown.pixels.max() == 255
    assert (shown.pixels[0, 0], shown.pixels[-1, -1]) == (0, 0)


@pytest.mark.dcmtk
@pytest.mark.parametrize("planar", [0, 1])
def test_colour_by_pixel_and_by_plane_is_the_same(planar: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (10, 12, 3), np.uint8)
    dataset = image(noise.transpose(2, 0, 1).reshape(10, 12, 3) if planar else noise)
    dataset.PlanarConfiguration = planar
    ours = render(dataset)
    assert (ours.pixels == noise).all()
    theirs = _dcm2pnm(made.saved(dataset, tmp_path), 1, [], dataset, tmp_path)
    assert theirs is not None
    assert (ours.pixels == theirs).all()


@pytest.mark.parametrize("bits", [8, 16])
def test_a_segmented_palette_is_the_palette_written_out(bits: int) -> None:
    dataset = image(gradient(0, 255, "u1"), photometric="PALETTE COLOR")
    size = "u1" if bits == 8 else "u2"
    most = (1 << bits) - 1
    # 16 entries alike, a ramp of 112 up to the top, and both again by an indirect segment.
    place = [0, 0, 0, 0] if bits == 8 else [0, 0]
    segments = [0, 16, *[0] * 16, 1, 112, most, 2, 2, *place]
    for channel in ("Red", "Green", "Blue"):
        setattr(dataset, f"{channel}PaletteColorLookupTableDescriptor", [256, 0, bits])
        tag = f"Segmented{channel}PaletteColorLookupTableData"
        setattr(dataset, tag, np.asarray(segments, size).tobytes())
    pixels = render(dataset).pixels[..., 0].ravel()
    ramp = np.repeat(np.concatenate([np.zeros(16), np.linspace(0, 255, 113)[1:]]), 2)
    expected = np.concatenate([ramp, ramp])
    assert np.abs(pixels - expected).max() <= 1


def test_a_window_function_is_the_formula_of_the_standard() -> None:
    values = np.asarray([-50.0, -0.5, 0.0, 10.0, 49.5, 60.0])
    # PS3.3 C.11.2.1.2.1 with centre 10, width 21, from 0 to 1
    linear = np.clip((values - 9.5) / 20 + 0.5, 0, 1)
    assert np.allclose(Window(10, 21).greys(values), linear)
    exact = np.clip((values - 10) / 21 + 0.5, 0, 1)
    assert np.allclose(Window(10, 21, "LINEAR_EXACT").greys(values), exact)
    sigmoid = 1 / (1 + np.exp(-4 * (values - 10) / 21))
    assert np.allclose(Window(10, 21, "SIGMOID").greys(values), sigmoid)
    assert Window(10, 1).greys(values).tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(("width", "function"), [(0, "LINEAR"), (0, "SIGMOID"), (-1, "LINEAR")])
def test_a_window_that_shows_nothing_is_refused(width: float, function: str) -> None:
    with pytest.raises(ContentError, match="shows nothing"):
        Window(40, width, function)


def test_the_files_windows_are_found_by_number_and_by_name() -> None:
    dataset = _ct()
    dataset.WindowCenter, dataset.WindowWidth = ["40", "-600"], ["400", "1500"]
    dataset.WindowCenterWidthExplanation = ["SOFT", "LUNG"]
    assert str(render(dataset).window) == str(render(dataset, window="soft").window)
    assert render(dataset).window == render(dataset, window="1").window
    assert render(dataset, window="2").window == render(dataset, window="lung").window
    with pytest.raises(ContentError, match=r"Known here: lung, .* of the file: 1, 2"):
        render(dataset, window="liver and onions")


def test_presets_are_for_hounsfield_units_only() -> None:
    with pytest.raises(ContentError, match="no Hounsfield units"):
        render(image(gradient(0, 4095), modality="MR"), window="brain")
    assert {"lung", "bone", "brain", "abdomen", "mediastinum", "liver", "stroke"} <= set(PRESETS)


def test_a_file_window_of_no_width_is_as_if_there_were_none() -> None:
    dataset = image(gradient(100, 900), WindowCenter="500", WindowWidth="0")
    shown = render(dataset)
    assert shown.shown == "no window in the file, all values from 100 to 900"
    assert (shown.pixels.min(), shown.pixels.max()) == (0, 255)


def test_padding_is_dark_and_not_part_of_the_range() -> None:
    values = gradient(0, 1000, "i2")
    values[:, :4] = -2000
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        dataset = image(values, photometric=photometric)
        dataset.add_new(0x00280120, "SS", -2000)
        shown = render(dataset)
        assert (shown.pixels[:, :4] == 0).all()
        assert shown.low == values[:, 4:].min()
    dataset.add_new(0x00280120, "US", 65536 - 2000)  # as Implicit VR is often read
    assert render(dataset).low == values[:, 4:].min()


def test_a_range_of_padding_is_dark() -> None:
    dataset = image(gradient(0, 1000, "i2"))
    dataset.add_new(0x00280120, "SS", 0)
    dataset.add_new(0x00280121, "SS", 300)
    assert render(dataset).low == 301


def test_presentation_lut_shape_says_which_end_is_light() -> None:
    dataset = image(gradient(0, 255, "u1"), photometric="MONOCHROME1")
    assert render(dataset).pixels[0, 0] == 255
    dataset.PresentationLUTShape = "IDENTITY"
    assert render(dataset).pixels[0, 0] == 0


def test_each_frame_has_its_own_rescale_and_window() -> None:
    frames = np.stack([gradient(0, 1000), gradient(0, 1000)])
    dataset = image(frames, NumberOfFrames=2, modality="CT")
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        [_groups(-1000, "-600", "1500"), _groups(0, "40", "400")]
    )
    first, second = render(dataset, 1), render(dataset, 2)
    assert (first.low, second.low) == (-1000.0, 0.0)
    assert str(first.window) == "centre -600, width 1500"
    assert str(second.window) == "centre 40, width 400"
    assert not (first.pixels == second.pixels).all()
    shared = dataset.PerFrameFunctionalGroupsSequence[1]
    del dataset.PerFrameFunctionalGroupsSequence
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    assert render(dataset, 1).low == 0.0


def test_pixels_that_are_not_square_are_shown_in_their_ratio() -> None:
    dataset = image(gradient(0, 255, "u1"))
    dataset.PixelSpacing = ["2", "1"]
    assert render(dataset).fitted(1000).shape == (32, 32)
    dataset.PixelSpacing = ["0.5", "1"]
    assert render(dataset).fitted(1000).shape == (16, 64)
    assert render(dataset).fitted(32).shape == (8, 32)
    dataset.PixelSpacing = ["0", "1"]
    dataset.PixelAspectRatio = ["2", "1"]
    assert render(dataset).ratio == 2.0
    dataset.PixelSpacing = ["1000", "1"]
    assert render(dataset).notes == ("PixelSpacing 1000\\1 cannot be right and is not used",)


def test_floats_are_shown_over_their_range() -> None:
    dataset = image(gradient(0, 1000))
    del dataset.PixelData
    values = np.linspace(-1.5, 2.5, 512, dtype="<f4").reshape(16, 32)
    values[0, 0] = np.nan
    dataset.add_new(0x7FE00008, "OF", values.tobytes())
    dataset.BitsAllocated = 32
    shown = render(dataset)
    assert shown.high == 2.5
    assert (shown.pixels[-1, -1], shown.pixels[0, 1]) == (255, 0)


def test_bits_of_a_mask_are_unpacked_frame_by_frame() -> None:
    masks = np.random.default_rng(5).integers(0, 2, (3, 5, 7), np.uint8)
    dataset = image(masks, NumberOfFrames=3)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    dataset.PixelData = np.packbits(masks.ravel(), bitorder="little").tobytes()
    for number in (1, 2, 3):
        assert (render(dataset, number).pixels == masks[number - 1] * 255).all()


def test_32_bits_beyond_any_table_are_shown_by_strips() -> None:
    values = np.linspace(0, 2**32 - 1, 600 * 8).astype("u4").reshape(600, 8)
    shown = render(image(values))
    assert np.abs(shown.pixels.astype(float) - values / (2**32 - 1) * 255).max() <= 0.51


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"Rows": 60000, "Columns": 60000}, "more than are decoded"),
        ({"Rows": 0}, "is no picture"),
        ({"SamplesPerPixel": 4}, "is no picture"),
        ({"BitsStored": 17}, "cannot be shown"),
        ({"BitsAllocated": 12}, "cannot be shown"),
        ({"HighBit": 3}, "cannot be shown"),
        ({"PhotometricInterpretation": "CMYK"}, "photometric interpretation CMYK"),
        ({"PhotometricInterpretation": "YBR_PARTIAL_420"}, "YBR_PARTIAL_420 cannot be shown"),
        ({"NumberOfFrames": 1 << 30, "Rows": 17}, "pixel data ends before"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(
    attributes: dict[str, object], complaint: str
) -> None:
    dataset = image(gradient(0, 4095), stored=12)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    with pytest.raises(ContentError, match=complaint):
        render(dataset)


def test_the_first_of_a_billion_frames_is_shown_and_the_rest_refused() -> None:
    dataset = image(gradient(0, 4095))
    dataset.NumberOfFrames = 1 << 30
    assert render(dataset).frames == 1 << 30
    with pytest.raises(ContentError, match="pixel data ends before frame 1073741824"):
        render(dataset, 1 << 30)
    with pytest.raises(ContentError, match="no frame 0"):
        render(dataset, 0)


def test_a_codestream_that_says_another_size_is_not_decoded() -> None:
    dataset = image(gradient(0, 255, "u1"))
    size = b"\xff\x4f\xff\x51\0\x29\0\0" + b"\0\0\xea\x60" * 2 + b"\0" * 8 + b"\0\0\xea\x60" * 2
    stream = size + b"\0" * 8 + b"\0\x01\x07\x01\x01" + b"\xff\x93" + b"\0" * 100
    dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.PixelData = encapsulate([stream])
    with pytest.raises(ContentError, match="60000 by 60000 pixels of 1 samples, the data set says"):
        render(dataset)


@pytest.mark.parametrize(
    ("uid", "complaint"),
    [
        ("1.2.840.10008.1.2.4.50", "is not what its transfer syntax"),
        ("1.2.840.10008.1.2.4.90", "is not what its transfer syntax"),
        ("1.2.840.10008.1.2.5", "is damaged"),
        ("1.2.840.10008.1.2.4.102", "a video"),
        ("1.2.840.10008.1.2.4.110", "is not what|No decoder"),
        ("1.2.3.4", "No decoder|is not what"),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_what_is_needed(uid: str, complaint: str) -> None:
    dataset = image(gradient(0, 255, "u1"))
    dataset.file_meta.TransferSyntaxUID = UID(uid)
    dataset.PixelData = encapsulate([b"\1\2\3\4" * 16])
    with pytest.raises(ContentError, match=complaint) as refused:
        render(dataset)
    if "video" not in complaint:
        assert "ncompressed" in str(refused.value)


@pytest.mark.parametrize("photometric", ["YBR_PARTIAL_420", "XYB", "RGB"])
@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("100", "a video .MPEG2 Main"),
        ("102", "a video .MPEG-4 AVC"),
        ("107", "a video .HEVC"),
        ("110", "transfer syntax JPEG XL Lossless"),
        ("111", "transfer syntax JPEG XL JPEG Recompression"),
        ("112", "transfer syntax JPEG XL "),
        ("52", "Process 3 and 5"),
        ("54", "Process 7 and 9"),
    ],
)
def test_each_syntax_without_a_decoder_is_refused_with_its_own_reason(
    photometric: str, syntax: str, reason: str
) -> None:
    dataset = image(np.zeros((4, 4, 3), np.uint8), photometric=photometric)
    dataset.file_meta.TransferSyntaxUID = UID(f"1.2.840.10008.1.2.4.{syntax}")
    dataset.PixelData = encapsulate([b"\1\2\3\4" * 16])
    with pytest.raises(ContentError, match=reason):
        render(dataset)


def test_an_empty_modality_table_is_not_used_and_told() -> None:
    dataset = image(gradient(0, 900), ModalityLUTSequence=Sequence([Dataset()]))
    frame = render(dataset)
    assert (frame.low, frame.high) == (0, 900)
    assert any("Modality LUT is empty" in note for note in frame.notes)


@pytest.mark.parametrize("how", ["native", "JPEG 2000"])
def test_a_transform_that_was_not_made_is_known_by_its_greys_or_refused(how: str) -> None:
    colours = np.random.default_rng(7).integers(0, 256, (64, 32, 3), np.uint8)
    colours[32:] = np.linspace(0, 255, 32, dtype="u1")[:, None]
    colours[32:, 15:17] = 128, 128, 128  # grey either way
    ybr = _ybr(colours)

    def shown(values: Array, photometric: str) -> Frame:
        dataset = image(values)
        if how == "JPEG 2000":
            dataset.PixelData = encapsulate([_plain_jpeg_2000(values)])
            dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
        dataset.PhotometricInterpretation = photometric
        return render(dataset)

    for photometric in ("YBR_ICT", "YBR_RCT"):
        frame = shown(colours, photometric)
        assert (frame.pixels == colours).all()
        assert any("its colours are taken for RGB" in note for note in frame.notes)
        with pytest.raises(ContentError, match=f"{photometric}.* whether its colours are RGB or"):
            shown(colours[:32], photometric)
    frame = shown(ybr, "YBR_ICT")
    assert np.abs(frame.pixels.astype(int) - colours).max() <= 2
    assert any("its colours are taken for YBR_FULL" in note for note in frame.notes)
    with pytest.raises(ContentError, match="YBR_RCT"):
        shown(ybr, "YBR_RCT")


@pytest.mark.dcmtk
def test_colour_in_jpeg_2000_is_the_same_whatever_the_data_set_calls_it(tmp_path: Path) -> None:
    noise = np.random.default_rng(7).integers(0, 256, (24, 32, 3), np.uint8)
    plain, packed = made.saved(image(noise), tmp_path), tmp_path / "packed.dcm"
    _gdcmconv("--j2k", plain, packed)
    held = dcmread(packed)
    stream = described(get_frame(held.PixelData, 0, number_of_frames=1))
    assert stream
    if stream.marked == "RGB":  # the stream has a transform of its own: what it gives is RGB
        for name in ("RGB", "YBR_RCT", "YBR_FULL"):
            held.PhotometricInterpretation = name
            assert (render(held).pixels == noise).all()
    else:
        assert (render(held).pixels == noise).all()


def test_a_colour_image_has_no_window() -> None:
    dataset = image(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ContentError, match="has no window"):
        render(dataset, window="brain")


def test_an_object_without_pixels_is_no_picture() -> None:
    with pytest.raises(ContentError, match=r"Comprehensive 3D SR Storage.* is no picture"):
        render(made.document())


def _ybr(values: Array) -> Array:
    """RGB as YBR_FULL (PS3.3 C.7.6.3.1.2)."""
    red, green, blue = np.moveaxis(values.astype(float), -1, 0)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return (
        np.stack([light, (blue - light) / 1.772 + 128, (red - light) / 1.402 + 128], axis=-1)
        .round()
        .clip(0, 255)
        .astype("u1")
    )


def _plain_jpeg_2000(values: Array) -> bytes:
    """A codestream without a multiple component transform."""
    import openjpeg  # pyright: ignore[reportMissingTypeStubs]

    kit: Any = openjpeg
    stream = bytes(kit.encode(values, photometric_interpretation=1, use_mct=False))
    header = described(stream)
    assert header
    assert header.marked == "PLAIN"
    return stream


def _ct() -> Dataset:
    dataset = image(gradient(0, 4095), stored=12, modality="CT")
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "-1024", "1", "HU"
    return dataset


def _groups(intercept: int, center: str, width: str) -> Dataset:
    rescale, voi, groups = Dataset(), Dataset(), Dataset()
    rescale.RescaleIntercept, rescale.RescaleSlope = str(intercept), "1"
    rescale.RescaleType = "HU"
    voi.WindowCenter, voi.WindowWidth = center, width
    groups.PixelValueTransformationSequence = Sequence([rescale])
    groups.FrameVOILUTSequence = Sequence([voi])
    return groups


def _table(entries: "range | list[int]", *, first: int, bits: int) -> Dataset:
    table = Dataset()
    table.add_new(0x00283002, "US", [len(entries), first, bits])
    table.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return table


def _options(shown: Frame) -> list[str]:
    """How dcm2pnm is told to show what we show."""
    if shown.colour:
        return []
    if shown.window:
        sigmoid = ["+Wfs"] if shown.window.function == "SIGMOID" else []
        return ["+Ww", str(shown.window.center), str(shown.window.width), *sigmoid]
    if "table" in shown.shown:
        return ["+Wl", "1"]
    # DCMTK shows the 1 of a mask as mid-grey unless it is told to stretch.
    return ["+Wm"] if "all values" in shown.shown or "to 1 as" in shown.shown else []


def _dcm2pnm(
    path: Path, number: int, options: list[str], dataset: Dataset, folder: Path
) -> Array | None:
    """What DCMTK shows, without a change of size; None for what it cannot show."""
    if transfer_syntax(dataset) in _JPEG_2000:
        raw = folder / "raw.dcm"
        raw.unlink(missing_ok=True)
        _gdcmconv("--raw", path, raw)
        path = raw
    for program in ("dcmj2pnm", "dcml2pnm"):
        command = [dcmtk(program), "-O", "-a", "+F", str(number), *options, path]
        shown = subprocess.run(command, capture_output=True, timeout=PATIENCE).stdout
        if shown:
            return np.asarray(Image.open(BytesIO(shown)))
    return None


def _gdcmconv(option: str, path: Path, to: Path) -> None:
    command = [Path(sys.prefix) / "bin" / "gdcmconv", option, path, to]
    subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)


def _apart(ours: Array, theirs: Array) -> int:
    """The largest difference of a pixel; grey is the same as three equal colours."""
    assert ours.shape[:2] == theirs.shape[:2]
    if ours.ndim < theirs.ndim:
        ours = ours[..., np.newaxis]
    elif theirs.ndim < ours.ndim:
        theirs = theirs[..., np.newaxis]
    return int(np.abs(ours.astype(int) - theirs.astype(int)).max())


def _is_whole(dataset: Dataset) -> bool:
    try:
        return int(dataset.get("NumberOfFrames", 1) or 1) > 0
    except ValueError:
        return False


def test_the_samples_of_pydicom_are_there() -> None:
    assert sum(1 for _ in images()) > 60
    assert dcmread(next(path for path, _ in images())).Rows
