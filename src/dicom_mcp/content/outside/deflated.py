"""What the process apart does with deflated data sets."""

import zlib
from typing import Any

from .fault import Answer, Fault

_PIECE = 1 << 20


def inflate(content: bytes, wish: dict[str, Any]) -> Answer:
    """A deflated data set (PS3.5 A.5) as far as it can be inflated, and how it ends."""
    unfolding = zlib.decompressobj(-zlib.MAX_WBITS)
    plain, left = bytearray(), content
    try:
        while not unfolding.eof:  # a byte of padding may follow (PS3.5 A.5)
            piece = unfolding.decompress(left, _PIECE)
            left = unfolding.unconsumed_tail
            plain += piece
            if not piece and not left:
                break
            if len(plain) > wish["most"]:
                raise Fault("bomb")
    except zlib.error:
        return {"end": "damaged"}, [bytes(plain)]
    return {"end": "" if unfolding.eof else "cut"}, [bytes(plain)]
