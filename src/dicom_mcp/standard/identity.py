"""Whose an object is, by its own account: instance, series, study, patient (PS3.3 C.7, C.12.1)."""

import re
import unicodedata
from dataclasses import dataclass

from .charset import decoder, visible
from .structure import walk

_CHARACTER_SET = 0x00080005
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_NAME, _ID, _ISSUER = 0x00100010, 0x00100020, 0x00100021
_STUDY, _SERIES = 0x0020000D, 0x0020000E

TAGS = frozenset({_CHARACTER_SET, _SOP_CLASS, _SOP_INSTANCE, _NAME, _ID, _ISSUER, _STUDY, _SERIES})

# The first tag after them.
_BEHIND = 0x0020000F

_SPACES = re.compile(r"[\s^]+")


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as one place writes them; "" for what it does not say."""

    id: str = ""
    issuer: str = ""
    name: str = ""

    def differs(self, other: "Patient") -> bool:
        """Whether these are told apart by more than how names and IDs are written: case, padding,
        empty components and separators don't count, nor does what only one of them says."""
        if _unlike(self.id, other.id) or (self.id and _unlike(self.issuer, other.issuer)):
            return True
        groups = zip(self.name.split("="), other.name.split("="), strict=False)
        return any(_unlike(mine, its) for mine, its in groups)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object says it is; "" for what it does not say."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    patient: Patient

    @classmethod
    def of(cls, values: dict[int, bytes]) -> "Identity":
        """From the values of TAGS as they stand in a data set."""
        charset = values.get(_CHARACTER_SET, b"").decode("latin-1").strip(" \0")

        def uid(tag: int) -> str:
            return values.get(tag, b"").decode("latin-1").strip(" \0")

        def text(tag: int, vr: str) -> str:
            return visible(decoder(charset)(values.get(tag, b""), vr)).strip(" \0")

        patient = Patient(text(_ID, "LO"), text(_ISSUER, "LO"), text(_NAME, "PN"))
        return cls(uid(_STUDY), uid(_SERIES), uid(_SOP_INSTANCE), uid(_SOP_CLASS), patient)


def identity(data_set: bytes | bytearray, transfer_syntax: str) -> Identity:
    """What a data set that is not deflated says it is, as far as it can be read."""
    return Identity.of(walk(data_set, transfer_syntax, TAGS, until=_BEHIND).values)


def _unlike(value: str, other: str) -> bool:
    plain, others = (
        _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
        for text in (value, other)
    )
    return bool(plain) and bool(others) and plain != others
