"""How the images of series lie, told from their headers."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..door.account import Account
from ..door.call import Call
from ..door.rows import filled, text
from ..errors import BadArgument
from ..standard.instance import Instance
from ..standard.note import incomplete
from ..standard.query import Match
from .objects import Fetched, Member, fetch, head, members, opened

# Images whose headers tell how a series lies.
_MOST_PLACED = 2_000
_MOST_STACKS = 4
_MOST_ODD = 20


def lying(call: Call, found: Account, several: Sequence[Match]) -> list[dict[str, Any]]:
    """How the images of each of these series lie; `found` is told the cost, and what is lacking."""
    from ..content.geometry import geometry

    if len(several) > _MOST_STACKS:
        raise BadArgument(
            f"geometry of {len(several)} series would take too long",
            f"Give at most {_MOST_STACKS} series_instance_uids",
        )
    rows: list[dict[str, Any]] = []
    for match in several:
        series, study = text(match, "SeriesInstanceUID"), text(match, "StudyInstanceUID")
        some = members(call, series, study)
        heads: list[Instance] = []
        fetched = Fetched()
        if len(some.objects) <= _MOST_PLACED:
            fetched = _heads(call, some.objects, heads)
        told = fetched.told(len(some.objects))
        if len(some.objects) > _MOST_PLACED:
            told = [incomplete(f"a series of more than {_MOST_PLACED} objects is not read.")]
        if told or not some.whole:
            told += [*some.notes, "What seems to be a gap may be an image that did not come."]
        found.complete = found.complete and not told
        found.note(*told, *fetched.remarks())
        if heads:
            lies = geometry(map(opened, heads))
            rows.append({"SeriesInstanceUID": series, **_geometry(asdict(lies))})
    return rows


def _heads(call: Call, some: Sequence[Member], heads: list[Instance]) -> Fetched:
    """The headers of these objects, without their pixels."""

    def take(_: Member, instance: Instance) -> bool:
        call.check()
        heads.append(head(instance))
        return True

    return fetch(call, some, take, headers=True)


def _geometry(found: dict[str, Any]) -> dict[str, Any]:
    """How a series lies, long lists of what is odd about it cut."""
    for stack in found["stacks"]:
        for name in ("gaps", "duplicates"):
            odd: Sequence[Any] = stack[name]
            more = [f"… {len(odd) - _MOST_ODD} more"] if len(odd) > _MOST_ODD else []
            stack[name] = [*odd[:_MOST_ODD], *more]
    stacks = [filled(stack) for stack in found["stacks"]]
    return filled({**found, "stacks": stacks, "notes": [*found["notes"]]})
