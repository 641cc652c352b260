"""The embedded archive, over DIMSE and over DICOMweb, as it should be and with bad habits."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.find import Hierarchy
from dicom_mcp.demo.habits import NONE, Habits
from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.node import Node, Receiver
from dicom_mcp.standard.dictionary import keywords
from dicom_mcp.standard.levels import UNIQUE_KEY, Model
from tests.peers.archive import Peer


@dataclass(frozen=True, slots=True)
class Kind:
    """How our own archive is to behave."""

    habits: Habits = NONE
    hierarchy: Hierarchy = "relational"


def _ignoring(*keywords: str, returned: bool = True) -> Kind:
    keys = frozenset(keywords)
    return Kind(Habits(ignored_keys=keys, unreturned=frozenset() if returned else keys))


def _without(*keywords: str) -> Kind:
    return Kind(Habits(unreturned=frozenset(keywords)))


def capped(most: int, status: int = 0x0000) -> Kind:
    """Gives at most so many matches and ends longer answers with this status."""
    return Kind(Habits(most_matches=most, cap_status=status))


_COUNTS = (
    *("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries"),
    *("NumberOfPatientRelatedInstances", "NumberOfStudyRelatedSeries"),
    *("NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances"),
)

_BELOW = frozenset({"ModalitiesInStudy", "NumberOfStudyRelatedSeries"})
_NOT_INDEXED = frozenset({"PatientName", "StudyDescription", "StudyTime", "SeriesDescription"})

# Archives that cut by something else than the rows of an answer, and mostly without a word.
CUTTING_BELOW: dict[str, Kind] = {
    "looks at 13 series for a modality": Kind(Habits(most_below=13)),
    # Orthanc 1.10.1 with LimitFindResults 20, and its orthanc-dicomweb.
    "cuts like Orthanc": Kind(Habits(most_matches=20, cap_status=0xFE00, most_below=21)),
    "cuts like Orthanc's DICOMweb": Kind(Habits(most_of_all_pages=21, most_below=21)),
    "looks at 15 series for what it is asked to tell": Kind(
        Habits(most_below=15, below_keys=_BELOW, joined=True)
    ),
    "compares the first 17 and says so": Kind(
        Habits(most_candidates=17, late_keys=_NOT_INDEXED, cap_status=0xFE00)
    ),
    "compares the first 17 silently": Kind(Habits(most_candidates=17, late_keys=_NOT_INDEXED)),
    "reads 3 values of a list": Kind(Habits(most_values=3)),
}

# Our own archive as others are, by what is wrong with it.
MISBEHAVING: dict[str, Kind] = {
    "ignores modalities": _ignoring("ModalitiesInStudy", "Modality"),
    "ignores modalities and keeps none": _ignoring("ModalitiesInStudy", returned=False),
    "ignores descriptions": _ignoring("StudyDescription", "SeriesDescription"),
    "ignores and keeps back descriptions": _ignoring(
        "StudyDescription", "SeriesDescription", returned=False
    ),
    "ignores dates": _ignoring("StudyDate", "PatientBirthDate"),
    "ignores names": _ignoring("PatientName"),
    "ignores and keeps back names": _ignoring("PatientName", returned=False),
    "ignores numbers": _ignoring("AccessionNumber", "SeriesNumber", "InstanceNumber"),
    "ignores unique keys": _ignoring(*UNIQUE_KEY.values()),
    "keeps no counts": _without(*_COUNTS),
    "keeps back dates": _without("StudyDate", "PatientBirthDate"),
    "keeps back the UIDs above": _without("PatientID", "StudyInstanceUID", "SeriesInstanceUID"),
    "calls every key unsupported": Kind(Habits(optional_keys_status=True)),
    "is out of resources after 7": capped(7, 0xA700),
    "cancels after 7": capped(7, 0xFE00),
    "stops silently after 10": capped(10),
    "stops silently after 20": capped(20),
    "calls UTF-8 Latin-1": Kind(Habits(utf_8_declared="as Latin-1")),
    "does not declare UTF-8": Kind(Habits(utf_8_declared="not at all")),
    "compares bytes": Kind(Habits(by_bytes=True, case_sensitive=True)),
    "minds the case of names": Kind(Habits(case_sensitive=True)),
    "compares keys as written": Kind(Habits(literal_keys=frozenset(keywords()))),
    "has wildcards at the end only": Kind(
        Habits(not_wild=frozenset({"at the start", "inside", "?"}), open_ranges=False)
    ),
    "says everything twice": Kind(Habits(duplicated=True)),
    "has Study Root only": Kind(Habits(models=frozenset({Model.STUDY_ROOT}))),
    "has Patient Root only": Kind(Habits(models=frozenset({Model.PATIENT_ROOT}))),
    "has Patient Root only and is silent": Kind(
        Habits(models=frozenset({Model.PATIENT_ROOT})), "silent"
    ),
    "finds nothing without the keys above": Kind(hierarchy="silent"),
    "has several habits": Kind(
        Habits(
            ignored_keys=frozenset({"ModalitiesInStudy", "StudyDescription"}),
            unreturned=frozenset({"ModalitiesInStudy", *_COUNTS}),
            models=frozenset({Model.STUDY_ROOT}),
            most_matches=20,
            by_bytes=True,
            case_sensitive=True,
            duplicated=True,
        ),
        "silent",
    ),
}


@contextmanager
def embedded(
    objects: Sequence[Dataset],
    kind: Kind = Kind(),
    *,
    name: str = "embedded",
    database: str = ":memory:",
    receiver: Receiver | None = None,
) -> Generator[Peer]:
    """Our own archive, asked relationally unless its kind says otherwise.

    `database` may be a file that another embedded archive has filled.
    """
    with EmbeddedArchive(
        objects,
        ae_title="EMBEDDED",
        hierarchy=kind.hierarchy,
        habits=kind.habits,
        database=database,
        destinations={receiver.ae_title: (receiver.host, receiver.port)} if receiver else None,
    ) as archive:
        lacks = {"case"} if kind.habits.case_sensitive else set[str]()
        node = Node(port=archive.port, called_ae_title="EMBEDDED", receiver=receiver)
        yield Peer(name, node, frozenset({*lacks, "case of text", "accents"}))


@contextmanager
def embedded_web(
    objects: Sequence[Dataset], habits: Habits = NONE, *, database: str = ":memory:"
) -> Generator[str]:
    """The base URL of our own over DICOMweb. `database` may be a file that is filled already."""
    index = Index(database)
    index.add_all(objects)
    try:
        with EmbeddedWeb(index, habits=habits) as web:
            yield web.url
    finally:
        index.close()
