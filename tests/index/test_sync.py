"""The index is as its archive, whatever the archive is like and whatever interrupts it."""

import random
from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import BadConfiguration
from dicom_mcp.index.ledger import Entry, Ledger, sole_writer
from dicom_mcp.index.sync import Sync, differing
from dicom_mcp.standard.levels import Model
from tests.demo_hospital import pacs
from tests.index.changing import by_day_of, change, check_claims, kept_at
from tests.index.filled import DAY, Filled, index_in
from tests.peers.embedded import CUTTING_BELOW, Kind, capped, embedded
from tests.peers.pynetdicom_scp import VERIFICATION, Answers, accepting
from tests.truth.archives import images
from tests.truth.rows import row

KINDS = {
    "gives everything": Kind(),
    "cuts like Orthanc": CUTTING_BELOW["cuts like Orthanc"],
    "is out of resources after 7": capped(7, 0xA700),
    "keeps no counts": Kind(
        Habits(unreturned=frozenset({"NumberOfStudyRelatedSeries", "ModalitiesInStudy"}))
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_an_archive_is_there_once(tmp_path: Path, kind: str) -> None:
    objects = pacs()
    with index_in(tmp_path) as index:
        index.fill(objects, KINDS[kind])
        studies = index.rows("SELECT study_uid, patient_id, study_date_text FROM studies")
        series = index.rows("SELECT series_uid, study_uid, modality FROM series")
        assert sorted(map(tuple, studies)) == sorted(
            {(str(d.StudyInstanceUID), str(d.PatientID), str(d.StudyDate)) for d in objects}
        )
        assert sorted(map(tuple, series)) == sorted(
            {(str(d.SeriesInstanceUID), str(d.StudyInstanceUID), str(d.Modality)) for d in objects}
        )
        dated = {f"{d.StudyDate[:4]}-{d.StudyDate[4:6]}-{d.StudyDate[6:]}" for d in objects}
        known = index.ledger.days()
        assert all(known[day].whole for day in dated)
        assert {day for day, entry in known.items() if entry.studies} == dated


def test_what_has_no_date_and_what_is_dated_tomorrow_is_there(tmp_path: Path) -> None:
    objects = [
        *images(2, study=1, StudyDate=""),
        *images(1, study=2, StudyDate="20260401"),
        *images(1, study=4, StudyDate="20261224"),
        *images(1, study=3, StudyDate="19960229"),
        *images(1, study=5, StudyDate="18800909"),
    ]
    with index_in(tmp_path) as index:
        index.fill(objects)
        found = index.rows("SELECT study_uid, study_date::VARCHAR FROM studies ORDER BY ALL")
        assert dict(found) == {
            "1.2.1": None,
            "1.2.2": "2026-04-01",
            "1.2.3": "1996-02-29",
            "1.2.4": "2026-12-24",
            "1.2.5": "1880-09-09",
        }
        assert index.ledger.told("beginning") <= "1880-09-09"


def test_a_study_that_gets_another_date_is_there_once(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1, StudyDate="20260320"))
        index.clock.now += 2 * DAY
        index.fill(images(1, StudyDate="20250101", PatientName="Roe^Jane"))
        assert index.rows("SELECT study_date_text, patient_name, family_name FROM studies") == [
            ["20250101", "Roe^Jane", "Roe"]
        ]
        assert index.rows("SELECT count(*) FROM series") == [[1]]


def test_what_comes_late_is_found_however_old_it_is(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1, study=1, StudyDate="20260320"))
        index.clock.now += 2 * DAY
        late = [
            *images(1, study=2, StudyDate="20260201"),
            *images(1, study=3, StudyDate="19850101"),
        ]
        index.fill([*images(1, study=1, StudyDate="20260320"), *late])
        assert index.rows("SELECT count(*) FROM studies") == [[3]]


def test_what_is_too_much_for_one_question_is_asked_around_its_fullest_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicom_mcp.index.sync._MOST", 5)
    days = ["20251001", *["20251224"] * 9, "20251230", "20251231"]
    objects = [d for n, day in enumerate(days, 1) for d in images(1, study=n, StudyDate=day)]
    with index_in(tmp_path) as index:
        index.fill(objects)
        assert index.rows("SELECT count(*), count(DISTINCT study_uid) FROM studies") == [[12, 12]]
        assert index.rows("SELECT count(*) FROM series") == [[12]]
        assert {entry.whole for entry in index.ledger.days().values()} == {True}


def test_the_series_of_what_could_not_be_shown_to_be_all_are_there_too(tmp_path: Path) -> None:
    objects = [
        *(d for n in range(1, 31) for d in images(1, study=n, StudyDate=f"202601{n:02}")),
        *(d for n in range(31, 61) for d in images(1, study=n, StudyDate="")),
    ]
    with index_in(tmp_path) as index:
        index.fill(objects, CUTTING_BELOW["cuts like Orthanc"])
        undated = index.ledger.days()[""]
        assert undated.series == undated.studies > 0
        assert undated.studies == 30 or not undated.whole


def test_a_study_uid_of_two_patients_is_there_twice(tmp_path: Path) -> None:
    of_both = {"StudyInstanceUID": "1.2.1", "StudyDate": "20260331"}
    people = [{"PatientID": "P1", "PatientName": "Doe"}, {"PatientID": "P2", "PatientName": "Roe"}]

    def find(event: Any) -> Answers:
        level = str(event.identifier.QueryRetrieveLevel)
        series = {"SeriesInstanceUID": "1.2.1.1"} if level == "SERIES" else {}
        for person in people:
            told = {**of_both, **person, **series}
            yield 0xFF00, row(level, **{k: v for k, v in told.items() if k in event.identifier})

    with accepting(find, models=(VERIFICATION, *Model)) as peer, index_in(tmp_path) as index:
        archive = connect(peer.node())
        assert Sync(archive, index.store, index.ledger, zone=UTC, now=index.clock).step()
        archive.close()
        assert index.rows("SELECT patient_id FROM studies ORDER BY ALL") == [["P1"], ["P2"]]


