"""The resting ECG of the demo hospital: ten seconds drawn from one beat."""

import math
from array import array
from functools import cache

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .objects import EXPLICIT, Series, instance

ECG_12_LEAD = "1.2.840.10008.5.1.4.1.1.9.1.1"


def ecg(series: Series) -> list[Dataset]:
    """Ten seconds of a 12-lead ECG at 500 Hz, drawn from one beat (PS3.3 A.34.3)."""
    made = instance(series, 1, ECG_12_LEAD, "ECG", EXPLICIT)
    made.AcquisitionDateTime = f"{made.ContentDate}{made.ContentTime}"
    made.AcquisitionContextSequence = Sequence()
    channels = Sequence()
    for lead, (code, meaning, _) in enumerate(_LEADS):
        channel = Dataset()
        channel.ChannelLabel = meaning.removeprefix("Lead ")
        channel.ChannelSourceSequence = Sequence([_code(code, "MDC", meaning)])
        channel.ChannelSensitivity = "5"
        channel.ChannelSensitivityUnitsSequence = Sequence([_code("uV", "UCUM", "microvolt")])
        channel.ChannelSensitivityCorrectionFactor = "1"
        channel.ChannelBaseline = "0"
        channel.ChannelSampleSkew = "0"
        channel.WaveformChannelNumber = lead + 1
        channel.WaveformBitsStored = 16
        channels.append(channel)
    group = Dataset()
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = 12
    group.NumberOfWaveformSamples = 5000
    group.SamplingFrequency = "500"
    group.ChannelDefinitionSequence = channels
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    group.add_new(0x54001010, "OW", _ecg_samples())
    made.WaveformSequence = Sequence([group])
    return [made]


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    if scheme == "UCUM":
        code.CodingSchemeVersion = "1.4"
    return code


# Lead, code (PS3.16 CID 3001) and the height of its R wave against lead II.
_LEADS = (
    ("2:1", "Lead I", 0.6),
    ("2:2", "Lead II", 1.0),
    ("2:61", "Lead III", 0.4),
    ("2:62", "Lead aVR", -0.8),
    ("2:63", "Lead aVL", 0.2),
    ("2:64", "Lead aVF", 0.7),
    ("2:3", "Lead V1", -0.5),
    ("2:4", "Lead V2", -0.2),
    ("2:5", "Lead V3", 0.4),
    ("2:6", "Lead V4", 1.1),
    ("2:7", "Lead V5", 1.2),
    ("2:8", "Lead V6", 0.9),
)

# One beat of lead II at 75/min: time of each wave in s, width in s, height in microvolts.
_WAVES = (
    (0.16, 0.025, 120),
    (0.275, 0.010, -90),
    (0.300, 0.012, 1100),
    (0.325, 0.010, -220),
    (0.52, 0.045, 260),
)


@cache
def _ecg_samples() -> bytes:
    beat = [
        sum(h * math.exp(-(((n / 500 - t) / w) ** 2)) for t, w, h in _WAVES) for n in range(400)
    ]
    leads = [[round(height * value / 5) for value in beat] for _, _, height in _LEADS]
    one_beat = array("h", (lead[n] for n in range(400) for lead in leads))
    return (one_beat * 13)[: 5000 * 12].tobytes()
