"""The words of a CDA come out as text; its entities do not go off."""

import re
from pathlib import Path

import pytest

from dicom_mcp.content import cda
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.outside import documents
from dicom_mcp.content.report import read_report
from tests.content import documents as made
from tests.notes import the_note

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
    assert the_note(found.notes, "malformed at line 1")


def test_an_attachment_is_not_read_but_mentioned() -> None:
    found = cda.read(b'<a><text representation="B64" mediaType="application/pdf">QUJD</text></a>')
    assert found.text == ""
    assert found.notes == ("The body is an attachment of type application/pdf, which is not read",)


def test_a_very_long_document_is_cut_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cda, "LONGEST_REPORT", 400_000)
    found = cda.read(b"<a><text>" + b"word " * 200_000 + b"</text></a>")
    assert found.text.endswith("more characters left out]")
    assert len(found.text) < cda.LONGEST_REPORT + 100


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
    assert the_note(report.notes, "EUC-JP")
    with pytest.raises(ContentError, match="an encoding that nobody knows"):
        cda.read(LETTER.replace("UTF-8", "X-KLINGON").encode())


def test_an_entity_that_nothing_explains_is_not_left_out_in_silence() -> None:
    head = '<?xml version="1.0"?><!DOCTYPE ClinicalDocument SYSTEM "cda.dtd">'
    letter = f"{head}<ClinicalDocument><text>The mass is &not; malignant</text></ClinicalDocument>"
    report = read_report(made.encapsulated(letter.encode(), made.CDA, "text/XML"))
    assert report.text == "The mass is [&not; is not explained] malignant"
    assert not report.whole
    assert the_note(report.notes, "&not;")


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
    assert the_note(report.notes, "no readable body")


def section(*inside: str) -> bytes:
    """A document of one section."""
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section>'
        f"{''.join(inside)}</section></component></structuredBody></component></ClinicalDocument>"
    ).encode()


@pytest.mark.parametrize(
    ("narrative", "said"),
    [
        ("WBC 10<sup>9</sup>/l", "WBC 10^9/l"),
        ("10<sup>-3</sup> mol", "10^-3 mol"),
        ("10<sup>9</sup>5", "10^(9)5"),
        ("e<sup>a b</sup>", "e^(a b)"),
        ("H<sub>2</sub>O", "H_(2)O"),
        ("SpO<sub>2</sub> 97 %", "SpO_2 97 %"),
        ('<content revised="delete">no</content> tumour', "[deleted: no] tumour"),
        ('<content revised="insert">no</content> tumour', "no tumour"),
        ('<content styleCode="xStrikethrough">no</content> tumour', "[deleted: no] tumour"),
        ("<del>left</del> right", "[deleted: left] right"),
        (
            "<paragraph revised='delete'>x <content>y</content></paragraph>z",
            "[deleted: x y]\nz",
        ),
        ("5 mm<footnote>estimated</footnote>", "5 mm [footnote: estimated]"),
        (
            '<list listType="ordered"><item>a</item><item>b</item></list>',
            "1. a\n2. b",
        ),
        ("<list><item>a</item><item>b</item></list>", "a\nb"),
        (
            "<table><tr><th colspan='2'>Left</th><th>Right</th></tr>"
            "<tr><td rowspan='2'>1</td><td>2</td><td>3</td></tr><tr><td>5</td><td/></tr></table>",
            "| Left | ″ | Right\n| 1 | 2 | 3\n| ″ | 5 |",
        ),
    ],
)
def test_marks_that_change_what_words_mean_are_words(narrative: str, said: str) -> None:
    found = cda.read(section(f"<text>{narrative}</text>"))
    assert found.text == said
    assert found.notes == ()


@pytest.mark.parametrize("text", ["", "<text/>", "<text nullFlavor='NI'> </text>"])
def test_a_section_of_coded_entries_only_is_told_and_read(text: str) -> None:
    entry = (
        "<entry><observation negationInd='true'><code code='718-7' displayName='Hemoglobin'/>"
        "<value value='9.2' unit='g/dL'/></observation></entry>"
    )
    found = cda.read(section("<title>Lab</title>", text, entry))
    assert "[coded entries, without a text: NOT the following; Hemoglobin; 9.2 g/dL]" in found.text
    assert found.notes == (
        'The section "Lab" has no text, only coded entries; what they say is in brackets',
    )
    with_text = cda.read(section("<title>Lab</title><text>Hb 9.2</text>", entry))
    assert (with_text.text, with_text.notes) == ("Lab\nHb 9.2", ())


