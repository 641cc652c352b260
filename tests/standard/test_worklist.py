"""Worklist questions as identifiers, and entries as rows."""

import unicodedata
from datetime import date
from io import BytesIO
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]

from dicom_mcp.errors import BadArgument
from dicom_mcp.standard import worklist
from dicom_mcp.standard.dictionary import attribute
from dicom_mcp.standard.identifier import decode
from dicom_mcp.standard.keys import encode
from dicom_mcp.standard.query import Match
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from dicom_mcp.standard.values import LONGEST_IDENTIFIER
from dicom_mcp.standard.worklist import FIELDS, OF_STEP, STEPS, Start, by_time, entries, rows
from dicom_mcp.words.schedule import Arrival, WorklistQuestion, WorklistRecheck

TODAY = date(2026, 3, 2)
SYNTAXES = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN]


def read(data: bytes, syntax: str) -> Dataset:
    """The identifier as pydicom reads it."""
    return read_dataset(BytesIO(data), syntax == IMPLICIT_VR_LITTLE_ENDIAN, True)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_identifier_has_one_item_in_its_sequence_and_no_level(syntax: str) -> None:
    query = entries({"Modality": "CT", "PatientID": "007"})
    identifier = read(encode(query, syntax), syntax)
    assert "QueryRetrieveLevel" not in identifier
    assert "SpecificCharacterSet" not in identifier
    assert "Modality" not in identifier
    assert identifier.PatientID == "007"
    assert identifier["AccessionNumber"].is_empty
    (step,) = identifier.ScheduledProcedureStepSequence
    assert step.Modality == "CT"
    assert step["ScheduledStationAETitle"].is_empty
    assert {element.keyword for element in step} == OF_STEP
    assert {element.keyword for element in identifier} == {STEPS, *FIELDS} - OF_STEP


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_text_beyond_ascii_is_declared_as_utf_8_wherever_it_stands(syntax: str) -> None:
    for keyword in ("PatientName", "ScheduledStationName"):
        query = entries({keyword: "Röntgen"})
        identifier = read(encode(query, syntax), syntax)
        assert identifier.SpecificCharacterSet == "ISO_IR 192"
        place = identifier.ScheduledProcedureStepSequence[0] if keyword in OF_STEP else identifier
        assert str(place[keyword].value) == "Röntgen"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_encoded_is_decoded(syntax: str) -> None:
    query = entries({"Modality": "MR", "PatientName": "山田*"})
    match = decode(encode(query, syntax), syntax)
    (row,) = rows(match)
    assert row["Modality"] == "MR"
    assert row["PatientName"] == "山田*"
    assert row.keys() == {*FIELDS}


def test_a_station_is_asked_for_by_title_and_by_name_and_every_modality_by_its_code() -> None:
    question = WorklistQuestion.of(today=TODAY, date="today", station="CT1", modality="CT or MR")
    asked = [dict(query.keys) for query in question.queries()]
    assert asked == [
        {"ScheduledProcedureStepStartDate": "20260302", "Modality": modality, station: "CT1"}
        for modality in ("CT", "MR")
        for station in ("ScheduledStationAETitle", "ScheduledStationName")
    ]
    assert question.sent == {
        "ScheduledProcedureStepStartDate": "20260302",
        "Modality": "CT or MR",
        "ScheduledStationAETitle or ScheduledStationName": "CT1",
    }


def test_a_station_with_an_umlaut_can_only_be_a_name() -> None:
    question = WorklistQuestion.of(today=TODAY, station="Röntgen 1")
    assert [dict(query.keys) for query in question.queries()] == [
        {"ScheduledStationName": "Röntgen 1"}
    ]


def test_a_question_for_everything_has_no_keys() -> None:
    question = WorklistQuestion.of(today=TODAY, station="*", patient_name="*", modality="any")
    assert [dict(query.keys) for query in question.queries()] == [{}]
    assert question.wider() is None


def test_names_within_certain_days_are_looked_for_in_the_whole_list() -> None:
    question = WorklistQuestion.of(
        today=TODAY, date="this week", patient_name="Jane Doe", modality="CT"
    )
    wider = question.wider()
    assert wider
    assert [dict(query.keys) for query in wider.queries()] == [
        {"ScheduledProcedureStepStartDate": "20260302-20260308", "Modality": "CT"}
    ]


@pytest.mark.parametrize("days", ["", "since 2026-01-01", "until 2026-01-01"])
def test_names_on_any_day_are_only_opened(days: str) -> None:
    question = WorklistQuestion.of(today=TODAY, date=days, patient_name="Jane Doe")
    wider = question.wider()
    assert wider
    assert {query.keys["PatientName"] for query in wider.queries()} == {"*?ane*"}


@pytest.mark.parametrize(
    "asked",
    [
        {"date": "someday"},
        {"station": "A STATION WITH A LONG NAME"},
        {"station": "CT1\\CT2"},
        {"modality": "the old teapot"},
        {"accession_number": "1" * 1025},
    ],
)
def test_what_cannot_be_asked_is_refused_by_the_name_of_the_argument(asked: dict[str, str]) -> None:
    (argument,) = asked
    with pytest.raises(BadArgument, match=argument):
        WorklistQuestion.of(today=TODAY, **asked)


DATE, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"


def parts(keys: dict[str, str], *starts: Start) -> list[dict[str, str]]:
    """The keys of the parts."""
    return [dict(query.keys) for query in worklist.parts(entries(keys), starts)]


