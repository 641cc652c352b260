"""Which keys an archive takes as they are written, though they are wildcards, ranges or lists."""

from collections.abc import Mapping

from ..standard.dictionary import attribute
from ..standard.levels import Level
from ..standard.query import Match, texts
from ..standard.shapes import SEPARATOR, kind, shape, trial
from ..truth.habits import Habits
from .asking import Asker

# One key of each shape that questions often have.
_TRIED: Mapping[str, tuple[str, ...]] = {
    "PatientID": ("x*",),
    "StudyDescription": ("*x*",),
    "StudyDate": ("20000101-20000131", "20000101-", "-20000131"),
    "StudyInstanceUID": ("1.2.3\\1.2.4",),
}


def literal_keys(asker: Asker, habits: Habits, rows: list[Match], ignored: frozenset[str]) -> None:
    """Try each with a value that the studies in `rows` have; what is learned is remembered."""
    literal: list[str] = []
    for keyword, keys in _TRIED.items():
        found = attribute(keyword)
        assert found is not None
        for key in keys if keyword not in (*ignored, *asker.above) else ():
            values = [text for row in rows[:20] for text in texts(row.get(keyword, ""))]
            tried = trial(found.vr, key, values)
            if tried is None:
                continue
            most = max(1, len(tried.finds))
            got = asker.ask(Level.STUDY, {keyword: tried.key}, wanted=(keyword,), most=most)
            if got.error or got.ending is None:
                continue
            understood = len(got.rows) >= most
            if not understood and not got.ending.whole:
                continue
            lists = habits.lists_of(Level.STUDY, keyword)
            if SEPARATOR not in key:
                habits.learn(keyword, shape(found.vr, key), understood=understood)
            elif understood:
                lists.reads(most)
            else:
                lists.leaves(most)
            if not understood:
                literal.append(f"{kind(found.vr)} in {keyword}")
    told = ", ".join(dict.fromkeys(literal))
    asker.tell("taken as written", told or "nothing: wildcards, ranges and lists are understood")
