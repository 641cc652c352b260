"""The process in which a PDF is parsed: reads it from stdin, answers on stdout, ends.

Started by path, isolated, with nothing of the house imported. Its limits are set before the first
byte is read; who started it kills it when it takes too long. The answer is one line of JSON and,
for pages, the PNG files behind it, whose lengths that line says.
"""

import io
import json
import sys
from typing import Any


def main() -> None:
    wish: dict[str, Any] = json.loads(sys.argv[1])
    _limit(wish["memory"], wish["seconds"])
    sys.path[:0] = wish["path"]
    content = sys.stdin.buffer.read()
    answer: dict[str, Any]
    try:
        answer, files = _answer(content, wish)
    except MemoryError:
        answer, files = {"fault": "memory"}, []
    answer["lengths"] = [len(one) for one in files]
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + b"".join(files))


def _limit(memory: int, seconds: int) -> None:
    """At most this much address space and processor time, no file and no core."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the clock of the parent remains
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _answer(content: bytes, wish: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

    try:
        document: Any = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as trouble:
        return {"fault": "password" if "assword" in str(trouble) else "malformed"}, []
    if wish["task"] == "text":
        return _text(document, wish), []
    return _pictures(document, wish)


def _text(document: Any, wish: dict[str, Any]) -> dict[str, Any]:
    """The text of each page, and whether the page has pictures; null for one that is damaged."""
    pages: list[dict[str, Any] | None] = []
    room = wish["characters"]
    for number in range(min(len(document), wish["pages"])):
        if room <= 0:
            break
        try:
            page = document[number]
            text: str = page.get_textpage().get_text_range()
            pages.append({"text": text[:room], "left": max(0, len(text) - room)})
            if not text.strip():
                pages[-1]["drawn"] = any(True for _ in page.get_objects(max_depth=4))  # type: ignore[index]
        except MemoryError:
            raise
        except Exception:  # pdfium's faults have no common ancestor
            pages.append(None)
            continue
        room -= len(text)
    return {"count": len(document), "pages": pages, "form": bool(document.get_formtype())}


def _pictures(document: Any, wish: dict[str, Any]) -> tuple[dict[str, Any], list[bytes]]:
    files: list[bytes] = []
    first: int = wish["first"] - 1
    for number in range(first, min(first + wish["pages"], len(document))):
        page = document[number]
        width, height = page.get_size()
        scale = wish["side"] / max(width, height, 1.0)
        if document.get_formtype() and not document.formenv:
            document.init_forms()
        picture = page.render(scale=scale).to_pil().convert("RGB")
        file = io.BytesIO()
        picture.save(file, "PNG")
        files.append(file.getvalue())
    return {"count": len(document)}, files


if __name__ == "__main__":
    main()
