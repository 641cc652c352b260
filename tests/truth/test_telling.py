"""Archives that leave out matches because of what they are asked to tell of each."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode, WebNode
from dicom_mcp.standard.levels import UNIQUE_KEY, Level
from tests.asking import ask
from tests.peers.embedded import Kind, embedded, embedded_web
from tests.truth.archives import find, holding, images, studies

_SERIES = frozenset({
    "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfPatientRelatedSeries",
})  # fmt: skip
_INSTANCES = frozenset({
    "SOPClassesInStudy", "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances",
    "NumberOfPatientRelatedInstances",
})  # fmt: skip

# What such archives look at the first of, and what they do it for.
FORMS: dict[str, Habits] = {
    "series": Habits(most_below=15, below_keys=_SERIES, joined=True),
    "instances": Habits(most_below=60, below_keys=_SERIES | _INSTANCES, joined=True),
    "studies": Habits(
        most_below=15, below_keys=frozenset({"NumberOfPatientRelatedStudies"}), joined=True
    ),
    "series, and gives 20 at once": Habits(
        most_below=15, below_keys=_SERIES | _INSTANCES, joined=True, most_matches=20
    ),
}


def held() -> list[Dataset]:
    """40 studies of as many patients, of one to four series with one to three images each."""
    made: list[Dataset] = []
    for study in range(1, 41):
        for series in range(1, 2 + study % 4):
            modality = ("CT", "MR", "US")[(study + series) % 3]
            for image in images(
                1 + series % 3,
                study=study,
                StudyDate=f"2026{1 + study // 28:02}{1 + study % 28:02}",
                PatientBirthDate=f"19{20 + study}0101",
                Modality=modality,
                BodyPartExamined=f"PART{study % 3}",
                StationName=f"{modality}1",
                SeriesInstanceUID=f"1.2.{study}.{series}",
            ):
                image.SOPInstanceUID = f"1.2.{study}.{series}.{image.InstanceNumber}"
                made.append(image)
    return made


def groups(group_by: str, kept: Sequence[Dataset]) -> dict[str, int]:
    """How many studies have each value of an attribute."""
    pairs = {(str(one[group_by].value), one.StudyInstanceUID) for one in kept}
    values = [value for value, _ in pairs]
    return {value: values.count(value) for value in set(values)}


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize(
    ("level", "wanted", "count"),
    [
        (Level.STUDY, ("ModalitiesInStudy",), 40),
        (Level.STUDY, ("NumberOfStudyRelatedInstances",), 40),
        (Level.PATIENT, ("NumberOfPatientRelatedStudies",), 40),
        (Level.PATIENT, ("NumberOfPatientRelatedInstances",), 40),
        (Level.SERIES, ("NumberOfSeriesRelatedInstances",), 100),
    ],
)
def test_a_list_is_whole_whatever_it_is_asked_to_tell(
    form: str, level: Level, wanted: tuple[str, ...], count: int
) -> None:
    with holding(held(), FORMS[form]) as archive:
        answer = find(archive, level, {}, wanted)
    assert len({str(match[UNIQUE_KEY[level]]) for match in answer.matches}) == count
    assert answer.complete or form == "series, and gives 20 at once"
    assert all(match.get(wanted[0]) for match in answer.matches)


@pytest.mark.parametrize("web", [False, True], ids=["DIMSE", "DICOMweb"])
@pytest.mark.parametrize("form", ["series", "instances"])
@pytest.mark.parametrize(
    ("group_by", "keyword"),
    [("modality", "Modality"), ("body_part", "BodyPartExamined"), ("station", "StationName")],
)
def test_a_grouped_count_is_that_of_all_studies(
    form: str, group_by: str, keyword: str, *, web: bool
) -> None:
    kept = held()
    served: Any = embedded_web(kept, FORMS[form]) if web else nullcontext("")
    with served as url, embedded([] if web else kept, Kind(FORMS[form])) as peer:
        node: AnyNode = WebNode(url) if web else peer.node
        answer = ask(node, "count_studies", group_by=[group_by])
    assert answer["total"] == 40
    assert answer["complete"]
    named = {
        str(group.get(keyword, group.get(group_by))): group["count"] for group in answer["groups"]
    }
    assert named == groups(keyword, kept)


def test_the_series_of_one_study_are_all_there_or_counted_above() -> None:
    many = [
        image for series in range(1, 31) for image in images(2, SeriesInstanceUID=f"1.2.1.{series}")
    ]
    for image in many:
        image.SOPInstanceUID = f"{image.SeriesInstanceUID}.{image.InstanceNumber}"
    with holding(many, FORMS["instances"]) as archive:
        answer = find(
            archive,
            Level.SERIES,
            {"StudyInstanceUID": "1.2.1"},
            ("NumberOfSeriesRelatedInstances",),
        )
    assert len(answer.matches) == 30
    assert answer.complete


def test_an_archive_that_cuts_nothing_is_asked_once_more_only_for_more_than_it_ever_gave() -> None:
    with holding(studies(33)) as archive:
        find(archive, Level.STUDY, {"StudyDate": "20260101-20261231"})
        asked = [
            find(archive, Level.STUDY, {"StudyDate": days}, ("ModalitiesInStudy",)).queries
            for days in ("20260101-20261231", "20260102-20260115", "20260101-20261231")
        ]
    assert asked == [2, 1, 1]
