"""The words of a CDA come out as text; its entities do not go off."""

from pathlib import Path

import pytest

from dicom_mcp.content import cda
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.report import read_report
from tests.content import documents as made

LETTER = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Discharge letter</title>
<author><assignedAuthor><assignedPerson><name><given>Karin</given><family>Lund</family></name>
</assignedPerson></assignedAuthor></author>
<component><structuredBody><component><section><title>Findings</title>
<text><paragraph>Heart of normal size.</paragraph><list><item>No effusion</item><item>Größe 9 mm
</item></list><table><tr><th>Lobe</th><th>mm</th></tr><tr><td>right</td><td>9</td></tr></table>
</text></section></component></structuredBody></component></ClinicalDocument>"""


def test_sections_lists_and_tables_are_lines_of_text() -> None:
    report = read_report(made.encapsulated(LETTER.encode(), made.CDA, "text/XML"))
    assert report.text.splitlines() == [
        "Discharge letter",
        "Findings",
        "Heart of normal size.",
        "No effusion",
        "Größe 9 mm",
        "| Lobe | mm",
        "| right | 9",
    ]
    assert report.authors == ("Karin Lund",)


def test_a_document_that_declares_entities_is_refused() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l><text>&b;</text></l>'
    with pytest.raises(ContentError, match="declares XML entities"):
        cda.read(laughs.encode())


def test_no_file_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ZZSECRET")
    outside = f'<!DOCTYPE l SYSTEM "file://{secret}"><l><text>words &x;</text></l>'
    assert "ZZSECRET" not in cda.read(outside.encode()).text
    entity = f'<!DOCTYPE l [<!ENTITY x SYSTEM "file://{secret}">]><l><text>&x;</text></l>'
    with pytest.raises(ContentError):
        cda.read(entity.encode())


def test_a_document_nested_very_deep_is_refused() -> None:
    with pytest.raises(ContentError, match="nested deeper"):
        cda.read(b"<a>" * 100_000)


def test_a_malformed_document_gives_what_comes_before_the_fault_and_says_so() -> None:
    found = cda.read(b"<a><text>words before</text><b></a>")
    assert found.text == "words before"
    assert "malformed at line 1" in found.notes[0]


def test_an_attachment_is_not_read_but_mentioned() -> None:
    found = cda.read(b'<a><text representation="B64" mediaType="application/pdf">QUJD</text></a>')
    assert found.text == ""
    assert found.notes == ("The body is an attachment of type application/pdf, which is not read",)


def test_a_very_long_document_is_cut_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cda, "MOST_CHARACTERS", 400_000)
    found = cda.read(b"<a><text>" + b"word " * 200_000 + b"</text></a>")
    assert found.text.endswith("more characters left out]")
    assert len(found.text) < cda.MOST_CHARACTERS + 100


ASIAN = {
    "Shift_JIS": "右肺に結節なし",
    "EUC-JP": "右肺に結節なし",
    "ISO-2022-JP": "右肺に結節なし",
    "GBK": "右肺未见结节",
    "GB2312": "右肺未见结节",
    "GB18030": "右肺未见结节",
    "Big5": "右肺未見結節",
    "EUC-KR": "우측 폐에 결절 없음",
    "windows-1251": "узлов не найдено",
}


@pytest.mark.parametrize("encoding", ASIAN)
def test_every_encoding_is_read_that_an_xml_document_may_name(encoding: str) -> None:
    text = LETTER.replace("UTF-8", encoding).replace("Größe 9 mm", ASIAN[encoding])
    report = read_report(made.encapsulated(text.encode(encoding), made.CDA, "text/XML"))
    assert ASIAN[encoding] in report.text
    assert report.whole


def test_bytes_that_are_in_no_such_encoding_are_said_to_be_missing() -> None:
    letter = LETTER.replace("UTF-8", "EUC-JP").encode("utf-8")
    report = read_report(made.encapsulated(letter, made.CDA, "text/XML"))
    assert not report.whole
    assert "EUC-JP" in report.notes[0]
    with pytest.raises(ContentError, match="an encoding that nobody knows"):
        cda.read(LETTER.replace("UTF-8", "X-KLINGON").encode())


def test_an_entity_that_nothing_explains_is_not_left_out_in_silence() -> None:
    head = '<?xml version="1.0"?><!DOCTYPE ClinicalDocument SYSTEM "cda.dtd">'
    letter = f"{head}<ClinicalDocument><text>The mass is &not; malignant</text></ClinicalDocument>"
    report = read_report(made.encapsulated(letter.encode(), made.CDA, "text/XML"))
    assert report.text == "The mass is [&not; is not explained] malignant"
    assert not report.whole
    assert "&not;" in report.notes[0]


@pytest.mark.parametrize(
    "body",
    [
        "<component><structuredBody><component><section><title>Findings</title>"
        "<entry/></section></component></structuredBody></component>",
        '<component><nonXMLBody><text mediaType="application/pdf">'
        '<reference value="letter.pdf"/></text></nonXMLBody></component>',
        "",
    ],
)
def test_a_document_without_a_readable_body_is_not_whole(body: str) -> None:
    letter = f"<ClinicalDocument><title>Letter</title>{body}</ClinicalDocument>"
    report = read_report(made.encapsulated(letter.encode(), made.CDA, "text/XML"))
    assert not report.whole
    assert "no readable body" in report.notes[0]
