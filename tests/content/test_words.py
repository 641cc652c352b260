"""A document of text, HTML or RTF is whole or marked."""

import pytest

from dicom_mcp.content.report import read_report
from tests.content import documents as made

WHOLE = {
    "text/html": b"<!DOCTYPE html><html><body><p>No tumour.<p>Stable <!-- x --></body></html>\n",
    "text/rtf": rb"{\rtf1{\fonttbl{\f0 Arial;}}{\*\x y}\b No tumour.\par Stable}",
}


@pytest.mark.parametrize("mime", WHOLE)
def test_a_page_that_is_cut_anywhere_is_not_whole(mime: str) -> None:
    content = WHOLE[mime]
    assert read_report(made.encapsulated(content, made.PDF, mime)).whole
    for place in range(content.index(b"No"), len(content.rstrip()) - 1, 7):
        report = read_report(made.encapsulated(content[:place], made.PDF, mime))
        assert not report.whole, content[:place]
        assert any("end of the" in note for note in report.notes)


def test_a_page_without_a_frame_is_whole() -> None:
    """Nobody has to write html, body or the end of a paragraph (HTML 13.1.2.4)."""
    report = read_report(made.encapsulated(b"<p>No tumour<p>Stable", made.PDF, "text/html"))
    assert report.whole
    assert report.text == "No tumour\nStable"
