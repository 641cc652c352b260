"""Text beyond ASCII as keys, for archives that hold it in another character set than UTF-8.

A key goes out in UTF-8 (PS3.3 C.12.1.1.2). An archive that compares bytes finds nothing when it
holds the name in another set; asked with * for those characters, and compared here, it does.
"""

from ..standard.query import Query
from .asking import Asking
from .gathering import Gathering, Outcome
from .whole import ask_whole

# How many answers to a widened key are compared here: a second's worth on a slow archive.
MOST_COMPARED = 2000


def ask_in_any_script(asking: Asking, query: Query, gathering: Gathering) -> Outcome:
    """Ask with text beyond ASCII as it stands, and with * for it where that found nothing."""
    habits = asking.habits
    before = gathering.count
    outcome = ask_whole(asking, query, gathering)
    if query.is_ascii or habits.reads_utf_8 or not outcome.whole or gathering.full:
        return outcome
    if gathering.count > before:
        # A key that does not come back may have been ignored, and proves nothing.
        habits.reads_utf_8 = any(
            keyword in gathering.answered
            for keyword, key in query.keys.items()
            if not key.isascii()
        )
        return outcome
    wider = query.in_ascii()
    gathering.loosen(
        (name for name, key in query.keys.items() if wider.keys.get(name) != key),
        most_examined=MOST_COMPARED,
    )
    compared = ask_whole(asking, wider, gathering)
    if gathering.count == before and compared.whole and not gathering.full:
        return outcome
    told = (
        "Nothing matched the text as written: this archive does not compare it as Unicode. It "
        "was asked with * for the characters beyond ASCII, and the answers were compared here."
    )
    return Outcome(compared.whole, [told, *compared.notes])
