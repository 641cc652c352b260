"""The functional groups of a multi-frame object: what holds for one frame (PS3.3 C.7.6.16)."""

from .elements import Elements


def group(elements: Elements, frame: int, sequence: str) -> Elements:
    """The item of this functional group for frame `frame` (from 1): its own, else the shared one;
    without elements where the object has neither."""
    own = elements.item("PerFrameFunctionalGroupsSequence", frame)
    shared = elements.first("SharedFunctionalGroupsSequence")
    return own.first(sequence) if sequence in own else shared.first(sequence)


def placed(elements: Elements, frame: int, sequence: str, keyword: str) -> Elements:
    """Where the attribute stands for this frame: in its functional group, else at the top."""
    found = group(elements, frame, sequence)
    return found if keyword in found else elements
