"""ECGs and other waveforms (PS3.3 C.10.9) as curves over time, with scales.

Values are samples times sensitivity and its correction, on the channel's baseline. Long recordings
are shown as the least and the largest value of each moment, and in pages of ten seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from .elements import Elements
from .error import ContentError
from .plain import capped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Floats = NDArray[np.float64]

# WaveformSampleInterpretation (C.10.9.1.5): struct's letters; MB and AB are companded (G.711).
_SAMPLES = {"SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4"}
_COMPANDED = frozenset({"MB", "AB"})

# Seconds of a page; recordings up to the second are shown at once.
_PAGE, _AT_ONCE = 10.0, 20.0

# Samples of all channels that are drawn, and words of annotations that are told.
_MOST_SAMPLES = 200_000_000
_MOST_TOLD = 40


# Beside values whose sensitivity is missing (1C: required where they have a unit).
_AS_STORED = "as stored"


@dataclass(frozen=True, slots=True)
class Channel:
    """A curve: its name, its unit, and its values."""

    name: str
    unit: str
    values: "Floats"


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a multiplex group, from the first sample to before the last; `is_part` of more."""

    group: int
    name: str
    frequency: float
    start: int
    stop: int
    is_part: bool

    @property
    def seconds(self) -> tuple[float, float]:
        return self.start / self.frequency, self.stop / self.frequency


def has_waveform(dataset: Dataset) -> bool:
    """Whether an object holds curves."""
    return "WaveformSequence" in Elements.of(dataset)


def pages(dataset: Dataset) -> list[Page]:
    """What can be shown of a recording: first all of each group, then its tens of seconds.

    Raises ContentError where no group has samples over time.
    """
    found: list[Page] = []
    for place, group in enumerate(Elements.of(dataset).items("WaveformSequence")):
        frequency, count = group.number("SamplingFrequency"), _count(group)
        if not frequency or frequency <= 0 or not count:
            continue
        found.append(Page(place, _name(group, place), frequency, 0, count, False))
    if not found:
        raise ContentError("The waveform has no samples over time", "Read its header")
    for whole in [*found]:
        step = max(1, round(_PAGE * whole.frequency))
        if whole.stop > _AT_ONCE * whole.frequency:
            found += [
                Page(whole.group, whole.name, whole.frequency, start, end, True)
                for start in range(0, whole.stop, step)
                if (end := min(start + step, whole.stop))
            ]
    return found


def lacking(dataset: Dataset) -> Iterator[str]:
    """What of a recording is not there, or not in its pages."""
    for place, group in enumerate(Elements.of(dataset).items("WaveformSequence")):
        name, there = _name(group, place), _count(group)
        said = group.integer("NumberOfWaveformSamples")
        if not there or (group.number("SamplingFrequency") or 0) <= 0:
            yield f"{name} is not shown: it has no samples over time that can be read."
        elif there < said:
            yield f"{name} is cut: there are {there:,} of {said:,} samples."


def channels(dataset: Dataset, page: Page) -> list[Channel]:
    """The curves of a page. Raises ContentError for samples that cannot be read."""
    import numpy as np

    group = Elements.of(dataset).items("WaveformSequence")[page.group]
    count, values = group.integer("NumberOfWaveformChannels"), _samples(group)
    rows = values[: _count(group) * count].reshape(-1, count)[page.start : page.stop]
    padding = _padding(group, values.dtype)
    found: list[Channel] = []
    definitions = group.items("ChannelDefinitionSequence")
    for place in range(count):
        channel = definitions[place] if place < len(definitions) else Elements(Dataset())
        curve: Floats = rows[:, place].astype(np.float64)
        if padding is not None:
            curve[rows[:, place] == padding] = np.nan
        scale = channel.number("ChannelSensitivity")
        unit = channel.first("ChannelSensitivityUnitsSequence").text("CodeValue")
        unit = capped(unit, 16) if scale else _AS_STORED * bool(unit)
        scale = (scale or 1.0) * _number(channel, "ChannelSensitivityCorrectionFactor", 1.0)
        curve = curve * scale + _number(channel, "ChannelBaseline", 0.0)
        source = channel.first("ChannelSourceSequence")
        name = channel.text("ChannelLabel") or source.text("CodeMeaning") or f"channel {place + 1}"
        found.append(Channel(capped(name, 40), unit, curve))
    return found


def annotations(dataset: Dataset) -> list[str]:
    """What is noted beside the curves (C.10.10): words, measurements, codes."""
    found: list[str] = []
    for item in Elements.of(dataset).items("WaveformAnnotationSequence"):
        name = item.first("ConceptNameCodeSequence").text("CodeMeaning")
        unit = item.first("MeasurementUnitsCodeSequence").text("CodeValue")
        coded = item.first("ConceptCodeSequence").text("CodeMeaning")
        said = item.text("UnformattedTextValue") or item.text("NumericValue") or coded
        words = " ".join(filter(None, (f"{name}:" if name and said else name, said, unit)))
        if words:
            found.append(capped(words, 200))
    return [*dict.fromkeys(found)]


