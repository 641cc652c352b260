"""Values in other forms than their VR has."""

import pytest

from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.matching import matches
from dicom_mcp.standard.query import Match, Query
from dicom_mcp.standard.reading import read
from dicom_mcp.standard.recheck import Recheck


@pytest.mark.parametrize(
    ("keyword", "vr", "key", "value"),
    [
        ("StudyDate", "DA", "20260110", "2026-01-10"),
        ("StudyDate", "DA", "20260101-20260131", "2026/1/10"),
        ("StudyDate", "DA", "20260110", "10.01.2026"),
        ("StudyDate", "DA", "20260110", "20260110080000"),
        ("StudyDate", "DA", "20260110", "2026-01-10T08:00:00"),
        ("StudyTime", "TM", "10", "10:15"),
        ("StudyTime", "TM", "1000-1100", "10:15:30.5"),
        ("ModalitiesInStudy", "CS", "CT", "CT/SR"),
        ("ModalitiesInStudy", "CS", "SR", "CT,SR"),
        ("ModalitiesInStudy", "CS", "SR", "CT; SR"),
        ("Modality", "CS", "CT", "ct"),
        ("PatientSex", "CS", "M", "Male"),
        ("PatientAge", "AS", "042Y", "42"),
        ("PatientAge", "AS", "042Y", "42 years"),
        ("SeriesNumber", "IS", "7", "7.0"),
        ("SliceThickness", "DS", "5", "5.0 mm"),
        ("PatientName", "PN", "Doe^J*", "Doe, Jane"),
        ("PatientName", "PN", "Doe^J*", "Jane Doe"),
        ("StudyInstanceUID", "UI", "1.2.3", "1.2.3\0 "),
    ],
)
def test_an_obvious_form_of_a_value_is_no_contradiction(
    keyword: str, vr: str, key: str, value: str
) -> None:
    forms = read(vr, keyword, value)
    assert forms is not None
    assert matches(vr, key, forms)
    recheck = Recheck(Query(Level.IMAGE, {keyword: key}))
    assert recheck.holds({keyword: value})
    assert (recheck.doubts(), recheck.ignored) == ([], frozenset())


@pytest.mark.parametrize(
    ("keyword", "key", "value"),
    [
        ("StudyDate", "20260110", "2026-01-11"),
        ("ModalitiesInStudy", "MR", "CT/SR"),
        ("PatientSex", "F", "Male"),
        ("PatientName", "Roe^*", "Doe, Jane"),
    ],
)
def test_another_value_in_another_form_is_left_out(keyword: str, key: str, value: str) -> None:
    recheck = Recheck(Query(Level.STUDY, {keyword: key}))
    assert not recheck.holds({keyword: value})
    assert recheck.ignored == {keyword}


def test_what_has_no_date_is_left_out_and_told_and_no_fault_of_the_archive() -> None:
    recheck = Recheck(Query(Level.STUDY, {"StudyDate": "20260110"}))
    assert not recheck.holds({"StudyDate": ""})
    assert recheck.ignored == frozenset()
    (note,) = recheck.notes()
    assert str(note) == "1 study that has no StudyDate came too and is not counted here."


@pytest.mark.parametrize(
    ("keyword", "key", "value"),
    [
        ("StudyDate", "20260110", "01/10/2026"),
        ("StudyDate", "20260110", "yesterday"),
        ("Modality", "CT", "Computed Tomography (CT)"),
        ("PatientSex", "F", "unknown"),
        ("SeriesNumber", "7", "seven"),
    ],
)
def test_what_cannot_be_read_is_kept_and_told(keyword: str, key: str, value: str) -> None:
    match: Match = {keyword: value}
    recheck = Recheck(Query(Level.SERIES, {keyword: key}))
    assert recheck.holds(match)
    (told,) = recheck.doubts()
    assert str(told).startswith("Not complete, perhaps: 1 series of these has a value as")
