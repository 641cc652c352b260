import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import RE_VALID_UID, generate_uid

from dicom_mcp.errors import BadArgument
from dicom_mcp.standard.identifier import decode
from dicom_mcp.standard.keys import encode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from dicom_mcp.standard.values import (
    MAXIMUM_LENGTH,
    WILDCARD_VRS,
    code,
    integer,
    key,
    shown,
    text,
    uid,
)

# Keywords by the VR of a key that tools send.
KEYWORD = {
    "AE": "RetrieveAETitle",
    "CS": "Modality",
    "DA": "StudyDate",
    "IS": "InstanceNumber",
    "LO": "StudyDescription",
    "PN": "PatientName",
    "SH": "AccessionNumber",
    "ST": "InstitutionAddress",
    "TM": "StudyTime",
    "UI": "StudyInstanceUID",
}


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=6), st.integers(0, 3))
def test_uids_and_lists_of_uids_are_taken(components: list[int], more: int) -> None:
    one = ".".join(map(str, components))
    listed = "\\".join([one] * (more + 1))
    assert uid(listed, argument="u") == key(f" {listed} ", "UI", argument="u") == listed


def test_pydicoms_uids_are_taken() -> None:
    for prefix in ("1.2.826.0.1.3680043.8.498.", None):
        assert uid(made := generate_uid(prefix), argument="u") == made


@given(st.text(st.sampled_from("0123456789.*?\\\\ x"), max_size=70))
def test_a_uid_that_the_standard_allows_is_taken_and_a_wildcard_never(value: str) -> None:
    legal = all(re.match(RE_VALID_UID, one) and len(one) <= 64 for one in value.split("\\"))
    try:
        assert uid(value, argument="u") == value
        assert not set(value) & set("*? ")
    except BadArgument:
        assert not legal


@pytest.mark.parametrize(
    "value", ["1.02.3", "X1.2.3", "PET1.2.3", "1.2.3-4", "12345", "1." * 40 + "1"]
)
def test_a_uid_against_the_standard_that_an_archive_gave_is_taken(value: str) -> None:
    assert uid(value, argument="u") == value


@pytest.mark.parametrize(
    "value",
    [
        *("1" * 65, "X1." + "1" * 62, "1.2.x", "1.2/3", "1.2.3-x", "..", "chest", "A12345"),
        *("1.2 3", "-", "١.٢", "1.2\t", "1." * 65),
    ],
)
def test_a_word_is_no_uid(value: str) -> None:
    with pytest.raises(BadArgument, match="is not a DICOM UID"):
        uid(value, argument="u")


def test_a_list_of_uids_has_a_longest_size_that_fits_its_length_field() -> None:
    listed = "\\".join(["1.2"] * 16_383)
    assert len(listed) == 65_531
    query = Query(Level.STUDY, {"StudyInstanceUID": uid(listed, argument="u")})
    assert len(encode(query, EXPLICIT_VR_LITTLE_ENDIAN)) > 65_531
    with pytest.raises(BadArgument, match="more UIDs than fit"):
        uid(f"{listed}\\1.2.3", argument="u")


@pytest.mark.parametrize("vr", ["LO", "LT", "PN", "SH", "ST"])
def test_text_is_as_long_as_its_vr_allows_in_characters(vr: str) -> None:
    longest = "山" * MAXIMUM_LENGTH[vr]
    assert text(longest, vr, argument="t") == longest
    with pytest.raises(BadArgument, match=f"longer than the {len(longest)} characters"):
        text(longest + "x", vr, argument="t")


@pytest.mark.parametrize("vr", ["AE", "TM", "UR"])
def test_vrs_without_a_character_set_hold_ascii_only(vr: str) -> None:
    with pytest.raises(BadArgument, match="cannot hold"):
        text("Ä", vr, argument="t")


def test_each_group_of_a_name_has_its_own_length_and_there_are_three() -> None:
    group = "x" * 64
    assert text(f"{group}={group}={group}", "PN", argument="n")
    with pytest.raises(BadArgument, match="three component groups"):
        text("a=b=c=d", "PN", argument="n")


@pytest.mark.parametrize("vr", sorted(WILDCARD_VRS))
@pytest.mark.parametrize("value", ["*", "**", " * ", ""])
def test_a_bare_asterisk_becomes_the_zero_length_key(vr: str, value: str) -> None:
    assert key(value, vr, argument="t") == ""


@pytest.mark.parametrize("value", ["a\0b", "a\nb", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b"])
def test_control_characters_and_half_characters_are_refused(value: str) -> None:
    with pytest.raises(BadArgument, match="control character"):
        text(value, "LO", argument="t")


def test_a_backslash_is_refused_because_it_separates_values() -> None:
    with pytest.raises(BadArgument, match="separates values"):
        text("a\\b", "LO", argument="t")


@pytest.mark.parametrize(
    ("value", "sent"),
    [("ct", "CT"), ("CT", "CT"), ("c?", "C?"), ("*r", "*R"), ("Doc_1 a", "DOC_1 A")],
)
def test_codes_are_sent_in_capitals(value: str, sent: str) -> None:
    assert code(value, argument="m") == sent


@pytest.mark.parametrize("value", ["C-T", "MR/CT", "MÜ", "x" * 17, "CT\\MR"])
def test_what_no_code_can_be_is_refused(value: str) -> None:
    with pytest.raises(BadArgument):
        code(value, argument="m")


@given(st.integers(-(2**31), 2**31 - 1))
def test_whole_numbers_are_taken_as_they_are_written(number: int) -> None:
    assert integer(str(number), argument="n") == str(number)


@pytest.mark.parametrize("value", ["1.5", "one", "1e3", "1,2", "१", "1234567890123", "--1", ""])
def test_what_is_no_whole_number_is_refused(value: str) -> None:
    with pytest.raises(BadArgument):
        integer(value, argument="n")


@given(
    st.sampled_from(sorted(KEYWORD)),
    st.one_of(st.text(max_size=90), st.text(st.sampled_from("0129.-*?^=\\aZ "), max_size=20)),
    st.sampled_from([IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN]),
)
def test_whatever_is_given_only_legal_keys_reach_the_wire(vr: str, given: str, syntax: str) -> None:
    with suppress(BadArgument):
        sent = key(given, vr, argument="x")
        data = encode(Query(Level.STUDY, {KEYWORD[vr]: sent}), syntax)
        assert len(data) % 2 == 0
        read = decode(data, syntax)[KEYWORD[vr]]
        parts = read if isinstance(read, list) else [read]
        assert "\\".join(map(str, parts)) == sent.strip(" ")
        assert sent != "*"


@given(st.text(max_size=200))
def test_a_refused_value_is_shown_short(value: str) -> None:
    assert len(shown(value)) <= 10 * 40 + 2
    if len(value) > 40:
        assert shown(value).endswith(("...'", '..."'))
