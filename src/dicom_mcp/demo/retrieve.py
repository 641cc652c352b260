"""C-GET and C-MOVE as the embedded archive answers them (PS3.4 C.4.2, C.4.3)."""

from collections.abc import Iterable, Iterator

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom.presentation import PresentationContext, build_context

from ..standard.levels import UNIQUE_KEY, Model
from .find import IDENTIFIER_DOES_NOT_MATCH, Hierarchy, Refused, request
from .index import Held, Index

# What an object is without at its top level (PS3.4 Table Z.1-1); groups 50xx and 60xx repeat.
_BULK = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData", "SpectroscopyData"})
_REPEATING_BULK = {0x5000: {0x200C, 0x3000}, 0x6000: {0x3000}}

# PS3.8 9.3.2.2: context IDs are the odd numbers of one byte.
_MOST_CONTEXTS = 128


def wanted(index: Index, identifier: Dataset, model: Model, hierarchy: Hierarchy) -> list[Held]:
    """The objects an identifier selects by unique keys; UIDs may be lists.

    Raises Refused with 0xA900 when the identifier lacks the unique key of its level, or has a
    wildcard in one (PS3.4 C.4.2.2.1, C.4.3.2.1).
    """
    asked = request(identifier, model, hierarchy)
    unique: dict[str, list[str]] = {}
    for level in (*asked.level.above, asked.level):
        key = asked.keys.get(UNIQUE_KEY[level])
        if not isinstance(key, tuple) or not key[1]:
            continue
        if {"*", "?"} & set(key[1]):
            raise Refused(IDENTIFIER_DOES_NOT_MATCH)
        unique[UNIQUE_KEY[level]] = [value.strip(" \0") for value in key[1].split("\\")]
    if UNIQUE_KEY[asked.level] not in unique:
        raise Refused(IDENTIFIER_DOES_NOT_MATCH)
    return index.held(unique)


def contexts(held: Iterable[Held]) -> list[PresentationContext]:
    """One presentation context for each SOP class and transfer syntax, as many as there can be."""
    pairs = dict.fromkeys(
        (instance.sop_class_uid, instance.transfer_syntax_uid) for instance in held
    )
    return [build_context(*pair) for pair in list(pairs)[:_MOST_CONTEXTS]]


def data_sets(index: Index, held: Iterable[Held]) -> Iterator[Dataset]:
    """Each object as it was stored, ready to be sent in its own transfer syntax."""
    for instance in held:
        # An object that was replaced meanwhile is sent as it is now, one that is gone fails.
        found = index.data_set(instance.sop_instance_uid) or Dataset()
        found.SOPInstanceUID = UID(instance.sop_instance_uid)
        found.file_meta = FileMetaDataset()
        found.file_meta.TransferSyntaxUID = UID(instance.transfer_syntax_uid)
        yield found


def headers(index: Index, held: Iterable[Held]) -> Iterator[Dataset]:
    """Each object without its bulk data, which needs no compression."""
    for found in data_sets(index, held):
        _strip(found)
        found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        yield found


def _strip(dataset: Dataset) -> None:
    for tag in list(dataset.keys()):
        group = _REPEATING_BULK.get(tag.group & 0xFF00, set())
        if keyword_for_tag(tag) in _BULK or tag.element in group:
            del dataset[tag]
    for item in dataset.get("WaveformSequence", []):
        del item.WaveformData
