"""Real metadata as the database of an embedded archive, and as flat rows to ask by SQL."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from hashlib import blake2b
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any

from dicom_mcp.demo.index import Index

FOLDER = Path(__file__).parents[2] / "build" / "scale"

LICENCES = frozenset({"CC BY 3.0", "CC BY 4.0"})

_COLUMNS = (
    *("PatientID", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyDescription"),
    *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "BodyPartExamined"),
    *("Manufacturer", "ManufacturerModelName", "instanceCount", "license_short_name"),
)

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

# Rows read at a time: all at once are a gigabyte.
_BATCH = 50_000

# What the archive keeps at each level; a level's row is described by the first series of it.
_PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
_STUDY = (*_PATIENT, "StudyInstanceUID", "StudyDate", "StudyTime", "StudyDescription")
_SERIES = (
    *("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality", "BodyPartExamined"),
    *("Manufacturer", "ManufacturerModelName", "StationName"),
)

_SYLLABLES = ("Al", "Ber", "Cor", "Dan", "El", "Fis", "Gru", "Hol", "Ja", "Kel", "Lo", "Mai")
_ENDINGS = ("bach", "ger", "kamp", "lund", "mann", "sen", "stein", "wald")

# A row for each series; a study is what its first row says.
_TRUTH = """
CREATE TABLE series (patient TEXT, sex TEXT, study TEXT, date TEXT, description TEXT, uid TEXT,
  number TEXT, series_description TEXT, modality TEXT, body_part TEXT, manufacturer TEXT,
  model TEXT, instances INTEGER, name TEXT, born TEXT, station TEXT);
"""

# What the published rows lack is made up: a name of each patient from these, a birth date, and a
# station of each modality.
FAMILIES = tuple(f"{first}{last}" for first in _SYLLABLES for last in _ENDINGS)
_GIVEN = ("Anna", "Ben", "Clara", "David", "Emma", "Jonas")
_STATIONS = 5
_TRUTH_OF_STUDIES = """
CREATE TABLE study AS SELECT study AS uid, patient, date, description, min(rowid) AS first
  FROM series GROUP BY study;
CREATE INDEX series_of_study ON series (study);
CREATE UNIQUE INDEX study_uid ON study (uid);
"""

type _Row = tuple[str, ...]


def load(folder: Path = FOLDER) -> tuple[str, str]:
    """The paths of the archive's database and of the truth's, made on the first call."""
    folder.mkdir(parents=True, exist_ok=True)
    edition = version("idc-index-data")
    # Another letter when what is made up changes.
    archive, truth = folder / f"archive-{edition}b.sqlite", folder / f"truth-{edition}b.sqlite"
    if not (archive.exists() and truth.exists()):
        made = [path.with_suffix(".partial") for path in (archive, truth)]
        for path in made:
            path.unlink(missing_ok=True)
        Index(str(made[0])).close()  # the tables
        with _bulk(made[0]) as held, _bulk(made[1]) as true:
            true.execute(_TRUTH)
            for rows in _batches():
                _fill_archive(held, rows)
                true.executemany(
                    f"INSERT INTO series VALUES ({_places(16)})",
                    [(*row, *made_up(row[0], row[2], row[8])) for row in rows],
                )
            true.executescript(_TRUTH_OF_STUDIES)
        made[0].rename(archive)
        made[1].rename(truth)
    return str(archive), str(truth)


def time_of(study_instance_uid: str) -> str:
    """The time this study is said to have been made: a second between 07:00 and 19:00."""
    number = _number(study_instance_uid)
    second = 7 * 3600 + number % (12 * 3600)
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


def made_up(patient_id: str, study_instance_uid: str, modality: str) -> tuple[str, str, str]:
    """The name and the birth date of a patient, and the station of a series."""
    number = _number(patient_id)
    name = f"{FAMILIES[number % len(FAMILIES)]}^{_GIVEN[number // 1_000 % len(_GIVEN)]}"
    born = date(1920, 1, 1) + timedelta(days=number // 10_000 % 32_000)
    station = _number(study_instance_uid) % _STATIONS
    return name, f"{born:%Y%m%d}", f"{modality}{station}"


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest())


def _batches() -> Iterator[list[_Row]]:
    path: str = import_module("idc_index_data").IDC_INDEX_PARQUET_FILEPATH
    parquet: Any = import_module("pyarrow.parquet").ParquetFile(path)
    for batch in parquet.iter_batches(_BATCH, columns=list(_COLUMNS)):
        columns = [batch.column(name).to_pylist() for name in _COLUMNS]
        yield [
            tuple(_text(value) for value in row[:-1])
            for row in zip(*columns, strict=True)
            if row[-1] in LICENCES
        ]


def _fill_archive(held: Connection, rows: Sequence[_Row]) -> None:
    patients: list[tuple[str, str]] = []
    studies: list[tuple[str, str, str, str]] = []
    series: list[tuple[str, str, str, str, str, str]] = []
    for row in rows:
        values = dict(zip(_COLUMNS, row, strict=False))
        study = values["StudyInstanceUID"]
        values["StudyTime"] = time_of(study)
        who = values["PatientID"]
        values["PatientName"], values["PatientBirthDate"], values["StationName"] = made_up(
            who, study, values["Modality"]
        )
        patients.append((who, _described(values, _PATIENT)))
        studies.append((study, who, values["StudyDate"], _described(values, _STUDY)))
        uid, modality = values["SeriesInstanceUID"], values["Modality"]
        described = _described(values, _SERIES)
        series.append((uid, study, who, modality, described, values["instanceCount"]))
    for table, entries in (("patient", patients), ("study", studies), ("series", series)):
        places = _places(len(entries[0])) if entries else ""
        held.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", entries)


def _text(value: object) -> str:
    """A value as DICOM writes it; the index writes days with hyphens."""
    if value is None:
        return ""
    text = str(value)
    return text.replace("-", "") if _DAY.fullmatch(text) else text


def _described(values: dict[str, str], keywords: Sequence[str]) -> str:
    attributes = {keyword: [values[keyword]] for keyword in keywords if values[keyword]}
    return json.dumps({**attributes, "SpecificCharacterSet": ["ISO_IR 192"]}, ensure_ascii=False)


def _places(count: int) -> str:
    return ", ".join("?" * count)


class _bulk:  # noqa: N801 - reads as what it does
    """A database that is filled in one go: a failure leaves nothing worth keeping."""

    def __init__(self, path: Path) -> None:
        self._database = connect(path, isolation_level=None)

    def __enter__(self) -> Connection:
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA cache_size = -500000")
        self._database.execute("BEGIN")
        return self._database

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self._database.in_transaction:
            self._database.execute("COMMIT")
        self._database.close()
