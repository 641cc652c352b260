"""What a DIMSE status means (PS3.7 Annex C; PS3.4 C.4.1.1.4 for C-FIND)."""

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """The five classes of status of PS3.7 C."""

    SUCCESS = "success"
    PENDING = "pending"
    CANCEL = "cancel"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Status:
    """One status code: its class, what it says, and what the person asking can do about it."""

    code: int
    kind: Kind
    meaning: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"0x{self.code:04X} ({self.meaning})"


_NARROW = "Ask for less at once: a date range, a patient ID, a single modality"
_KEYS = (
    "The archive does not accept this combination of keys at this level; "
    "give the unique keys above it (patient_id, study_instance_uid, series_instance_uid)"
)
_LOG = "Look for this question in the archive's log"
_PERMISSION = "Ask the archive's administrator to allow queries from our calling_ae_title"

# Codes with one meaning for every service used here (PS3.7 C; PS3.4 C.4.1.1.4, B.2.3).
STATUS: dict[int, Status] = {
    status.code: status
    for status in (
        Status(0x0000, Kind.SUCCESS, "success"),
        Status(0x0001, Kind.WARNING, "requested optional attributes are not supported"),
        Status(0x0105, Kind.FAILURE, "no such attribute", _KEYS),
        Status(0x0106, Kind.FAILURE, "invalid attribute value", _KEYS),
        Status(0x0107, Kind.WARNING, "attribute list error"),
        Status(0x0110, Kind.FAILURE, "processing failure in the archive", "Try again later"),
        Status(0x0111, Kind.FAILURE, "duplicate SOP instance", _LOG),
        Status(0x0112, Kind.FAILURE, "no such SOP instance", _LOG),
        Status(0x0115, Kind.FAILURE, "invalid argument value", _KEYS),
        Status(0x0116, Kind.WARNING, "attribute value out of range"),
        Status(0x0117, Kind.FAILURE, "invalid SOP instance", _LOG),
        Status(0x0118, Kind.FAILURE, "no such SOP class", _LOG),
        Status(0x0119, Kind.FAILURE, "class-instance conflict", _LOG),
        Status(0x0120, Kind.FAILURE, "missing attribute", _KEYS),
        Status(0x0121, Kind.FAILURE, "missing attribute value", _KEYS),
        Status(0x0122, Kind.FAILURE, "SOP class not supported", "Ask at another level"),
        Status(0x0124, Kind.FAILURE, "not authorised", _PERMISSION),
        Status(0x0210, Kind.FAILURE, "duplicate invocation", "Try again"),
        Status(0x0211, Kind.FAILURE, "unrecognised operation", _LOG),
        Status(0x0212, Kind.FAILURE, "mistyped argument", _LOG),
        Status(0x0213, Kind.FAILURE, "resource limitation in the archive", _NARROW),
        Status(0xA700, Kind.FAILURE, "refused: out of resources", _NARROW),
        Status(0xA701, Kind.FAILURE, "refused: cannot count the matches", _NARROW),
        Status(0xA702, Kind.FAILURE, "refused: cannot perform the sub-operations", _LOG),
        Status(0xA710, Kind.FAILURE, "refused: invalid prior record key", _LOG),
        Status(0xA801, Kind.FAILURE, "refused: move destination unknown", _LOG),
        Status(0xA900, Kind.FAILURE, "identifier does not match the SOP class", _KEYS),
        Status(0xAA00, Kind.FAILURE, "none of the requested frames was found", _LOG),
        Status(0xB000, Kind.WARNING, "sub-operations complete with failures"),
        Status(0xB006, Kind.WARNING, "elements discarded"),
        Status(0xB007, Kind.WARNING, "data set does not match the SOP class"),
        Status(0xFE00, Kind.CANCEL, "matching ended by a cancel request"),
        Status(0xFF00, Kind.PENDING, "a match"),
        Status(0xFF01, Kind.PENDING, "a match; some optional keys were not supported"),
    )
}

# How archives say that a query has more matches than they give at once: refused for want of
# resources, or ended as if we had cancelled, which we had not (PS3.4 C.4.1.1.4, PS3.7 C.4.2).
TOO_MANY = frozenset({0x0213, 0xA700, 0xA701, 0xFE00})

# No resources for anything, which says nothing of what was asked (PS3.4 C.4.2.1.5).
OVERLOADED = 0xA702
NO_RESOURCES = TOO_MANY | {OVERLOADED}

# Ranges for what the table does not name: first, last, class, meaning (PS3.7 C).
RANGES: tuple[tuple[int, int, Kind, str], ...] = (
    (0xA000, 0xAFFF, Kind.FAILURE, "refused by the archive"),
    (0xB000, 0xBFFF, Kind.WARNING, "a warning of the archive"),
    (0xC000, 0xCFFF, Kind.FAILURE, "the archive could not process the request"),
    (0x0100, 0x01FF, Kind.FAILURE, "a general failure"),
    (0x0200, 0x02FF, Kind.FAILURE, "a general failure"),
)


def status(code: int) -> Status:
    """The meaning of a 16-bit status code; one nobody defined counts as a failure."""
    if code in STATUS:
        return STATUS[code]
    for first, last, kind, meaning in RANGES:
        if first <= code <= last:
            return Status(code, kind, meaning, "" if kind is Kind.WARNING else "Try again later")
    return Status(code, Kind.FAILURE, "a status the standard does not define", _LOG)
