"""Text beyond ASCII as keys, for archives that hold it in another character set than UTF-8.

A key goes out in UTF-8 (PS3.3 C.12.1.1.2). An archive that compares bytes finds nothing when it
holds the name in another set; asked with * for those characters, and compared here, it does.
"""

from collections.abc import Callable
from dataclasses import replace

from ..standard.query import Match, Matches, Query
from .asking import Asking
from .gathering import Gathering
from .whole import gathered

# How many answers to a widened key are compared here: a second's worth on a slow archive.
_MOST_COMPARED = 2000


def in_any_script(
    asking: Asking, query: Query, limit: int, *, keep: Callable[[Match], None] | None = None
) -> Matches:
    """At most `limit` matches, or each to `keep`, whatever characters the keys have."""
    gathering = Gathering(query, limit, keep=keep)
    answer = gathered(asking, query, gathering)
    habits = asking.habits
    if query.is_ascii or habits.reads_utf_8 or not answer.complete:
        return answer
    if gathering.count:
        # A key that does not come back may have been ignored, and proves nothing.
        habits.reads_utf_8 = any(
            keyword in gathering.answered
            for keyword, key in query.keys.items()
            if not key.isascii()
        )
        return answer
    wider = query.in_ascii()
    loosened = [name for name, key in query.keys.items() if wider.keys.get(name) != key]
    comparing = Gathering(query, limit, keep=keep, loosened=loosened, most_examined=_MOST_COMPARED)
    compared = gathered(asking, wider, comparing)
    queries = answer.queries + compared.queries
    if not comparing.count and compared.complete:
        return replace(answer, queries=queries)
    told = (
        "Nothing matched the text as written: this archive does not compare it as Unicode. It "
        "was asked with * for the characters beyond ASCII, and the answers were compared here."
    )
    return replace(compared, notes=(told, *compared.notes), queries=queries)
