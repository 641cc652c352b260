"""An encapsulated PDF's text and pages, had from a process that can be killed (decisions/0009)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import Any

from ..deadline import Deadline
from .error import ContentError
from .plain import plain_text

MOST_BYTES = 64 << 20
MOST_PAGES = 300
MOST_CHARACTERS = 400_000
MOST_PICTURES = 8
LONGEST_SIDE = 3000

# Seconds for one document; 300 pages of text take about one.
PATIENCE = 20.0

# Address space: the interpreter and pdfium take 100 MiB of it before the first page.
_MEMORY = 512 << 20

# Bytes read back at most: eight pages of the largest size, uncompressed, would be more.
_MOST_ANSWER = 64 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a PDF with a mark before each page.

    `left_out` counts pages at the end that were not read, `pictures` pages without text on which
    something is drawn; `scanned` says that all pages are such.
    """

    text: str
    pages: int
    left_out: int
    pictures: int
    scanned: bool


def text(content: bytes, deadline: Deadline | None = None) -> Text:
    """The text of a PDF, at most MOST_PAGES pages and MOST_CHARACTERS characters.

    Raises ContentError for what is no PDF, is damaged, locked, too large or takes too long.
    """
    answer, _ = _asked(content, deadline, task="text", pages=MOST_PAGES, characters=MOST_CHARACTERS)
    pages: list[dict[str, Any] | None] = answer["pages"]
    count: int = answer["count"]
    marked: list[str] = []
    for number, page in enumerate(pages, start=1):
        words = "[this page is damaged and cannot be read]"
        if page is not None:
            # pdfium writes a hyphen at a line's end as U+FFFE.
            words = plain_text(page["text"].replace("\ufffe", "-"), lines=True).strip()
            if page["left"]:
                words += f"… [{page['left']:,} more characters left out]"
            elif not words:
                words = "[a picture without text]" if page["drawn"] else "[an empty page]"
        marked.append(f"--- page {number} of {count} ---\n{words}")
    if answer["form"]:
        marked.append("[The PDF is a form; what is filled in may show on its pages only]")
    drawn = sum(1 for page in pages if page and page.get("drawn"))
    told = any(page and page["text"].strip() for page in pages)
    return Text(
        text="\n\n".join(marked),
        pages=count,
        left_out=count - len(pages),
        pictures=drawn,
        scanned=bool(drawn) and not told,
    )


def pages(
    content: bytes,
    *,
    first: int = 1,
    count: int = 1,
    longest_side: int = 1400,
    deadline: Deadline | None = None,
) -> list[bytes]:
    """Pages as PNG, at most MOST_PICTURES of them, from page `first` (counted from 1).

    Raises ContentError as `text` does, and where there is no such page.
    """
    answer, files = _asked(
        content,
        deadline,
        task="pages",
        first=max(first, 1),
        pages=min(max(count, 1), MOST_PICTURES),
        side=min(max(longest_side, 64), LONGEST_SIDE),
    )
    if not files:
        raise ContentError(
            f"The PDF has no page {first}: it has {answer['count']}", "Ask for one it has"
        )
    return files


def _asked(
    content: bytes, deadline: Deadline | None, **wish: object
) -> tuple[dict[str, Any], list[bytes]]:
    """What the process says about the PDF, and the files that came with it."""
    if len(content) > MOST_BYTES:
        raise ContentError(
            f"The PDF has {len(content):,} bytes; more than {MOST_BYTES:,} are not opened",
            "Open it with another program",
        )
    wish |= {"memory": _MEMORY, "seconds": int(PATIENCE) + 1, "path": _packages()}
    said = _run(json.dumps(wish), content, (deadline or Deadline(PATIENCE)).at_most(PATIENCE))
    line, _, rest = said.partition(b"\n")
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError:
        answer = {"fault": "crashed"}
    if "fault" in answer:
        raise ContentError(*_FAULT[answer["fault"]])
    files: list[bytes] = []
    for length in answer["lengths"]:
        files.append(rest[:length])
        rest = rest[length:]
    return answer, files


_FAULT = {
    "malformed": (
        "The document says it is a PDF but is damaged or is none",
        "Ask whoever sent it for the document",
    ),
    "password": ("The PDF is locked with a password", "Ask whoever sent it for an open one"),
    "memory": ("The PDF needs more memory than is allowed", "Open it with another program"),
    "crashed": (
        "The PDF could not be read: parsing it failed, took too long or needed too much memory",
        "Open it with another program",
    ),
}


def _run(wish: str, content: bytes, deadline: Deadline) -> bytes:
    """The process's answer; b"" where it was killed or failed."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", Path(__file__).with_name("pdf_process.py"), wish],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},  # a document that takes over the process finds no password there
    )
    assert process.stdin
    assert process.stdout
    with process, deadline.interrupting(process.kill):
        clock = Timer(deadline.remaining(), process.kill)
        clock.daemon = True
        clock.start()
        try:
            process.stdin.write(content)
            process.stdin.close()
            said = process.stdout.read(_MOST_ANSWER + 1)
        except BrokenPipeError:
            said = b""
        finally:
            clock.cancel()
            process.kill()
    deadline.check()
    return said if len(said) <= _MOST_ANSWER else b""


def _packages() -> list[str]:
    """Where pypdfium2 and Pillow are installed: the isolated process does not look for them."""
    found = [find_spec(name) for name in ("pypdfium2", "pypdfium2_raw", "PIL")]
    folders = [Path(spec.origin).parents[1] for spec in found if spec and spec.origin]
    return list(dict.fromkeys(map(str, folders)))
