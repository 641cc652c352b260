"""Days between a study and the one before it, and the one of its kind before it."""

from collections.abc import Sequence
from typing import Any

from .study import Study

# What it adds to a study's record.
SINCE = ("days_since_previous", "days_since_same_kind")

# Two codes for one way to take a picture: computed and digital radiography.
_ALIKE = {"DX": "CR"}


class Intervals:
    """The studies of one patient, all there are, newest first; those without a date count not."""

    def __init__(self, studies: Sequence[Study]) -> None:
        self._studies = [study for study in studies if study.day]
        # Studies of which it cannot be told what kind they are.
        self.untold = sum(not _is_told(study) for study in self._studies)

    def row(self, study: Study) -> dict[str, Any]:
        """How many days before this one the previous study was, and the previous one of its kind:
        of one of its modalities, and of the same body part. Nothing where there was none."""
        if not study.day:
            return {}
        at = next(n for n, other in enumerate(self._studies) if other.match is study.match)
        earlier = self._studies[at + 1 :]
        row: dict[str, Any] = {}
        nearest = next(iter(earlier), None)
        alike = next((previous for previous in earlier if _alike(previous, study)), None)
        for name, before in zip(SINCE, (nearest, alike), strict=True):
            if before and before.day:
                row[name] = (study.day - before.day).days
        return row


def _alike(study: Study, other: Study) -> bool:
    return (
        bool(study.body_part)
        and study.body_part == other.body_part
        and bool(_ways(study) & _ways(other))
    )


def _ways(study: Study) -> set[str]:
    return {_ALIKE.get(modality, modality) for modality in study.main}


def _is_told(study: Study) -> bool:
    return bool(study.body_part and study.main)
