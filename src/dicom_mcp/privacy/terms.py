"""Which values of an attribute are terms: words of the standard, or of trade, that name nobody.

The defined terms and enumerated values of PS3.3 stand in terms.csv, attribute by attribute: facts
collected from dicom3tools of 2025-07 and, for the 100 attributes of both, compared with the
published source of PS3.3 2016c, which has 14 attributes more.
"""

import re
from collections.abc import Mapping
from functools import cache

from ..standard.dictionary import attribute
from ..standard.modality import NOT_IMAGES
from ..standard.shapes import SEPARATOR
from ..words.body_part import is_only_parts
from ..words.manufacturer import is_maker
from ..words.modality import MODALITIES
from .profile import lines_of

# Of any code string.
_ALWAYS = frozenset(
    ("FALSE", "MIXED", "N", "NO", "NONE", "OTHER", "TRUE", "UNDEFINED", "UNKNOWN", "Y", "YES")
)

_MODALITY = frozenset(("EquipmentModality", "Modality", "ModalitiesInStudy"))

# States and choices that PS3.3 and PS3.4 define in words.
_STATES = frozenset(("CANCELED", "COMPLETED", "DISCONTINUED", "IN PROGRESS"))
_MORE: Mapping[str, frozenset[str]] = {
    "InstanceAvailability": frozenset(("NEARLINE", "OFFLINE", "ONLINE", "UNAVAILABLE")),
    "PatientSex": frozenset("FMO"),
    "PerformedProcedureStepStatus": _STATES,
    "ProcedureStepState": _STATES | {"SCHEDULED"},
    "QueryRetrieveLevel": frozenset(("IMAGE", "PATIENT", "SERIES", "STUDY")),
    "ScheduledProcedureStepStatus": frozenset(
        ("ARRIVED", "COMPLETED", "DEPARTED", "IN PROGRESS", "READY", "SCHEDULED", "STARTED")
    ),
    **dict.fromkeys(
        ("ReportingPriority", "RequestedProcedurePriority", "ScheduledProcedureStepPriority"),
        frozenset(("HIGH", "LOW", "MEDIUM", "ROUTINE", "STAT")),
    ),
}

# Directions in the patient (PS3.3 C.7.6.1.1.1).
_DIRECTION = re.compile(r"[LRAPHF]{1,3}|[LR]E|[LR]T|CR|CD|[DV]|DI|PR|M|PA|PL", re.ASCII)


def is_term(keyword: str, value: str) -> bool:
    """Whether the value, or each of several between backslashes, is one of the terms for it."""
    return all(_is_term(keyword, part.strip()) for part in value.split(SEPARATOR))


def _is_term(keyword: str, value: str) -> bool:
    if not value or value in _terms().get(keyword, ()) or value in _MORE.get(keyword, ()):
        return True
    match keyword:
        case "BodyPartExamined":
            return is_only_parts(value)
        case "CodeValue" | "LongCodeValue":
            return _is_code(value)
        case "PatientOrientation":
            return bool(_DIRECTION.fullmatch(value))
        case _ if keyword in _MODALITY:
            return value in MODALITIES or value in NOT_IMAGES
        case _ if keyword.endswith(("Manufacturer", "ManufacturerName")):
            return is_maker(value)
        case _:
            known = attribute(keyword)
            return value in _ALWAYS and known is not None and known.vr == "CS"


@cache
def _terms() -> Mapping[str, frozenset[str]]:
    """The terms by their attribute."""
    return {
        line["keyword"]: frozenset(line["terms"].split(SEPARATOR)) for line in lines_of("terms.csv")
    }


def _is_code(value: str) -> bool:
    """Whether it is formed as a code is: of SNOMED CT or LOINC with their check digits, of DCM
    (PS3.16 D), or as SNOMED's were before."""
    if re.fullmatch(r"1[0-3]\d{4}", value, re.ASCII):
        return True
    if re.fullmatch(r"[1-9]\d{2,14}[01]0\d", value, re.ASCII):
        return _has_check_digit(value)
    if re.fullmatch(r"\d{1,7}-\d", value, re.ASCII):
        digits = value.replace("-", "")
        doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
        return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0
    return bool(re.fullmatch(r"[A-Z]-[0-9A-F]{4,5}", value, re.ASCII))


def _has_check_digit(value: str) -> bool:
    """Whether the last digit is that of Verhoeff's scheme, in the dihedral group of order 10."""
    check = 0
    for at, digit in enumerate(reversed(value)):
        turn = int(digit)
        for _ in range(at % 8):
            turn = _TURNS[turn]
        check = _composed(check, turn)
    return check == 0


_TURNS = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _composed(first: int, then: int) -> int:
    """Two of its elements, one after the other: turns of a pentagon below 5, its mirrors above."""
    by = (first + then) % 5 if first < 5 else (first - then) % 5
    return by + 5 * ((first < 5) != (then < 5))
