"""Curves have the values, the scale and the seconds that the object says."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from dicom_mcp.content.error import ContentError
from dicom_mcp.content.plot import plot
from dicom_mcp.content.waveform import channels, lacking, pages, scale_of, ticks
from tests.content.drawing import item
from tests.content.samples import PYDICOM, image


def recording(
    samples: "np.ndarray[Any, Any]", kind: str, frequency: float = 100, **attributes: Any
) -> Dataset:
    """Samples of each moment by channel, of 2 mV at a baseline of 10 mV."""
    made = image(np.zeros((1, 1), "u1"), modality="ECG")
    del made.PixelData, made.Rows, made.Columns
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.9.1.1"
    group = item(
        NumberOfWaveformChannels=samples.shape[1],
        NumberOfWaveformSamples=len(samples),
        SamplingFrequency=frequency,
        WaveformBitsAllocated=samples.dtype.itemsize * 8,
        WaveformSampleInterpretation=kind,
        ChannelDefinitionSequence=Items(
            [
                item(
                    ChannelLabel=f"Lead {number}",
                    ChannelSensitivity=4,
                    ChannelSensitivityCorrectionFactor=0.5,
                    ChannelBaseline=10,
                    ChannelSensitivityUnitsSequence=Items([item(CodeValue="mV")]),
                )
                for number in range(samples.shape[1])
            ]
        ),
        **attributes,
    )
    vr = "OB" if samples.dtype.itemsize == 1 else "OW"
    group.add_new(0x54001010, vr, samples.tobytes())
    made.WaveformSequence = Items([group])
    return made


@pytest.mark.parametrize(
    ("dtype", "kind", "values"),
    [
        ("i1", "SB", [-128, 0, 127]),
        ("u1", "UB", [0, 1, 255]),
        ("<i2", "SS", [-32768, 0, 32767]),
        ("<u2", "US", [0, 1, 65535]),
        ("<i4", "SL", [-(2**31), 0, 2**31 - 1]),
        ("<u4", "UL", [0, 1, 2**32 - 1]),
    ],
)
def test_samples_of_every_kind_have_their_values(dtype: str, kind: str, values: list[int]) -> None:
    made = recording(np.asarray([values, values[::-1]], dtype).T, kind)
    curves = channels(made, pages(made)[0])
    assert [curve.name for curve in curves] == ["Lead 0", "Lead 1"]
    assert curves[0].unit == "mV"
    assert curves[0].values.tolist() == [10 + 2 * value for value in values]
    assert curves[1].values.tolist() == [10 + 2 * value for value in values[::-1]]


@pytest.mark.parametrize(
    ("kind", "codes", "values"),
    [
        # ITU-T G.711, tables 1 and 2, in steps of 16 bits: the largest, the least and the smallest.
        ("MB", [0x80, 0x00, 0xFF, 0x7F], [32124, -32124, 0, 0]),
        ("AB", [0xAA, 0x2A, 0xD5, 0x55], [32256, -32256, 8, -8]),
    ],
)
def test_companded_sound_is_expanded(kind: str, codes: list[int], values: list[int]) -> None:
    made = recording(np.asarray([codes], "u1").T, kind)
    (curve,) = channels(made, pages(made)[0])
    assert curve.values.tolist() == [10 + 2 * value for value in values]


def test_padding_is_no_sample() -> None:
    made = recording(np.asarray([[5], [-999], [7]], "<i2"), "SS")
    made.WaveformSequence[0].add_new(0x5400100A, "OW", np.int16(-999).tobytes())
    (curve,) = channels(made, pages(made)[0])
    assert np.isnan(curve.values).tolist() == [False, True, False]


def test_long_recordings_are_shown_at_once_and_in_tens_of_seconds() -> None:
    samples = np.zeros((3500, 1), "<i2")
    samples[1234] = 900
    made = recording(samples, "SS")
    assert [page.seconds for page in pages(made)] == [
        (0, 35),
        (0, 10),
        (10, 20),
        (20, 30),
        (30, 35),
    ]
    shown = plot(made, 3)
    assert "seconds 10 to 20, 100 samples a second" in shown.caption
    assert "Lead 0: 10 to 1810 mV" in shown.caption
    assert "Lead 0: 10 to 10 mV" in plot(made, 2).caption
    with pytest.raises(ContentError, match="no page 6"):
        plot(made, 6)


def test_a_moment_lies_where_its_second_is_marked() -> None:
    samples = np.zeros((1000, 1), "<i2")
    samples[500] = 100  # in the middle of ten seconds
    shown = plot(recording(samples, "SS"), longest_side=710)
    greys = np.asarray(Image.open(BytesIO(shown.content)).convert("L"))
    rows, columns = np.nonzero(greys[: greys.shape[0] // 2 - 40, 90:] < 60)
    assert rows.size
    assert abs(int(np.median(columns)) - 300) <= 1


def test_leads_of_one_unit_have_one_scale() -> None:
    samples = np.asarray([[0, 0], [100, 10]], "<i2")
    made = recording(samples, "SS")
    first, second = scale_of(channels(made, pages(made)[0]))
    assert first[1] - first[0] == pytest.approx(second[1] - second[0])
    made.WaveformSequence[0].ChannelDefinitionSequence[1].ChannelSensitivityUnitsSequence = Items(
        [item(CodeValue="mm[Hg]")]
    )
    first, second = scale_of(channels(made, pages(made)[0]))
    assert second[1] - second[0] < (first[1] - first[0]) / 5


def test_scales_have_round_numbers() -> None:
    assert ticks(-0.7, 1.3, 5) == pytest.approx([-0.5, 0, 0.5, 1])
    assert ticks(0, 10, 10) == pytest.approx([*range(11)])


def test_what_is_shorter_than_it_says_is_shown_as_far_as_it_goes() -> None:
    made = recording(np.zeros((100, 2), "<i2"), "SS")
    made.WaveformSequence[0].WaveformData = made.WaveformSequence[0].WaveformData[:200]
    assert pages(made)[0].stop == 50
    assert "there are 50 of 100 samples" in " ".join(lacking(made))
    made.WaveformSequence[0].WaveformSampleInterpretation = "XX"
    with pytest.raises(ContentError, match="none known here"):
        plot(made)


def test_a_curve_without_its_sensitivity_has_no_unit() -> None:
    made = recording(np.full((100, 2), 7, "<i2"), "SS")
    del made.WaveformSequence[0].ChannelDefinitionSequence[0].ChannelSensitivity
    first, second = channels(made, pages(made)[0])
    assert first.unit == "as stored"
    assert second.unit not in ("", "as stored")


def test_an_ecg_says_its_measurements() -> None:
    shown = plot(dcmread(PYDICOM / "waveform_ecg.dcm"))
    assert "RHYTHM: 12 channels, seconds 0 to 10, 1000 samples a second" in shown.caption
    assert "ECG NORMALE; RR Interval: 982 ms" in shown.caption
    assert "2: MEDIAN BEAT, 0 to 1.2 s" in shown.caption
