"""How long a server that is overloaded is left alone before it is asked again (RFC 9110 10.2.3)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

OVERLOADED = frozenset({429, 503})

# Requests of one call that a server may answer with such a status; then it is asked no more.
MOST_ASKED = 3

# Where it does not say how long: asked again once.
_UNTOLD_SECONDS = 0.5
_MOST_UNTOLD = 2


def retry_after(headers: Mapping[str, str]) -> int | None:
    """The seconds that an answer says to wait; None where it does not say. A date is measured by
    the server's own clock, where it tells that."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdecimal():
        return int(told) if len(told) <= 9 else None
    until = _moment(told)
    if until is None:
        return None
    now = _moment(headers.get("date", "")) or datetime.now(UTC)
    return max(0, round((until - now).total_seconds()))


def pause_before(headers: Mapping[str, str], asked: int) -> float | None:
    """How long to wait before a server is asked again that said `asked` times that it cannot
    answer now; None where it is to be left alone."""
    told = retry_after(headers)
    if asked >= (MOST_ASKED if told is not None else _MOST_UNTOLD):
        return None
    return _UNTOLD_SECONDS if told is None else float(told)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
