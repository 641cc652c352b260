from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from dicom_mcp.standard.recheck import Recheck


def checked(keys: dict[str, str], *matches: Match) -> tuple[list[bool], list[str]]:
    """Whether each match holds, and the notes afterwards."""
    recheck = Recheck(Query(Level.STUDY, keys))
    return [recheck.holds(match) for match in matches], [*map(str, recheck.notes())]


def test_what_contradicts_a_key_is_left_out_and_counted() -> None:
    holds, notes = checked(
        {"ModalitiesInStudy": "MR"},
        {"ModalitiesInStudy": ["CT", "MR"]},
        {"ModalitiesInStudy": "CT"},
        {"ModalitiesInStudy": "US"},
    )
    assert holds == [True, False, False]
    assert notes == [
        "The archive ignored ModalitiesInStudy: 2 studies that did not match were left out here."
    ]


def test_one_that_is_left_out_is_one_study() -> None:
    _, notes = checked({"PatientID": "7"}, {"PatientID": "8"})
    assert notes == ["The archive ignored PatientID: 1 study that did not match was left out here."]


def test_a_key_that_never_comes_back_may_have_been_ignored() -> None:
    holds, (note,) = checked({"StudyDescription": "CT*"}, {"PatientID": "7"}, {})
    assert holds == [True, True]
    assert "does not return StudyDescription" in note


def test_nothing_is_said_about_an_empty_answer_or_a_good_one() -> None:
    assert checked({"PatientID": "7"})[1] == []
    assert checked({"PatientID": "7"}, {"PatientID": "7"}) == ([True], [])


def test_an_archive_may_match_more_loosely_than_we_would() -> None:
    for key, value in [
        ("muller*", "Müller^Jürgen"),
        ("DOE^JANE", "doe^jane"),
        ("山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("Doe^Jane^^", "Doe^Jane"),
    ]:
        assert checked({"PatientName": key}, {"PatientName": value})[0] == [True]
    assert checked({"StudyDescription": "*chest*"}, {"StudyDescription": "CT CHEST"})[0] == [True]
    assert checked({"SeriesNumber": "7"}, {"SeriesNumber": 7}, {"SeriesNumber": "007"})[0] == [
        True,
        True,
    ]


def test_an_empty_value_does_not_answer_a_key() -> None:
    assert checked({"AccessionNumber": "A1"}, {"AccessionNumber": ""})[0] == [False]


def test_modalities_of_zero_length_are_modalities_an_archive_does_not_keep() -> None:
    holds, (note,) = checked({"ModalitiesInStudy": "MR"}, {"ModalitiesInStudy": ""})
    assert holds == [True]
    assert "does not return ModalitiesInStudy" in note


@given(
    st.dictionaries(
        st.sampled_from(["PatientName", "StudyDate", "StudyInstanceUID", "NumberOfFrames"]),
        st.text(max_size=12),
    ),
    st.dictionaries(
        st.sampled_from(["PatientName", "StudyDate", "StudyInstanceUID", "NumberOfFrames"]),
        st.one_of(
            st.text(max_size=12),
            st.integers(),
            st.floats(),
            st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
            st.just([{"CodeValue": "A"}]),
        ),
    ),
)
def test_no_key_and_no_value_break_the_check(keys: dict[str, str], match: Match) -> None:
    recheck = Recheck(Query(Level.STUDY, keys))
    recheck.holds(match)
    assert all(str(note).endswith(".") for note in recheck.notes())
