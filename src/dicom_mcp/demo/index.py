"""What the embedded archive holds: objects as bytes, and their attributes by level, in SQLite."""

import json
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from sqlite3 import connect

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pynetdicom.dsutils import decode, encode

from ..standard.entities import COMPUTED
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.matching import Key, Record, record_matcher, significant
from .entities import DESCRIBED_BY, is_indexed
from .identifier import Content, content

# Rows read at a time: others may store between two answers of a long list. Pages double, because
# each may have to sort all that is left.
_PAGE = 500
_LONGEST_PAGE = 16_000

_TABLE: dict[Level, str] = {
    Level.PATIENT: "patient",
    Level.STUDY: "study",
    Level.SERIES: "series",
    Level.IMAGE: "instance",
}
_COLUMN: dict[str, str] = {
    "PatientID": "patient_id",
    "StudyInstanceUID": "study_instance_uid",
    "SeriesInstanceUID": "series_instance_uid",
    "SOPInstanceUID": "sop_instance_uid",
}

# Each table has the unique keys of its level and those above; attributes are JSON. A series counts
# its instances, so that a count above it need not look at each of them.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS patient (patient_id TEXT PRIMARY KEY, attributes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS study (study_instance_uid TEXT PRIMARY KEY, patient_id TEXT NOT NULL,
  study_date TEXT NOT NULL, attributes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS series (series_instance_uid TEXT PRIMARY KEY,
  study_instance_uid TEXT NOT NULL, patient_id TEXT NOT NULL, modality TEXT,
  attributes TEXT NOT NULL, instances INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS instance (sop_instance_uid TEXT PRIMARY KEY,
  series_instance_uid TEXT NOT NULL, study_instance_uid TEXT NOT NULL, patient_id TEXT NOT NULL,
  sop_class_uid TEXT NOT NULL, transfer_syntax_uid TEXT NOT NULL,
  attributes TEXT NOT NULL, object BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS study_of_patient ON study (patient_id);
CREATE INDEX IF NOT EXISTS study_of_date ON study (study_date);
CREATE INDEX IF NOT EXISTS series_of_study ON series (study_instance_uid);
CREATE INDEX IF NOT EXISTS series_of_patient ON series (patient_id);
CREATE INDEX IF NOT EXISTS instance_of_series ON instance (series_instance_uid);
CREATE INDEX IF NOT EXISTS instance_of_study ON instance (study_instance_uid);
CREATE INDEX IF NOT EXISTS instance_of_patient ON instance (patient_id);
"""

# What lies above a row, for the attributes of the levels above.
_FROM: dict[Level, str] = {
    Level.PATIENT: "patient",
    Level.STUDY: "study",
    Level.SERIES: "series JOIN study USING (study_instance_uid)",
    Level.IMAGE: "instance JOIN series USING (series_instance_uid)"
    " JOIN study ON study.study_instance_uid = instance.study_instance_uid",
}
_DESCRIPTIONS: dict[Level, str] = {
    Level.PATIENT: "patient.attributes, '{}', '{}'",
    Level.STUDY: "study.attributes, '{}', '{}'",
    Level.SERIES: "series.attributes, study.attributes, '{}'",
    Level.IMAGE: "instance.attributes, series.attributes, study.attributes",
}


def _count(table: str, of: str) -> str:
    return f"(SELECT json_array(CAST(count(*) AS TEXT)) FROM {table} AS t WHERE t.{of} = {{}}.{of})"


def _instances(of: str) -> str:
    total = "CAST(sum(t.instances) AS TEXT)"
    return f"(SELECT json_array({total}) FROM series AS t WHERE t.{of} = {{}}.{of})"


def _distinct(column: str, table: str) -> str:
    return (
        f"(SELECT json_group_array(DISTINCT t.{column}) FROM {table} AS t "
        f"WHERE t.study_instance_uid = {{}}.study_instance_uid AND t.{column} <> '')"
    )


_EXPRESSION: dict[str, str] = {
    "NumberOfPatientRelatedStudies": _count("study", "patient_id"),
    "NumberOfPatientRelatedSeries": _count("series", "patient_id"),
    "NumberOfPatientRelatedInstances": _instances("patient_id"),
    "NumberOfStudyRelatedSeries": _count("series", "study_instance_uid"),
    "NumberOfStudyRelatedInstances": _instances("study_instance_uid"),
    "NumberOfSeriesRelatedInstances": _instances("series_instance_uid"),
    "ModalitiesInStudy": _distinct("modality", "series"),
    "SOPClassesInStudy": _distinct("sop_class_uid", "instance"),
    "AvailableTransferSyntaxUID": "json_array({}.transfer_syntax_uid)",
}


@dataclass(frozen=True, slots=True)
class Held:
    """One object the archive holds, without its bytes."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str


class Index:
    """Objects by their unique keys; safe to share between threads.

    An entity is described by the first of its objects that was stored. Storing an object again
    replaces it.
    """

    def __init__(self, database: str = ":memory:") -> None:
        self._lock = threading.RLock()
        self._database = connect(database, check_same_thread=False, isolation_level=None)
        weakref.finalize(self, self._database.close)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def add(self, dataset: Dataset) -> None:
        """Hold a data set, encoded in the transfer syntax its file meta information names.

        Raises ValueError when that or one of the four UIDs of a composite object is missing
        (PS3.3 C.12.1, C.7.2.1, C.7.3.1), or when it cannot be encoded.
        """
        syntax = UID(str(getattr(dataset.file_meta, "TransferSyntaxUID", "")))
        if not syntax:
            raise ValueError("a data set to store has to name its transfer syntax")
        encoded = encode(
            dataset, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated
        )
        if encoded is None:
            raise ValueError("a data set to store could not be encoded")
        self.add_encoded(encoded, syntax)

    def add_encoded(self, encoded: bytes, transfer_syntax_uid: str) -> None:
        """Hold an object as it was received: a data set's bytes and their transfer syntax.

        Raises ValueError when one of the four UIDs of a composite object is missing.
        """
        syntax = UID(transfer_syntax_uid)
        found = content(_header(encoded, syntax), is_indexed, little=syntax.is_little_endian)
        unique = {keyword: _first(found, keyword) for keyword in (*_COLUMN, "SOPClassUID")}
        if not all(value for keyword, value in unique.items() if keyword != "PatientID"):
            raise ValueError("a data set to store lacks a UID that identifies it")
        with self._lock:
            self._database.execute("BEGIN")
            self._remove(unique["SOPInstanceUID"])
            self._insert(found, unique, encoded, syntax)
            self._database.execute("COMMIT")

    def add_all(self, datasets: Iterable[Dataset]) -> None:
        """Hold many; raises ValueError as `add` does."""
        for dataset in datasets:
            self.add(dataset)

    def find(
        self,
        level: Level,
        keys: Mapping[str, Key],
        *,
        match: Callable[[Record], bool] | None = None,
    ) -> Iterator[Record]:
        """The records at a level that match all keys (keyword to key), in the order of storing.

        Keys are taken at their level or any below; each record holds the attributes of its level
        and those above, and of the computed ones those that were asked for. `match` compares
        records with the keys where that is not to be done by the standard.
        """
        match = match or record_matcher(keys)
        computed = [keyword for keyword in keys if keyword in COMPUTED]
        table = _TABLE[level]
        columns = [f"{table}.rowid", _DESCRIPTIONS[level]]
        columns += [_EXPRESSION[keyword].format(table) for keyword in computed]
        conditions, parameters = _narrowed(level, keys)
        statement = (
            f"SELECT {', '.join(columns)} FROM {_FROM[level]} "
            f"WHERE {' AND '.join([f'{table}.rowid > ?', *conditions])} "
            f"ORDER BY {table}.rowid LIMIT ?"
        )
        last, page = 0, _PAGE
        while True:
            with self._lock:
                rows = self._database.execute(statement, (last, *parameters, page)).fetchall()
            for _, own, above, top, *worked_out in rows:
                record: Content = {**_shared(top), **_shared(above), **json.loads(own)}
                for keyword, value in zip(computed, worked_out, strict=True):
                    record[keyword] = json.loads(value)
                if match(record):
                    yield record
            if len(rows) < page:
                return
            last, page = rows[-1][0], min(2 * page, _LONGEST_PAGE)

    def held(self, unique: Mapping[str, Sequence[str]]) -> list[Held]:
        """The objects below the entities with these unique keys (keyword to accepted values)."""
        conditions, parameters = _accepted("instance", unique)
        with self._lock:
            rows = self._database.execute(
                "SELECT sop_instance_uid, sop_class_uid, transfer_syntax_uid FROM instance "
                f"WHERE {' AND '.join(conditions) or 'FALSE'} ORDER BY rowid",
                parameters,
            ).fetchall()
        return [Held(*row) for row in rows]

    def syntaxes(self) -> list[tuple[str, str, int]]:
        """How many objects are held of each SOP class UID and transfer syntax UID."""
        with self._lock:
            return self._database.execute(
                "SELECT sop_class_uid, transfer_syntax_uid, count(*) FROM instance GROUP BY 1, 2"
            ).fetchall()

    def object(self, sop_instance_uid: str) -> tuple[bytes, str] | None:
        """An object's bytes and transfer syntax UID; None if it is not held (any more)."""
        with self._lock:
            return self._database.execute(
                "SELECT object, transfer_syntax_uid FROM instance WHERE sop_instance_uid = ?",
                (sop_instance_uid,),
            ).fetchone()

    def data_set(self, sop_instance_uid: str) -> Dataset | None:
        """An object as a data set, its values still as encoded; None if it is not held."""
        found = self.object(sop_instance_uid)
        if found is None:
            return None
        encoded, syntax = found[0], UID(found[1])
        return decode(
            BytesIO(encoded), syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated
        )

    def _insert(self, found: Content, unique: dict[str, str], encoded: bytes, syntax: UID) -> None:
        described = {
            level: json.dumps(
                {keyword: found[keyword] for keyword in keywords if keyword in found}
                | _character_set(found),
                ensure_ascii=False,
            )
            for level, keywords in DESCRIBED_BY.items()
        }
        above = DESCRIBED_BY[Level.STUDY] | DESCRIBED_BY[Level.SERIES]
        own = {keyword: values for keyword, values in found.items() if keyword not in above}
        patient, study = unique["PatientID"], unique["StudyInstanceUID"]
        series, instance = unique["SeriesInstanceUID"], unique["SOPInstanceUID"]
        for statement, row in (
            ("INSERT OR IGNORE INTO patient VALUES (?, ?)", (patient, described[Level.PATIENT])),
            (
                "INSERT OR IGNORE INTO study VALUES (?, ?, ?, ?)",
                # Without the dots of ACR-NEMA, so that days of either form are in order.
                (
                    study,
                    patient,
                    _first(found, "StudyDate").replace(".", ""),
                    described[Level.STUDY],
                ),
            ),
            (
                "INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, ?, 0)",
                (series, study, patient, _first(found, "Modality"), described[Level.SERIES]),
            ),
            (
                "INSERT INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(instance, series, study, patient, unique["SOPClassUID"], str(syntax)),
                    *(json.dumps(own, ensure_ascii=False), encoded),
                ),
            ),
            (
                "UPDATE series SET instances = instances + 1 WHERE series_instance_uid = ?",
                (series,),
            ),
        ):
            self._database.execute(statement, row)

    def _remove(self, sop_instance_uid: str) -> None:
        row = self._database.execute(
            "DELETE FROM instance WHERE sop_instance_uid = ? "
            "RETURNING series_instance_uid, study_instance_uid, patient_id",
            (sop_instance_uid,),
        ).fetchall()
        if not row:
            return
        self._database.execute(
            "UPDATE series SET instances = instances - 1 WHERE series_instance_uid = ?",
            row[0][:1],
        )
        for table, column, value in zip(
            ("series", "study", "patient"),
            ("series_instance_uid", "study_instance_uid", "patient_id"),
            row[0],
            strict=True,
        ):
            self._database.execute(
                f"DELETE FROM {table} WHERE {column} = ? "
                f"AND NOT EXISTS (SELECT 1 FROM instance WHERE {column} = ?)",
                (value, value),
            )


def _header(encoded: bytes, syntax: UID) -> Dataset:
    """Everything before the pixels or other bulk, undecoded."""
    if syntax.is_deflated:
        return decode(BytesIO(encoded), False, True, True)
    return read_dataset(
        BytesIO(encoded), syntax.is_implicit_VR, syntax.is_little_endian, stop_when=_is_bulk
    )


def _is_bulk(tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG001 - pydicom's shape
    return tag >= 0x54000000


def _first(found: Content, keyword: str) -> str:
    values = found.get(keyword) or [""]
    return values[0] if isinstance(values[0], str) else ""


def _character_set(found: Content) -> Content:
    declared = found.get("SpecificCharacterSet")
    return {"SpecificCharacterSet": declared} if declared else {}


@lru_cache(maxsize=64)
def _shared(attributes: str) -> Content:
    """What stands above many rows in turn, parsed once."""
    return json.loads(attributes)


def _narrowed(level: Level, keys: Mapping[str, Key]) -> tuple[list[str], list[str]]:
    """Conditions that leave out what cannot match; matching itself is `record_matcher`'s."""
    unique: dict[str, Sequence[str]] = {}
    for upper in (*level.above, level):
        key = keys.get(UNIQUE_KEY[upper])
        if upper is Level.PATIENT or not isinstance(key, tuple) or not key[1]:
            continue
        unique[UNIQUE_KEY[upper]] = [significant("UI", uid) for uid in key[1].split("\\")]
    patient = keys.get("PatientID")
    if isinstance(patient, tuple) and patient[1] and not {"*", "?", "\\"} & set(patient[1]):
        unique["PatientID"] = [significant(*patient)]
    conditions, parameters = _accepted(_TABLE[level], unique)
    day = keys.get("StudyDate")
    if level is not Level.PATIENT and isinstance(day, tuple):
        first, hyphen, last = day[1].partition("-")
        for end, comparison in ((first, ">="), (last if hyphen else first, "<=")):
            if len(end) == 8 and end.isdecimal():
                conditions.append(f"study.study_date {comparison} ?")
                parameters.append(end)
    return conditions, parameters


def _accepted(table: str, unique: Mapping[str, Sequence[str]]) -> tuple[list[str], list[str]]:
    conditions = [
        f"{table}.{_COLUMN[keyword]} IN (SELECT value FROM json_each(?))" for keyword in unique
    ]
    return conditions, [json.dumps(list(values)) for values in unique.values()]
