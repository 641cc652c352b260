"""What a person would ask the demo archive, and what its objects say the answer is.

The expected answers are worked out from the data sets themselves, by plain loops that know neither
the archive's index nor the server, so that a wrong answer of either shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydicom.dataset import Dataset

type Answer = Mapping[str, Any]
type Arguments = dict[str, Any]


@dataclass(slots=True)
class Walk:
    """What is known on the way: the archive's objects, the day, the answers so far."""

    objects: Sequence[Dataset]
    today: date
    answers: list[Answer] = field(default_factory=list[Answer])

    def uids(self, keyword: str, holds: Callable[[Dataset], bool]) -> set[str]:
        """The values of this unique key among the objects for which `holds`."""
        return {str(getattr(one, keyword)) for one in self.objects if holds(one)}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: in words, as a tool call, and what must be answered.

    `expected` gives the values of `unique` that the records must have, all of them unless
    `limit` cuts; `refusal` is what an error must say instead.
    """

    words: str
    tool: str
    arguments: Callable[[Walk], Arguments] = lambda _: {}
    unique: str = ""
    expected: Callable[[Walk], set[str]] = lambda _: set()
    refusal: str = ""

    def fault(self, walk: Walk, answer: Answer, error: str) -> str:
        """What is wrong with this answer; "" when nothing is."""
        if self.refusal or error:
            return (
                "" if self.refusal and self.refusal in error else f"unexpected: {error or answer}"
            )
        if not self.unique:
            return "" if answer.get("works", True) else "the archive did not answer"
        found = [str(record[self.unique]) for record in answer["records"]]
        expected = self.expected(walk)
        if answer["complete"]:
            right = sorted(found) == sorted(expected)
        else:
            right = len(found) < len(expected) and set(found) < expected
        return "" if right else f"{len(found)} records do not agree with the {len(expected)} held"
