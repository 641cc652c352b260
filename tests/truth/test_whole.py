"""Lists that an archive cuts, with or without a word."""

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches
from tests.notes import the_note
from tests.truth.archives import find, holding, images, studies

pytestmark = pytest.mark.usefixtures("tidy")

SILENTLY, OUT_OF_RESOURCES, CANCELLED = 0x0000, 0xA700, 0xFE00
IN_2026 = {"StudyDate": "20260101-20261231"}


def uids(answer: Matches) -> set[str]:
    return {str(match["StudyInstanceUID"]) for match in answer.matches}


@pytest.mark.parametrize("status", [SILENTLY, OUT_OF_RESOURCES, CANCELLED])
def test_a_list_that_is_cut_is_asked_in_parts_until_it_is_whole(status: int) -> None:
    with holding(studies(137), Habits(most_matches=20, cap_status=status)) as archive:
        answer = find(archive, Level.STUDY, IN_2026)
        assert len(answer.matches) == len(uids(answer)) == 137
        assert answer.complete
        assert "at most 20 studies at once" in " ".join(map(str, answer.notes))
        assert "0x" not in " ".join(map(str, answer.notes))
        assert answer.queries > 137 / 20


@pytest.mark.parametrize("status", [SILENTLY, OUT_OF_RESOURCES, CANCELLED])
def test_what_has_no_date_is_found_by_whose_it_is(status: int) -> None:
    undated = images(1, study=900, StudyDate="")
    with holding(studies(50) + undated, Habits(most_matches=20, cap_status=status)) as archive:
        answer = find(archive, Level.STUDY)
        assert len(uids(answer)) == 51
        assert answer.complete


@pytest.mark.parametrize("status", [SILENTLY, OUT_OF_RESOURCES, CANCELLED])
def test_what_has_neither_date_nor_patient_id_is_not_claimed_to_be_there(status: int) -> None:
    undated = images(1, study=900, StudyDate="", PatientID="")
    anonymous = images(1, study=901, PatientID="")
    held = studies(50) + undated + anonymous
    with holding(held, Habits(most_matches=20, cap_status=status)) as archive:
        answer = find(archive, Level.STUDY)
        assert len(uids(answer)) in (51, 52)
        assert answer.complete is False
        assert the_note(answer.notes, "Not complete, perhaps: studies without StudyDate")
        assert "ended its answer" not in " ".join(
            map(str, answer.notes)
        )  # nothing is known to be missing


def test_what_has_neither_date_nor_patient_id_is_found_by_a_birth_date() -> None:
    undated = images(1, study=900, StudyDate="", PatientID="", PatientBirthDate="19551231")
    with holding(studies(50) + undated, Habits(most_matches=20)) as archive:
        answer = find(archive, Level.STUDY)
        assert len(uids(answer)) == 51
        assert answer.complete is False


def test_a_day_that_is_too_much_is_asked_in_parts_of_its_time() -> None:
    held = [
        one
        for study in range(90)
        for one in images(1, study=study, StudyTime=f"{8 + study // 10:02}{study % 10:02}00")
    ]
    untimed = images(1, study=900, StudyTime="")
    with holding(held + untimed, Habits(most_matches=20)) as archive:
        answer = find(archive, Level.STUDY, {"StudyDate": "20260101"})
        assert len(uids(answer)) == 91
        assert answer.complete  # whose they are told that there is one without a time


def test_a_full_day_takes_not_many_more_parts_than_fill_an_answer_each() -> None:
    times = [f"{8 + number // 40:02}{number % 40 + 10:02}00" for number in range(400)]
    held = [
        image
        for number, time in enumerate(times)
        for image in images(1, study=number + 1, StudyTime=time)
    ]
    with holding(held, Habits(most_matches=20, cap_status=CANCELLED)) as archive:
        answer = find(archive, Level.STUDY, {"StudyDate": "20260101"})
        assert len(answer.matches) == len(uids(answer)) == 400
        assert answer.queries < 3 * 400 / 20


