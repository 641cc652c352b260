"""An archive in which everything is wrong once: what was planted is found, and nothing else."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings, load
from dicom_mcp.dicom_api import connect
from dicom_mcp.index.columns import OF_MATCHES, TABLES
from dicom_mcp.index.kept import written
from dicom_mcp.index.problems import PROBLEMS, statement_of
from dicom_mcp.index.sync import Sync
from tests.asking import ask, fail
from tests.peers.embedded import embedded
from tests.truth.archives import images

TOMORROW = f"{datetime.now(UTC).date() + timedelta(days=2):%Y%m%d}"

FAMILIES = ("Arendt", "Brandt", "Curie", "Dijkstra", "Eriksen", "Fischer", "Garcia", "Haddad",
            "Ivanova", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novak", "Olsen", "Petrov",
            "Quint", "Rossi", "Sato", "Tanaka", "Ueda", "Vogel", "Weber", "Xu", "Yilmaz",
            "Zielinski", "Almeida", "Bianchi", "Costa", "Duarte", "Esposito", "Ferrari", "Gruber",
            "Horvat", "Iversen", "Jovanovic", "Keller", "Laurent", "Meier", "Nagy")  # fmt: skip

BORN = {"PatientBirthDate": "19710101"}

# One study each, by the kind that is to be found: values of its objects, and of further studies.
PLANTED: dict[str, list[dict[str, Any]]] = {
    "same_person_two_ids": [
        {"PatientName": "Müller^Jürgen", "PatientBirthDate": "19500505"},
        {"PatientName": "MULLER^JURGEN", "PatientBirthDate": "19500505"},
    ],
    "one_id_two_people": [
        {"PatientID": "two", "PatientName": "Okafor^Ada", "PatientBirthDate": "19610101"},
        {"PatientID": "two", "PatientName": "Smith^Bob", "PatientBirthDate": "19830303"},
    ],
    "contradictory_birth_dates": [
        {"PatientID": "born", "PatientName": "Okafor^Eve", "PatientBirthDate": "19610102"},
        {"PatientID": "born", "PatientName": "Okafor^Eve", "PatientBirthDate": "19610201"},
    ],
    "contradictory_sex": [
        {"PatientID": "sex", "PatientName": "Okafor^Kim", "PatientSex": "M", **BORN},
        {"PatientID": "sex", "PatientName": "Okafor^Kim", "PatientSex": "F", **BORN},
    ],
    "names_differ": [
        {"PatientID": "name", "PatientName": "Okafor^Liz", **BORN},
        {"PatientID": "name", "PatientName": "Smith^Liz", **BORN},
    ],
    "no_patient_id": [{"PatientID": ""}],
    "test_patient": [{"PatientName": "Phantom^Water"}],
    "no_date": [{"StudyDate": "", "SeriesDate": ""}],
    "future_date": [{"StudyDate": TOMORROW, "SeriesDate": TOMORROW}],
    "impossible_birth_date": [{"PatientBirthDate": "19701345"}],
    "born_after_study": [{"PatientBirthDate": "20260214"}],
    "older_than_120": [{"PatientBirthDate": "19000101"}],
    "series_of_other_day": [{"SeriesDate": "20251224"}],
    "no_accession_number": [{"AccessionNumber": ""}],
    "double_accession_number": [{"AccessionNumber": "double"}, {"AccessionNumber": "double"}],
    "phone_in_description": [{"StudyDescription": "CT head call 555-010-1234"}],
    "mail_in_description": [{"StudyDescription": "CT head to jane@example.org"}],
    "patient_in_description": [{"PatientName": "Wanjiru^Ann", "StudyDescription": "CT Wanjiru"}],
    "damaged_text": [{"PatientName": "GÃ¼nther^Hans"}],
    "mixed_alphabets": [{"PatientName": "Pеtersen^Hans"}],
}  # fmt: skip

# What takes several series: their numbers, and what else is said of them.
OF_SERIES: dict[str, list[dict[str, Any]]] = {
    "series_number_twice": [{"SeriesNumber": number} for number in (1, 2, 2, 3)],
    "series_number_missing": [{"SeriesNumber": number} for number in (1, 2, 3, 5)],
    "station_of_two_makers": [
        {"SeriesNumber": 1, "StationName": "S9", "Manufacturer": "SIEMENS"},
        {"SeriesNumber": 2, "StationName": "S9", "Manufacturer": "GE MEDICAL SYSTEMS"},
    ],
}  # fmt: skip


def study(number: int, several: list[dict[str, Any]], **values: Any) -> list[Dataset]:
    """A study that is as it should be but for these values; `several` are those of its series."""
    made: list[Dataset] = []
    for at, of_series in enumerate(several, start=1):
        whole = {
            "PatientName": f"{FAMILIES[number % len(FAMILIES)]}^Xenia {chr(65 + number % 26)}",
            "PatientID": f"P{1000 + number}", "PatientBirthDate": f"19{50 + number % 50}0703",
            "PatientSex": "F", "AccessionNumber": f"A{2000 + number}",
            "StudyDate": "20260105", "SeriesDate": "20260105",
            "StudyDescription": "CT head", "SeriesDescription": "axial 5.0 2026-01-05",
            "StationName": "CT1", "Manufacturer": "SIEMENS", "SeriesNumber": at,
            **values, **of_series,
        }  # fmt: skip
        (instance,) = images(1, study=number, **whole)
        instance.SeriesInstanceUID = f"1.2.{number}.{at}"
        instance.SOPInstanceUID = f"1.2.{number}.{at}.1"
        made.append(instance)
    return made


def seeded() -> tuple[list[Dataset], dict[str, set[str]]]:
    """Clean studies and planted ones, and the UIDs of the latter by kind."""
    objects = [d for number in range(1, 13) for d in study(number, [{}, {}])]
    objects += study(13, [{}], PatientName="Head^Peter")  # a name that is a word, as "CT head"
    objects += study(14, [{"Modality": "SR", "SeriesNumber": 1, "SeriesDate": "20260301"}, {}])
    planted: dict[str, set[str]] = {}
    number = 100
    cases: list[tuple[str, dict[str, Any], list[dict[str, Any]]]]
    cases = [(kind, values, [{}]) for kind, some in PLANTED.items() for values in some]
    cases += [(kind, {}, series) for kind, series in OF_SERIES.items()]
    cases.append(("modality_not_of_scanner", {}, [{"Modality": "MR"}]))
    for kind, values, series in cases:
        number += 1
        objects += study(number, series, **values)
        planted.setdefault(kind, set()).add(f"1.2.{number}")
    return objects, planted


@contextmanager
def indexed(folder: Path, objects: list[Dataset]) -> Generator[Settings]:
    """The settings of an archive of these objects, and its index filled."""
    with embedded(objects) as peer:
        file = folder / "config.toml"
        file.write_text(
            f'index = {{ folder = "{folder.as_posix()}/kept", pause = 0.001 }}\n'
            f'[nodes.pacs]\nhost = "127.0.0.1"\nport = {peer.node.port}\n'
            'called_ae_title = "EMBEDDED"\n'
        )
        settings = load(str(file), {})
        archive = connect(settings.node)
        try:
            with written(settings, settings.node) as kept:
                syncing = Sync(archive, kept.store, kept.ledger, zone=UTC, since=date(2026, 1, 1))
                while syncing.step():
                    pass
                yield settings
        finally:
            archive.close()


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_what_was_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    objects, planted = seeded()
    with indexed(tmp_path, objects) as settings:
        answer = ask(settings, "find_problems", limit=20)
    evidence = answer["evidence"]
    assert evidence.keys() == planted.keys()
    for kind, rows in evidence.items():
        uids = {row["study_instance_uid"] for row in rows if "study_instance_uid" in row}
        assert uids == planted[kind] or (not uids and len(rows) == 1), kind
    assert {one["kind"]: one["count"] for one in answer["problems"]} == {
        kind: len(rows) for kind, rows in evidence.items()
    }
    assert all(one["what"] and one["do"] and one["who"] for one in answer["problems"])
    assert {*answer["not_found"]} == PROBLEMS.keys() - planted.keys()
    assert "unread and unverified reports" in answer["not_looked_for"]


# What an archive tells of its own studies and series, where it is at odds with itself; each value
# by its column, of one study of two series.
AT_ODDS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "impossible_date": ({"study_date": "1880-09-09", "birth_date": None}, [{}, {}]),
    "series_count_differs": ({"series_count": 3}, [{}, {}]),
    "image_count_differs": ({"image_count": 7}, [{}, {}]),
    "study_without_series": ({"series_count": 0, "image_count": 0}, []),
    "series_without_study": ({}, [{"study_uid": "none"}]),
    "series_without_images": ({"image_count": 1}, [{}, {"image_count": 0}]),
    "modality_not_of_series": ({"modalities": ["CT", "MR"]}, [{}, {}]),
    "two_patients_in_study": ({}, [{}, {}]),
}  # fmt: skip


@pytest.mark.parametrize("kind", AT_ODDS)
def test_what_an_archive_tells_that_is_at_odds_with_itself_is_found(kind: str) -> None:
    assert _found_in_rows(*AT_ODDS[kind], twice=kind == "two_patients_in_study") == {kind}


def test_an_archive_in_order_has_no_problem() -> None:
    assert _found_in_rows({}, [{}, {}]) == set()


def _found_in_rows(
    values: dict[str, Any], several: list[dict[str, Any]], *, twice: bool = False
) -> set[str]:
    """The kinds that are found where these are the rows of an index."""
    study = {
        "study_uid": "1.2", "patient_id": "P1", "patient_name": "Doe^Jane", "family_name": "Doe",
        "birth_date": "1970-01-01", "study_date": "2026-01-05", "study_date_text": "20260105",
        "accession_number": "A1", "study_description": "CT head", "modalities": ["CT"],
        "series_count": 2, "image_count": 2, **values,
    }  # fmt: skip
    series = [
        {"series_uid": f"1.2.{at}", "study_uid": "1.2", "series_number": at, "modality": "CT",
         "series_date": study["study_date"], "station": "CT1", "manufacturer": "Siemens",
         "image_count": 1, **of_one}
        for at, of_one in enumerate(several, start=1)
    ]  # fmt: skip
    rows = {"studies": [study] * bool(several or values), "series": series}
    if twice:
        rows["studies"].append({**study, "patient_id": "P2", "patient_name": "Roe^Ann"})
    if kind_is_orphan := several[:1] == [{"study_uid": "none"}]:
        rows["studies"] = []
    assert kind_is_orphan or rows["studies"]
    with duckdb.connect(":memory:") as engine:
        for table in OF_MATCHES:
            columns = TABLES[table]
            named = ", ".join(f"{column.name} {column.type}" for column in columns)
            engine.execute(f"CREATE TABLE {table} ({named})")
            for row in rows[table]:
                names = ", ".join(row)
                marks = ", ".join("?" * len(row))
                engine.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])
        return {
            kind
            for kind, problem in PROBLEMS.items()
            if engine.execute(
                statement_of(problem.sql, today=date(2026, 3, 31), first=None, last=None)
            ).fetchall()
        }


def test_only_some_kinds_and_days_and_a_kind_nobody_knows(tmp_path: Path) -> None:
    objects = [
        *study(1, [{}], AccessionNumber=""),
        *study(2, [{"SeriesDate": "20260215"}], AccessionNumber="", StudyDate="20260215"),
        *study(3, [{}]),  # without it nobody can tell whether the archive returns any number
    ]
    with indexed(tmp_path, objects) as settings:
        kinds = ["no accession number", "no_date"]
        answer = ask(settings, "find_problems", kinds=kinds, study_date="202602")
        told = fail(settings, "find_problems", kinds=["no_accesion"])
    (problem,) = answer["problems"]
    assert (problem["kind"], problem["count"]) == ("no_accession_number", 1)
    assert answer["not_found"] == ["no_date"]
    assert "Did you mean no_accession_number" in told


def test_a_kind_that_fails_leaves_the_others_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(PROBLEMS["no_date"], sql="SELECT error('no') FROM s")
    monkeypatch.setitem(PROBLEMS, "no_date", broken)
    with indexed(tmp_path, study(1, [{}], AccessionNumber="")) as settings:
        answer = ask(settings, "find_problems", kinds=["no_date", "no_patient_id"])
        assert answer["not_found"] == ["no_patient_id"]
        assert {*answer["not_looked_for"]} == {"no_date"}
        assert "1 kind could not be looked for" in str(answer["notes"])
        assert not answer["complete"]
        fail(settings, "find_problems", kinds=["no_date"])
