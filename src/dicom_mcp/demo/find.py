"""C-FIND as the embedded archive answers it (PS3.4 C.4.1, K.4.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydicom.dataset import Dataset

from ..standard.charset import UTF_8
from ..standard.levels import HIERARCHY, UNIQUE_KEY, Level, Model
from ..standard.matching import Key, Record, record_matcher
from .comparing import as_kept, comparer
from .entities import EVERYWHERE, is_supported, unique_keys_above
from .habits import NONE, Declaring, Habits
from .identifier import answer, as_bytes, elements, keys
from .index import Index
from .search import Search, told_with, with_told

# What happens to a query without the unique keys above its level: it is answered all the same,
# refused (PS3.4 C.4.1.2.2.1), or answered with an empty list as by dcmqrscp.
type Hierarchy = Literal["relational", "strict", "silent"]

MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"

# PS3.4 C.4.1.1.4.
SUCCESS = 0x0000
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
    """A query's identifier: the level and all keys, those that only ask for a value too;
    `declared` is the character set they came in."""

    level: Level
    keys: Mapping[str, Key]
    declared: str = ""


def request(identifier: Dataset, model: Model, hierarchy: Hierarchy) -> Request:
    """What an identifier asks for.

    Raises Refused with 0xA900 for a level the model does not have and, in a strict hierarchy, for
    a unique key above the level that is not one single value (PS3.4 C.4.1.2.2.1); in a silent
    one, with a success.
    """
    found = keys(identifier)
    _, level = _text(found, "QueryRetrieveLevel")
    top = TOP[model]
    if level not in HIERARCHY or (Level(level) is not top and top not in Level(level).above):
        raise Refused(IDENTIFIER_DOES_NOT_MATCH)
    if hierarchy != "relational":
        for keyword in unique_keys_above(Level(level), top):
            _, key = _text(found, keyword)
            if not key or {"*", "?", "\\"} & set(key):
                silent = hierarchy == "silent"
                raise Refused(SUCCESS if silent else IDENTIFIER_DOES_NOT_MATCH)
    asked = {keyword: key for keyword, key in found.items() if keyword not in _NOT_KEYS}
    return Request(Level(level), asked, _text(found, "SpecificCharacterSet")[1])


def answers(
    index: Index, asked: Request, *, ae_title: str, explicit: bool, habits: Habits = NONE
) -> Iterator[tuple[int, bytes | None]]:
    """Status and identifier of each match, one for each entity at the level asked.

    An optional key the archive does not support at this level is neither matched nor returned,
    and the status says so (PS3.4 C.2.2.1.3). Identifiers are in Explicit or Implicit VR Little
    Endian. A status without identifier ends an answer that the archive's habits cut short.
    """
    found = _matches(index, asked, ae_title, habits, explicit=explicit)
    if habits.duplicated:
        found = (match for match in found for _ in range(1 + (match[1] is not None)))
    if habits.most_matches is None:
        return found
    return _capped(found, habits.most_matches, habits.cap_status)


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


def _matches(
    index: Index, asked: Request, ae_title: str, habits: Habits, *, explicit: bool
) -> Iterator[tuple[int, bytes | None]]:
    level = asked.level
    most = habits.longest_key
    texts = {keyword: key for keyword, key in asked.keys.items() if isinstance(key, tuple)}
    if most and any(len(text) > most for _, text in texts.values()):
        if habits.long_key_status:
            yield habits.long_key_status, None
            return
        cut: dict[str, Key] = {keyword: (vr, text[:most]) for keyword, (vr, text) in texts.items()}
        asked = replace(asked, keys={**asked.keys, **cut})
    supported = {k: key for k, key in asked.keys.items() if is_supported(k, level)}
    told = told_with(asked.keys, level, habits)
    all_supported = (
        len(supported) + len(told) == len(asked.keys) and not habits.optional_keys_status
    )
    status = MATCH if all_supported else MATCH_WITHOUT_OPTIONAL_KEYS
    always = ("QueryRetrieveLevel", "RetrieveAETitle", UNIQUE_KEY[level])
    returned = {**dict.fromkeys(always, ("", "")), **supported, **told}
    for keyword in habits.unreturned - {UNIQUE_KEY[level]}:
        returned.pop(keyword, None)
    wanted = elements(returned, explicit=explicit)
    everywhere = {
        "QueryRetrieveLevel": [level.value],
        "RetrieveAETitle": [ae_title],
        "InstanceAvailability": ["ONLINE"],
    }
    matched: dict[str, Key] = {
        keyword: ("", "") if keyword in habits.ignored_keys else key
        for keyword, key in supported.items()
        if keyword not in EVERYWHERE
    }
    said = _SAID[habits.utf_8_declared]
    search = Search(
        index, level, matched, habits, lambda keys: _matcher(keys, asked.declared, habits)
    )
    for record in search:
        identifier = answer(
            {**as_kept(with_told(index, record, [*told]), habits), **everywhere},
            wanted,
            declared=_declared(record) if said is None else UTF_8,
            said=said,
            explicit=explicit,
        )
        yield status, identifier
    if search.cut:
        yield habits.cap_status, None


# What is said of an answer in UTF-8 instead of the truth.
_SAID: Mapping[Declaring, str | None] = {
    "truly": None,
    "as Latin-1": "ISO_IR 100",
    "not at all": "",
}


def _capped(
    found: Iterator[tuple[int, bytes | None]], most: int, status: int
) -> Iterator[tuple[int, bytes | None]]:
    """The first `most` matches, and if there are more the status that the answer then ends with."""
    for number, match in enumerate(found):
        if number == most and match[1] is not None:
            yield status, None
            return
        yield match


def _matcher(asked: Mapping[str, Key], declared: str, habits: Habits) -> Callable[[Record], bool]:
    """How the keys, which came in the `declared` character set, are compared with a record."""
    if not habits.by_bytes:
        return comparer(asked, habits)
    plain = {keyword: key for keyword, key in asked.items() if isinstance(key, tuple)}
    match = comparer(
        {**asked, **{k: (vr, as_bytes(text, vr, declared)) for k, (vr, text) in plain.items()}},
        habits,
    )

    def match_bytes(record: Record) -> bool:
        held = _declared(record)
        encoded = {
            keyword: [
                as_bytes(value, vr, held)
                for value in record.get(keyword, ())
                if isinstance(value, str)
            ]
            for keyword, (vr, _) in plain.items()
        }
        return match({**record, **encoded})

    return match_bytes


def _text(found: Mapping[str, Key], keyword: str) -> tuple[str, str]:
    key = found.get(keyword)
    return (key[0], key[1]) if isinstance(key, tuple) else ("", "")


def _declared(record: Record) -> str:
    values: Sequence[str] | Sequence[Record] = record.get("SpecificCharacterSet", ())
    return "\\".join(value for value in values if isinstance(value, str))
