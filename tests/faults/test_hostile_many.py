"""Many hostile objects, each on the way that objects come: in time and bounds, nothing incomplete
called complete. Any number of them by `make hostile`."""

from collections.abc import Iterator

import pytest

from tests.faults.hostile_ground import WAYS, Ground, ground
from tests.faults.hostile_objects import Hostile, hostile

# 2,000, in parts that end in time on a slow machine.
PARTS, COUNT = 4, 500


@pytest.fixture(scope="module")
def there() -> Iterator[Ground]:
    with ground() as there:
        yield there


@pytest.mark.filterwarnings("ignore")  # pydicom's, about what is made here
@pytest.mark.parametrize("part", range(PARTS))
def test_a_hostile_object_is_told_in_time_and_bounds_and_never_called_complete_when_it_is_not(
    there: Ground,
    part: int,
) -> None:
    ended: set[str] = set()
    faults: list[str] = []
    for seed in range(part * COUNT, (part + 1) * COUNT):
        for looked in there.look(seed, WAYS[seed % len(WAYS)]):
            ended.add(looked.how)
            faults += [f"seed {seed}: {fault}" for fault in looked.faults]
    assert not faults
    assert ended == {"error", "complete", "not complete"}


@pytest.mark.filterwarnings("ignore")
def test_six_at_once_are_in_the_same_bounds(there: Ground) -> None:
    faults = [fault for looked in there.look_at_once(heavy(6)) for fault in looked.faults]
    assert not faults


def heavy(count: int) -> list[Hostile]:
    """Some that unfold to much, or take long to decode."""
    found: list[Hostile] = []
    seed = 0
    while len(found) < count:
        one = hostile(seed := seed + 1)
        if len(one.content) > 1 << 20 or "scans" in one.kind:
            found.append(one)
    return found
