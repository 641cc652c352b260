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
    found = gathering.count - before
    wider = query.in_ascii()
    widened = [name for name, key in query.keys.items() if wider.keys.get(name, "") != key]
    if found and (gathering.translated or not all(wider.keys.get(name) for name in widened)):
        # What came declared otherwise was compared as text. And where nothing of the key would be
        # left, the whole archive would have to come; then what was found has to do.
        habits.reads_utf_8 = gathering.translated
        return outcome
    gathering.loosen(widened, most_examined=MOST_COMPARED)
    compared = ask_whole(asking, wider, gathering)
    more = gathering.count - before - found
    if compared.whole and not more and not gathering.full:
        # A key that does not come back may have been ignored, and proves nothing.
        habits.reads_utf_8 = bool(found and gathering.answered & set(widened))
        return outcome
    told = (
        "Not all that matches the text was found by it as written: this archive does not compare "
        "it as Unicode. It was also asked with * for the characters beyond ASCII, and the answers "
        "were compared here."
    )
    return Outcome(compared.whole, [told, *compared.notes])
