"""What is true of a record, worked out from the archive's objects themselves.

Plain loops that know neither the archive's index nor the server, so that a mistake of either shows.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydicom.dataset import Dataset

# PS3.4 C.6.1.1: counts and collections that an archive makes of the objects below.
_COUNT = re.compile(r"NumberOf(Patient|Study|Series)Related(Studies|Series|Instances)")
_COUNTED = {
    "Studies": "StudyInstanceUID",
    "Series": "SeriesInstanceUID",
    "Instances": "SOPInstanceUID",
}
_COLLECTED = {"ModalitiesInStudy": "Modality", "SOPClassesInStudy": "SOPClassUID"}


def untrue(record: Mapping[str, Any], objects: Iterable[Dataset], unique: str) -> list[str]:
    """The keywords of a record whose value isn't what these objects say; `unique` tells which of
    them the record is about."""
    about = [dataset for dataset in objects if str(dataset[unique].value) == record[unique]]
    return [
        keyword
        for keyword, value in record.items()
        if not _holds(about, keyword, sorted(_texts(value)))
    ]


def _holds(about: list[Dataset], keyword: str, told: list[str]) -> bool:
    if count := _COUNT.fullmatch(keyword):
        return told == [str(len({_text(dataset, _COUNTED[count[2]]) for dataset in about}))]
    if keyword in _COLLECTED:
        return told == sorted({_text(dataset, _COLLECTED[keyword]) for dataset in about})
    return any(told == sorted(_texts(dataset.get(keyword, ""))) for dataset in about)


def _text(dataset: Dataset, keyword: str) -> str:
    return str(dataset[keyword].value)


def _texts(value: Any) -> list[str]:
    """A value, which may be several, as texts."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [str(single) for single in cast(Sequence[Any], value)]
    return [str(value)]
