"""What an archive tells of a series that stands in its objects only: kVp, kernel, slice thickness.

No archive has to (PS3.4 C.6.1.1.4), and one that does not may return what it was asked for empty
all the same: only a value tells something. Whether one ever does is remembered.
"""

from collections.abc import Sequence

from ..door.call import Call
from ..standard.dictionary import attribute
from ..standard.entities import level_of
from ..standard.levels import Level
from ..standard.query import Match, Value, texts

# Values that an answer to a query has as an object has them: no long texts, which may be kept
# apart, and no UIDs, which a header shows with their names.
_SHORT = frozenset((
    *("AE", "AS", "CS", "DA", "DS", "DT", "FD", "FL", "IS"),
    *("LO", "PN", "SH", "SL", "SS", "TM", "UL", "US"),
))  # fmt: skip


class Told:
    """Which of these attributes the series of an archive may tell, and what one of them does."""

    def __init__(self, call: Call, attributes: Sequence[str]) -> None:
        self._lessons = call.learned.tells_of_series if call.learned else {}
        self.keywords = tuple(attribute for attribute in attributes if _can_be_told(attribute))
        # Those worth asking for.
        self.asked = tuple(
            keyword for keyword in self.keywords if self._lessons.get(keyword) is not False
        )

    def values(self, series: Match) -> dict[str, str]:
        """What the archive tells of a series, as a header would show it."""
        return {
            attribute: value
            for attribute in self.asked
            if (value := _shown(series.get(attribute, "")))
        }

    def learn(self, series: Match, of_object: dict[str, list[str]]) -> None:
        """What it told of a series, of which an object has these values."""
        for keyword in self.asked:
            if level_of(keyword) is not Level.IMAGE:
                continue
            if _shown(series.get(keyword, "")):
                self._lessons[keyword] = True
            elif any(of_object.get(keyword, ())):
                self._lessons.setdefault(keyword, False)


def _can_be_told(keyword: str) -> bool:
    found = attribute(keyword)
    return found is not None and found.vr in _SHORT


def _shown(value: Value) -> str:
    shown = "\\".join(text.strip() for text in texts(value))
    return "" if shown.startswith("<") else shown  # bytes, which an answer only names
