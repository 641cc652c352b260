"""Which of a day's studies are not all there, in one call."""

from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import AnyNode
from tests.asking import ask
from tests.peers.everywhere import ARCHIVES, OVER_DICOMWEB, held_by
from tests.truth.archives import holding, images


def series_of(study: int, numbers: list[int], *, series: int = 1, day: str = "") -> list[Dataset]:
    """Images with these numbers as one series of a study."""
    made = images(len(numbers), study=study, StudyDate=day or "20260105")
    for number, image in zip(numbers, made, strict=True):
        image.SeriesInstanceUID = f"1.2.{study}.{series}"
        image.SOPInstanceUID = f"1.2.{study}.{series}.{number}"
        image.SeriesNumber, image.InstanceNumber = series, number
        image.AccessionNumber = f"A{study}"
    return made


def held() -> list[Dataset]:
    return [
        *series_of(1, [1, 2, 3, 4]),
        *series_of(2, [1, 2, 4, 5, 8]),  # lacks images
        *series_of(3, [1, 2, 3]),
        *series_of(3, [1, 2, 3], series=3),  # no series 2
        *series_of(4, [7, 8, 9]),
        *series_of(5, [1, 3], day="20260106"),
        *series_of(6, [1, 2, 3], series=2),
        *series_of(6, [2, 3, 5], series=3),  # lacks an image
    ]


@pytest.fixture(scope="module", params=[*ARCHIVES, OVER_DICOMWEB])
def node(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AnyNode]:
    absent = ("NumberOfStudyRelatedSeries", "NumberOfSeriesRelatedInstances")
    directory = tmp_path_factory.mktemp("archive")
    with held_by(request.param, held(), directory, absent=absent) as node:
        yield node


def test_the_studies_of_a_day_that_have_gaps_are_told_in_one_call(node: AnyNode) -> None:
    answer = ask(node, "study_overview", study_date="20260105", gaps=True)
    lacking = {row["accession_number"]: row["lacks"] for row in answer["records"] if "lacks" in row}
    assert lacking.keys() == {"A2", "A6"}
    assert "lacks the images 3, 6-7" in lacking["A2"][0]
    assert "Series 3" in lacking["A6"][0]
    assert "lacks the image 4" in lacking["A6"][0]
    numbers = {
        row["accession_number"]: row["series_numbers_not_there"]
        for row in answer["records"]
        if "series_numbers_not_there" in row
    }
    assert numbers == {"A3": "2"}
    assert answer["totals"] == {"studies": 5, "looked_into": 5, "with_gaps": 2}
    assert answer["complete"] is True, answer["notes"]


def test_a_list_of_studies_is_looked_into(node: AnyNode) -> None:
    answer = ask(node, "study_overview", accession_number="A1, A5", gaps=True)
    assert [row["accession_number"] for row in answer["records"]] == ["A5"]
    assert answer["totals"]["studies"] == 2
    by_uid = ask(node, "study_overview", study_instance_uid="1.2.1", gaps=True)
    assert (by_uid["records"], by_uid["totals"]["looked_into"]) == ([], 1)


def test_a_series_that_was_only_cut_lacks_nothing_that_is_known() -> None:
    with holding(series_of(1, [*range(1, 13)]), Habits(most_matches=10)) as archive:
        answer = ask(archive.node, "study_overview", study_date="20260105", gaps=True)
    assert answer["complete"] is False
    assert answer["totals"]["looked_into"] == answer["totals"]["with_gaps"] == 0
    assert any("1 of 1 studies could not be looked into" in note for note in answer["notes"])
