"""What the process apart does with a PDF: its text, and its pages as pictures."""

import io
from typing import Any

from .fault import Answer, Fault
from .page_streams import is_faulty, misses_object

# A page is not made smaller than this, however many bytes it has.
_SMALLEST = 400


def text(content: bytes, wish: dict[str, Any]) -> Answer:
    """The text of each page, and whether anything is drawn on one without; null for a damaged."""
    document = _document(content)
    pages: list[dict[str, Any] | None] = []
    room = wish["characters"]
    for number in range(min(len(document), wish["pages"])):
        if room <= 0:
            break
        try:
            page = document[number]
            text: str = page.get_textpage().get_text_range()
            found: dict[str, Any] = {"text": text[:room], "left": max(0, len(text) - room)}
            if not text.strip():
                found["drawn"] = any(True for _ in page.get_objects(max_depth=4))
        except MemoryError:
            raise
        except Exception:  # pdfium's faults have no common ancestor
            pages.append(None)
            continue
        pages.append(found)
        room -= len(text)
    form, mended = bool(document.get_formtype()), _mended(document)
    facts = {"count": len(document), "pages": pages, "form": form, "mended": mended}
    has_empty = any(page and page.get("drawn") is False for page in pages)
    faulty = is_faulty(content, has_empty=has_empty) or (not mended and misses_object(content))
    return {**facts, "faulty": faulty}, []


def pages(content: bytes, wish: dict[str, Any]) -> Answer:
    """Pages of a PDF as PNG, or as JPEG where one is too large."""
    document = _document(content)
    files: list[bytes | bytearray] = []
    first: int = wish["first"] - 1
    if document.get_formtype():
        document.init_forms()
    for number in range(first, min(first + wish["pages"], len(document))):
        page = document[number]
        width, height = page.get_size()
        scale = wish["side"] / max(width, height, 1.0)
        picture = page.render(scale=scale).to_pil().convert("RGB")
        files.append(_bounded(picture, wish["most"]))
    return {"count": len(document)}, files


def _document(content: bytes) -> Any:
    """A PDF, opened."""
    import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as trouble:
        raise Fault("password" if "assword" in str(trouble) else "malformed") from trouble


def _mended(document: Any) -> bool:
    """Whether its table of objects (ISO 32000-1 7.5.4) was wrong, so that pdfium looked for them
    itself: what it could not find is missing without a word."""
    from pypdfium2 import raw  # pyright: ignore[reportMissingTypeStubs]

    ask: Any = raw
    return not ask.FPDF_DocumentHasValidCrossReferenceTable(document)


def _bounded(picture: Any, most: int) -> bytes:
    """The picture as PNG, else as JPEG and then smaller until it has no more than `most` bytes."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    while file.tell() > most and max(picture.size) >= _SMALLEST:
        if file.getvalue().startswith(b"\xff\xd8"):
            picture = picture.resize([length * 3 // 4 for length in picture.size])
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
    return file.getvalue()
