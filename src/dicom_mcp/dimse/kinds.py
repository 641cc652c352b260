"""What must be known of objects before they can be asked for, and what a C-FIND tells of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from ..errors import NoAcceptedContext, StatusFailure
from ..standard.instance import Reference
from ..standard.levels import Level
from ..standard.query import Answer, Query

type Find = Callable[[Query], Answer]

# SOP class UID and the transfer syntaxes an object is kept in.
type _Kind = tuple[str, tuple[str, ...]]


def with_kinds(references: Sequence[Reference], find: Find) -> list[Reference]:
    """The references with the kinds of object that were not known, as far as the archive tells."""
    unknown: dict[tuple[str, str], set[str]] = {}
    for reference in references:
        if not reference.sop_class_uid:
            series = reference.study_instance_uid, reference.series_instance_uid
            unknown.setdefault(series, set()).add(reference.sop_instance_uid)
    kinds: dict[str, _Kind] = {}
    for (study, series), uids in unknown.items():
        with suppress(StatusFailure, NoAcceptedContext):  # the usual kinds are offered then
            kinds |= _kinds(study, series, uids, find)
    return [
        replace(reference, sop_class_uid=kinds[uid][0], transfer_syntaxes=kinds[uid][1])
        if (uid := reference.sop_instance_uid) in kinds
        else reference
        for reference in references
    ]


def patient_of(study: str, find: Find) -> str:
    """The patient a Patient Root wants to know; "" where that cannot be learned."""
    query = Query(Level.STUDY, {"StudyInstanceUID": study}, ("PatientID",))
    found: list[str] = []
    with suppress(StatusFailure, NoAcceptedContext), find(query) as answer:
        for match, _ in answer:
            if match.get("StudyInstanceUID") == study:
                found.append(str(match.get("PatientID", "")))
            elif found:
                break  # others come too
    return found[0] if found else ""


def _kinds(study: str, series: str, uids: set[str], find: Find) -> dict[str, _Kind]:
    keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
    if len(uids) == 1:
        (keys["SOPInstanceUID"],) = uids
    found: dict[str, _Kind] = {}
    query = Query(Level.IMAGE, keys, ("SOPClassUID", "AvailableTransferSyntaxUID"))
    with find(query) as answer:
        for match, _ in answer:
            uid, kind = match.get("SOPInstanceUID"), match.get("SOPClassUID")
            if uid in uids and isinstance(kind, str) and kind:
                syntaxes = match.get("AvailableTransferSyntaxUID", "")
                told = syntaxes if isinstance(syntaxes, list) else [syntaxes]
                found[uid] = kind, tuple(str(syntax) for syntax in told if syntax)
            if uid not in uids and len(found) == len(uids):
                break  # others come too
    return found
