"""C-FIND as the embedded archive answers it (PS3.4 C.4.1, K.4.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydicom.dataset import Dataset

from ..standard.levels import UNIQUE_KEY, Level, Model
from ..standard.matching import Key, Record, record_matcher
from .entities import EVERYWHERE, is_supported, unique_keys_above
from .identifier import answer, elements, keys
from .index import Index

type Hierarchy = Literal["relational", "strict"]

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"

# PS3.4 C.4.1.1.4.
MATCH = 0xFF00
MATCH_WITHOUT_OPTIONAL_KEYS = 0xFF01
IDENTIFIER_DOES_NOT_MATCH = 0xA900

# Where each model begins (PS3.4 C.6.1.1.1, C.6.2.1).
TOP: dict[Model, Level] = {Model.PATIENT_ROOT: Level.PATIENT, Model.STUDY_ROOT: Level.STUDY}

# Elements of an identifier that are not keys (PS3.4 C.2.2.2, C.4.1.1.3.1).
_NOT_KEYS = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC"})


class Refused(Exception):
    """The request cannot be answered; `status` says why (PS3.4 C.4.1.1.4)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"0x{status:04X}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """A query's identifier: the level and all keys, those that only ask for a value too."""

    level: Level
    keys: Mapping[str, Key]


def request(identifier: Dataset, model: Model, hierarchy: Hierarchy) -> Request:
    """What an identifier asks for.

    Raises Refused with 0xA900 for a level the model does not have and, in a strict hierarchy, for
    a unique key above the level that is not one single value (PS3.4 C.4.1.2.2.1).
    """
    found = keys(identifier)
    _, level = _text(found, "QueryRetrieveLevel")
    top = TOP[model]
    if level not in Level or (Level(level) is not top and top not in Level(level).above):
        raise Refused(IDENTIFIER_DOES_NOT_MATCH)
    if hierarchy == "strict":
        for keyword in unique_keys_above(Level(level), top):
            _, key = _text(found, keyword)
            if not key or {"*", "?", "\\"} & set(key):
                raise Refused(IDENTIFIER_DOES_NOT_MATCH)
    asked = {keyword: key for keyword, key in found.items() if keyword not in _NOT_KEYS}
    return Request(Level(level), asked)


def answers(
    index: Index, asked: Request, *, ae_title: str, explicit: bool
) -> Iterator[tuple[int, bytes]]:
    """Status and identifier of each match, one for each entity at the level asked.

    An optional key the archive does not support at this level is neither matched nor returned,
    and the status says so (PS3.4 C.2.2.1.3). Identifiers are in Explicit or Implicit VR Little
    Endian.
    """
    level = asked.level
    supported = {k: key for k, key in asked.keys.items() if is_supported(k, level)}
    status = MATCH if len(supported) == len(asked.keys) else MATCH_WITHOUT_OPTIONAL_KEYS
    always = ("QueryRetrieveLevel", "RetrieveAETitle", UNIQUE_KEY[level])
    returned = elements({**dict.fromkeys(always, ("", "")), **supported}, explicit=explicit)
    everywhere = {
        "QueryRetrieveLevel": [level.value],
        "RetrieveAETitle": [ae_title],
        "InstanceAvailability": ["ONLINE"],
    }
    matched = {k: key for k, key in supported.items() if k not in EVERYWHERE}
    for record in index.find(level, matched):
        identifier = answer(
            {**record, **everywhere}, returned, declared=_declared(record), explicit=explicit
        )
        yield status, identifier


def worklist_answers(
    worklist: Iterable[Record], identifier: Dataset, *, explicit: bool
) -> Iterator[tuple[int, bytes]]:
    """Status and identifier of each worklist entry that matches (PS3.4 K.4.1).

    Every attribute is supported; those of the scheduled procedure step are keys in its sequence.
    """
    asked = {keyword: key for keyword, key in keys(identifier).items() if keyword not in _NOT_KEYS}
    returned = elements(asked, explicit=explicit)
    match: Callable[[Record], bool] = record_matcher(asked)
    for entry in worklist:
        if match(entry):
            yield (
                MATCH,
                answer(entry, returned, declared=_declared(entry), explicit=explicit),
            )


def _text(found: Mapping[str, Key], keyword: str) -> tuple[str, str]:
    key = found.get(keyword)
    return (key[0], key[1]) if isinstance(key, tuple) else ("", "")


def _declared(record: Record) -> str:
    values: Sequence[str] | Sequence[Record] = record.get("SpecificCharacterSet", ())
    return "\\".join(value for value in values if isinstance(value, str))
