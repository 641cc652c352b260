"""Text in other case than it is held in."""

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.standard.levels import Level
from tests.notes import the_note
from tests.truth.archives import find, holding, images

pytestmark = pytest.mark.usefixtures("tidy")

NAMES = ("Doe^Jane", "DOE^JANE", "doe^jane", "Doe^John")


@pytest.mark.parametrize("asked", NAMES[:3])
def test_a_name_is_found_in_every_case_an_archive_holds_it_in(asked: str) -> None:
    held = [one for n, name in enumerate(NAMES) for one in images(1, study=n, PatientName=name)]
    with holding(held, Habits(case_sensitive=True)) as archive:
        answer = find(archive, Level.STUDY, {"PatientName": asked})
        assert {str(match["PatientName"]) for match in answer.matches} == set(NAMES[:3])
        assert answer.complete
        assert the_note(answer.notes, "compares letters exactly")


def test_an_archive_that_ignores_case_is_asked_once_when_that_is_known() -> None:
    with holding(images(1)) as archive:
        assert find(archive, Level.STUDY, {"PatientName": "doe^*"}).matches
        assert find(archive, Level.STUDY, {"PatientName": "Doe^*"}).queries == 1


def test_a_description_is_found_in_every_case() -> None:
    texts = ("CT Chest", "ct chest", "CT CHEST", "MR Chest")
    held = [
        one for n, text in enumerate(texts) for one in images(1, study=n, StudyDescription=text)
    ]
    with holding(held) as archive:
        answer = find(
            archive, Level.STUDY, {"StudyDescription": "*ct chest*"}, ["StudyDescription"]
        )
        assert {str(match["StudyDescription"]) for match in answer.matches} == set(texts[:3])


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber"])
def test_an_identifier_is_only_what_it_is(keyword: str) -> None:
    held = images(1, study=1, **{keyword: "ab1"}) + images(1, study=2, **{keyword: "AB1"})
    with holding(held) as archive:
        answer = find(archive, Level.STUDY, {keyword: "ab1"})
        assert [match["StudyInstanceUID"] for match in answer.matches] == ["1.2.1"]
        assert find(archive, Level.STUDY, {keyword: "AB1"}).queries == 1
