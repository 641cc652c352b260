"""Documents in text, HTML or RTF, which some put into the class of encapsulated PDFs."""

from ..deadline import Deadline
from ..standard.charset import decoder
from .apart import Apart, Failed
from .error import ContentError
from .plain import plain_text

# Parsing keeps the text several times, and its parts one by one.
_COPIES = 16
_LEAST = 64 << 20


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


def words(
    content: bytes, kind: str, charset: str, deadline: Deadline | None = None
) -> tuple[str, bool]:
    """The words of such a document, in the object's character set, and whether its end is missing.
    A process apart takes them out of HTML and RTF.

    Raises ContentError where it can not, or not in time.
    """
    text, is_cut = decoder(charset)(content.rstrip(b"\0"), "UT"), False
    if kind != "text":
        memory = _LEAST + _COPIES * len(text)
        with Apart(deadline) as apart:
            try:
                raw = text.encode("utf-8", "surrogatepass")
                told, (taken,) = apart.ask("markup", raw, memory=memory, kind=kind)
            except Failed as failure:
                raise failure.refusal(f"The document ({kind})") or ContentError(
                    f"The document ({kind}) could not be read: parsing it failed",
                    "Open it with another program",
                ) from failure
        text, is_cut = taken.decode("utf-8", "surrogatepass"), told["cut"]
    lines = [" ".join(line.split()) for line in plain_text(text, lines=True).split("\n")]
    return "\n".join(line for line in lines if line), is_cut
