"""What arrives, before anybody reads it: is it whole, and is it what was asked for?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..budgets import LARGEST_INFLATED
from ..content.error import ContentError
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.identity import Identity, Patient
from ..standard.instance import Instance, Reference
from ..standard.levels import Level
from ..standard.note import Named, Note, Parts, incomplete, joined, perhaps, remark
from ..standard.query import Query
from ..standard.values import shown

if TYPE_CHECKING:
    from ..content.apart import Apart

# Of the call's time, for asking whose a study is.
_SECONDS = 4.0

# Patients a study may have by the archive's account, and objects named in one note.
_MOST_PATIENTS = 20
_MOST_NAMED = 5

_WHOSE = ("PatientID", "IssuerOfPatientID", "PatientName")


@dataclass(frozen=True, slots=True)
class Received:
    """An object as it can be read, with what is wrong with it: `faults` cost something of it,
    `beyond` is the bound that it was read to,
    `differences` tell what it says otherwise than the archive, `stranger` is why it is none of
    those that were asked for."""

    instance: Instance
    faults: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    differences: tuple[Note, ...] = ()
    remarks: tuple[str, ...] = ()
    stranger: str = ""
    beyond: str = ""

    @property
    def data_set(self) -> bytearray:
        """As much of it as can be read."""
        return self.instance.data_set


@dataclass(slots=True)
class Objections:
    """What has to be said of the objects of one call, each kind once with those it is said of."""

    faults: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    doubts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    remarks: dict[Note, list[str]] = field(default_factory=dict[Note, list[str]])
    bounds: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def learn(self, name: str, received: Received) -> None:
        """Note what is wrong with the object that a note calls so."""
        for kinds, told in (
            (self.faults, received.faults),
            (self.doubts, received.doubts),
            (self.bounds, filter(None, [received.beyond])),
        ):
            for fault in told:
                kinds.setdefault(fault, []).append(name)
        for note in (*received.differences, *map(remark, received.remarks)):
            self.remarks.setdefault(note, []).append(name)

    def incomplete(self) -> list[Note]:
        """What costs something of an object, or may."""
        told = [
            incomplete(
                f"damaged, and read as far as it is sound ({_names(names)}): {fault}. "
                "Retrieve it again, or look at how the archive keeps it."
            )
            for fault, names in self.faults.items()
        ]
        told += [
            incomplete(
                f"too much to be read here, and not read further ({_names(names)}): "
                f"{bound}. No honest object has; ask whoever made it."
            )
            for bound, names in self.bounds.items()
        ]
        return told + [
            perhaps(f"{_names(names)}: {doubt}.") for doubt, names in self.doubts.items()
        ]

    def told(self) -> list[Note]:
        """What has to be known of objects that are whole."""
        return [
            remark(f"Attention ({_names(names)}): ", *note.parts, ".")
            for note, names in self.remarks.items()
        ]


def received(
    instance: Instance,
    wanted: Reference,
    patients: Collection[Patient],
    apart: "Apart | None" = None,
) -> Received:
    """Look through an object and compare it with what was asked for, of which the archive says
    that it is one of these patients' (none where that is not known)."""
    from ..content.inspection import inspected

    try:
        found = inspected(
            instance.data_set,
            instance.transfer_syntax,
            most=LARGEST_INFLATED,
            without_bulk=instance.without_bulk,
            apart=apart,
        )
    except ContentError as trouble:  # told again by whoever reads it
        return Received(instance, (trouble.happened,))
    who = found.identity
    elsewhere = _elsewhere(who, wanted)
    of_another = _whose(who.patient, patients)
    is_another = who.sop_instance_uid not in ("", wanted.sop_instance_uid)
    if is_another and of_another and who.study_instance_uid != wanted.study_instance_uid:
        return Received(instance, stranger="it is of another study and patient, by its data set")
    if found.data_set is not instance.data_set:
        held = found.data_set
        instance = replace(
            instance,
            data_set=held if isinstance(held, bytearray) else bytearray(held),
            transfer_syntax=found.transfer_syntax,
            came_in=found.came_in,
        )
    doubts = [*found.doubts, *elsewhere]
    if not instance.is_ended:
        doubts.append(
            "the archive told neither how long it is nor where it ends, and the connection was "
            "closed after it: what stands last in it may be missing"
        )
    differences = [*_otherwise(who, instance), *of_another]
    told = found.faults, tuple(doubts), tuple(differences), found.remarks
    return Received(instance, *told, beyond=found.beyond)


def patients_of(call: Call, studies: Collection[str]) -> Mapping[str, Collection[Patient]]:
    """Whose these studies are by the archive's account; none where it does not tell."""
    found: dict[str, Collection[Patient]] = {}
    for study in studies:
        key = ("patients", call.source, study)
        known: Collection[Patient] | None = call.house.lists.get(key)
        if known is None:
            known = _patients(call.within(_SECONDS), study)
            call.house.lists.put(key, known)
        found[study] = known
    return found


def _patients(call: Call, study: str) -> Collection[Patient]:
    query = Query(Level.STUDY, {"StudyInstanceUID": study}, _WHOSE)
    try:
        answer = call.find(query, limit=_MOST_PATIENTS)
    except ArchiveError:
        return ()
    several = [Patient(*(text(match, name) for name in _WHOSE)) for match in answer.matches]
    return tuple(patient for patient in several if patient.id or patient.name)


def _elsewhere(who: Identity, wanted: Reference) -> list[str]:
    """Where it says that it is, or belongs to, something else than was asked for."""
    pairs = {
        "study": (who.study_instance_uid, wanted.study_instance_uid),
        "series": (who.series_instance_uid, wanted.series_instance_uid),
        "object": (who.sop_instance_uid, wanted.sop_instance_uid),
    }
    other = [f"{what} ({its})" for what, (its, asked) in pairs.items() if its and its != asked]
    if not other:
        return []
    return [
        f"by its own account what came is of another {', '.join(other)} than was asked, and may "
        "not be what is meant"
    ]


def _otherwise(who: Identity, instance: Instance) -> list[Note]:
    """Where what it travelled with says otherwise (PS3.7 9.1.1, PS3.10 7.1)."""
    pairs = {
        "SOP Class UID": (who.sop_class_uid, instance.sop_class_uid),
        "SOP Instance UID": (who.sop_instance_uid, instance.sop_instance_uid),
    }
    return [
        remark(f"it was sent with another {what} than it says itself; what it says itself counts")
        for what, (its, sent) in pairs.items()
        if its and sent and its != sent
    ]


def _whose(patient: Patient, patients: Collection[Patient]) -> list[Note]:
    """Where it names another patient than the archive does for its study."""
    if not patients or not (patient.id or patient.name):
        return []
    if not all(patient.differs(known) for known in patients):
        return []
    return [
        remark(
            "the object itself names another patient, ",
            *_called(patient),
            ", than the archive does for its study, ",
            *joined(" or ", map(_called, patients)),
            ": a mix-up, or a correction that did not reach it",
        )
    ]


def _called(patient: Patient) -> Parts:
    who: list[str | Named] = [
        Named("PatientName", shown(patient.name)),
        " with the ID ",
        Named("PatientID", shown(patient.id)),
    ]
    issuer = Named("IssuerOfPatientID", shown(patient.issuer))
    return [*who, " of ", issuer] if patient.issuer else who


def _names(names: Sequence[str]) -> str:
    several = list(dict.fromkeys(names))
    more = [f"{len(several) - _MOST_NAMED} more"] if len(several) > _MOST_NAMED else []
    return ", ".join([*several[:_MOST_NAMED], *more])
