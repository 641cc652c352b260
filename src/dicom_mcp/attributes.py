"""Presets: which attributes a question returns, and the names people use for them."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal, get_args

from .errors import BadAttribute
from .standard.dictionary import attribute, attribute_of_tag, keywords
from .standard.levels import UNIQUE_KEY, Level
from .standard.values import shown

type Preset = Literal["minimal", "standard", "extended"]

# Each preset adds to the one before. Attributes of a level are those of PS3.4 C.6.1.1; a lower
# level's attribute asked for at a higher one would come from an arbitrary child.
PRESETS: dict[Level, dict[Preset, tuple[str, ...]]] = {
    Level.PATIENT: {
        "minimal": ("PatientID", "PatientName"),
        "standard": ("PatientBirthDate", "PatientSex", "NumberOfPatientRelatedStudies"),
        "extended": (
            "IssuerOfPatientID",
            "OtherPatientIDs",
            "EthnicGroup",
            "PatientComments",
            "NumberOfPatientRelatedSeries",
            "NumberOfPatientRelatedInstances",
        ),
    },
    Level.STUDY: {
        "minimal": ("StudyInstanceUID", "PatientID", "StudyDate", "StudyDescription"),
        "standard": (
            "PatientName",
            "ModalitiesInStudy",
            "AccessionNumber",
            "NumberOfStudyRelatedInstances",
        ),
        "extended": (
            "StudyTime",
            "StudyID",
            "PatientBirthDate",
            "PatientSex",
            "ReferringPhysicianName",
            "NameOfPhysiciansReadingStudy",
            "InstitutionName",
            "NumberOfStudyRelatedSeries",
        ),
    },
    Level.SERIES: {
        "minimal": ("SeriesInstanceUID", "StudyInstanceUID", "SeriesNumber", "Modality"),
        "standard": ("SeriesDescription", "BodyPartExamined", "NumberOfSeriesRelatedInstances"),
        "extended": (
            "SeriesDate",
            "SeriesTime",
            "Laterality",
            "PatientPosition",
            "ProtocolName",
            "StationName",
            "Manufacturer",
            "ManufacturerModelName",
            "InstitutionName",
            "PerformingPhysicianName",
            "OperatorsName",
        ),
    },
    Level.IMAGE: {
        "minimal": ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "InstanceNumber"),
        "standard": ("SOPClassUID", "Rows", "Columns", "NumberOfFrames"),
        "extended": (
            "ContentDate",
            "ContentTime",
            "AcquisitionNumber",
            "ImageType",
            "SliceLocation",
            "SliceThickness",
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "PixelSpacing",
            "BitsAllocated",
            "PhotometricInterpretation",
        ),
    },
}

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?")


def preset_keywords(level: Level, preset: str) -> tuple[str, ...]:
    """The keywords a preset returns at a level. Raises BadAttribute for an unknown preset."""
    names: tuple[Preset, ...] = get_args(Preset.__value__)
    if preset not in names:
        raise BadAttribute(
            f"attribute_preset={shown(preset)} does not exist",
            f"Use {did_you_mean(preset, names) or ', '.join(names)}",
        )
    upto = names[: names.index(preset) + 1]
    return tuple(keyword for name in upto for keyword in PRESETS[level][name])


def returned_keywords(
    level: Level, preset: str, *, additional: Sequence[str] = (), exclude: Sequence[str] = ()
) -> tuple[str, ...]:
    """What a question returns: the preset, plus `additional`, minus `exclude` (keywords or tags).

    The level's unique key stays in any case: a record without it cannot be asked about. Raises
    BadAttribute for a name that is no attribute, with the nearest that is.
    """
    wanted = (*preset_keywords(level, preset), *(keyword_of(name) for name in additional))
    unwanted = {keyword_of(name) for name in exclude} - {UNIQUE_KEY[level]}
    return tuple(dict.fromkeys(keyword for keyword in wanted if keyword not in unwanted))


def keyword_of(name: str) -> str:
    """The keyword of an attribute named by keyword (in any case), tag or full name.

    `PatientID`, `patientid`, `(0010,0020)`, `00100020` and `Patient ID` are the same.
    """
    name = name.strip()
    if attribute(name):
        return name
    tag = _TAG.fullmatch(name)
    found = attribute_of_tag(int("".join(tag.groups()), 16)) if tag else None
    if found:
        return found.keyword
    plain = _plain(name)
    for keyword in keywords():
        if keyword.lower() == plain:
            return keyword
    raise BadAttribute(
        f"{shown(name)} is not a DICOM attribute",
        f"Did you mean {nearest}" if (nearest := _nearest(plain)) else "Use a DICOM keyword or tag",
    )


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """The nearest of `choices`, or "" when none is near."""
    near = get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return near[0] if near else ""


def _plain(name: str) -> str:
    """A full name as its keyword is made: "Patient's Name" is PatientName (PS3.6 6)."""
    return re.sub(r"[^A-Za-z0-9]", "", name.replace("'s", "")).lower()


def _nearest(plain: str) -> str:
    by_lower = {keyword.lower(): keyword for keyword in keywords()}
    near = get_close_matches(plain, list(by_lower), n=2, cutoff=0.7)
    return " or ".join(by_lower[one] for one in near)
