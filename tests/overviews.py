"""What an overview of a study must say, by plain loops over its objects."""

from collections.abc import Iterable
from typing import Any

from pydicom.dataset import Dataset

STORAGE = "1.2.840.10008.5.1.4.1.1."
# What the objects of the demo hospital are, by their SOP class.
TRUE_KINDS = {
    "2": "images",
    "4": "images",
    "1": "images",
    "6.1": "images",
    "3.1": "images",
    "9.1.1": "waveform",
    "88.11": "report",
    "88.34": "measurements",
    "88.67": "dose report",
    "104.1": "document",
    "481.2": "radiotherapy dose",
    "481.3": "radiotherapy structures",
    "481.5": "radiotherapy plan",
}
READABLE = {"report", "measurements", "dose report", "document"}


def by_series(held: Iterable[Dataset], study: str) -> dict[str, list[Dataset]]:
    """The objects of each series of a study, in the order of their numbers."""
    found: dict[str, list[Dataset]] = {}
    for one in sorted(
        (one for one in held if one.StudyInstanceUID == study), key=lambda one: one.SeriesNumber
    ):
        found.setdefault(str(one.SeriesInstanceUID), []).append(one)
    return found


def true_row(objects: list[Dataset]) -> dict[str, Any]:
    """What a record of this series must say."""
    first = objects[0]
    numbers = {int(one.InstanceNumber) for one in objects}
    return {
        "number": int(first.SeriesNumber),
        "modality": first.Modality,
        "kind": TRUE_KINDS[first.SOPClassUID.removeprefix(STORAGE)],
        "description": first.SeriesDescription,
        "station": first.StationName,
        "manufacturer": f"{first.Manufacturer} {first.ManufacturerModelName}",
        "instances": len(objects),
        "lacks": [one for one in range(1, max(numbers)) if one not in numbers],
        "series_instance_uid": str(first.SeriesInstanceUID),
    }


def said_row(row: dict[str, Any]) -> dict[str, Any]:
    """What a record says of the same; `lacks` written out."""
    lacks: list[int] = []
    for part in row.get("lacks", "").split(", "):
        first, _, last = part.partition("-")
        lacks += range(int(first), int(last or first) + 1) if part else ()
    return {name: row.get(name) for name in true_row_names()} | {"lacks": lacks}


def true_row_names() -> list[str]:
    return [
        *("number", "modality", "kind", "description", "station", "manufacturer", "instances"),
        "series_instance_uid",
    ]
