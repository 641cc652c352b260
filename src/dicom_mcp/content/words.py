"""Documents in text, HTML or RTF, which some put into the class of encapsulated PDFs."""

import re
from html.parser import HTMLParser

from ..standard.charset import decoder
from .plain import plain_text

_HIDDEN = frozenset({"head", "script", "style", "title"})
_LINES = frozenset({"br", "div", "h1", "h2", "h3", "h4", "li", "p", "table", "tr"})

# RTF 1.9: a group that holds no text, a control word, a byte in hexadecimal.
_RTF_GROUP = re.compile(
    r"\{\\(?:\*|fonttbl|colortbl|stylesheet|info|pict)[^{}]*(?:\{[^{}]*\}[^{}]*)*\}"
)
_RTF_WORD = re.compile(r"\\([a-z]+)(-?\d+)? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|[{}\r\n]")
_RTF_BREAKS = {"par": "\n", "line": "\n", "tab": "\t", "cell": " | ", "row": "\n"}


def kind_of(content: bytes, mime: str) -> str:
    """What a document is, by its first bytes and else by its MIME type; "" for none of these."""
    start = content[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if start.startswith(b"%pdf"):
        return ""
    if start.startswith(b"{\\rtf"):
        return "RTF"
    if start.startswith((b"<!doctype html", b"<html")) or "HTML" in mime:
        return "HTML"
    return "text" if mime.startswith("TEXT/PLAIN") else ""


def words(content: bytes, kind: str, charset: str) -> str:
    """The words of such a document, in the object's character set."""
    text = decoder(charset)(content.rstrip(b"\0"), "UT")
    if kind == "HTML":
        reading = _Words()
        reading.feed(text)
        reading.close()
        text = "".join(reading.parts)
    elif kind == "RTF":
        text = _RTF_WORD.sub(_written, _RTF_GROUP.sub("", text))
    lines = [" ".join(line.split()) for line in plain_text(text, lines=True).split("\n")]
    return "\n".join(line for line in lines if line)


class _Words(HTMLParser):
    """The text of a page as its reader sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._hidden += tag in _HIDDEN
        self.parts += ["\n"] * (tag in _LINES) + [" | "] * (tag in ("td", "th"))

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))
        self.parts += ["\n"] * (tag in _LINES)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _written(found: re.Match[str]) -> str:
    """What a control word stands for."""
    word, number, byte, letter = found.groups()
    if byte:
        return bytes.fromhex(byte).decode("cp1252", "replace")
    if word == "u" and number:
        return chr(int(number) % 0x10000)
    if letter:
        return letter if letter in "\\{}" else " " if letter == "~" else ""
    return _RTF_BREAKS.get(word or "", "")
