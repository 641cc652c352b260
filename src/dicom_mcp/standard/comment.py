"""How an archive explains a status in its own words (Error Comment, PS3.7 C.4)."""

import re
from itertools import groupby

# What such comments are made of.
_ENGLISH = """
a abort aborted accept acceptable accepted access ae aet already an and any archive are as
association attempt attribute authorised authorized available be busy by c cannot class closed
complete completed compress compressed configured connect connection context contexts convert could
data database decode decompress denied destination dicom did disk do does dropped duplicate element
empty encode error exceeded exception exist failed failure failures fetch file files find for found
from full get has have host identifier image images in incomplete instance instances internal
invalid is its key keys known level limit limited lost many match matches matching memory missing
model more move network no node not object objects of offline on one open operation operations or
out parse patient peer permitted port presentation process processing proposed query read reading
reached refused reject rejected remote request requested required resource resources response
retrieve retrieval retry root scp scu send sending sent series service some sop space specified
storage store study sub suboperation suboperations such suitable support supported syntax system
tape temporarily the this time timed timeout title to too transcode transfer try uid unable
unavailable uncompressed unexpected unknown unsupported value version was while with write
"""
_WORDS = frozenset(_ENGLISH.split())
_WORD = re.compile(r"[^\W\d_]+|\S")
_LEFT_OUT = "…"


def without_names(comment: str) -> str:
    """The comment with `…` for every other word, which may name a patient; "" where nothing else is
    left of it."""
    words = [
        word if word.lower() in _WORDS or word in "-:;," else _LEFT_OUT
        for word in _WORD.findall(comment)
    ]
    kept = [word for word, _ in groupby(words)]
    if not any(word.lower() in _WORDS for word in kept):
        return ""
    return re.sub(r" ([:;,])", r"\1", " ".join(kept)).strip(" -:;,…")