def test_a_picture_in_the_text_is_mentioned() -> None:
    found = cda.read(section("<text>See <renderMultiMedia referencedObject='M1'/></text>"))
    assert found.text == "See [a picture or another medium, not shown]"
    assert found.notes == ("A picture or another medium in the text is not shown (M1)",)


@pytest.mark.parametrize(
    ("content", "mime"),
    [
        (b"<html><body>10<sup>9</sup>/l <del>no</del> tumour</body></html>", "text/html"),
        (rb"{\rtf1 10{\super 9}/l {\strike no} tumour}", "text/rtf"),
        (rb"{\rtf1 10\super 9\nosupersub /l \strike no\strike0  tumour}", "text/rtf"),
    ],
)
def test_pages_and_rtf_keep_them_too(content: bytes, mime: str) -> None:
    report = read_report(made.encapsulated(content, made.PDF, mime))
    assert report.text == "10^9/l [deleted: no] tumour"


# What a construct makes of words, in the narrative block (HL7 CDA R2 4.3.5).
_CONSTRUCTS = {
    "{}": "{}",
    "<content>{}</content>": "{}",
    "<content styleCode='Bold'>{}</content>": "{}",
    "<content styleCode='Bold xStrikethrough'>{}</content>": "[deleted: {}]",
    "<content revised='delete'>{}</content>": "[deleted: {}]",
    "<content revised='insert'>{}</content>": "{}",
    "<linkHtml href='#x'>{}</linkHtml>": "{}",
    "<paragraph>{}</paragraph>": "{}",
    "<paragraph><caption>Lab</caption>{}</paragraph>": "Lab\n{}",
    "<list><item>x</item></list>{}": "x\n{}",
    "<table><tr><td>x</td></tr></table>{}": "| x\n{}",
    "<table><tr><td><paragraph>x</paragraph></td><td>{}</td></tr></table>": "|\nx | {}",
    "<paragraph>x</paragraph><sup>({})</sup>": "x\n^(({}))",
    "a<br/>{}": "a\n{}",
    "a <sup>({})</sup>": "a ^(({}))",
    "a <sub>({})</sub>": "a _(({}))",
    "a<footnote>{}</footnote>": "a [footnote: {}]",
    "<list listType='ordered'><item>x</item><item>{}</item></list>": "1. x\n2. {}",
    "<list><item>x</item><item>{}</item></list>": "x\n{}",
    "<table><tr><td>x</td><td>{}</td></tr></table>": "| x | {}",
    "<table><tr><td rowspan='2'>{}</td><td>1</td></tr><tr><td>2</td></tr></table>": (
        "| {} | 1\n| ″ | 2"
    ),
    "<table><thead><tr><th colspan='2'>{}</th></tr></thead></table>": "| {} | ″",
}
_WORDS = {
    "no tumour": "no tumour",
    "&lt; 5 mm": "< 5 mm",
    "a &amp; b": "a & b",
    "&#181;g/l": "µg/l",
    "Größe 3 × 4": "Größe 3 × 4",
    "肝臓": "肝臓",
    "<![CDATA[<b>x</b>]]>": "<b>x</b>",
    "x<!-- not said -->y": "xy",
    "1.000,5": "1.000,5",
    "T2 &#8722;weighted": "T2 −weighted",
    "\n  two\n  lines  ": "two lines",
    "&quot;said&quot;": '"said"',
}


@pytest.mark.parametrize("construct", _CONSTRUCTS)
def test_every_construct_says_every_text(construct: str) -> None:
    """Over two hundred fragments, read without a process of their own."""
    for written, said in _WORDS.items():
        content = section(f"<text>{construct.format(written)}</text>")
        wish = {"characters": 10_000, "deepest": 100}
        found, (words,) = documents.cda(content, wish)
        told = [" ".join(line.split()) for line in words.decode().split("\n")]
        expected = _CONSTRUCTS[construct].format(said)
        text = re.sub(r"([\[(]) | (?=[\])])", r"\1", "\n".join(filter(None, told)))
        assert text == expected
        assert found["faults"] == []
        assert found["readable"]
