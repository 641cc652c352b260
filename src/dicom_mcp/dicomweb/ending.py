"""Whether an object whose answer told neither its length nor its end is whole.

Its lengths tell of a cut within a value or a sequence (`standard.structure`). One between two
elements leaves a data set that is sound and only shorter: what follows is then missing, so that the
tag it ends with says whether it is whole. Nothing of weight follows pixels; of other objects their
metadata, an array in JSON that tells its own end, says how far they go.
"""

from collections.abc import Callable
from dataclasses import replace

from ..standard.instance import Instance
from ..standard.structure import PIXEL_DATA, Structure, walk
from ..standard.syntaxes import DEFLATED

_LINE_END = b"\r\n"


def settled(instance: Instance, last_tag: Callable[[], int]) -> Instance:
    """The object, its end known where it can be: `last_tag` asks for the last one of its metadata,
    and says 0 where there is none."""
    if instance.is_ended:
        return instance
    if instance.transfer_syntax in DEFLATED:
        return replace(instance, is_ended=True)
    structure = walk(instance.data_set, instance.transfer_syntax)
    if structure.faults and instance.data_set.endswith(_LINE_END):
        # It may be the end of the line before the boundary that is missing.
        shorter = bytes(memoryview(instance.data_set)[: -len(_LINE_END)])
        found = walk(shorter, instance.transfer_syntax)
        if not found.faults:
            instance, structure = replace(instance, data_set=bytearray(shorter)), found
    # One that is damaged is told to be so by whoever reads it.
    return replace(instance, is_ended=bool(structure.faults) or _reaches(structure, last_tag))


def _reaches(structure: Structure, last_tag: Callable[[], int]) -> bool:
    end = max(structure.tags, default=0)
    return end >= min(PIXEL_DATA) or 0 < last_tag() <= end
