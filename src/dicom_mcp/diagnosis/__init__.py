"""What is wrong with a connection and what an archive can do, found by asking it and only asking.

Each step says what happened in words, what to try, and the command that repeats it without us.
"""

from ..deadline import Deadline
from ..node import AnyNode, WebNode
from ..truth.exchange import Exchange
from ..truth.habits import Habits
from .step import Capability, Diagnosis, Step, Watch, unwatched

__all__ = ["SECONDS", "Capability", "Diagnosis", "Step", "diagnose"]

# Enough for every step and every question of the probe, even to a slow archive.
SECONDS = 60.0


def diagnose(
    node: AnyNode,
    habits: Habits,
    *,
    deadline: Deadline,
    exchange: Exchange | None = None,
    watch: Watch = unwatched,
) -> Diagnosis:
    """Walk from the name of the host to what is answered; what was learned is kept in `habits`.
    Where others ask the archive too, over this `exchange`, no more is held than it may hold.
    `watch` is told of each step when it was taken.

    Nothing is stored or changed there. Raises Cancelled, and DeadlinePassed where the others leave
    no association; whatever else fails is in the diagnosis.
    """
    if isinstance(node, WebNode):
        from .web import walk  # h11, only when asked
    else:
        from .association import walk  # pynetdicom, only when asked
    return walk(node, habits, deadline, exchange, watch)  # pyright: ignore[reportArgumentType] - by its kind
