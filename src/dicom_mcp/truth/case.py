"""Text as keys, for archives that compare letters exactly.

A name may be matched without regard to case (PS3.4 C.2.2.2.1), other text may not, and nobody who
asks for a chest CT knows how it was written. An archive that turns out to ignore case is asked
once; another one also with the letters left open, and what that brings is compared here.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import product

from ..standard.dictionary import attribute
from ..standard.note import incomplete, remark
from ..standard.query import Query
from ..standard.recheck import IDENTIFIERS
from ..words.letters import in_other_case
from .asking import Asking
from .gathering import Gathering, Outcome
from .script import MOST_COMPARED, ask_in_any_script
from .steps import Step

# Text that people write as they like. IDENTIFIERS of these VRs are none: case makes others of them.
FREE_TEXT = frozenset({"PN", "LO", "LT", "SH", "ST", "UC", "UT"})

# Three keys with two other ways each, and all of them together.
_MOST_WAYS = 26


def ask_in_any_case(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask with the text as it stands, and in other case where the archive may insist on case."""
    ignores = asking.habits.ignores_case
    open_keys = {
        keyword: key
        for keyword, key in query.keys.items()
        if keyword not in IDENTIFIERS and _vr(keyword) in FREE_TEXT and in_other_case(key)
    }
    with _watching(asking, gathering, open_keys):
        outcome: Outcome = yield ask_in_any_script(asking, query, gathering)
    before = gathering.count
    notes, whole = list(outcome.notes), outcome.whole
    # Of a key that was ignored everything came already, and was compared.
    open_keys = {
        keyword: key for keyword, key in open_keys.items() if keyword not in gathering.ignored
    }
    # Capitals first: they tell most often whether an archive ignores case.
    ways = {keyword: [key, *in_other_case(key)[::-1]] for keyword, key in open_keys.items()}
    others = list(product(*ways.values()))[1:]
    for keys in others[:_MOST_WAYS]:
        asked = dict(zip(ways, keys, strict=True))
        changed = [keyword for keyword, key in asked.items() if key != query.keys[keyword]]
        if gathering.full or any(ignores.get(keyword) for keyword in changed):
            continue
        gathering.loosen(changed, most_examined=MOST_COMPARED)
        other = Query(query.level, {**query.keys, **asked}, query.wanted)
        with _watching(asking, gathering, asked):
            more: Outcome = yield ask_in_any_script(asking, other, gathering)
        whole = whole and more.whole
        notes += [note for note in more.notes if note not in notes]
    if len(others) > _MOST_WAYS and not gathering.full and not any(map(ignores.get, ways)):
        whole = False
        notes.append(
            incomplete(
                "the text was not asked for in every combination of upper and lower case "
                "there is. Ask with less of it."
            )
        )
    if gathering.count > before:
        notes.append(
            remark(
                "This archive compares letters exactly; it was asked in other upper and lower case "
                "too."
            )
        )
    return Outcome(whole, notes)


@contextmanager
def _watching(asking: Asking, gathering: Gathering, keys: Mapping[str, str]) -> Generator[None]:
    """Learn from what comes meanwhile whether the archive ignores the case of these keys."""
    ignores = asking.habits.ignores_case
    gathering.watch({keyword: key for keyword, key in keys.items() if keyword not in ignores})
    yield
    ignores.update(dict.fromkeys(gathering.case_insensitive, True))
    gathering.watch({})


def _vr(keyword: str) -> str:
    found = attribute(keyword)
    return found.vr if found else ""
