from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.charset import python_encoding
from pydicom.data import get_charset_files
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom_mcp.standard.charset import decoder, visible
from dicom_mcp.standard.identifier import decode
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN

# PatientName of pydicom's test files (PS3.5 H to K), as their FileInfo.txt and the standard say.
NAMES = {
    "chrArab": "قباني^لنزار",
    "chrFren": "Buc^Jérôme",
    "chrFrenMulti": "Buc^Jérôme",
    "chrGerm": "Äneas^Rüdiger",
    "chrGreek": "Διονυσιος",
    "chrH31": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "chrH32": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chrHbrw": "שרון^דבורה",
    "chrI2": "Hong^Gildong=洪^吉洞=홍^길동",
    "chrJapMulti": "やまだ^たろう",
    "chrJapMultiExplicitIR6": "やまだ^たろう",
    "chrKoreanMulti": "김희중",
    "chrRuss": "Люкceмбypг",
    "chrX1": "Wang^XiaoDong=王^小東",
    "chrX2": "Wang^XiaoDong=王^小东",
}
FILES = {Path(name).stem: name for name in get_charset_files("*.dcm")}


@pytest.mark.parametrize("name", FILES)
def test_the_names_in_pydicoms_files_are_read_as_pydicom_reads_them(name: str) -> None:
    read = dcmread(FILES[name])
    match = decode(text_elements(read), EXPLICIT_VR_LITTLE_ENDIAN)
    if name in NAMES:
        assert match["PatientName"] == NAMES[name]
    for keyword, value in match.items():
        if isinstance(value, str) and keyword in ("PatientName", "StudyDescription"):
            assert value == str(read[keyword].value).rstrip("=")


def test_every_file_with_a_name_is_in_the_table() -> None:
    assert set(FILES) - set(NAMES) == {"chrSQEncoding", "chrSQEncoding1"}


@pytest.mark.parametrize("name", ["chrSQEncoding", "chrSQEncoding1"])
def test_character_sets_in_items_are_read_as_pydicom_reads_them(name: str) -> None:
    read = dcmread(FILES[name])
    match = decode(text_elements(read), EXPLICIT_VR_LITTLE_ENDIAN)
    (inner,) = cast("list[dict[str, str]]", match["RequestedProcedureCodeSequence"])
    (expected,) = cast("list[Dataset]", read.RequestedProcedureCodeSequence)
    assert inner["PatientName"] == str(expected.PatientName)


@pytest.mark.parametrize(
    "term", [term for term in python_encoding if term.startswith("ISO_IR 1") and term[-1] != "9"]
)
def test_every_character_of_a_single_byte_set_is_read(term: str) -> None:
    codec = python_encoding[term]
    for byte in range(0xA0, 0x100):
        raw = bytes([byte])
        text = visible(decoder(term)(raw, "LO"))
        expected = raw.decode(codec, errors="ignore")
        assert text == (expected or f"\\x{byte:02x}")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_utf_8_and_gb18030_hold_every_text(text: str) -> None:
    assert decoder("ISO_IR 192")(text.encode(), "PN") == text
    assert decoder("GB18030")(text.encode("gb18030"), "PN") == text


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("ISO IR 144", "iso8859_5"),
        ("ISO_IR144", "iso8859_5"),
        ("ISO-IR 144", "iso8859_5"),
        ("iso_ir 144", "iso8859_5"),
        ("ISO_IR 144 \0", "iso8859_5"),
        ("ISO_2022_IR_144", "iso8859_5"),
        ("ISO_IR 192\\ISO_IR 144", "utf-8"),
        ("GBK\\ISO 2022 IR 87", "gbk"),
        ("ISO 2022 IR 144\\ISO_IR 192", "iso8859_5"),
    ],
)
def test_common_mistakes_in_declaring_are_understood(declared: str, codec: str) -> None:
    text = "Иванов"
    assert decoder(declared)(text.encode(codec), "PN") == text


@pytest.mark.parametrize(
    "declared",
    [
        *("", " ", "\\", "ISO_IR 6", "ISO_IR 999", "nonsense", "a\0b", "\xff\xfe", "..", "x" * 100),
        # Python has codecs of these names that are no character sets.
        *("zlib", "base64", "rot13", "punycode", "undefined", "unicode_escape", "idna", "utf-7"),
    ],
)
def test_undeclared_text_is_utf_8_or_else_latin_1(declared: str) -> None:
    assert decoder(declared)("Müller山".encode(), "PN") == "Müller山"
    assert decoder(declared)(b"M\xfcller", "PN") == "Müller"


@pytest.mark.parametrize("declared", ["ISO_IR 192", "ISO 2022 IR 149", "ISO_IR 13", "GB18030"])
def test_a_byte_that_is_no_character_stays_visible(declared: str) -> None:
    assert visible(decoder(declared)(b"A\xff^B", "PN")) == r"A\xff^B"


def test_an_escape_nobody_declared_loses_nothing() -> None:
    raw = b"Yamada=\x1b$B;3ED\x1b(B"
    assert decoder("ISO_IR 100")(raw, "PN") == "Yamada=\x1b$B;3ED\x1b(B"
    assert decoder("\\ISO 2022 IR 87")(raw, "PN") == "Yamada=山田"


def test_a_backslash_inside_a_character_separates_nothing() -> None:
    # 0x5C is the second byte of many characters of GBK and GB18030.
    text = "誠"
    raw = text.encode("gb18030")
    assert b"\\" in raw
    data = b"\x08\0\x05\0CS\x08\0GB18030 " + b"\x08\0\x30\x10LO" + bytes([len(raw), 0]) + raw
    assert decode(data, EXPLICIT_VR_LITTLE_ENDIAN)["StudyDescription"] == text


@given(
    st.one_of(
        st.sampled_from([*python_encoding, "\\ISO 2022 IR 87\\ISO 2022 IR 159\\ISO 2022 IR 149"]),
        st.text(max_size=30),
        st.lists(st.sampled_from([*python_encoding]), max_size=4).map("\\".join),
    ),
    st.lists(
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from([b"\x1b$B", b"\x1b(B", b"\x1b(J", b"\x1b$(D", b"\x1b$)C", b"\x1b-L"]),
        ),
        max_size=8,
    ).map(b"".join),
    st.sampled_from(["PN", "LO", "UT"]),
)
def test_any_bytes_under_any_declaration_are_text_that_has_bytes(
    declared: str, raw: bytes, vr: str
) -> None:
    visible(decoder(declared)(raw, vr)).encode("utf-8")


def text_elements(read: Dataset) -> bytes:
    """The text of a file as an identifier, its bytes as they are in the file."""
    kept = Dataset()
    for keyword in (
        "SpecificCharacterSet",
        "PatientName",
        "StudyDescription",
        "RequestedProcedureCodeSequence",
    ):
        if keyword in read:
            kept[keyword] = read.get_item(keyword)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, kept, read.get("SpecificCharacterSet", "ISO_IR 6"))
    return buffer.getvalue()
