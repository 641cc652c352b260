"""Which items of a structured report say who somebody is."""

import pytest

from dicom_mcp.privacy.structured import identified_by
from dicom_mcp.privacy.treatment import DEFAULT_OPTIONS, Option


@pytest.mark.parametrize(
    ("scheme", "code", "keyword"),
    [
        ("DCM", "121029", "PersonName"),  # Subject Name
        ("DCM", "128774", "PersonName"),  # Person Observer's Login Name
        ("DCM", "121030", "OtherPatientIDs"),  # Subject ID
        ("DCM", "121031", "PatientBirthDate"),  # Subject Birth Date
        ("DCM", "121009", "InstitutionName"),  # Person Observer's Organization Name
        ("DCM", "121013", ""),  # Device Observer Name, which is retained
        ("DCM", "121071", ""),  # Finding: a text, cleaned as all are
        ("SRT", "121029", ""),
    ],
)
def test_what_an_item_is_like(scheme: str, code: str, keyword: str):
    assert identified_by(scheme, code, DEFAULT_OPTIONS) == keyword


def test_places_and_devices_are_retained_where_the_operator_says_so():
    organization, device = ("DCM", "121009"), ("DCM", "121013")
    with_places = frozenset({Option.INSTITUTION})
    assert identified_by(*organization, with_places) == ""
    assert identified_by(*device, with_places) == "InstitutionName"
    assert identified_by("DCM", "121030", frozenset(Option)) == "OtherPatientIDs"
