"""What is only another way to write the same is no difference."""

import pytest

from dicom_mcp.standard.alike import as_compared, differing, told
from dicom_mcp.standard.query import Match, Value

ALIKE: tuple[tuple[str, Value, Value], ...] = (
    ("PatientID", "42", " 42 "),
    ("PatientName", "Doe^Jane", "Doe^Jane^^"),
    ("PatientName", "Doe^Jane^^=山田^太郎^", "Doe^Jane=山田^太郎=="),
    ("PatientName", "Mu\u0308ller^A", "Müller^A"),
    ("StudyDate", "20260110", "2026.01.10"),
    ("StudyTime", "101500", "101500.000000"),
    ("StudyTime", "10:15", "101500"),
    ("ModalitiesInStudy", ["CT", "SR"], ["SR", "CT"]),
    ("ModalitiesInStudy", "CT/SR", ["SR", "CT"]),
    ("ModalitiesInStudy", ["CT"], "CT"),
    ("NumberOfStudyRelatedSeries", 3, "3"),
)
OTHERWISE: tuple[tuple[str, Value, Value], ...] = (
    ("PatientID", "42", "0042"),
    ("PatientName", "Doe^Jane", "Doe^Jane^M"),
    ("PatientName", "Doe^Jane", "Doe^^Jane"),
    ("StudyDate", "20260110", "20261001"),
    ("StudyTime", "101500", "111500"),
    ("ModalitiesInStudy", ["CT", "SR"], "CT"),
    ("AccessionNumber", "A1", "a1"),
)


@pytest.mark.parametrize(("keyword", "one", "other"), ALIKE)
def test_another_way_to_write_it_is_no_difference(keyword: str, one: Value, other: Value) -> None:
    assert as_compared(keyword, one) == as_compared(keyword, other)


@pytest.mark.parametrize(("keyword", "one", "other"), OTHERWISE)
def test_another_value_is_a_difference(keyword: str, one: Value, other: Value) -> None:
    assert as_compared(keyword, one) != as_compared(keyword, other)


def test_what_one_does_not_tell_is_no_difference() -> None:
    first: Match = {"StudyDate": "20260110", "PatientSex": "F", "NumberOfStudyRelatedSeries": 2}
    second: Match = {"StudyDate": "", "NumberOfStudyRelatedSeries": ""}
    held = {"a": first, "b": second}
    everything = ("StudyDate", "PatientSex", "NumberOfStudyRelatedSeries")
    tells = {"a": told([first], everything), "b": told([second], everything)}
    assert differing(held, everything, tells) == {}
    tells["b"] = {"StudyDate", "NumberOfStudyRelatedSeries"}  # it does of other studies
    assert differing(held, everything, tells) == {"StudyDate": {"a": "20260110", "b": ""}}
