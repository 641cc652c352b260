"""Objects: which one is meant, and what came of it, independent of how it travels."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .note import Note


@dataclass(frozen=True, slots=True)
class Reference:
    """An object to be fetched: where it belongs, and what is known of its kind.

    `transfer_syntaxes` are those the archive said it has it in (0008,3002); none when it did not.
    """

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str = ""
    transfer_syntaxes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Instance:
    """An object as it travelled: its data set still encoded, without file meta information.

    `without_bulk` says that pixels and other bulk data were left out on purpose, `kept_apart` which
    tags surely were (pixels aside), `is_beginning` that it is too large and only its beginning
    came, for its header; `asked` is what it came for. `is_ended` is False where nothing showed that
    more was to come, and nothing that it was not; `came_in` is the transfer syntax that it was
    deflated in.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax: str
    data_set: bytearray
    without_bulk: bool = field(default=False, compare=False)
    asked: Reference | None = field(default=None, compare=False)
    is_ended: bool = field(default=True, compare=False)
    kept_apart: frozenset[int] = field(default=frozenset(), compare=False)
    came_in: str = field(default="", compare=False)
    is_beginning: bool = field(default=False, compare=False)


# What is done with each object as it arrives; False when no more are wanted.
type TakeInstance = Callable[[Instance], bool]


@dataclass(frozen=True, slots=True)
class Retrieved:
    """How fetching ended: by which service, how many objects came, and which did not come.

    `notes` say why some are missing and what the service could not do.
    """

    service: str
    count: int
    missing: tuple[Reference, ...] = ()
    notes: tuple[Note, ...] = ()
