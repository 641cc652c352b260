"""Stored values as values of the modality: rescale or table, and their unit (PS3.3 C.11.1)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from .elements import Elements
from .groups import placed
from .lut import lut
from .pixels import Stored

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    type Values = NDArray[np.float64]


def modality(
    elements: Elements, number: int, held: Stored
) -> "tuple[Callable[[Values], Values], str, bool]":
    """Stored values to those of the modality, their unit, and whether anything is changed."""
    if (tables := elements.items("ModalityLUTSequence")) and len(tables[0].dataset):
        table = lut(tables[0], signed=held.signed)
        return table.of, _unit(tables[0].text("ModalityLUTType")), True
    rescale = placed(elements, number, "PixelValueTransformationSequence", "RescaleSlope")
    slope, intercept = rescale.number("RescaleSlope"), rescale.number("RescaleIntercept")
    unit = _unit(rescale.text("RescaleType")) or elements.text("Units")
    if is_ct(elements, number):
        unit = "HU"
    if not slope:  # missing, or 0, which would make every value the same
        slope, dose = elements.number("DoseGridScaling"), elements.text("DoseUnits")
        unit = unit or (dose if slope else "")  # without it the stored values are of no unit
        slope = slope or 1.0
    shift = intercept or 0.0
    if slope == 1.0 and shift == 0.0:
        return lambda values: values, unit, False
    return lambda values: values * slope + shift, unit, True


def rescale_fault(elements: Elements, number: int) -> str:
    """What is to be said of a rescale that cannot be right: values are then none of a unit."""
    if "ModalityLUTSequence" in elements and not len(elements.first("ModalityLUTSequence").dataset):
        return "The file's Modality LUT is empty and not used, so that values may have no unit"
    rescale = placed(elements, number, "PixelValueTransformationSequence", "RescaleSlope")
    has_intercept = "RescaleIntercept" in rescale
    if "ModalityLUTSequence" in elements or not ("RescaleSlope" in rescale or has_intercept):
        return ""
    if not (slope := rescale.number("RescaleSlope")):
        said = "no number" if slope is None else "0"
        return f"RescaleSlope is {said}: 1 is taken for it, so that values may have no unit"
    if rescale.number("RescaleIntercept") is None:
        return "RescaleIntercept is no number: 0 is taken for it, so that values may have no unit"
    return ""


def padding(elements: Elements, held: Stored) -> tuple[float, float] | None:
    """The stored values that are no part of the image (PS3.3 C.7.5.1.1.2)."""
    for keyword in ("PixelPaddingValue", "FloatPixelPaddingValue", "DoubleFloatPixelPaddingValue"):
        if (value := elements.number(keyword)) is None:
            continue
        limit = elements.number(keyword.replace("Value", "RangeLimit"))
        ends = sorted([value, value if limit is None else limit])
        if held.values.dtype.kind != "f":
            ends = sorted(_as_stored(int(end), held) for end in ends)
        return ends[0], ends[1]
    return None


def _as_stored(value: int, held: Stored) -> float:
    """A value that may have been written with the wrong sign, as the pixels hold it."""
    size = held.values.dtype.itemsize * 8
    value %= 1 << size
    if held.signed and value >= 1 << (size - 1):
        value -= 1 << size
    return float(value)


def _unit(said: str) -> str:
    """A unit of the modality's values; US says that there is none (PS3.3 C.11.1.1.2)."""
    return "" if said.upper() == "US" else said


def is_ct(elements: Elements, number: int) -> bool:
    """Whether the values are Hounsfield units (PS3.3 C.8.2.1)."""
    rescale = placed(elements, number, "PixelValueTransformationSequence", "RescaleIntercept")
    unit = rescale.text("RescaleType").upper()
    return elements.text("Modality") == "CT" and "RescaleIntercept" in rescale and unit in _HU


_HU = frozenset({"", "HU", "US"})  # US is "unspecified", which CTs write often
