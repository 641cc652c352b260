"""One frame of an object, fetched without the others (PS3.18 10.4.1.1.6, 10.4.1.1.7)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OneFrame:
    """A frame as it travelled: its pixels in `transfer_syntax`, or, where that is "", a picture
    that the archive made of it, of this media type."""

    content: bytes
    transfer_syntax: str
    mime: str = ""