def test_a_day_that_is_never_whole_keeps_no_other_from_its_turn(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill(images(1, StudyDate="20260320"))
        index.clock.now += 2 * DAY
        now = index.clock.now
        index.ledger.enter([Entry("2026-03-01", now - 60, 0, 0, 0, whole=False, why="too much")])
        index.fill(images(1, StudyDate="20260320"))
        assert index.ledger.days()["2026-03-20"].asked >= now


class _Killed(BaseException):
    """What ends the process here."""


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 10_000))
def test_whatever_changes_and_whatever_interrupts_no_more_is_claimed_than_is_true(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    random_ = random.Random(seed)
    with index_in(tmp_path_factory.mktemp("index")) as index, pytest.MonkeyPatch.context() as patch:
        held: dict[int, tuple[int, int]] = {}  # study to day and version
        objects: list[Dataset] = []
        history: list[tuple[float, dict[str, set[tuple[str, str]]]]] = []
        for version in range(3):
            change(random_, held, version)
            index.clock.now += 3 * DAY
            history.append((index.clock.now, by_day_of(held)))
            objects = [d for study, (day, made) in held.items() for d in kept_at(day, made, study)]
            _interrupted(index, objects, patch, random_)
            check_claims(index, history)
        index.clock.now += 3 * DAY
        index.fill(objects)
        history.append((index.clock.now, by_day_of(held)))
        check_claims(index, history)
        found = index.rows("SELECT study_uid, study_description FROM studies")
        now = {one for day in by_day_of(held).values() for one in day}
        assert sorted(map(tuple, found)) == sorted(now)


def _interrupted(
    index: Filled, objects: Sequence[Dataset], patch: pytest.MonkeyPatch, random_: random.Random
) -> None:
    """Some questions, the last of which is cut off while a file is being replaced."""
    left = random_.randint(1, 12)
    replace = Path.replace

    def replacing(self: Path, target: Any) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Killed
        return replace(self, target)

    with index.syncing(objects) as syncing, patch.context() as inner:
        inner.setattr(Path, "replace", replacing)
        try:
            for _ in range(random_.randint(1, 40)):
                if syncing.step() is None:
                    break
        except _Killed:
            pass


def test_what_differs_from_the_archive_is_told(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill([*images(1, study=1), *images(1, study=2)])
        (day,) = [day for day, entry in index.ledger.days().items() if entry.studies]
        changed = [*images(1, study=2, PatientName="Roe^Jane"), *images(1, study=3)]
        with embedded(changed) as peer:
            archive = connect(peer.node)
            told = differing(archive, index.store, date.fromisoformat(day))
            archive.close()
        assert told == "1 missing here, 1 no longer there, 1 changed"


def test_one_writes_at_a_time_and_another_version_is_refused(tmp_path: Path) -> None:
    with (
        sole_writer(tmp_path),
        pytest.raises(BadConfiguration, match="another process is writing"),
        sole_writer(tmp_path),
    ):
        pass
    with sole_writer(tmp_path):
        pass
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.tell("version", "99")
    ledger.close()
    with pytest.raises(BadConfiguration, match="another version"):
        Ledger(tmp_path / "ledger.sqlite")
    (tmp_path / "damaged.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(BadConfiguration, match="cannot be read"):
        Ledger(tmp_path / "damaged.sqlite")


def test_the_files_are_their_owners_only(tmp_path: Path) -> None:
    with index_in(tmp_path / "index") as index:
        index.fill(images(1))
        modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "index").rglob("*.parquet")}
        assert modes == {0}
        assert (tmp_path / "index").stat().st_mode & 0o077 == 0


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
def test_what_no_day_is_asked_for_is_there_too(tmp_path: Path) -> None:
    dates = ("20260105", "20260230", "garbage", "", "00000000", "99991231", "20270101")
    objects = [
        made
        for number, day in enumerate(dates, 1)
        for made in images(1, study=number, StudyDate=day)
    ]
    with index_in(tmp_path) as index, index.syncing(objects, since=date(2025, 12, 1)) as syncing:
        assert any(syncing.step() is None for _ in range(400))
        assert len(index.rows("SELECT study_uid FROM studies")) == len(dates)
        index.clock.now += 2 * DAY
        for _ in range(30):  # none of them goes from one day to the other and back
            if syncing.step() is None:
                break
        assert len(index.rows("SELECT study_uid FROM studies")) == len(dates)


@pytest.mark.filterwarnings("ignore:Invalid value for VR DA")
@pytest.mark.parametrize("day", ["", "2026ABCD", "99991231"])
def test_an_archive_without_a_date_that_can_be_read_takes_few_questions(
    tmp_path: Path, day: str
) -> None:
    objects = [made for number in range(12) for made in images(1, study=number, StudyDate=day)]
    with index_in(tmp_path) as index, index.syncing(objects) as syncing:
        assert sum(1 for _ in iter(syncing.step, None)) < 10
        assert index.rows("SELECT count(*) FROM studies JOIN series USING (study_uid)") == [[12]]
        assert all(entry.whole for entry in index.ledger.days().values())
