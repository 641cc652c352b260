"""A count of studies that are alike together, where an index tells how many they are."""

from collections.abc import Sequence
from contextlib import suppress

from ..door.call import Call
from ..index.alike import Alike, UnlikeError
from ..question.question import Question
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.lists import LISTED
from .aside import COUNT
from .condition import Condition
from .counting import IMAGES_OF_STUDY, Counting
from .dimension import Dimension
from .things import What

_DATE = "StudyDate"

# What is another one of each study, or series.
_OF_EACH = frozenset({UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES]})


def counted(
    call: Call,
    question: Question,
    what: What,
    *,
    by: Sequence[Dimension],
    where: Sequence[Condition],
    naming: bool = False,
) -> Counting:
    """A count that is done."""
    counting = Counting(call, question, what, by=by, where=where, naming=naming)
    if call.is_indexed and not naming and (alike := _alike(counting, question, what, by, where)):
        together = Counting(call, question, what, by=by, where=where, naming=naming, alike=alike)
        with suppress(UnlikeError):
            together.count()
            if together.total:  # else what there is instead is told, one by one
                return together
    counting.count()
    return counting


def _alike(
    counting: Counting,
    question: Question,
    what: What,
    by: Sequence[Dimension],
    where: Sequence[Condition],
) -> Alike | None:
    """What is read of studies, if one can stand for all of which that is the same."""
    readers = (*by, *where, *((what.values,) if what.values else ()))
    read = {keyword for reader in readers for keyword in reader.reads}
    images = what.level is Level.IMAGE
    if what.name == "patients" or question.name or LISTED & {*question.keywords}:
        return None
    if counting.wanted(Level.IMAGE) or read & _OF_EACH:
        return None
    if images and read & {IMAGES_OF_STUDY, COUNT}:
        return None
    by_date = [reader for reader in readers if _DATE in reader.reads]
    periods = [reader.name for reader in by if reader in by_date and reader.is_period]
    below = counting.needs_series or images
    return Alike(
        series=tuple(counting.wanted(Level.SERIES)) if below else (),
        each_series=images or what.level is Level.SERIES,
        images=images,
        periods=frozenset(periods) if len(periods) == len(by_date) else None,
    )
