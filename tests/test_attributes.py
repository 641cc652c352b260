"""Presets and the names of attributes."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp import attributes
from dicom_mcp.attributes import (
    PRESETS,
    did_you_mean,
    keyword_of,
    preset_keywords,
    returned_keywords,
)
from dicom_mcp.errors import BadAttribute
from dicom_mcp.standard.dictionary import attribute, keywords
from dicom_mcp.standard.levels import HIERARCHY, UNIQUE_KEY, Level

LEVELS = st.sampled_from(HIERARCHY)
PRESET_NAMES = st.sampled_from(["minimal", "standard", "extended"])
KEYWORDS = st.sampled_from(
    sorted({k for presets in PRESETS.values() for p in presets.values() for k in p})
)


def test_every_preset_attribute_is_in_the_dictionary() -> None:
    for presets in PRESETS.values():
        for names in presets.values():
            assert all(attribute(name) for name in names), names


@pytest.mark.parametrize("level", HIERARCHY)
def test_each_preset_adds_to_the_one_before_and_repeats_nothing(level: Level) -> None:
    minimal, standard, extended = (
        preset_keywords(level, name) for name in ("minimal", "standard", "extended")
    )
    assert standard[: len(minimal)] == minimal
    assert extended[: len(standard)] == standard
    assert len(set(extended)) == len(extended)
    assert UNIQUE_KEY[level] in minimal


def test_people_ask_by_name_and_kind_so_the_standard_study_preset_has_both() -> None:
    assert {"PatientName", "ModalitiesInStudy"} <= set(preset_keywords(Level.STUDY, "standard"))


@given(LEVELS, PRESET_NAMES, st.lists(KEYWORDS), st.lists(KEYWORDS))
def test_what_comes_back_is_the_preset_plus_the_added_minus_the_excluded(
    level: Level, preset: str, additional: list[str], exclude: list[str]
) -> None:
    wanted = returned_keywords(level, preset, additional=additional, exclude=exclude)
    unique = UNIQUE_KEY[level]
    expected = {*preset_keywords(level, preset), *additional} - ({*exclude} - {unique})
    assert set(wanted) == expected
    assert len(wanted) == len(set(wanted))
    assert unique in wanted


@given(st.sampled_from(keywords()))
def test_an_attribute_is_found_by_keyword_in_any_case_and_by_tag(keyword: str) -> None:
    found = attribute(keyword)
    assert found is not None
    assert keyword_of(keyword) == keyword
    assert keyword_of(f"{found.tag:08x}") == keyword
    assert keyword_of(f"({found.tag >> 16:04X},{found.tag & 0xFFFF:04X})") == keyword
    assert keyword_of(keyword.upper()).lower() == keyword.lower()


def test_an_attribute_is_found_by_its_full_name() -> None:
    assert keyword_of("Patient's Name") == "PatientName"
    assert keyword_of("Study Instance UID") == "StudyInstanceUID"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("PatientAgge", "PatientAge"), ("StudyDtae", "StudyDate"), ("Modalitys", "Modality")],
)
def test_an_unknown_attribute_is_refused_with_the_nearest_right_one(
    name: str, nearest: str
) -> None:
    with pytest.raises(BadAttribute, match=nearest):
        keyword_of(name)


@pytest.mark.parametrize(
    ("said", "keyword"),
    [
        ("date of birth", "PatientBirthDate"),
        ("Date of Birth", "PatientBirthDate"),
        ("DOB", "PatientBirthDate"),
        ("mrn", "PatientID"),
        ("gender", "PatientSex"),
        ("scanner", "StationName"),
        ("vendor", "Manufacturer"),
        ("model", "ManufacturerModelName"),
        ("radiologist", "NameOfPhysiciansReadingStudy"),
        ("requesting doctor", "ReferringPhysicianName"),
        ("exam date", "StudyDate"),
        ("number of images", "NumberOfStudyRelatedInstances"),
        ("number of slices", "NumberOfSeriesRelatedInstances"),
        ("kvp", "KVP"),
        ("kV", "KVP"),
        ("slice thickness", "SliceThickness"),
        ("contrast", "ContrastBolusAgent"),
        ("body part", "BodyPartExamined"),
        ("hospital", "InstitutionName"),
        ("technologist", "OperatorsName"),
        ("field strength", "MagneticFieldStrength"),
        ("X-Ray Tube Current", "XRayTubeCurrent"),
        ("requesting physician", "RequestingPhysician"),
        ("Contrast/Bolus Agent", "ContrastBolusAgent"),
    ],
)
def test_an_everyday_word_is_the_attribute_people_mean(said: str, keyword: str) -> None:
    assert keyword_of(said) == keyword


def test_every_everyday_word_leads_to_the_attribute_it_stands_for() -> None:
    everyday = attributes._phrases()  # pyright: ignore[reportPrivateUsage]
    assert len({keyword for _, keyword in everyday}) > 60
    for said, keyword in everyday:
        found = attribute(keyword)
        assert found, keyword
        assert keyword_of(said) == keyword, said


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("date of brith", "PatientBirthDate"),
        ("scaner", "StationName"),
        ("radiologyst", "NameOfPhysiciansReadingStudy"),
        ("birth date of the patient", "PatientBirthDate"),
        ("thickness of slices", "SliceThickness"),
        ("institute name", "InstitutionName"),
        ("image counts", "NumberOfStudyRelatedInstances"),
    ],
)
def test_a_refusal_knows_everyday_words_and_another_order(name: str, nearest: str) -> None:
    with pytest.raises(BadAttribute, match=nearest):
        keyword_of(name)


def test_what_is_near_to_nothing_gets_no_suggestion() -> None:
    with pytest.raises(BadAttribute, match="Use a DICOM keyword or tag"):
        keyword_of("qqqqqqqqqqq")


def test_a_refusal_takes_less_than_50_ms() -> None:
    def refused() -> float:
        started = time.perf_counter()
        with pytest.raises(BadAttribute):
            keyword_of("PatientAgge of the study dtae")
        return time.perf_counter() - started

    assert min(refused() for _ in range(5)) < 0.05


def test_the_nearest_choice_is_found_in_any_case() -> None:
    choices = ["patient_name", "patient_id", "study_date"]
    assert did_you_mean("patient_nam", choices) == "patient_name"
    assert did_you_mean("StudyDate", choices) == "study_date"
    assert did_you_mean("zzz", choices) == ""
    assert did_you_mean("zzz", []) == ""


def test_an_unknown_preset_is_refused_with_the_nearest_right_one() -> None:
    with pytest.raises(BadAttribute, match="Use extended"):
        preset_keywords(Level.STUDY, "extend")
    with pytest.raises(BadAttribute, match="minimal, standard, extended"):
        preset_keywords(Level.STUDY, "zzz")


@given(st.text(max_size=80))
def test_no_text_breaks_the_look_up_of_a_name(text: str) -> None:
    with suppress(BadAttribute):
        assert attribute(keyword_of(text))
