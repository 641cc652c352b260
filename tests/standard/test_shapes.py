"""What a key has to be understood as, and trials of the same shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.standard.matching import matches
from dicom_mcp.standard.shapes import shape, trial


@pytest.mark.parametrize(
    ("vr", "key", "found"),
    [
        ("LO", "CT Chest", ""),
        ("LO", "*", ""),
        ("LO", "*chest*", "*x*"),
        ("SH", "A??7*", "x?x*"),
        ("PN", "Doe", ""),
        ("PN", "Doe^Jane", "x^x"),
        ("PN", "Doe^J*", "x^x*"),
        ("DA", "20260101", ""),
        ("DA", "20260101-20260131", "from-to"),
        ("DA", "-20260131", "-to"),
        ("UI", "1.2.3", ""),
        ("UI", "1.2.3\\1.2.4", "list of 2"),
        ("UI", "1.2.3\\1.2.4\\1.2.5\\1.2.6", "list of 4"),
        ("CS", "CT", ""),
    ],
)
def test_the_shape_of_a_key_is_what_it_has_beside_its_letters(
    vr: str, key: str, found: str
) -> None:
    assert shape(vr, key) == found


LETTERS = st.text("abcABC ", min_size=1, max_size=8).map(str.strip).filter(bool)
KEYS = st.text("ab*?", min_size=1, max_size=6).filter(lambda key: key.strip("*") != "")


@given(KEYS, st.lists(LETTERS, min_size=1, max_size=3))
def test_a_trial_finds_a_value_it_was_made_of(key: str, values: list[str]) -> None:
    tried = trial("LO", key, values)
    if tried is not None:
        assert any(matches("LO", tried.key, [value]) for value in values)
        assert set(tried.key) & set("*?") == set(key) & set("*?")


NAMES = st.lists(LETTERS, min_size=1, max_size=3).map("^".join)
NAME_KEYS = st.text("ab*?^", min_size=1, max_size=6).filter(lambda key: key.strip("*^") != "")


@given(NAME_KEYS, st.lists(NAMES, min_size=1, max_size=3))
def test_a_trial_finds_a_name_it_was_made_of(key: str, names: list[str]) -> None:
    tried = trial("PN", key, names)
    if tried is not None:
        assert any(matches("PN", tried.key, [name]) for name in names)


@pytest.mark.parametrize("key", ["20260101-20260131", "20260101-", "-20260101"])
def test_a_trial_of_a_range_holds_the_day_it_was_made_of(key: str) -> None:
    tried = trial("DA", key, ["", "19990228"])
    assert tried is not None
    assert matches("DA", tried.key, ["19990228"])
    assert shape("DA", tried.key) == shape("DA", key)


def test_a_trial_of_a_list_stands_between_two_that_are_known() -> None:
    tried = trial("UI", "1.1\\1.2", ["1.3", "1.4"])
    assert tried is not None
    assert (tried.key, tried.finds) == ("1.3\\1.1\\1.2\\1.4", ("1.3", "1.4"))


def test_there_is_no_trial_without_a_value() -> None:
    assert trial("LO", "*chest*", [""]) is None
    assert trial("UI", "1.1\\1.2", []) is None