def told(dataset: Dataset, number: int, curves: Sequence[Channel]) -> Iterator[str]:
    """What is to be said beside page `number` (from 1), which has these curves."""
    elements, several = Elements.of(dataset), pages(dataset)
    page = several[number - 1]
    first, last = page.seconds
    what = ", ".join(filter(None, (elements.text("Modality"), elements.text("SeriesDescription"))))
    yield (
        f"{capped(what, 80) or 'Waveform'}, {page.name}: {len(curves)} channels, seconds "
        f"{first:g} to {last:g}, {page.frequency:g} samples a second."
    )
    for curve in curves:
        low, high = _range(curve.values)
        yield f"{curve.name}: {low:.4g} to {high:.4g} {curve.unit}".rstrip() + "."
    if len(several) > 1:
        listed = [
            f"{place}: {other.name}, {other.seconds[0]:g} to {other.seconds[1]:g} s"
            for place, other in enumerate(several, start=1)
        ]
        more = [f"… to {len(listed)}, ten seconds each"] if len(listed) > _MOST_TOLD else []
        yield f"Pages (frame): {'; '.join([*listed[:_MOST_TOLD], *more])}."
    if notes := annotations(dataset):
        left = len(notes) - _MOST_TOLD
        yield f"Annotations: {'; '.join(notes[:_MOST_TOLD])}{f'; {left} more' * (left > 0)}."


def scale_of(curves: Sequence[Channel]) -> list[tuple[float, float]]:
    """The least and the largest value of the strip of each curve: those of voltages of one unit are
    equally high, so that leads compare; others have their own."""
    ends = [_range(curve.values) for curve in curves]
    highest: dict[str, float] = {}
    for curve, (low, high) in zip(curves, ends, strict=True):
        if curve.unit.upper().endswith("V"):
            highest[curve.unit] = max(highest.get(curve.unit, 0.0), high - low)
    found: list[tuple[float, float]] = []
    for curve, (low, high) in zip(curves, ends, strict=True):
        span, middle = highest.get(curve.unit, high - low) or 1.0, (low + high) / 2
        found.append((middle - span * 0.55, middle + span * 0.55))
    return found


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at most so many."""
    step = (high - low) / most
    size: float = 10.0 ** floor(log10(step))
    step = next(size * digit for digit in (1, 2, 5, 10) if size * digit >= step * (1 - 1e-9))
    return [place * step for place in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _range(values: "Floats") -> tuple[float, float]:
    import numpy as np

    kept = values[np.isfinite(values)]
    return (float(kept.min()), float(kept.max())) if kept.size else (0.0, 0.0)


def _name(group: Elements, place: int) -> str:
    return capped(group.text("MultiplexGroupLabel"), 64) or f"group {place + 1}"


def _count(group: Elements) -> int:
    """Samples of each channel that are there, however many it says."""
    channels, said = (
        group.integer(keyword)
        for keyword in ("NumberOfWaveformChannels", "NumberOfWaveformSamples")
    )
    bits = group.integer("WaveformBitsAllocated")
    if channels < 1 or bits not in (8, 16, 32) or said * channels > _MOST_SAMPLES:
        return 0
    return min(said, len(group.bulk("WaveformData")) // (bits // 8) // channels)


def _samples(group: Elements) -> Any:
    import numpy as np

    kind = group.text("WaveformSampleInterpretation").upper()
    content = group.bulk("WaveformData")
    if kind in _COMPANDED:
        return _expanded(np.frombuffer(content, "u1"), is_mu=kind == "MB")
    size = group.integer("WaveformBitsAllocated") // 8
    letter = _SAMPLES.get(kind, "")
    if not letter.endswith(str(size)):
        raise ContentError(f"Samples of {size * 8} bits as {capped(kind, 8)} are none known here")
    element = group.element("WaveformData")
    is_big = isinstance(element, RawDataElement) and not element.is_little_endian
    return np.frombuffer(content[: len(content) // size * size], (">" if is_big else "<") + letter)


def _expanded(samples: Any, *, is_mu: bool) -> Any:
    """Samples of 8 bits by the mu or the A law (ITU-T G.711) as numbers of 16 bits."""
    import numpy as np

    table = [_of_mu(code) if is_mu else _of_a(code) for code in range(256)]
    return np.asarray(table, np.int16)[samples]


def _of_mu(code: int) -> int:
    code = ~code & 0xFF
    size = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -size if code & 0x80 else size


def _of_a(code: int) -> int:
    code ^= 0x55
    segment, part = code >> 4 & 7, (code & 15) << 4
    size = part + 0x108 << segment - 1 if segment else part + 8
    return size if code & 0x80 else -size


def _padding(group: Elements, kind: Any) -> float | None:
    """The value that stands for no sample (C.10.9.1.6)."""
    import numpy as np

    content = group.bytes("WaveformPaddingValue")
    size = np.dtype(kind).itemsize
    if len(content) >= size:
        return float(np.frombuffer(content[:size], kind)[0])
    return None


def _number(elements: Elements, keyword: str, otherwise: float) -> float:
    found = elements.number(keyword)
    return otherwise if found is None else found
