"""What an HTTP status means (PS3.18 8.5): of a query (10.6.3.1), of fetching objects (10.4.3.1), of
storing them (10.5.3.1); and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import StatusFailure
from ..standard.status import OVERLOADED

_NARROW = "Ask for less at once: a date range, a patient ID, a single modality"
_LATER = "Try again later"
_VENDOR = "Check base_url, and with the server's vendor"
_ADDRESS = "Check that base_url is what stands before /studies at this server"

# The DIMSE statuses that say the same (PS3.7 C, PS3.4 C.4.1.1.4): what is above asks by them.
_TOO_MANY = 0xA700
_NOT_THESE_KEYS = 0xA900
_NOT_AUTHORISED = 0x0124
_NOT_SUPPORTED = 0x0122
_NO_SUCH_OBJECT = 0x0112
_FAILED = 0x0110

# A day: what is told to last longer is no waiting.
_LONGEST_WAIT = 86_400


@dataclass(frozen=True, slots=True)
class Refusal:
    """One status: what it says, what the person asking can do, the DIMSE status alike."""

    meaning: str
    remedy: str
    dimse: int = _FAILED


REFUSALS: dict[int, Refusal] = {
    202: Refusal("the server took the query and has no answer yet", _LATER),
    400: Refusal(
        "the server does not accept this query",
        "Ask with fewer or other keys, and for fewer attributes (attribute_preset=minimal)",
        _NOT_THESE_KEYS,
    ),
    401: Refusal(
        "the server wants to know who asks, or does not accept what we gave as proof",
        "Check the user name and password, token or certificate of this archive; a token may "
        "have expired",
        _NOT_AUTHORISED,
    ),
    403: Refusal(
        "the server knows us and does not allow this query",
        "Ask its administrator to allow searching (QIDO-RS) for our account",
        _NOT_AUTHORISED,
    ),
    404: Refusal("there is no such search here", _ADDRESS, _NOT_SUPPORTED),
    405: Refusal("the server does not offer this search", _ADDRESS, _NOT_SUPPORTED),
    406: Refusal(
        "the server cannot answer in DICOM JSON (application/dicom+json)",
        "Every DICOMweb server has to (PS3.18 10.6.4); check base_url, and with its vendor",
        _NOT_SUPPORTED,
    ),
    407: Refusal(
        "a proxy wants to know who asks",
        "Proxies are not used; name the server itself in base_url",
        _NOT_AUTHORISED,
    ),
    408: Refusal("the server waited too long for the query", _LATER),
    409: Refusal("the server is changing what the query is about", _LATER),
    410: Refusal("this search is no longer offered here", _ADDRESS, _NOT_SUPPORTED),
    413: Refusal("there are more matches than the server gives at once", _NARROW, _TOO_MANY),
    414: Refusal(
        "the query is longer than the server accepts",
        "Ask for fewer attributes (attribute_preset=minimal), or for fewer UIDs at once",
        _NOT_THESE_KEYS,
    ),
    429: Refusal("the server is overloaded: it is being asked too often", _LATER, OVERLOADED),
    431: Refusal(
        "the query is longer than the server accepts",
        "Ask for fewer attributes (attribute_preset=minimal), or for fewer UIDs at once",
        _NOT_THESE_KEYS,
    ),
    500: Refusal(
        "the server failed over this query", "Try again; if it stays so, look in the server's log"
    ),
    501: Refusal("the server does not offer this search", _ADDRESS, _NOT_SUPPORTED),
    502: Refusal("the proxy before the server got no answer from it", _LATER),
    503: Refusal("the server is overloaded or being maintained", _LATER, OVERLOADED),
    504: Refusal("the proxy before the server got no answer from it in time", _NARROW),
}

# Where the same status says something else of objects that are to be fetched.
RETRIEVAL: dict[int, Refusal] = REFUSALS | {
    202: Refusal(
        "the server does not have the object at hand and is bringing it back from its archive",
        "Try again in some minutes",
    ),
    400: Refusal("the server does not accept how objects are asked for", _VENDOR, _NOT_SUPPORTED),
    403: Refusal(
        "the server does not allow us to fetch this object",
        "Ask its administrator to allow fetching (WADO-RS) for our account",
        _NOT_AUTHORISED,
    ),
    404: Refusal("the server does not hold this object", _ADDRESS, _NO_SUCH_OBJECT),
    405: Refusal("the server does not offer to fetch objects", _ADDRESS, _NOT_SUPPORTED),
    406: Refusal(
        "the server cannot give this object as DICOM (application/dicom)", _VENDOR, _NOT_SUPPORTED
    ),
    409: Refusal("the server is changing this object", _LATER),
    410: Refusal("the server does not hold this object any longer", "", _NO_SUCH_OBJECT),
    413: Refusal("the object is larger than the server gives", "Fetch it in another way"),
    500: Refusal(
        "the server failed over this object", "Try again; if it stays so, look in the server's log"
    ),
    501: Refusal("the server does not offer to fetch objects", _ADDRESS, _NOT_SUPPORTED),
    504: Refusal("the proxy before the server got no answer from it in time", _LATER),
}


def refusal(
    status: int, refusals: Mapping[int, Refusal] = REFUSALS, *, retry_after: int | None = None
) -> StatusFailure:
    """The failure an answer with this HTTP status is; `retry_after` are the seconds to wait."""
    known = refusals.get(status)
    if known is None:
        if status >= 500:
            known = Refusal("the server failed", _LATER)
        elif status >= 400:
            known = Refusal("the server refused the question", _ADDRESS, _NOT_THESE_KEYS)
        else:
            known = Refusal("the server answered with something else", _ADDRESS)
    remedy = known.remedy
    if retry_after is not None and retry_after < _LONGEST_WAIT:
        remedy = f"Try again in {retry_after} seconds"
    return StatusFailure(f"{known.meaning} (HTTP status {status})", remedy, status=known.dimse)
