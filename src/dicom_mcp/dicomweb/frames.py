"""One frame of an object, as it is stored or, where a server has nothing else, as a picture of its
own making (PS3.18 10.4.1.1.6, 10.4.1.1.7)."""

from collections.abc import Callable
from contextlib import closing
from functools import partial

from ..budgets import LARGEST_FRAME, LARGEST_RENDERED
from ..deadline import Deadline
from ..errors import NoAcceptedContext, ProtocolViolation, StatusFailure
from ..in_hand import IN_HAND
from ..standard.instance import Reference
from ..standard.one_frame import OneFrame
from ..standard.syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LS_LOSSLESS,
    RLE,
)
from .connection import Response
from .multipart import media_type, parts, whole
from .server import Refused, Server, check
from .status import RETRIEVAL

# As it is kept; servers that know no such parameter may transcode (PS3.18 8.7.3.5.2).
_FORMS = (
    'multipart/related; type="application/octet-stream"; transfer-syntax=*',
    'multipart/related; type="application/octet-stream"',
)
_PICTURES = ("image/png", "image/jpeg")

# What a part is in that names no transfer syntax (PS3.18 8.7.3.3.2).
_SYNTAXES = {
    "image/jpeg": JPEG_LOSSLESS,
    "image/jls": JPEG_LS_LOSSLESS,
    "image/jp2": JPEG_2000_LOSSLESS,
    "image/dicom-rle": RLE,
}


def one_frame(server: Server, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
    """Frame `number`, from 1, of an object.

    Raises NoAcceptedContext where the server gives neither frames nor pictures of them, and the
    ArchiveError that kept it from coming.
    """
    place = (
        f"/studies/{reference.study_instance_uid}/series/{reference.series_instance_uid}"
        f"/instances/{reference.sop_instance_uid}/frames/{number}"
    )
    failure: StatusFailure | None = None
    asked = [(place, form) for form in _FORMS]
    asked += [(f"{place}/rendered", mime) for mime in _PICTURES]
    for target, accept in asked:
        try:
            with server.ask(target, accept, deadline=deadline) as answer:
                check(answer, RETRIEVAL)
                read = _frame if accept in _FORMS else _picture
                return read(answer, partial(IN_HAND.need, deadline=deadline))
        except Refused as refused:
            failure = failure or refused.failure
        except ProtocolViolation as violation:
            failure = failure or StatusFailure(violation.happened, status=0xC000)
    assert failure is not None
    raise NoAcceptedContext(
        f"the server gives no single frames of objects either: {failure.happened}",
        "Open the image with a viewer of the archive",
    )


def _frame(answer: Response, grown: Callable[[int], None]) -> OneFrame:
    """The only part of an answer."""
    kind, parameters = media_type(answer.headers.get("content-type", ""))
    if not kind.startswith("multipart/"):
        raise ProtocolViolation("it answered a request for a frame with another kind of content")
    boundary = parameters.get("boundary", "")
    with closing(parts(answer.content, boundary, most_bytes=LARGEST_FRAME, grown=grown)) as found:
        for part in found:
            kind, its = media_type(part.headers.get("content-type", ""))
            known = _SYNTAXES.get(kind, EXPLICIT_VR_LITTLE_ENDIAN)
            return OneFrame(bytes(part.content), its.get("transfer-syntax", "") or known)
    raise ProtocolViolation("it answered a request for a frame without one")


def _picture(answer: Response, grown: Callable[[int], None]) -> OneFrame:
    kind, _ = media_type(answer.headers.get("content-type", ""))
    if kind not in _PICTURES:
        raise ProtocolViolation("it answered a request for a picture with another kind of content")
    content = whole(answer.content, most_bytes=LARGEST_RENDERED, grown=grown)
    return OneFrame(bytes(content), "", kind)