def test_an_archive_that_takes_a_range_for_a_day_contradicts_itself_and_it_is_said() -> None:
    with holding(studies(50), Habits(most_matches=20, open_ranges=False)) as archive:
        answer = find(archive, Level.STUDY)
        assert answer.complete is False or len(uids(answer)) == 50
        assert answer.complete or any(note.lacks for note in answer.notes)


def test_a_second_that_is_too_much_is_asked_by_what_else_tells_apart() -> None:
    with holding(studies(60, StudyDate="20260101"), Habits(most_matches=20)) as archive:
        answer = find(archive, Level.STUDY, IN_2026)
        assert len(uids(answer)) == 60
        assert answer.complete is False  # there may be some whose PatientID is empty
        assert the_note(answer.notes, "without PatientID")


@pytest.mark.parametrize("number", [10, 20, 50, 100])
def test_a_round_number_that_is_no_cap_is_proved_to_be_none(number: int) -> None:
    with holding(studies(number)) as archive:
        answer = find(archive, Level.STUDY)
        assert len(uids(answer)) == number
        assert answer.complete
        assert answer.notes == ()
        assert 1 < answer.queries <= 5


def test_a_longer_answer_clears_a_round_number() -> None:
    with holding(studies(53)) as archive:
        find(archive, Level.STUDY)
        answer = find(archive, Level.STUDY, {"StudyDate": "20260201-20260228"})
        assert len(uids(answer)) == 26
        find(archive, Level.STUDY, {"StudyDate": "20260201-20260210"})
        assert find(archive, Level.STUDY, {"StudyDate": "20260201-20260210"}).queries == 1


def test_one_proof_is_none_for_the_next_question() -> None:
    held = images(20, study=1) + images(60, study=2)
    with holding(held, Habits(most_matches=20)) as archive:
        answers = [
            find(archive, Level.IMAGE, {"StudyInstanceUID": study, "SeriesInstanceUID": series})
            for study, series in (("1.2.1", "1.2.1.1"), ("1.2.2", "1.2.2.1"))
        ]
        assert [answer.complete for answer in answers] == [True, False]
        assert the_note(answers[1].notes, "counts 60 instances here, but it gives at most 20")


def test_an_archive_that_ignores_the_date_cannot_be_split_and_it_is_said() -> None:
    habits = Habits(most_matches=20, ignored_keys=frozenset({"StudyDate"}))
    with holding(studies(50), habits) as archive:
        answer = find(archive, Level.STUDY)
        assert answer.complete is False
        assert the_note(answer.notes, "could not be split by StudyDate")
        assert answer.queries <= 3


def test_patients_are_split_by_their_birth_date() -> None:
    held = [
        one
        for number in range(45)
        for one in images(1, study=number, PatientBirthDate=f"19{10 + number}0101")
    ]
    with holding(held, Habits(most_matches=20, cap_status=OUT_OF_RESOURCES)) as archive:
        answer = find(archive, Level.PATIENT, {"PatientBirthDate": "19000101-19991231"})
        assert len(answer.matches) == 45
        assert len({str(match["PatientID"]) for match in answer.matches}) == 45
        assert answer.complete


def test_a_limit_ends_the_parts_too() -> None:
    with holding(studies(137), Habits(most_matches=20)) as archive:
        answer = find(archive, Level.STUDY, IN_2026, limit=30)
        assert len(answer.matches) == 30
        assert answer.complete is False
        assert "first 30 studies" in " ".join(map(str, answer.notes))


def test_rows_given_twice_stand_once() -> None:
    with holding(studies(7), Habits(duplicated=True)) as archive:
        answer = find(archive, Level.STUDY)
        assert len(answer.matches) == 7
        assert answer.complete


def test_a_list_of_images_is_not_proved_by_the_count_of_one_of_its_series() -> None:
    """The images of a study, of several series, cut at a hundred without a word."""
    second = images(80, study=1)
    for number, one in enumerate(second, start=1):
        one.SeriesInstanceUID, one.SOPInstanceUID = "1.2.1.2", f"1.2.1.2.{number}"
    with holding([*images(80, study=1), *second], Habits(most_matches=100)) as archive:
        answer = find(archive, Level.IMAGE, {"StudyInstanceUID": "1.2.1"})
        assert answer.complete is (len(answer.matches) == 160)
