"""What a count reads of studies: where that is the same of several, one can stand for them."""

from dataclasses import dataclass, field


class UnlikeError(Exception):
    """What is asked for cannot be told of studies that are alike: each has to be asked for."""


@dataclass(slots=True)
class Alike:
    """What is read of the `series` of studies, where it is; of studies it is what a query wants.

    `each_series` says that series are counted and not studies, `images` that their images are
    summed, and `periods` as which alone the study's date is read (None: as it is). `numbers` tells
    how many a study, or a series, stands for, where that is not one.
    """

    series: tuple[str, ...] = ()
    each_series: bool = False
    images: bool = False
    periods: frozenset[str] | None = None
    numbers: dict[str, int] = field(default_factory=dict[str, int])
