"""The columns of the index: what each is called in SQL, its type there, and where it comes from.

What was written differently than it is meant (a date, a number, a manufacturer) is kept as written
too, in a column that ends in `_text`.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, cast

from ..standard.query import Match, texts
from .column import Column, a_body, a_count, a_day, a_maker, a_part, a_time, every, first, text
from .facts import HEADERS, REPORTS

type Row = dict[str, Any]


# What tells which day's question brought a study: YYYY-MM-DD, "" for what has no date.
ASKED_DAY = "asked_day"

STUDIES: tuple[Column, ...] = (
    text("study_uid", "Study Instance UID", "StudyInstanceUID"),
    text("patient_id", "Patient ID, with its leading zeros", "PatientID"),
    text("issuer", "who issued the Patient ID", "IssuerOfPatientID"),
    text("patient_name", "as written: Family^Given^Middle", "PatientName"),
    Column("family_name", "VARCHAR", "first part of the name", "PatientName", a_part(0)),
    Column("given_name", "VARCHAR", "second part of the name", "PatientName", a_part(1)),
    Column("birth_date", "DATE", "date of birth", "PatientBirthDate", a_day),
    text("birth_date_text", "as written", "PatientBirthDate"),
    text("sex", "M, F or O", "PatientSex"),
    Column("study_date", "DATE", "day of the study", "StudyDate", a_day),
    text("study_date_text", "as written", "StudyDate"),
    Column("study_time", "TIME", "its time of day", "StudyTime", a_time),
    text("accession_number", "of the order", "AccessionNumber"),
    text("study_description", "what was examined, in words", "StudyDescription"),
    text("study_id", "the number a department gave it", "StudyID"),
    text("referring_physician", "who asked for it, as written", "ReferringPhysicianName"),
    Column("modalities", "VARCHAR[]", "of its series", "ModalitiesInStudy", every),
    Column(
        "series_count", "INTEGER", "as the archive counts", "NumberOfStudyRelatedSeries", a_count
    ),
    Column(
        "image_count", "INTEGER", "as the archive counts", "NumberOfStudyRelatedInstances", a_count
    ),
)

SERIES: tuple[Column, ...] = (
    text("series_uid", "Series Instance UID", "SeriesInstanceUID"),
    text("study_uid", "of its study", "StudyInstanceUID"),
    Column("series_number", "BIGINT", "its number in the study", "SeriesNumber", a_count),
    text("modality", "CT, MR, SR, …", "Modality"),
    text("series_description", "in words", "SeriesDescription"),
    Column("body_part", "VARCHAR", "one word for each part", "BodyPartExamined", a_body),
    text("body_part_text", "as written", "BodyPartExamined"),
    text("laterality", "L or R", "Laterality"),
    text("protocol_name", "of the scanner", "ProtocolName"),
    Column("series_date", "DATE", "day of the series", "SeriesDate", a_day),
    Column("series_time", "TIME", "its time of day", "SeriesTime", a_time),
    Column("manufacturer", "VARCHAR", "one name for each maker", "Manufacturer", a_maker),
    text("manufacturer_text", "as written", "Manufacturer"),
    text("model", "of the scanner", "ManufacturerModelName"),
    text("station", "which scanner", "StationName"),
    Column(
        "image_count", "INTEGER", "as the archive counts", "NumberOfSeriesRelatedInstances", a_count
    ),
)

# What every index has, and what it takes objects to know.
OF_MATCHES = ("studies", "series")
OF_OBJECTS: Mapping[str, tuple[Column, ...]] = {"headers": HEADERS, "reports": REPORTS}

TABLES: Mapping[str, tuple[Column, ...]] = {"studies": STUDIES, "series": SERIES, **OF_OBJECTS}

# Of what was read of objects: the series as it was then, and when that was (seconds since 1970).
AS_SERIES, FETCHED = "as_series", "fetched"

# What of each match its columns do not tell as it was written: a JSON object by keyword.
AS_GIVEN = "as_given"

# What a table's columns are read from.
KEYWORDS: Mapping[str, frozenset[str]] = {
    table: frozenset(column.keyword for column in columns) for table, columns in TABLES.items()
}


def wanted(table: str) -> tuple[str, ...]:
    """The keywords that a table's rows are read from."""
    return tuple(dict.fromkeys(column.keyword for column in TABLES[table] if column.keyword))


def day_of(match: Match) -> str | None:
    """The day of a study (YYYY-MM-DD); None without a date that can be read."""
    return a_day("StudyDate", [part for part in texts(match.get("StudyDate", "")) if part])


def row_of(table: str, match: Match) -> Row:
    """A match as a row, without the day it was asked for."""
    values = {
        keyword: [part for part in texts(match.get(keyword, "")) if part]
        for keyword in wanted(table)
    }
    row = {
        column.name: column.reads(column.keyword, values.get(column.keyword, []))
        for column in TABLES[table]
    }
    if table not in OF_MATCHES:
        return row
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
        if column.keyword not in telling or column.reads is first:
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
    beside = {AS_SERIES: "VARCHAR", FETCHED: "DOUBLE"}
    if table in OF_MATCHES:
        beside = {AS_GIVEN: "VARCHAR"}
    return {
        **{column.name: column.type for column in TABLES[table]},
        **beside,
        ASKED_DAY: "VARCHAR",
    }
