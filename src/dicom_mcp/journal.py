"""The log: what a PACS administrator needs, on stderr, and never a value of a patient.

A line is `key=value` pairs. All lines of one tool call carry the same `call`, a random number that
is also the only link between a question and its queries.
"""

import logging
import secrets
import sys
import traceback
import warnings
from contextvars import ContextVar
from pathlib import Path

_CALL: ContextVar[str] = ContextVar("call", default="-")

log = logging.getLogger("dicom_mcp")


def begin_call() -> str:
    """Give the call that begins here, and every thread it starts, a number of its own."""
    number = secrets.token_hex(4)
    _CALL.set(number)
    return number


def event(level: int, what: str, /, **facts: object) -> None:
    """One line: what happened and its facts. Facts are names, codes, counts and times only."""
    if log.isEnabledFor(level):
        pairs = " ".join(f"{name}={_one_word(fact)}" for name, fact in facts.items())
        log.log(level, "%s call=%s %s", what, _CALL.get(), pairs)


def debugging() -> bool:
    """Whether events of level DEBUG are written; ask before making up the facts of many."""
    return log.isEnabledFor(logging.DEBUG)


def to_stderr(*, debug: bool) -> None:
    """Write the log to stderr: warnings and errors, with `debug` every call and query."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_is_no_decoders)
    handler.addFilter(_without_errors)
    logging.basicConfig(
        handlers=[handler],
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_open_stream)
    log.setLevel(logging.DEBUG if debug else logging.WARNING)
    if not sys.warnoptions:  # pydicom warns of values, too
        warnings.simplefilter("ignore")


def places(error: BaseException) -> str:
    """Where an unexpected error came from, without its message, which may hold a value."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {where}"


def _is_no_decoders(record: logging.LogRecord) -> bool:
    """pynetdicom and pydicom log what they decode, patients included; importing them sets the
    levels of their loggers anew."""
    return record.name.partition(".")[0] not in ("pynetdicom", "pydicom")


def _without_errors(record: logging.LogRecord) -> bool:
    """The SDK logs the errors of requests that are none of ours, with what a client wrote into
    them; that there was one is enough."""
    if record.name.partition(".")[0] == "mcp":
        record.exc_info = record.exc_text = None
    return True


def _is_no_open_stream(record: logging.LogRecord) -> bool:
    """A stream that a client listens to ends with the server: uvicorn calls that an error."""
    return "returned without completing response" not in record.getMessage()


def _one_word(fact: object) -> str:
    text = f"{fact:.1f}" if isinstance(fact, float) else str(fact)
    return f'"{text}"' if " " in text else text
