"""The process apart: parses PDFs and decodes compressed frames, away from the server.

Started by path, isolated, with nothing of the house imported; apart.py says why. It reads wishes
from stdin, each a line of JSON and the bytes it speaks of, and answers the same way on stdout until
stdin ends. A line of its own comes first, so that a process that never began is not taken for what
the bytes did to it. Its limits are set by the first wish, before the bytes are read; who started it
kills it when it takes too long.
"""

import io
import json
import os
import sys
import threading
import time
from typing import Any

READY = b"ready\n"

# How the process ends when it holds too much memory where the system sets no bound.
OUT_OF_MEMORY = 77

# A page is not made smaller than this, however many bytes it has.
_SMALLEST = 400

type Answer = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries in C write there what they think
    answers.write(READY)
    answers.flush()
    is_limited = False
    while line := sys.stdin.buffer.readline():
        wish: dict[str, Any] = json.loads(line)
        if not is_limited:
            _limit(wish["memory"], wish["seconds"])
            sys.path[:0] = wish["path"]
            is_limited = True
        content = sys.stdin.buffer.read(wish["length"])
        answer: dict[str, Any] = {}
        files: list[bytes] = []
        try:
            answer, files = _TASKS[wish["task"]](content, wish)
        except _Fault as fault:
            answer["fault"] = str(fault)
        except MemoryError:
            answer["fault"] = "memory"
        except ImportError:
            answer["fault"] = "missing"
        except Exception:  # a library raises whatever it stumbles over
            answer["fault"] = "damaged"
        answer["lengths"] = [len(one) for one in files]
        answers.write(json.dumps(answer).encode() + b"\n")
        for one in files:
            answers.write(one)
        answers.flush()


def _limit(memory: int, seconds: int) -> None:
    """At most this much address space and processor time, no file and no core; each as far as the
    system has such a limit. The clock of the parent remains everywhere."""
    try:
        import resource
    except ImportError:
        return
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS refuses the first
            if what == resource.RLIMIT_AS:
                threading.Thread(target=_watch, args=(memory,), daemon=True).start()


def _watch(memory: int) -> None:
    """End this process when it takes more than this, looking twenty times a second."""
    import resource

    def held() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    # KiB or bytes, as the system likes; a bare interpreter takes between 2 MiB and 2 GiB.
    unit = 1024 if held() < 1 << 21 else 1
    most = held() * unit + memory  # what Linux counts at first is the parent's
    while held() * unit < most:
        time.sleep(0.05)
    os._exit(OUT_OF_MEMORY)


class _Fault(Exception):
    """Why a wish cannot be fulfilled, in one word."""


def _document(content: bytes) -> Any:
    """A PDF, opened."""
    import pypdfium2  # pyright: ignore[reportMissingTypeStubs]

    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as trouble:
        raise _Fault("password" if "assword" in str(trouble) else "malformed") from trouble


def _text(content: bytes, wish: dict[str, Any]) -> Answer:
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
    return {"count": len(document), "pages": pages, "form": bool(document.get_formtype())}, []


def _pictures(content: bytes, wish: dict[str, Any]) -> Answer:
    """Pages of a PDF as PNG, or as JPEG where one is too large."""
    document = _document(content)
    files: list[bytes] = []
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


def _bounded(picture: Any, most: int) -> bytes:
    """The picture as PNG, else as JPEG and then smaller until it has no more than `most` bytes."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    while file.tell() > most and max(picture.size) >= _SMALLEST:
        if file.getvalue().startswith(b"\xff\xd8"):
            picture = picture.resize([one * 3 // 4 for one in picture.size])
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
    return file.getvalue()


def _openjpeg(content: bytes, _: dict[str, Any]) -> Answer:
    """JPEG 2000: samples side by side in as many bytes as their precision takes."""
    import openjpeg  # pyright: ignore[reportMissingTypeStubs]

    kit: Any = openjpeg
    return {}, [bytes(kit.decode_pixel_data(content, version=2))]


def _gdcm(content: bytes, wish: dict[str, Any]) -> Answer:
    """JPEG and JPEG-LS of any precision, samples side by side, colours as they are."""
    import gdcm  # pyright: ignore[reportMissingTypeStubs]

    kit: Any = gdcm
    fragment, fragments = kit.Fragment(), kit.SequenceOfFragments.New()
    fragment.SetByteStringValue(content)
    fragments.AddFragment(fragment)
    element = kit.DataElement(kit.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = kit.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((wish["columns"], wish["rows"], 1))
    image.SetDataElement(element)
    kinds = kit.PhotometricInterpretation
    image.SetPhotometricInterpretation(
        kinds(kinds.RGB if wish["samples"] == 3 else kinds.MONOCHROME2)
    )
    if wish["samples"] == 3:
        image.SetPlanarConfiguration(0)
    image.SetTransferSyntax(kit.TransferSyntax(kit.TransferSyntax.GetTSType(wish["syntax"])))
    bits = wish["bits"]
    image.SetPixelFormat(
        kit.PixelFormat(wish["samples"], 8 if bits <= 8 else 16, bits, bits - 1, wish["signed"])
    )
    decoded: str | None = image.GetBuffer()
    if decoded is None:
        raise _Fault("damaged")
    return {}, [decoded.encode("utf-8", "surrogateescape")]


_TASKS = {"text": _text, "pages": _pictures, "openjpeg": _openjpeg, "gdcm": _gdcm}


if __name__ == "__main__":
    main()
