"""PDFs are parsed where it can be ended; their text has page marks and is never invented."""

import re
import zlib
from base64 import a85encode
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import pytest

from dicom_mcp.content import apart, pdf
from dicom_mcp.content.apart import Apart, Failed
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.report import read_report, report_pages
from dicom_mcp.demo.reports import pdf as pdf_of
from tests.content import documents as made
from tests.notes import the_note

LETTER = ("Demo Hospital", "Größe 9 mm; compared with the CT of last year.", "Dr. Karin Lund")


def test_the_text_of_a_pdf_is_what_was_written_with_page_marks() -> None:
    report = read_report(made.encapsulated(pdf_of(LETTER), made.PDF, "application/pdf"))
    assert report.text == "--- page 1 of 1 ---\n" + "\n".join(LETTER)
    assert (report.kind, report.pages, report.scanned) == ("PDF", 1, False)
    assert report.title == "A letter"


def test_a_scanned_pdf_is_said_to_be_one_and_comes_as_pictures() -> None:
    document = made.encapsulated(made.scanned_pdf(3), made.PDF, "application/pdf")
    report = read_report(document)
    assert report.scanned
    assert report.pages == 3
    assert the_note(report.notes, "scanned")
    pictures = report_pages(document, first=2, count=5)
    assert len(pictures) == 2
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    with pytest.raises(ContentError, match="no page 4: it has 3"):
        report_pages(document, first=4)


def test_a_picture_of_a_page_is_no_larger_than_asked() -> None:
    from io import BytesIO

    from PIL import Image

    (page,) = pdf.pages(pdf_of(LETTER), longest_side=300)
    assert max(Image.open(BytesIO(page)).size) in (300, 301)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"no pdf at all", "damaged or is none"),
        (pdf_of(LETTER)[:200], "damaged or is none"),
        (b"%PDF-1.7\n" + b"\0" * 100_000, "damaged or is none"),
        (b"%PDF-1.7\n1 0 obj <<" + b"[" * 500_000, "damaged or is none|could not be read"),
    ],
)
def test_a_damaged_pdf_is_refused(content: bytes, complaint: str) -> None:
    with pytest.raises(ContentError, match=complaint):
        pdf.text(content)


def _packed(content: bytes) -> bytes:
    """The same with what its page is drawn by packed, as nearly every PDF has it."""
    head, _, rest = content.partition(b"stream\n")
    drawn, end, tail = rest.partition(b"\nendstream")
    packed = zlib.compress(drawn, 0)
    begun, _, _ = head.rpartition(b"<<")
    told = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed)
    return begun + told + packed + end + tail


@pytest.mark.parametrize("pack", [bytes, _packed])
@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b"last year.)", b"last year. "),  # a string that does not end (seed 529667)
        (b"(Gr", b" Gr"),  # one that does not begin
        (b"year.) Tj", b"year.) Tx"),  # an operator that is none
        (b"year.) Tj", b"year.)   "),  # a string that nothing shows
        (b"year.) Tj", b"year.] Tj"),
        (b"(Dr. Karin Lund)", b" 9. 12345 12345 "),  # nothing to show
    ],
)
def test_a_pdf_of_which_a_line_is_not_shown_is_not_whole(
    what: bytes, instead: bytes, pack: Callable[[bytes], bytes]
) -> None:
    sound = pdf_of(LETTER)
    assert sound.count(what) == 1
    assert not pdf.text(pack(sound)).faulty
    harmed = made.encapsulated(pack(sound.replace(what, instead)), made.PDF, "application/pdf")
    report = read_report(harmed)
    assert not report.whole
    assert the_note(report.notes, "text may be missing")


def test_a_pdf_whose_page_does_not_unpack_is_not_whole() -> None:
    packed = _packed(pdf_of(LETTER))
    place = packed.index(b"stream\n") + 40
    for harmed in (
        packed[:place] + b"\xff" + packed[place + 1 :],
        packed[:place] + bytes([packed[place] ^ 1]) + packed[place + 1 :],
        packed.replace(b"\nendstream", b"\nendstrexm")[: packed.index(b"endstream") - 9],
    ):
        with suppress(ContentError):
            told = pdf.text(harmed)
            assert told.faulty or told.mended


def test_a_pdf_with_a_damaged_key_or_font_is_not_whole() -> None:
    """pdfium goes on without what it does not understand: an empty page, or other letters."""
    sound = pdf_of(LETTER)
    for what, instead in ((b"/Contents", b"\x80\0\0\0ntents"), (b"/Type /Font", b"/Type ?Font")):
        assert sound.count(what) == 1
        assert pdf.text(sound.replace(what, instead)).faulty
    font = zlib.compress(b"the outlines of letters" * 100)
    for packed in (font, font[:-9], font[:9] + b"\xff" + font[10:]):
        head = b"9 0 obj\n<< /Length 60 /Length1 2300 /Filter /FlateDecode >>\nstream\n"
        assert pdf.text(sound + head + packed + b"\nendstream\nendobj\n").faulty == (packed != font)


