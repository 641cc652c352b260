"""Studies by modality where ModalitiesInStudy does not say all it should."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.find import Hierarchy
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from tests.asking import ask
from tests.truth.archives import find, holding, images

pytestmark = pytest.mark.usefixtures("tidy")

_SR = "1.2.840.10008.5.1.4.1.1.88.11"


def hospital(reported: int = 5, total: int = 42) -> list[Dataset]:
    """Studies of CT, the first of them with a report beside it."""
    found: list[Dataset] = []
    for study in range(1, total + 1):
        day = f"2026{1 + study // 28:02}{1 + study % 28:02}"
        found += images(1, study=study, StudyDate=day)
        if study <= reported:
            uids = {"SeriesInstanceUID": f"1.2.{study}.2", "SOPInstanceUID": f"1.2.{study}.2.1"}
            found += images(1, study=study, StudyDate=day, Modality="SR", SOPClassUID=_SR, **uids)
    return found


OBJECTS = hospital()


@contextmanager
def node(habits: Habits, hierarchy: Hierarchy = "relational") -> Generator[Node]:
    with EmbeddedArchive(
        OBJECTS, ae_title="MODALITIES", habits=habits, hierarchy=hierarchy
    ) as embedded:
        yield Node(port=embedded.port, called_ae_title="MODALITIES")


@pytest.mark.parametrize("hierarchy", ["relational", "strict", "silent"])
def test_studies_with_reports_are_found_where_modalities_of_images_only_are_listed(
    hierarchy: Hierarchy,
) -> None:
    with node(Habits(images_only=True), hierarchy) as asked:
        answer = ask(asked, "query_studies", modality_in_study="SR")
        counted = ask(asked, "count_studies", modality="SR")
        of_days = ask(
            asked, "query_studies", modality_in_study="SR", study_date="20260101-20260103"
        )
    for one, count in ((answer["returned"], 5), (counted["total"], 5), (of_days["returned"], 2)):
        assert one == count
    for one in (answer, counted, of_days):
        assert one["complete"]
        assert any("lists images only" in note for note in one["notes"]), one["notes"]


@pytest.mark.parametrize("hierarchy", ["relational", "silent"])
def test_an_archive_that_lists_reports_is_believed(hierarchy: Hierarchy) -> None:
    with node(Habits(), hierarchy) as asked:
        answer = ask(asked, "query_studies", modality_in_study="SR")
        none = ask(asked, "query_studies", modality_in_study="KO")
    assert (answer["returned"], answer["complete"], answer["queries"]) == (5, True, 4)
    assert none["returned"] == 0
    assert none["complete"]


def test_a_count_by_modality_that_lacks_reports_is_not_complete() -> None:
    with node(Habits(images_only=True)) as asked:
        answer = ask(asked, "count_studies", group_by=["modality"])
    assert not answer["complete"] or {"modality": "SR", "count": 5} in answer["groups"]


def test_a_modality_among_several_is_found_where_the_whole_value_is_compared() -> None:
    literal = Habits(literal_keys=frozenset({"ModalitiesInStudy"}))
    with node(literal) as asked:
        ct = ask(asked, "count_studies", modality="CT")
        sr = ask(asked, "query_studies", modality_in_study="SR")
    assert (ct["total"], ct["complete"]) == (42, True)
    assert (sr["returned"], sr["complete"]) == (5, True)


def test_a_modality_that_several_studies_have_costs_no_more_questions() -> None:
    with holding(OBJECTS) as archive:
        first = find(archive, Level.STUDY, {"ModalitiesInStudy": "CT"})
    # Three of the four prove that nothing was cut, at any length.
    assert (len(first.matches), first.queries) == (42, 4)
