from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.standard.levels import HIERARCHY, UNIQUE_KEY, Level
from dicom_mcp.standard.query import Match
from dicom_mcp.standard.record import records

WANTED = ("StudyInstanceUID", "PatientID", "StudyDate", "ModalitiesInStudy", "AccessionNumber")


def study(uid: str, **values: str) -> Match:
    return {"StudyInstanceUID": uid, **values}


def test_a_record_holds_what_was_wanted_and_has_a_value_in_the_order_wanted() -> None:
    match = study("1.2", StudyDate="20240101", PatientID="7", AccessionNumber="", Manufacturer="X")
    assert records(Level.STUDY, [match], WANTED) == (
        [{"StudyInstanceUID": "1.2", "PatientID": "7", "StudyDate": "20240101"}],
        {},
    )
    ((record,), _) = records(Level.STUDY, [match], WANTED)
    assert list(record) == ["StudyInstanceUID", "PatientID", "StudyDate"]


def test_what_is_the_same_in_all_stands_once_in_common() -> None:
    rows = [study("1.2", PatientID="7", StudyDate="1"), study("1.3", PatientID="7", StudyDate="2")]
    assert records(Level.STUDY, rows, WANTED) == (
        [
            {"StudyInstanceUID": "1.2", "StudyDate": "1"},
            {"StudyInstanceUID": "1.3", "StudyDate": "2"},
        ],
        {"PatientID": "7"},
    )


def test_a_single_record_is_whole_and_no_records_are_none() -> None:
    assert records(Level.STUDY, [study("1.2", PatientID="7")], WANTED)[1] == {}
    assert records(Level.STUDY, [], WANTED) == ([], {})


def test_the_unique_key_stays_in_its_record_even_when_an_archive_repeats_it() -> None:
    rows, common = records(Level.STUDY, [study("1.2"), study("1.2")], WANTED)
    assert rows == [{"StudyInstanceUID": "1.2"}] * 2
    assert common == {}


def test_what_one_record_lacks_is_not_common() -> None:
    rows, common = records(Level.STUDY, [study("1.2", PatientID="7"), study("1.3")], WANTED)
    assert rows[0]["PatientID"] == "7"
    assert common == {}


def test_how_the_question_travelled_is_no_content() -> None:
    match = study("1.2", QueryRetrieveLevel="STUDY", SpecificCharacterSet="ISO_IR 192")
    wanted = (*WANTED, "QueryRetrieveLevel", "SpecificCharacterSet", "RetrieveAETitle")
    assert records(Level.STUDY, [match], wanted)[0] == [{"StudyInstanceUID": "1.2"}]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(WANTED),
            st.one_of(st.sampled_from(["", "a", "b"]), st.lists(st.sampled_from("ab"))),
        ),
        max_size=5,
    ),
    st.sampled_from(HIERARCHY),
)
def test_records_and_common_together_are_the_matches(rows: list[Match], level: Level) -> None:
    found, common = records(level, rows, WANTED)
    assert len(found) == len(rows)
    assert UNIQUE_KEY[level] not in common
    for record, match in zip(found, rows, strict=True):
        assert record.keys().isdisjoint(common)
        assert record | common == {k: v for k, v in match.items() if v not in ("", [])}
