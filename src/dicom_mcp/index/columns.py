"""The columns of the index: what each is called in SQL, its type there, and where it comes from.

What was written differently than it is meant (a date, a number, a manufacturer) is kept as written
too, in a column that ends in `_text`.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ..standard.query import Match, texts
from ..standard.reading import read
from ..standard.values import count_of
from ..words.body_part import body_part
from ..words.manufacturer import manufacturer

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in SQL, what it means, the attribute it is read from, and how."""

    name: str
    type: str
    meaning: str
    keyword: str
    reads: Callable[[str, list[str]], Any]


def _first(_: str, values: list[str]) -> Any:
    return values[0] if values else None


def _all(_: str, values: list[str]) -> Any:
    return values or None


def _day(keyword: str, values: list[str]) -> Any:
    read_as = read("DA", keyword, values[0]) if values else None
    return f"{read_as[0][:4]}-{read_as[0][4:6]}-{read_as[0][6:]}" if read_as else None


def _time(keyword: str, values: list[str]) -> Any:
    read_as = read("TM", keyword, values[0]) if values else None
    if not read_as:
        return None
    digits = read_as[0][:6].ljust(6, "0")
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def _count(_: str, values: list[str]) -> Any:
    return count_of(values[0]) if values else None


def _part(number: int) -> Callable[[str, list[str]], Any]:
    """One component of a name's first group (PS3.5 6.2.1): family, given, middle."""

    def reads(_: str, values: list[str]) -> Any:
        components = values[0].split("=")[0].split("^") if values else []
        return (components[number].strip() if number < len(components) else "") or None

    return reads


def _maker(_: str, values: list[str]) -> Any:
    return manufacturer(values[0]) if values else None


def _body(_: str, values: list[str]) -> Any:
    return body_part(*values) or None


def _text(name: str, meaning: str, keyword: str) -> Column:
    return Column(name, "VARCHAR", meaning, keyword, _first)


# What tells which day's question brought a study: YYYY-MM-DD, "" for what has no date.
ASKED_DAY = "asked_day"

STUDIES: tuple[Column, ...] = (
    _text("study_uid", "Study Instance UID", "StudyInstanceUID"),
    _text("patient_id", "Patient ID, with its leading zeros", "PatientID"),
    _text("issuer", "who issued the Patient ID", "IssuerOfPatientID"),
    _text("patient_name", "as written: Family^Given^Middle", "PatientName"),
    Column("family_name", "VARCHAR", "first part of the name", "PatientName", _part(0)),
    Column("given_name", "VARCHAR", "second part of the name", "PatientName", _part(1)),
    Column("birth_date", "DATE", "date of birth", "PatientBirthDate", _day),
    _text("birth_date_text", "as written", "PatientBirthDate"),
    _text("sex", "M, F or O", "PatientSex"),
    Column("study_date", "DATE", "day of the study", "StudyDate", _day),
    _text("study_date_text", "as written", "StudyDate"),
    Column("study_time", "TIME", "its time of day", "StudyTime", _time),
    _text("accession_number", "of the order", "AccessionNumber"),
    _text("study_description", "what was examined, in words", "StudyDescription"),
    _text("study_id", "the number a department gave it", "StudyID"),
    _text("referring_physician", "who asked for it, as written", "ReferringPhysicianName"),
    Column("modalities", "VARCHAR[]", "of its series", "ModalitiesInStudy", _all),
    Column(
        "series_count", "INTEGER", "as the archive counts", "NumberOfStudyRelatedSeries", _count
    ),
    Column(
        "image_count", "INTEGER", "as the archive counts", "NumberOfStudyRelatedInstances", _count
    ),
)

