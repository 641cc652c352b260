"""An encapsulated PDF's text and pages, had from a process that can be killed (decisions/0009)."""

from dataclasses import dataclass
from typing import Any

from ..budgets import LARGEST_PAGE, LARGEST_PDF, LONGEST_REPORT
from ..deadline import Deadline
from .apart import Apart, Failed
from .error import ContentError
from .plain import plain_text

MOST_PAGES = 1000
MOST_PICTURES = 8
LONGEST_SIDE = 3000

# Bytes pdfium may take: a page of a scanner in colour at 600 dots per inch has 140 MB.
_MEMORY = 384 << 20


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a PDF with a mark before each page.

    `left_out` counts pages at the end that were not read, `pictures` pages without text on which
    something is drawn; `scanned` says that all pages are such. `damaged` counts pages that cannot
    be read, or not to their end; `mended` says that objects of the PDF had to be looked for,
    `empty` that nothing stands on any page, `form` that what was filled in may be in no text;
    `faulty` says that what draws its pages is damaged.
    """

    text: str
    pages: int
    left_out: int
    pictures: int
    scanned: bool
    damaged: int = 0
    mended: bool = False
    empty: bool = False
    faulty: bool = False
    form: bool = False


def text(content: bytes, deadline: Deadline | None = None) -> Text:
    """The text of a PDF, at most MOST_PAGES pages and LONGEST_REPORT characters.

    Raises ContentError for what is no PDF, is damaged, locked, too large or takes too long.
    """
    answer, _ = _asked(content, deadline, task="text", pages=MOST_PAGES, characters=LONGEST_REPORT)
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
        damaged=sum(page is None or bool(page["left"]) for page in pages),
        mended=answer["mended"],
        empty=not drawn and not told and None not in pages,
        faulty=answer["faulty"],
        form=bool(answer["form"]),
    )


def pages(
    content: bytes,
    *,
    first: int = 1,
    count: int = 1,
    longest_side: int = 1400,
    most: int = LARGEST_PAGE,
    deadline: Deadline | None = None,
) -> list[bytes]:
    """Pages as PNG, at most MOST_PICTURES of them, from page `first` (counted from 1); as JPEG,
    and then smaller, where one would have more than `most` bytes.

    Raises ContentError as `text` does, and where there is no such page.
    """
    answer, files = _asked(
        content,
        deadline,
        task="pages",
        first=max(first, 1),
        pages=min(max(count, 1), MOST_PICTURES),
        side=min(max(longest_side, 64), LONGEST_SIDE),
        most=most,
    )
    if not files:
        raise ContentError(
            f"The PDF has no page {first}: it has {answer['count']}", "Ask for one it has"
        )
    return files


def _asked(
    content: bytes, deadline: Deadline | None, *, task: str, **wish: Any
) -> tuple[dict[str, Any], list[bytes]]:
    """What the process apart says about the PDF, and the files that came with it."""
    if len(content) > LARGEST_PDF:
        raise ContentError(
            f"The PDF has {len(content):,} bytes; more than {LARGEST_PDF:,} are not opened",
            "Open it with another program",
        )
    with Apart(deadline) as apart:
        try:
            facts, files = apart.ask(task, content, memory=_MEMORY, answer=0, **wish)
            return facts, [bytes(file) for file in files]
        except Failed as failure:
            raise failure.refusal("The PDF") or ContentError(
                *_FAULT.get(failure.fault, _FAULT["crashed"])
            ) from failure


_FAULT = {
    "malformed": (
        "The document says it is a PDF but is damaged or is none",
        "Ask whoever sent it for the document",
    ),
    "damaged": (
        "The PDF is damaged: it can be opened but not read",
        "Ask whoever sent it for the document",
    ),
    "password": ("The PDF is locked with a password", "Ask whoever sent it for an open one"),
    "crashed": ("The PDF could not be read: parsing it failed", "Open it with another program"),
}
