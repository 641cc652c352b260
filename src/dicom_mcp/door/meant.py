"""What a caller means by an argument that is called otherwise, or given in another form.

A schema shows one word and one form of each; models bring those of the neighbouring tool, of
DICOM, or of another server. Only what cannot mean anything else is understood; the rest is refused.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from ..errors import BadArgument, BadType
from ..standard.values import shown

# Words for the same thing; a tool has one of each row at most.
_SAME: tuple[tuple[str, ...], ...] = (
    ("patient_name", "name_pattern", "name", "patients_name"),
    ("modality", "modality_in_study", "modalities", "modalities_in_study"),
    ("ae_title", "calling_ae_title", "our_ae_title"),
    ("study_instance_uid", "study_instance_uids", "study_uid", "study_uids"),
    ("series_instance_uid", "series_instance_uids", "series_uid", "series_uids"),
    ("sop_instance_uid", "sop_instance_uids", "sop_uid", "instance_uid"),
    ("patient_id", "patient_ids"),
    ("accession_number", "accession_numbers"),
    ("birth_date", "patient_birth_date", "patients_birth_date", "date_of_birth"),
    ("study_date", "date", "dates", "study_dates", "scheduled_date"),
    ("attribute_preset", "preset"),
    ("additional_attributes", "attributes"),
    ("body_part", "body_part_examined"),
    ("station", "station_name"),
    ("node", "nodes"),
)

# Arguments whose one text may name several things, between commas.
_NAMES = frozenset({"group_by", "additional_attributes", "exclude_attributes", "attributes"})
# Those in which several things are one text.
_LISTED_IN_TEXT = frozenset({"node", "modality", "modality_in_study"})

_TAG = re.compile(r"[0-9A-Fa-f]{4},[0-9A-Fa-f]{4}")


def by_our_names(tool: str, given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The arguments by the names that this tool has for them; others as they are.

    Raises BadArgument where one thing is said twice, and not the same; an empty one says nothing.
    """
    meant: dict[str, Any] = {}
    called: dict[str, str] = {}
    for name, value in given.items():
        ours = name if name in known else _our_name(name, known)
        if ours in called:
            before = meant[ours]
            if _is_empty(value) or _flat(value) == _flat(before):
                continue
            if not _is_empty(before):
                raise BadArgument(
                    f"{tool} was given {shown(called[ours])} and {shown(name)}, which are the same "
                    "here, with different values",
                    f"Give {ours} alone",
                )
        meant[ours], called[ours] = value, name
    return meant


def remarks(given: Mapping[str, Any]) -> list[str]:
    """What to say of arguments whose form may have lost something: 104217 and 00104217 are two
    patients, and a number has no zeros at its start."""
    numbers = [
        name
        for name, value in given.items()
        if _plain(name).startswith(("patientid", "accessionnumber"))
        for part in _flat(_read(value))
        if isinstance(part, int | float)
    ]
    return [
        f"{shown(name)} was given as a number, which has no zeros at its start: if the real one "
        "has, another was asked for. Give it as text."
        for name in dict.fromkeys(numbers)
    ]


def in_our_form(name: str, value: Any, annotation: Any) -> Any:
    """A text where a list is wanted, a list where a text is, a number where a text is.

    Raises BadType for several values where there can be one, for none, and for a yes where a
    number is.
    """
    kinds = _kinds(annotation)
    if isinstance(value, str) and (name in _LISTED_IN_TEXT or kinds != {str}):
        value = _read(value)
    if isinstance(value, bool) and kinds & {int, float}:
        raise BadType(f"{name}: a number is wanted, not {str(value).lower()}", f"Give {name} as 1")
    if isinstance(value, list):
        values = _flat(value)
        if not values and str in kinds:  # none of these is not any of them
            raise BadType(f"{name}: the list is empty", f"Leave {name} out to ask for any")
        if list in kinds:
            texts = [_as_text(part) for part in values]
            return _parts(texts) if name in _NAMES else texts
        if len(values) == 1:
            return in_our_form(name, values[0], annotation)
        if name in _LISTED_IN_TEXT and values and all(isinstance(part, str) for part in values):
            return ", ".join(values)
        if str in kinds:
            raise BadType(
                f"{name}: one value is wanted, not a list of {len(values)}",
                f"Give {name} as one text, and ask once for each",
            )
        return values
    if isinstance(value, str) and list in kinds and str not in kinds:
        return _parts([value]) if name in _NAMES else [value] if value.strip() else []
    if str in kinds and not kinds & {int, float}:
        return _as_text(value)
    return value


def _read(value: Any) -> Any:
    """A list or an object that a client wrote as text, read."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _flat(value: Any) -> list[Any]:
    """The values, those of lists within a list too."""
    if not isinstance(value, list):
        return [value]
    return [part for nested in cast("list[Any]", value) for part in _flat(nested)]


def _is_empty(value: Any) -> bool:
    return not any(part != "" for part in _flat(value))


def _parts(names: Sequence[Any]) -> list[Any]:
    """The names, those between commas apart; a tag has one of its own."""
    return [
        part
        for name in names
        for part in (
            re.split(r"\s*[,;]\s*", name.strip())
            if isinstance(name, str) and not _TAG.search(name)
            else [name]
        )
        if part or not isinstance(name, str)
    ]


def _our_name(name: str, known: Collection[str]) -> str:
    plain = _plain(name)
    for ours in known:
        if _plain(ours) == plain:
            return ours
    for same in _SAME:
        if plain in map(_plain, same):
            ours = [name for name in same if name in known]
            return ours[0] if len(ours) == 1 else name
    return name


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _as_text(value: Any) -> Any:
    """A number as it would be written; leading zeros are lost already."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(int(value)) if float(value).is_integer() else str(value)


def _kinds(annotation: Any) -> set[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kinds(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return {kind for choice in get_args(annotation) for kind in _kinds(choice)}
    if origin is Literal:
        return {str}
    return {origin or annotation}