def _composed() -> bytes:
    """Two pages of one word each, packed, in letters, in a font of two bytes a glyph."""
    shown = (b"BT /F1 11 Tf 60 700 Td <00010002> Tj ET", b"BT /F1 9 Tf 60 700 Td <00020001> Tj ET")
    letters = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n1 begincodespacerange\n"
        b"<0000> <FFFF>\nendcodespacerange\n2 beginbfchar\n<0001> <006E>\n<0002> <006F>\n"
        b"endbfchar\nendcmap end end"
    )
    packed = [a85encode(zlib.compress(drawn)) + b"~>" for drawn in shown]
    plain = b"<< /Length %d >>\nstream\n%s\nendstream" % (len(letters), letters)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842] >>",
        *(
            b"<< /Type /Page /Parent 2 0 R /Contents %d 0 R" % number
            + b" /Resources << /Font << /F1 7 0 R >> >> >>"
            for number in (5, 6)
        ),
        *(
            b"<< /Filter [/ASCII85Decode /FlateDecode] /Length %d >>\nstream\n%s\nendstream"
            % (len(each), each)
            for each in packed
        ),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Ours /Encoding /Identity-H"
        b" /DescendantFonts [8 0 R] /ToUnicode 9 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Ours /W [0 [500 500 500]]"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        plain,
    ]
    file, places = b"%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    told = b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
    size = len(objects) + 1
    return file + told % (size, table, size) + b"startxref\n%d\n%%%%EOF\n" % len(file)


def test_a_pdf_in_which_one_letter_of_a_name_is_wrong_is_not_whole() -> None:
    """What pdfium does not know by its name it does without: a page is empty, or says other
    things."""
    sound = _composed()
    names = re.finditer(rb"/(?!CID)[A-Z][A-Za-z0-9-]*", sound[: sound.rindex(b"xref\n0")])
    places = [(name.start() + 1, name.end()) for name in names]
    assert len(places) > 40
    with Apart() as apart:
        told, shown = _read(apart, sound)
        assert shown == ["no", "on"]
        assert not told
        for start, end in places:
            for harmed in (
                sound[: end - 1] + b"q" + sound[end:],
                sound[:start] + b"z" + sound[start + 1 :],
            ):
                with suppress(Failed):
                    told, now = _read(apart, harmed)
                    assert told or now == shown, sound[start - 1 : end]


def _read(apart: Apart, content: bytes) -> tuple[bool, list[str]]:
    """Whether it is said not to be whole, and the text of its pages."""
    answer, _ = apart.ask("text", content, memory=64 << 20, pages=9, characters=999)
    shown = [page["text"].strip() if page else "" for page in answer["pages"]]
    return answer["faulty"] or answer["mended"] or None in answer["pages"] or not any(shown), shown


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b"~>\nendstream", b"\x01>\nendstream"),  # what is in letters ends in none
        (b"<0002> <006F>", b"<0002> \\006F>"),  # what a glyph is called
        (b"endobj\n6 0 obj\n", b"endobj\n6 0 odj\n"),
        (b"/Length", b"/Length_"),
        (b"0 R /Contents 6 0 R", b"0 R"),
    ],
)
def test_a_pdf_that_lost_what_a_page_is_drawn_by_is_not_whole(what: bytes, instead: bytes) -> None:
    sound = _composed()
    assert what in sound
    told = pdf.text(sound.replace(what, instead.ljust(len(what)), 1))
    assert told.faulty or told.mended


def test_a_pdf_whose_table_misses_an_object_is_not_whole() -> None:
    sound = _composed()
    place = b"%010d" % sound.index(b"6 0 obj")
    told = pdf.text(sound.replace(place, b"%010d" % sound.index(b"7 0 obj")))
    assert told.faulty or told.mended


def test_what_a_page_may_be_drawn_by_is_no_fault() -> None:
    """Pictures among the operators, marks, odd numbers, operators for newer readers, a comment."""
    drawn = (
        b"BI /W 1 /H 1 /CS /G /BPC 8 ID \x28\x29( EI\n/P << /MCID 0 /T (a(b)) >> BDC EMC\n"
        b"-.5 +3. 1e-3 --4 w BX (x) unknown EX [(a) -120 <62>] TJ % (not a string\n"
        b"(\\) \\( \\\\) Tj T*\n"
    )
    sound = pdf_of(LETTER).replace(b"BT ", b"BT " + drawn)
    assert not pdf.text(sound).faulty


def test_a_huge_pdf_is_refused_before_anything_is_started() -> None:
    with pytest.raises(ContentError, match="are not opened"):
        pdf.text(b"%PDF-1.7" + b"\0" * (pdf.LARGEST_PDF + 1))


def test_a_pdf_of_very_many_pages_is_cut_with_a_note() -> None:
    report = read_report(
        made.encapsulated(_pages(pdf.MOST_PAGES + 20), made.PDF, "application/pdf")
    )
    assert report.pages == pdf.MOST_PAGES + 20
    assert f"--- page {pdf.MOST_PAGES} of" in report.text
    assert f"The last 20 of {pdf.MOST_PAGES + 20} pages are left out" in report.notes


def test_a_pdf_that_unpacks_to_gigabytes_ends_within_its_limits() -> None:
    started = monotonic()
    with suppress(ContentError):  # pdfium may leave the picture away and show the page
        assert len(pdf.pages(_bomb())[0]) < 100_000
    assert monotonic() - started < apart.PATIENCE + 5


def _pages(count: int) -> bytes:
    """A PDF that shows one page many times."""
    one = pdf_of(LETTER)
    kids = b"/Kids [" + b"3 0 R " * count + b"] /Count %d" % count
    return one.replace(b"/Kids [3 0 R] /Count 1", kids)


def _bomb() -> bytes:
    """A PDF whose page is a picture of 40,000 by 40,000 in three colours, packed to nothing."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b"\0" * (1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + block * 288 + packer.flush()
    picture = (
        b"<< /Type /XObject /Subtype /Image /Width 40000 /Height 40000 /BitsPerComponent 8 "
        b"/ColorSpace /DeviceRGB /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
        % (len(packed), packed)
    )
    draw = b"q 595 0 0 842 0 0 cm /I Do Q"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw),
        picture,
    )
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % one for one in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer << /Size 6 /Root 1 0 R >>\n%%EOF\n"
