"""Which objects are asked for together, and in which presentation contexts they may come.

An archive rarely transcodes, and an acceptor chooses one transfer syntax for each context, so that
every kind of object is offered once for each syntax it may be kept in (decisions/0015).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched, groupby

from ..standard.instance import Reference
from ..standard.sop_classes import STORAGE, sop_class
from ..standard.syntaxes import (
    COMPRESSED,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    NEWER,
    VIDEOS,
)
from ..standard.values import MAXIMUM_LENGTH, is_uid
from .negotiation import Storage

# PS3.8 9.3.2.2 has room for 128; the queries and retrievals take theirs first.
MOST_STORAGE = 116

# A value list has at most 65,534 bytes in Explicit VR (PS3.5 7.1.2), a UID at most 64. More in
# one identifier spares little and is more than some databases take in a condition.
MOST_UIDS = 500

UNCOMPRESSED = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)

# What most images are kept in, and what some are: in retired syntaxes, or in new ones of which the
# header is read. Contexts are scarce, so that these are offered for kinds that the archive names.
USUAL = tuple(uid for uid, how in COMPRESSED.items() if how.is_usual)
RARE = (EXPLICIT_VR_BIG_ENDIAN, *(uid for uid in COMPRESSED if uid not in USUAL), *NEWER)
EVERY = (*UNCOMPRESSED, *USUAL, *RARE, *VIDEOS)

# Kinds that may be videos (PS3.3 A.32.5 to A.32.7, and those of several frames in colour).
_VIDEO = frozenset(
    STORAGE + suffix
    for suffix in ("77.1.1.1", "77.1.2.1", "77.1.4.1", "7.4", "3.1", "77.1.1", "77.1.4")
)

# Offered first where an archive does not tell the kind of an object.
_USUAL = tuple(
    STORAGE + suffix
    for suffix in (
        *("2", "4", "1", "1.1", "7", "6.1", "3.1"),  # CT, MR, CR, DX, SC, US and US multi-frame
        *("88.11", "88.22", "88.33", "88.67", "104.1"),  # SR, dose report, PDF
    )
)

# Retired (PS3.6 Table A-1), and still in archives.
_RETIRED = tuple(
    "1.2.840.10008.5.1." + number
    for number in (
        *("4.1.1.3", "4.1.1.5", "4.1.1.6", "4.1.1.8", "4.1.1.9", "4.1.1.9.1", "4.1.1.10"),
        *("4.1.1.11", "4.1.1.12.3", "4.1.1.77.1", "4.1.1.77.2", "4.1.1.88.1", "4.1.1.88.2"),
        *("4.1.1.88.3", "4.1.1.88.4", "4.1.1.129", "1.29", "1.30", "4.34.1"),
    )
)


@dataclass(frozen=True, slots=True)
class Share:
    """What is fetched over one association: the contexts it needs, and its objects by series."""

    storage: frozenset[Storage]
    batches: tuple[tuple[Reference, ...], ...]


def shares(references: Sequence[Reference]) -> list[Share]:
    """The references in as few associations as their contexts allow, one series to a batch."""
    found: list[Share] = []
    rest = list(references)
    while rest:
        storage: set[Storage] = set()
        inside: list[Reference] = []
        outside: list[Reference] = []
        for kinds, those in _by_kinds(rest):
            if len(storage | kinds) <= MOST_STORAGE or not inside:
                storage |= kinds
                inside += those
            else:
                outside += those
        found.append(Share(frozenset(sorted(storage, key=str)[:MOST_STORAGE]), batches(inside)))
        rest = outside
    return found


def shares_of_rare(references: Sequence[Reference]) -> list[Share]:
    """All references, once per batch of rare SOP classes (uncompressed only), for archives that do
    not tell the class."""
    if not references:
        return []
    from pynetdicom.presentation import AllStoragePresentationContexts

    every = [
        *(str(context.abstract_syntax) for context in AllStoragePresentationContexts),
        *_RETIRED,
    ]
    rare = [
        Storage(sop_class, EXPLICIT_VR_LITTLE_ENDIAN)
        for sop_class in every
        if sop_class not in _USUAL
    ]
    those = batches(references)
    return [Share(frozenset(some), those) for some in batched(rare, MOST_STORAGE)]


def _by_kinds(references: Sequence[Reference]) -> list[tuple[set[Storage], list[Reference]]]:
    """The references by the contexts they need, those that need fewest first."""
    kinds: dict[tuple[str, tuple[str, ...]], list[Reference]] = {}
    for reference in references:
        kinds.setdefault((reference.sop_class_uid, reference.transfer_syntaxes), []).append(
            reference
        )
    return sorted(
        ((set(_contexts(*key)), those) for key, those in kinds.items()),
        key=lambda kind: len(kind[0]),
    )


def _contexts(sop_class: str, known: tuple[str, ...]) -> Iterator[Storage]:
    """Those of the SOP class as the archive names it, be it retired or private (PS3.4 B.5)."""
    is_named = _is_usable(sop_class)
    for offered in (sop_class,) if is_named else _USUAL:
        for syntax in _syntaxes(offered, known, is_named=is_named):
            yield Storage(offered, syntax)


def _is_usable(sop_class: str) -> bool:
    return is_uid(sop_class) and len(sop_class) <= MAXIMUM_LENGTH["UI"]


def _syntaxes(uid: str, known: tuple[str, ...], *, is_named: bool) -> tuple[str, ...]:
    """The syntaxes an object of this class is accepted in; `known` are those it is kept in."""
    if known:
        return tuple(syntax for syntax in EVERY if syntax in known or syntax in UNCOMPRESSED)
    if not sop_class(uid).has_pixels:
        return (*UNCOMPRESSED, EXPLICIT_VR_BIG_ENDIAN) if is_named else UNCOMPRESSED
    if not is_named:
        return (*UNCOMPRESSED, *USUAL)
    return (*UNCOMPRESSED, *USUAL, *RARE, *(VIDEOS if uid in _VIDEO else ()))


def batches(references: Sequence[Reference]) -> tuple[tuple[Reference, ...], ...]:
    """The references of one series each."""

    def series(reference: Reference) -> tuple[str, str]:
        return reference.study_instance_uid, reference.series_instance_uid

    return tuple(
        batch
        for _, those in groupby(sorted(references, key=series), key=series)
        for batch in batched(those, MOST_UIDS)
    )


def unique_keys(batch: Sequence[Reference], *, patient_id: str = "") -> Mapping[str, str]:
    """The keys that name these objects of one series (PS3.4 C.4.3.2.1, C.2.2.2.2)."""
    above = {"PatientID": patient_id} if patient_id else {}
    return {
        **above,
        "StudyInstanceUID": batch[0].study_instance_uid,
        "SeriesInstanceUID": batch[0].series_instance_uid,
        "SOPInstanceUID": "\\".join(reference.sop_instance_uid for reference in batch),
    }
