"""Text beyond ASCII as keys, for archives that hold it in another character set than UTF-8.

A key goes out in UTF-8 (PS3.3 C.12.1.1.2). An archive that compares bytes finds nothing when it
holds the name in another set; asked with * for those characters, and compared here, it does.
"""

from ..standard.note import remark
from ..standard.query import Query
from .asking import Asking
from .gathering import Gathering, Outcome
from .steps import Step
from .whole import ask_whole

# How many answers to a widened key are compared here: a second's worth on a slow archive.
MOST_COMPARED = 2000


def ask_in_any_script(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask with text as it stands, and with * for what is beyond ASCII, or may be, unless the
    archive is known to compare characters."""
    habits = asking.habits
    before = gathering.count
    gathering.translated = False
    outcome: Outcome = yield ask_whole(asking, query, gathering)
    if asking.as_it_stands:
        return outcome
    wider = query.in_ascii()
    widened = [name for name, key in query.keys.items() if wider.keys.get(name, "") != key]
    if not widened or habits.reads_utf_8 or not outcome.whole or gathering.full:
        return outcome
    found = gathering.count - before
    if gathering.translated and not query.is_ascii:
        # What came declared otherwise than it was asked for was compared as text.
        habits.reads_utf_8 = True
        return outcome
    if found and not all(wider.keys.get(name) for name in widened):
        # Nothing of the key would be left: the whole archive would have to come.
        return outcome
    gathering.loosen(widened, most_examined=MOST_COMPARED)
    gathering.watch({})  # what a wider key finds says nothing of the archive's case
    compared: Outcome = yield ask_whole(asking, wider, gathering)
    if compared.whole and gathering.count == before + found and not gathering.full:
        return outcome
    told = remark(
        "Not all that matches the text was found by it as written: this archive does not compare "
        "it as Unicode. It was also asked with * for the characters beyond ASCII, and the answers "
        "were compared here."
    )
    return Outcome(compared.whole, [told, *compared.notes])