def test_a_day_is_parted_where_half_of_its_entries_are() -> None:
    day = {DATE: "20260302", "Modality": "CT"}
    starts = [("20260302", time) for time in ("0800", "09:00", "093015.5", "17", "")]
    assert parts(day, *starts) == [
        {**day, TIME: "000000-092959.999999"},
        {**day, TIME: "093000-235959.999999"},
    ]
    assert parts(day) == [
        {**day, TIME: "000000-115859.999999"},
        {**day, TIME: "115900-235959.999999"},
    ]
    minute = {**day, TIME: "093000-093059.999999"}
    assert parts(minute, ("20260302", "0930")) == []


def test_days_are_parted_at_one_that_entries_have() -> None:
    week = {DATE: "20260302-20260308"}
    starts = [(day, "0800") for day in ("20260303", "20260303", "20260304", "20270101", "soon")]
    assert parts(week, *starts) == [
        {DATE: "20260303"},
        {DATE: "20260302-20260302"},
        {DATE: "20260304-20260308"},
    ]
    assert parts({}, *starts[:2]) == [
        {DATE: "20260303"},
        {DATE: "-20260302"},
        {DATE: "20260304-"},
    ]
    assert parts({}) == parts({}, ("20261399", ""), ("00010101", ""), ("2026\uff10301", "")) == []


TEXT = st.text(max_size=70) | st.text("Aé山^=*? ,.'\\", max_size=20)
# Identifiers may be longer than their VR allows: archives hold such ones.
LONGEST = {"AE": 16, "CS": 16, "DA": 17, "PN": 64 * 3 + 2}


@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_whatever_is_asked_is_refused_or_legal(
    station: str, modality: str, patient_name: str, patient_id: str, accession_number: str
) -> None:
    try:
        question = WorklistQuestion.of(
            today=TODAY,
            station=station,
            modality=modality,
            patient_name=patient_name,
            patient_id=patient_id,
            accession_number=accession_number,
        )
    except BadArgument:
        return
    wider = question.wider()
    for query in chain(question.queries(), wider.queries() if wider else ()):
        for keyword, key in query.keys.items():
            known = attribute(keyword)
            assert known
            assert key
            assert len(key) <= LONGEST.get(known.vr, LONGEST_IDENTIFIER)
            assert "\\" not in key
            assert all(unicodedata.category(c) not in ("Cc", "Cs") for c in key)
            assert key.isascii() or known.vr in ("LO", "PN", "SH")
        for syntax in SYNTAXES:
            (row,) = rows(decode(encode(query, syntax), syntax))
            assert {one: value for one, value in row.items() if value != ""} == query.keys


def test_an_entry_with_two_steps_has_two_rows() -> None:
    assert rows({"PatientID": "7", STEPS: [{"Modality": "CT"}, {"Modality": "PT"}]}) == [
        {"PatientID": "7", "Modality": "CT"},
        {"PatientID": "7", "Modality": "PT"},
    ]


def test_a_steps_attribute_beside_the_sequence_is_read_there() -> None:
    assert rows({"PatientID": "7", "Modality": "CT", STEPS: ""}) == [
        {"PatientID": "7", "Modality": "CT"}
    ]
    assert rows({"Modality": "CT", STEPS: [{"Modality": "MR"}]}) == [{"Modality": "MR"}]


def test_rows_are_in_the_order_of_time_however_it_is_written() -> None:
    times = ["08", "0815", "08:30", "083000.5", "0900"]
    written: list[Match] = [
        {
            "ScheduledProcedureStepStartDate": "20260302",
            "ScheduledProcedureStepStartTime": time,
        }
        for time in times
    ]
    earlier: Match = {"ScheduledProcedureStepStartDate": "2026.03.01"}
    assert sorted([*reversed(written), earlier], key=by_time) == [earlier, *written]


def test_a_row_is_of_a_station_by_its_title_or_its_name_or_unknown() -> None:
    question = WorklistQuestion.of(today=TODAY, station="CT1")
    holds = WorklistRecheck(question).holds
    assert holds({"ScheduledStationAETitle": "CT1", "ScheduledStationName": "Somatom"})
    assert holds({"ScheduledStationAETitle": "AE_17", "ScheduledStationName": "ct1"})
    assert holds({"ScheduledStationAETitle": ["MR1", "CT1"]})
    assert not holds({"ScheduledStationAETitle": "MR1"})
    assert not holds({"ScheduledStationAETitle": "MR1", "ScheduledStationName": ""})
    assert holds({})


def test_a_name_within_a_longer_one_is_not_the_person() -> None:
    holds = WorklistRecheck(WorklistQuestion.of(today=TODAY, patient_name="山田太郎")).holds
    assert holds({"PatientName": "Yamada^Tarou=山田^太郎"})
    assert holds({"PatientName": "=山田太郎"})
    assert not holds({"PatientName": "=小山田太郎"})


def test_instances_that_an_archive_does_not_count_are_unknown_not_none() -> None:
    assert Arrival.of("accession_number", [{"StudyInstanceUID": "1.2"}]).instances is None
    counted: list[Match] = [
        {"NumberOfStudyRelatedInstances": 3},
        {"NumberOfStudyRelatedInstances": "4"},
    ]
    assert Arrival.of("accession_number", counted).instances == 7
    assert Arrival().instances == 0
