"""A day that is too long for one answer, asked by time.

It is asked from its end, each stretch made for about as many matches as the archive gives at once,
by what the stretch after it had.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .asking import Part

_LAST = 86_399  # the last second of a day

# A stretch is at most so many times as long as the one after it.
_LONGER = 8


@dataclass(slots=True)
class Times:
    """One day by time, down to a second.

    `put` asks for one range of StudyTime, `is_cut` says whether its answer was too long, and `room`
    how many matches a stretch is made for.
    """

    put: Callable[[str], Part | None]
    is_cut: Callable[[Part], bool]
    room: Callable[[], float]
    # How many matches the stretches had that were not cut.
    rows: int = 0
    # Stretches that did not come, and seconds that were too long for one answer.
    missing: list[str] = field(default_factory=list[str])
    too_long: list[tuple[str, Part]] = field(default_factory=list[tuple[str, Part]])

    def ask_all(self, told: Sequence[Mapping[str, str]]) -> bool:
        """Ask for all of the day, of which these matches came; False when what comes shows that
        the archive does not compare times."""
        first, last, left_out = _after(2, 0, _LAST, told), _LAST, 2
        while last >= 0:
            time = f"{_written(first)}-{_written(last)}.999999"
            part = self.put(time)
            if part is None:
                self.missing.append(f"{_written(0)}-{_written(last)}.999999")
                return True
            if any(not _written(first) <= _written_in(row) <= _written(last) for row in part.told):
                return False
            if self.is_cut(part) and first < last:
                first = _after(left_out, first, last, part.told)
                continue
            if self.is_cut(part):
                self.too_long.append((time, part))
            elif part.ending.whole:
                self.rows += part.rows
            else:
                self.missing.append(time)
            length, left_out = self._length_before(first, last, part), 3  # it was nearly right
            first, last = max(0, first - length), first - 1
        return True

    def _length_before(self, first: int, last: int, part: Part) -> int:
        """How many seconds before this stretch are expected to have what a stretch is made for."""
        latest = max((_second(row) for row in part.told), default=last)
        rate = max(part.rows, self.room() / _LONGER) / (min(latest, last) - first + 1)
        return max(1, round(self.room() / rate))


def _after(share: int, first: int, last: int, told: Sequence[Mapping[str, str]]) -> int:
    """Where a stretch begins without its first half, or third; of the matches that are `told`, some
    are before it and some after, if they are not all of one second."""
    came = [*map(_second, told)]
    seconds = sorted(came)
    at = seconds[(len(seconds) - 1) // share] if seconds else first + (last - first) // share
    if came == seconds and seconds[:1] < seconds[-1:]:
        at = max(at, last - (seconds[-1] - first))  # the earliest came: as many take so long
    return min(max(at, first), last - 1) + 1


def _written_in(told: Mapping[str, str]) -> str:
    return told["StudyTime"][:6]


def _second(told: Mapping[str, str]) -> int:
    """Of the day, of a time as DICOM writes it (PS3.5 6.2)."""
    written = told["StudyTime"].replace(":", "")[:6].ljust(6, "0")
    return (
        int(written[:2]) * 3600 + int(written[2:4]) * 60 + int(written[4:])
        if written.isdecimal()
        else 0
    )


def _written(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"
