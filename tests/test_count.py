"""Counting in one call, against plain loops over the objects."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import COMPUTED
from dicom_mcp.node import Node
from tests.asking import ask, fail
from tests.notes import the_note

# Archives that cannot tell by themselves, and one that can.
KINDS: dict[str, dict[str, Any]] = {
    "as it should be": {},
    "strict": {"hierarchy": "strict"},
    "keeps no counts and no modalities": {
        "habits": Habits(unreturned=frozenset(COMPUTED), ignored_keys=frozenset(COMPUTED))
    },
    "stops silently after 10": {"habits": Habits(most_matches=10)},
    "is out of resources after 7": {"habits": Habits(most_matches=7, cap_status=0xA700)},
    "gives everything twice": {"habits": Habits(duplicated=True)},
}


@pytest.fixture(scope="module", params=list(KINDS))
def node(request: pytest.FixtureRequest, database: str) -> Iterator[Node]:
    with EmbeddedArchive(
        [], ae_title="COUNTED", database=database, **KINDS[request.param]
    ) as archive:
        yield Node(port=archive.port, called_ae_title="COUNTED")


type Keys = Callable[[Dataset], object]

STUDY: Keys = lambda one: one.StudyInstanceUID  # noqa: E731
SERIES: Keys = lambda one: one.SeriesInstanceUID  # noqa: E731
IMAGE: Keys = lambda one: one.SOPInstanceUID  # noqa: E731
PATIENT: Keys = lambda one: one.PatientID  # noqa: E731
STATION: Keys = lambda one: one.get("StationName", "")  # noqa: E731
WHAT: dict[str, Keys] = {
    "studies": STUDY,
    "series": SERIES,
    "images": IMAGE,
    "objects": IMAGE,
    "patients": PATIENT,
    "StationName": STATION,
}


def _of(modality: str) -> Callable[[Dataset], bool]:
    return lambda one: one.Modality == modality


def _any(_: Dataset) -> bool:
    return True


def _is_image(one: Dataset) -> bool:
    return one.Modality not in (
        "SR",
        "KO",
        "PR",
        "DOC",
        "ECG",
        "REG",
        "SEG",
        "RTSTRUCT",
        "RTDOSE",
        "RTPLAN",
    )


def _value(keyword: str) -> Callable[[Dataset], str]:
    return lambda one: str(one.get(keyword, "") or "") or "(empty)"


def _month(one: Dataset) -> str:
    return f"{one.StudyDate[:4]}-{one.StudyDate[4:6]}"


# Arguments, which objects they mean, and each object's group in the order of group_by.
type Count = tuple[dict[str, Any], Callable[[Dataset], bool], list[Callable[[Dataset], str]]]
COUNTS: dict[str, Count] = {
    "all studies": ({}, _any, []),
    "studies per modality": ({"group_by": ["modality"]}, _any, [_value("Modality")]),
    "CTs per scanner": (
        {"group_by": ["station"], "modality": "CT"},
        _of("CT"),
        [_value("StationName")],
    ),
    "MR series per model and body part": (
        {"group_by": ["ManufacturerModelName", "body part"], "modality": "MRI", "count": "series"},
        _of("MR"),
        [_value("ManufacturerModelName"), _value("BodyPartExamined")],
    ),
    "studies per month": ({"group_by": ["month"]}, _any, [_month]),
    "images per modality": (
        {"group_by": ["modality"], "count": "images"},
        _is_image,
        [_value("Modality")],
    ),
    "images in all": ({"count": "images"}, _is_image, []),
    "objects in all": ({"count": "objects"}, _any, []),
    "objects per modality": (
        {"group_by": ["modality"], "count": "objects"},
        _any,
        [_value("Modality")],
    ),
    "images a month": ({"group_by": ["month"], "count": "images"}, _is_image, [_month]),
    "images of reports": ({"modality": "SR", "count": "images"}, lambda _: False, []),
    "objects of reports": ({"modality": "SR", "count": "objects"}, _of("SR"), []),
    "scanners per modality": (
        {"group_by": ["modality"], "count": "StationName"},
        lambda one: bool(one.get("StationName")),
        [_value("Modality")],
    ),
    "CT images of a range of days": (
        {"count": "images", "modality": "CT", "study_date": "20260101-20261231"},
        lambda one: one.Modality == "CT" and one.StudyDate >= "20260101",
        [],
    ),
    "patients per sex": (
        {"group_by": ["sex"], "count": "patients"},
        _any,
        [_value("PatientSex")],
    ),
    "MR images per SOP class": (
        {"group_by": ["SOPClassUID"], "count": "images", "modality": "MR"},
        _of("MR"),
        [_value("SOPClassUID")],
    ),
    "a patient's studies per year": (
        {"group_by": ["year"], "patient_name": "Jürgen Brückner"},
        lambda one: "Brückner" in str(one.PatientName),
        [lambda one: one.StudyDate[:4]],
    ),
    "studies without an accession number": (
        {"where": ["AccessionNumber is empty"]},
        lambda one: not one.AccessionNumber,
        [],
    ),
    "CTs whose description says nothing of the chest": (
        {"modality": "CT", "where": ["StudyDescription does not contain thorax"]},
        lambda one: one.Modality == "CT" and "thorax" not in one.StudyDescription.lower(),
        [],
    ),
    "nobody's": ({"patient_id": "99999"}, lambda _: False, []),
}


@pytest.mark.parametrize("name", list(COUNTS))
def test_the_count_is_the_true_one(node: Node, held: list[Dataset], name: str) -> None:
    arguments, means, groups = COUNTS[name]
    answer = ask(node, "count_studies", **arguments)
    key = WHAT[arguments.get("count", "studies")]
    meant = [one for one in held if means(one)]
    total, expected = len({key(one) for one in meant}), _counted(meant, key, groups)
    found = {
        tuple(value for one, value in group.items() if one != "count"): group["count"]
        for group in answer["groups"]
    }
    told = " ".join(answer["notes"])
    if answer["complete"] or "without StudyDate" in told:
        assert answer["total"] == total
        assert found == (expected if groups else {})
    else:  # lists of images cannot be split by date
        assert "counts" in told or "0xA700" in told
        assert answer["total"] < total
        assert all(count <= expected[group] for group, count in found.items())
    assert answer["queries"] >= 1


def test_images_are_counted_over_one_association(held: list[Dataset], database: str) -> None:
    # Each of its series has to be asked for its images, none while series still come.
    with EmbeddedArchive([], ae_title="COUNTED", database=database, **KINDS["strict"]) as archive:
        node = Node(port=archive.port, called_ae_title="COUNTED", connections=1)
        answer = ask(node, "count_studies", count="images", group_by=["SOPClassUID"])
    images = {one.SOPInstanceUID for one in held if _is_image(one)}
    assert (answer["complete"], answer["total"]) == (True, len(images))


def test_series_are_counted_by_what_no_key_can_say(node: Node, held: list[Dataset]) -> None:
    answer = ask(
        node, "count_studies", count="series", where=["NumberOfSeriesRelatedInstances less than 5"]
    )
    sizes = Counter(one.SeriesInstanceUID for one in held)
    if answer["complete"] or any("without StudyDate" in note for note in answer["notes"]):
        assert answer["total"] == sum(size < 5 for size in sizes.values())
    else:
        assert the_note(answer["notes"], "does not return NumberOfSeriesRelatedInstances")


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        ({"group_by": ["modalty"]}, "Did you mean"),
        ({"group_by": ["mnth"]}, "Did you mean month"),
        ({"group_by": ["RequestAttributesSequence"]}, "is a sequence"),
        ({"count": "sudies"}, "Use studies"),
        ({"where": ["AccessionNumber somehow"]}, "is empty, is not empty"),
        ({"group_by": ["year", "month", "day", "hour", "week"]}, "at most 4"),
        ({"study_date": "soon"}, "is not a date"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_nearest_that_can(
    arguments: dict[str, Any], remedy: str
) -> None:
    assert remedy in fail(Node(port=1), "count_studies", **arguments)


def _counted(
    meant: Iterable[Dataset], key: Keys, groups: list[Callable[[Dataset], str]]
) -> dict[tuple[str, ...], int]:
    named: dict[tuple[str, ...], set[object]] = {}
    for one in meant:
        named.setdefault(tuple(group(one) for group in groups), set()).add(key(one))
    return {group: len(names) for group, names in named.items()}