SERIES: tuple[Column, ...] = (
    _text("series_uid", "Series Instance UID", "SeriesInstanceUID"),
    _text("study_uid", "of its study", "StudyInstanceUID"),
    Column("series_number", "BIGINT", "its number in the study", "SeriesNumber", _count),
    _text("modality", "CT, MR, SR, …", "Modality"),
    _text("series_description", "in words", "SeriesDescription"),
    Column("body_part", "VARCHAR", "one word for each part", "BodyPartExamined", _body),
    _text("body_part_text", "as written", "BodyPartExamined"),
    _text("laterality", "L or R", "Laterality"),
    _text("protocol_name", "of the scanner", "ProtocolName"),
    Column("series_date", "DATE", "day of the series", "SeriesDate", _day),
    Column("series_time", "TIME", "its time of day", "SeriesTime", _time),
    Column("manufacturer", "VARCHAR", "one name for each maker", "Manufacturer", _maker),
    _text("manufacturer_text", "as written", "Manufacturer"),
    _text("model", "of the scanner", "ManufacturerModelName"),
    _text("station", "which scanner", "StationName"),
    Column(
        "image_count", "INTEGER", "as the archive counts", "NumberOfSeriesRelatedInstances", _count
    ),
)

TABLES: Mapping[str, tuple[Column, ...]] = {"studies": STUDIES, "series": SERIES}


# What of each match its columns do not tell as it was written: a JSON object by keyword.
AS_GIVEN = "as_given"

# What a table's columns are read from.
KEYWORDS: Mapping[str, frozenset[str]] = {
    table: frozenset(column.keyword for column in columns) for table, columns in TABLES.items()
}


def wanted(table: str) -> tuple[str, ...]:
    """The keywords that a table's rows are read from."""
    return tuple(dict.fromkeys(column.keyword for column in TABLES[table]))


def day_of(match: Match) -> str | None:
    """The day of a study (YYYY-MM-DD); None without a date that can be read."""
    return _day("StudyDate", [text for text in texts(match.get("StudyDate", "")) if text])


def row_of(table: str, match: Match) -> Row:
    """A match as a row, without the day it was asked for."""
    values = {
        keyword: [text for text in texts(match.get(keyword, "")) if text]
        for keyword in wanted(table)
    }
    row = {
        column.name: column.reads(column.keyword, values[column.keyword])
        for column in TABLES[table]
    }
    given = {
        keyword: match[keyword]
        for keyword, (name, kind) in _TELLING[table].items()
        if match.get(keyword, "") != _told(kind, row[name])
    }
    return {**row, AS_GIVEN: json.dumps(given) if given else None}


def _telling(table: str) -> dict[str, tuple[str, str]]:
    """The column that tells each keyword's value best, as written if one does, and its type."""
    telling: dict[str, tuple[str, str]] = {}
    for column in TABLES[table]:
        if column.keyword not in telling or column.reads is _first:
            telling[column.keyword] = (column.name, column.type)
    return telling


_TELLING = {table: _telling(table) for table in TABLES}


def _told(kind: str, value: Any) -> Any:
    """A column's value as a match has it."""
    if value is None:
        return ""
    if kind in ("DATE", "TIME"):
        return str(value).replace("-", "").replace(":", "")
    if isinstance(value, list):
        several = cast("list[Any]", value)
        return several[0] if len(several) == 1 else several
    return value


def shown_as(table: str, keywords: Collection[str]) -> list[str]:
    """The columns that tell these keywords' values."""
    return [name for keyword, (name, _) in _TELLING[table].items() if keyword in keywords]


def match_of(table: str, keywords: Collection[str], record: Mapping[str, Any]) -> Match:
    """A row as the match it was, with these of its keywords."""
    given: dict[str, Any] = json.loads(record[AS_GIVEN]) if record[AS_GIVEN] else {}
    return {
        keyword: given.get(keyword, _told(kind, record[name]))
        for keyword, (name, kind) in _TELLING[table].items()
        if keyword in keywords
    }


def types_of(table: str) -> dict[str, str]:
    """The type in SQL of each column of a table's files."""
    return {column.name: column.type for column in TABLES[table]} | {
        AS_GIVEN: "VARCHAR",
        ASKED_DAY: "VARCHAR",
    }
