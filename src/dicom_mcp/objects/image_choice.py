"""Which image of a series is meant, as people say it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from ..errors import BadArgument
from ..standard.values import shown

At = Annotated[
    str | int | float,
    Field(
        description='Which image: "middle", "first", "last", "30 %", instance number 12, '
        'position "-120 mm"'
    ),
]


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """Which image of a series is meant: a share of the way, an instance number, or millimetres."""

    share: float | None = None
    number: int | None = None
    millimetres: float | None = None

    @classmethod
    def of(cls, at: str | int | float) -> "ImageChoice":
        """From words or a number. Raises BadArgument for anything else."""
        if isinstance(at, int):
            return cls(number=at)
        words = str(at).strip().casefold()
        if words in _NAMED:
            return cls(share=_NAMED[words])
        if found := _INSTANCE.fullmatch(words):
            return cls(number=int(found[1]))
        if found := _MILLIMETRES.fullmatch(words):
            return cls(millimetres=float(found[1]))
        share = float(found[1]) / 100 if (found := _PERCENT.fullmatch(words)) else None
        if share is None and _SHARE.fullmatch(words):
            share = float(words)
        if share is None or share > 1:
            raise BadArgument(
                f"at={shown(str(at))} names no image",
                'Write "middle", "first", "last", "30 %" or 0.3, an instance number such as 12, '
                'or a position such as "-120 mm"',
            )
        return cls(share=share)


_NAMED = {
    **dict.fromkeys(("", "middle", "center", "centre", "mid"), 0.5),
    **dict.fromkeys(("first", "start", "begin", "beginning"), 0.0),
    **dict.fromkeys(("last", "end"), 1.0),
}
_INSTANCE = re.compile(r"(?:#|(?:instance|image|slice)(?: number)? )? ?(\d{1,9})")
_MILLIMETRES = re.compile(r"([+-]?\d{1,6}(?:\.\d+)?) ?mm")
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")
_SHARE = re.compile(r"[01]?\.\d+")


def at_share[T](several: Sequence[T], share: float) -> T:
    """The one that lies this share of the way from the first to the last."""
    return several[int(share * (len(several) - 1) + 0.5)]


def spread[T](several: Sequence[T], count: int) -> list[T]:
    """So many of them, evenly, the first and the last among them; all where there are fewer."""
    if len(several) <= count:
        return [*several]
    if count == 1:
        return [at_share(several, 0.5)]
    return [at_share(several, place / (count - 1)) for place in range(count)]
