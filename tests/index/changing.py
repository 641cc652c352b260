"""An archive whose studies change, and what an index may then claim of them."""

import random
from collections import defaultdict
from collections.abc import Sequence

from pydicom.dataset import Dataset

from tests.index.filled import Filled
from tests.truth.archives import images


def kept_at(day: int, version: int, study: int) -> list[Dataset]:
    return images(
        1, study=study, StudyDate=f"202603{day:02}", StudyDescription=f"version {version}"
    )


def change(random_: random.Random, held: dict[int, tuple[int, int]], version: int) -> None:
    """Studies arrive, are corrected, move to another day, and go."""
    for study in range(1, 9):
        match random_.randrange(4):
            case 0:
                held.pop(study, None)
            case 1:
                held[study] = (random_.randint(1, 28), version)
            case 2 if study in held:
                held[study] = (held[study][0], version)
            case _:
                pass


def by_day_of(held: dict[int, tuple[int, int]]) -> dict[str, set[tuple[str, str]]]:
    by_day: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for study, (day, version) in held.items():
        by_day[f"2026-03-{day:02}"].add((f"1.2.{study}", f"version {version}"))
    return dict(by_day)


def check_claims(
    index: Filled, history: Sequence[tuple[float, dict[str, set[tuple[str, str]]]]]
) -> None:
    """Each day that is called whole holds what the archive held when it was asked for."""
    kept: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for uid, description, day in index.rows(
        "SELECT study_uid, study_description, study_date::VARCHAR FROM studies"
    ):
        kept[day].add((uid, description))
    for day, entry in index.ledger.days().items():
        if entry.whole and entry.asked and day:
            then = [held for since, held in history if since <= entry.asked][-1]
            assert kept[day] == then.get(day, set()), (day, entry)
