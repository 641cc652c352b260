"""Presets: which attributes a question returns, and the names people use for them."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Literal, get_args

from .errors import BadAttribute
from .standard.dictionary import attribute, attribute_of_tag, keywords
from .standard.levels import UNIQUE_KEY, Level
from .standard.values import shown
from .words.near import did_you_mean

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

# What people say for an attribute that its keyword and name do not: the plain form of the words
# before the colon. A count is that of the level where it is asked most.
_SAID = """
    PatientName: patient, name, full name, name of the patient, name of patient
    PatientID: mrn, medical record number, patient number, patient identifier, hospital number, pid
    PatientBirthDate: date of birth, dob, birth date, birthday, birthdate, born,
        birth year, year of birth
    PatientSex: sex, gender
    PatientAge: age, how old
    PatientSize: height, body height
    PatientWeight: weight, body weight
    EthnicGroup: ethnicity, race
    OtherPatientIDs: other ids, other patient id, other identifiers
    IssuerOfPatientID: issuer, assigning authority
    PregnancyStatus: pregnancy, pregnant
    SmokingStatus: smoker, smoking
    AdmissionID: visit number, encounter number, admission number
    NumberOfPatientRelatedStudies: number of studies, study count, number of exams
    StudyDate: exam date, examination date, date of exam, date of study, day of the study, when
    StudyTime: exam time, examination time, time of exam, time of study
    StudyDescription: exam, examination, procedure, exam description, study name, procedure name
    StudyInstanceUID: study uid
    AccessionNumber: accession, accession no, exam number, examination number
    ModalitiesInStudy: modalities, study modalities
    ReferringPhysicianName: referring doctor, referring physician, referrer, requesting doctor,
        ordering doctor, ordering physician, referred by
    NameOfPhysiciansReadingStudy: radiologist, reading physician, reading radiologist,
        reading doctor, reporting physician, reporting radiologist, reporting doctor, read by
    InstitutionName: hospital, institution, facility, clinic, site
    InstitutionalDepartmentName: department, ward
    AdmittingDiagnosesDescription: diagnosis, admitting diagnosis
    NumberOfStudyRelatedInstances: number of images, number of instances, image count, images
    NumberOfStudyRelatedSeries: number of series, series count
    SeriesInstanceUID: series uid
    SeriesDescription: series name
    BodyPartExamined: body part, body region, anatomy, region, organ
    Laterality: side, left or right
    PatientPosition: position, positioning
    ProtocolName: protocol, scan protocol
    StationName: scanner, machine, device, scanner name, station, equipment
    Manufacturer: vendor, make, brand, maker, scanner manufacturer
    ManufacturerModelName: model, scanner model, model name, machine model
    DeviceSerialNumber: serial number, scanner serial number
    SoftwareVersions: software, software version
    OperatorsName: operator, technologist, technician, radiographer, tech
    PerformingPhysicianName: performing doctor, performing physician, performed by
    NumberOfSeriesRelatedInstances: number of slices, slice count, slices, images in series
    SeriesDate: date of series
    InstanceNumber: image number, slice number
    SOPInstanceUID: instance uid, image uid, sop uid
    SOPClassUID: sop class, object type
    NumberOfFrames: frames, frame count
    Rows: image height
    Columns: image width
    BitsStored: bit depth
    LossyImageCompression: lossy, compression
    InstanceAvailability: availability, online, nearline
    RetrieveAETitle: retrieve from, where stored
    SliceThickness: thickness, slice width
    SpacingBetweenSlices: slice spacing, slice gap, slice distance
    SliceLocation: slice position
    PixelSpacing: pixel size, resolution
    ContrastBolusAgent: contrast, contrast agent, contrast medium, contrast media
    ConvolutionKernel: kernel, reconstruction kernel, filter kernel
    KVP: kv, tube voltage, peak kilovoltage, kilovolts
    XRayTubeCurrent: ma, tube current
    Exposure: mas
    CTDIvol: ctdi, dose index
    GantryDetectorTilt: gantry tilt, tilt
    RepetitionTime: tr
    EchoTime: te
    InversionTime: ti
    MagneticFieldStrength: field strength, tesla, magnet strength
    Radiopharmaceutical: tracer, radiotracer
    WindowCenter: window level
