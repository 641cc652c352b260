"""Which attributes describe which entity: what the embedded archive supports at each level."""

from functools import cache

from ..standard.dictionary import attribute
from ..standard.entities import ATTRIBUTES, level_of
from ..standard.levels import UNIQUE_KEY, Level

# Answered at every level and never matched (PS3.4 C.4.1.1.3.2, PS3.3 C.4.23.1.1).
EVERYWHERE = frozenset({"InstanceAvailability", "RetrieveAETitle"})

# Sequences of the instance that are worth asking for; the large ones stay in the object.
_INSTANCE_SEQUENCES = frozenset({
    "AnatomicRegionSequence", "ConceptNameCodeSequence", "ContentTemplateSequence",
    "ReferencedRequestSequence", "VerifyingObserverSequence", "ViewCodeSequence",
})  # fmt: skip

_BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

# Of the study and series that a row of each table describes; the patient's stand in the study's
# row too, because each study keeps the patient as it knew them.
DESCRIBED_BY: dict[Level, frozenset[str]] = {
    Level.PATIENT: ATTRIBUTES[Level.PATIENT],
    Level.STUDY: ATTRIBUTES[Level.PATIENT] | ATTRIBUTES[Level.STUDY],
    Level.SERIES: ATTRIBUTES[Level.SERIES],
}


@cache
def is_indexed(keyword: str) -> bool:
    """Whether the archive keeps this attribute of the objects it holds ready for questions."""
    known = attribute(keyword)
    if known is None or known.vr in _BULK_VRS:
        return False
    if known.vr == "SQ" and level_of(keyword) is Level.IMAGE:
        return keyword in _INSTANCE_SEQUENCES
    return True


def is_supported(keyword: str, level: Level) -> bool:
    """Whether the attribute can be matched and returned at this level (PS3.4 C.2.2.1).

    An attribute of a level below describes one of many and is not; those of levels above are.
    """
    if keyword in EVERYWHERE:
        return True
    of = level_of(keyword)
    return is_indexed(keyword) and (of is level or of in level.above)


def unique_keys_above(level: Level, top: Level) -> tuple[str, ...]:
    """The unique keys between a model's topmost level and this one (PS3.4 C.4.1.2.2.1)."""
    return tuple(UNIQUE_KEY[upper] for upper in level.above if upper is top or top in upper.above)
