"""Text that comes out can be seen, all of it, in its order."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.content.plain import capped, plain_text


@pytest.mark.parametrize(
    "text", ["", "9 mm", "Größe", "山田^太郎", "김희중", "می‌شود", "क्‍ष", "naïve – “quoted”", "😀"]
)
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1bc\x7fd\x9be", "a\\u{0}b\\u{1B}c\\u{7F}d\\u{9B}e"),
        ("a\u200bb\u200dc\ufeff", "a\\u{200B}b\\u{200D}c\\u{FEFF}"),
        ("\u202etxt\u2069", "\\u{202E}txt\\u{2069}"),
        ("\U000e0049\U000e0067", "\\u{E0049}\\u{E0067}"),
        ("x\ufe0f\U000e0101", "x\\u{FE0F}\\u{E0101}"),
        ("\u3164\u115f\u034f", "\\u{3164}\\u{115F}\\u{34F}"),
        ("\ue000\ufffe", "\\u{E000}\\u{FFFE}"),
        ("\udce4", "\\xe4"),
        ("one\ntwo\t", "one\\u{A}two\\u{9}"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert plain_text(text) == shown


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\f", "\v", "\x85", "\u2028", "\u2029"])
def test_every_line_end_is_one_where_lines_are_meant(end: str) -> None:
    assert plain_text(f"one{end}two\tthree", lines=True) == "one\ntwo\tthree"


@given(st.text(), st.booleans())
def test_nothing_invisible_is_left_and_nothing_more_is_done_twice(text: str, lines: bool) -> None:
    plain = plain_text(text, lines=lines)
    assert plain_text(plain, lines=lines) == plain
    for letter in plain:
        if letter not in "\u200c\u200d" and not (lines and letter in "\n\t"):
            assert unicodedata.category(letter)[0] not in "C"


def test_a_cut_says_how_much_is_missing() -> None:
    assert capped("abc", 3) == "abc"
    assert capped("abcdef", 2) == "ab… [4 more characters left out]"
    assert capped("x" * 12_345, 345).endswith("… [12,000 more characters left out]")