"""

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
    """The keyword of an attribute named by keyword (in any case), tag, full name or everyday word.

    `PatientID`, `patientid`, `(0010,0020)`, `00100020`, `Patient ID` and `mrn` are the same.
    Raises BadAttribute for a name that is none of these, with the nearest that is.
    """
    name = name.strip()
    if attribute(name):
        return name
    tag = _TAG.fullmatch(name)
    found = attribute_of_tag(int("".join(tag.groups()), 16)) if tag else None
    if found:
        return found.keyword
    plain = _plain(name)
    if name.islower() and plain in _everyday():  # "contrast", of which there is an attribute too
        return _everyday()[plain]
    if plain in _known():
        return _known()[plain]
    raise BadAttribute(
        f"{shown(name)} is not a DICOM attribute",
        f"Did you mean {nearest}?" if (nearest := _nearest(name)) else "Use a DICOM keyword or tag",
    )


def _plain(name: str) -> str:
    """A full name as its keyword is made: "Patient's Name" is PatientName (PS3.6 6)."""
    return re.sub(r"[^A-Za-z0-9]", "", name.replace("'s", "")).lower()


@cache
def _known() -> dict[str, str]:
    """The keyword by the plain form of every keyword, name and everyday word, in this order."""
    known = {keyword.lower(): keyword for keyword in keywords()}
    for keyword in keywords():
        if found := attribute(keyword):
            known.setdefault(_plain(found.name), keyword)
    for said, keyword in _everyday().items():
        known.setdefault(said, keyword)
    return known


@cache
def _everyday() -> dict[str, str]:
    """The keyword by the plain form of each everyday word."""
    return {_plain(said): keyword for said, keyword in _phrases()}


def _phrases() -> list[tuple[str, str]]:
    lines = re.findall(r"(\w+):([^:]*)(?=\n\s+\w+:|$)", _SAID)
    return [(word.strip(), keyword) for keyword, words in lines for word in words.split(",")]


@cache
def _common() -> frozenset[str]:
    """The keywords people mean most: of those equally near to a name, these come first."""
    preset = (key for presets in PRESETS.values() for names in presets.values() for key in names)
    return frozenset((*preset, *_everyday().values()))


def _nearest(name: str) -> str:
    """The one or two attributes whose keyword, name or everyday word is most like the name."""
    from rapidfuzz import fuzz, process

    plain = _plain(name)
    near = process.extract(plain, list(_known()), scorer=fuzz.ratio, score_cutoff=70, limit=6)
    # The same words in another order, with others between them: "date of the study".
    near += process.extract(
        " ".join(_WORD.findall(name.lower())),
        list(_names()),
        scorer=fuzz.token_sort_ratio,
        score_cutoff=70,
        limit=6,
    )
    scores: dict[str, float] = {}
    for form, score, _ in near:
        keyword = _names().get(form) or _known()[form]
        scores[keyword] = max(scores.get(keyword, 0), score + 5 * (keyword in _common()))
    best = sorted(scores, key=lambda keyword: -scores[keyword])[:2]
    # A second one only when it is nearly as near.
    return " or ".join(keyword for keyword in best if scores[keyword] > scores[best[0]] - 12)


@cache
def _names() -> dict[str, str]:
    """The keyword by the words of every name and everyday phrase."""
    named = [(found.name, keyword) for keyword in keywords() if (found := attribute(keyword))]
    return {
        " ".join(_WORD.findall(name.lower())): keyword
        for name, keyword in (*named, *_phrases())
        if " " in name
    }


_WORD = re.compile(r"[a-z0-9]{2,}")
