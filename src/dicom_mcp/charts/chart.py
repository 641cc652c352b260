"""An answer as it is drawn, whoever draws it: the page in a chat, a picture, a terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

# Said in the drawing itself: who looks at it may not read on.
NOT_COMPLETE = "NOT COMPLETE: what is drawn may not be all. The notes of the answer say why."


@dataclass(frozen=True, slots=True)
class Line:
    """Numbers of one kind, one for each of the chart's places."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Point:
    """A thing at a time: a study on a day (YYYY-MM-DD), a patient at a time of day (HH:MM).
    `state` is "arrived", "waiting" or "unknown" for who is scheduled, "current" for the study that
    others are priors of, else empty."""

    at: str
    lane: str
    words: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """`bars`: one number for each place. `lines`: several for each, over time. `lanes`: points over
    days. `day`: points of one day, in the order of their time. `doubt` is empty where that is
    all."""

    kind: Literal["bars", "lines", "lanes", "day"]
    title: str
    summary: str
    places: Sequence[str] = ()
    lines: Sequence[Line] = ()
    points: Sequence[Point] = ()
    doubt: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.places and not self.points


# The chart of an answer.
type Drawing = Callable[[Mapping[str, Any]], Chart]


def doubted(chart: Chart, answer: Mapping[str, Any]) -> Chart:
    """The chart of an answer, marked where that is not complete."""
    return chart if answer.get("complete", True) else replace(chart, doubt=NOT_COMPLETE)


def person(name: object) -> str:
    """Family and given name as people read them, of the first of several, in its first script."""
    first: object = name
    if isinstance(name, list):
        first = cast("list[object]", [*name, ""])[0]
    return ", ".join(part for part in str(first).partition("=")[0].split("^")[:2] if part)


def day_of(text: object) -> str:
    """YYYY-MM-DD of a date as DICOM writes it."""
    day = str(text)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
