"""The index beside the archive: the same answers, and never more claimed than is true."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.demo.habits import Habits
from dicom_mcp.index import source as index_source
from dicom_mcp.index.kept import folder_of, opened
from dicom_mcp.index.ledger import Span
from dicom_mcp.node import AnyNode
from tests import busy
from tests.asking import answers, ask, fail
from tests.busy_questions import QUESTIONS, faults
from tests.index.filled import fill, settings_of
from tests.peers.embedded import Kind, embedded
from tests.truth.archives import images

KINDS = {
    "gives everything": Kind(),
    "cuts like Orthanc": Kind(Habits(most_matches=100, cap_status=0xFE00, most_below=101)),
}

_IS_AT_SCALE = os.environ.get("DICOM_MCP_SCALE") == "1"

_NAMES = [
    name
    for name, question in QUESTIONS.items()
    if question.tool in ("count_studies", "query_studies")
]


@dataclass(frozen=True, slots=True)
class Indexed:
    """An archive with an index, and what it holds."""

    settings: Settings
    held: list[busy.Study]
    kind: str


@pytest.fixture(scope="module", params=KINDS)
def indexed(
    request: pytest.FixtureRequest, small: busy.Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Indexed]:
    with embedded([], KINDS[request.param], database=str(small.database)) as peer:
        settings = settings_of(peer.node, tmp_path_factory.mktemp("index"))
        fill(settings)
        yield Indexed(settings, [*small.held], request.param)


# Which of four questions are asked of which where there is no time for all.
_SHARE = {name: number for number, name in enumerate(KINDS)}


@pytest.mark.parametrize("source", ["auto", "index"])
def test_questions_are_answered_from_the_index_as_they_are_true(
    indexed: Indexed, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 100)
    share = 2 * _SHARE[indexed.kind] + (source == "index")
    names = [name for number, name in enumerate(_NAMES) if _IS_AT_SCALE or number % 4 == share]
    calls = [
        (QUESTIONS[name].tool, {**QUESTIONS[name].arguments, "source": source}) for name in names
    ]
    wrong: dict[str, list[str]] = {}
    marked: list[str] = []
    from_index = 0
    for name, answer in zip(names, answers(indexed.settings, calls), strict=True):
        if found := faults(QUESTIONS[name], answer, indexed.held):
            wrong[name] = found
        if not answer["complete"]:
            marked.append(name)
        from_index += any("the index" in note for note in answer["notes"])
    assert wrong == {}
    assert len(marked) < len(names) // 3
    assert from_index == len(names) if source == "index" else from_index > len(names) // 5


def counted(settings: Settings, **arguments: Any) -> dict[str, Any]:
    return ask(settings, "count_studies", group_by=["modality"], **arguments)


def test_a_study_whose_date_cannot_be_read_is_counted_whichever_day_it_came_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    objects = images(1, study=1, StudyDate="20260105") + images(1, study=2, StudyDate="20260108")
    with warnings.catch_warnings(action="ignore"):
        objects += images(1, study=3, StudyDate="nodate")
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        for _ in range(3):  # be it that the day it came with is looked at
            answer = counted(settings)
            assert answer["total"] == 3
            assert any("is the same" in note for note in answer["notes"])


def test_what_changed_where_it_is_looked_is_asked_for_at_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    before = images(1, study=1, StudyDate="20260105")
    with embedded(before) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        answer = counted(settings)
        assert answer["total"] == 1
        assert any("is the same" in note for note in answer["notes"])
    with embedded([*before, *images(1, study=2, StudyDate="20260105")]) as peer:
        _moved(settings, peer.node)
        now = replace(settings, node=peer.node)
        answer = counted(now)
        assert answer["total"] == 2
        assert answer["complete"]
        assert not any("the index" in note for note in answer["notes"])
        with opened(now, peer.node) as kept:  # and it is asked for anew by the next sync
            assert not kept.ledger.days()["2026-01-05"].asked
        told = counted(now, source="index")
        assert told["total"] == 1
        assert "From the index" in told["notes"][0]
        assert counted(now, source="live")["total"] == 2


def _moved(settings: Settings, node: AnyNode) -> None:
    """The index of one archive as that of another one, which has another port here."""
    folder_of(settings, settings.node).rename(folder_of(replace(settings, node=node), node))


def test_days_that_are_not_fresh_and_days_being_written_are_asked_for_at_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    objects = [*images(1, study=1, StudyDate="20260105"), *images(1, study=2, StudyDate="20260106")]
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        assert settings.index
        stale = replace(settings, index=replace(settings.index, fresh=1e-9))
        assert counted(stale)["notes"] == []
        with opened(settings, peer.node) as kept:
            day = date(2026, 1, 6)
            writing = kept.ledger.writing(Span(day, day), ())
            with writing:
                answer = counted(settings, study_date="20260101-20260131")
                assert answer["total"] == 2
                assert "2026-01-05" in answer["notes"][0]
                assert "to 2026-01-06" not in answer["notes"][0]
                told = counted(settings, source="index", study_date="20260101-20260131")
                assert not told["complete"]
                assert "2026-01-06" in told["notes"][1]


@pytest.mark.parametrize("source", ["live", "auto", "index"])
def test_what_an_archive_does_not_return_nobody_is_told_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    objects = images(2, study=1, StudyDate="20260105", StationName="CT1")
    with embedded(objects, Kind(Habits(unreturned=frozenset({"StationName"})))) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        answer = ask(settings, "count_studies", group_by=["station"], source=source)
        assert answer["total"] == 1
        assert not answer["complete"]
        assert any("does not return StationName" in note for note in answer["notes"])


def test_a_corrected_study_where_it_is_looked_is_told_as_it_is_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    values = {
        "StudyDate": "20260105",
        "StudyInstanceUID": "2.25.77",
        "SeriesInstanceUID": "2.25.78",
    }
    with embedded(images(1, study=1, **values, StudyDescription="CT chest")) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
    with embedded(images(1, study=1, **values, StudyDescription="CT head")) as peer:
        _moved(settings, peer.node)
        now = replace(settings, node=peer.node)
        answer = ask(now, "count_studies", group_by=["StudyDescription"])
        assert [group["StudyDescription"] for group in answer["groups"]] == ["CT head"]


def test_days_that_an_index_was_not_filled_with_are_missing_from_its_answer(
    tmp_path: Path,
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    objects = images(1, study=1, StudyDate="20260105")
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings, ago=10 * 86_400)
    with embedded([*objects, *images(1, study=2, StudyDate=f"{yesterday:%Y%m%d}")]) as peer:
        _moved(settings, peer.node)
        now = replace(settings, node=peer.node)
        for days in ("last 7 days", ""):
            told = counted(now, source="index", study_date=days)
            assert not told["complete"]
            assert any(f"{yesterday}" in note for note in told["notes"])
            assert counted(now, study_date=days)["total"] == (1 if days else 2)
        assert counted(now, source="index", study_date="20260105")["complete"]
        rows = ask(now, "query_sql", sql="SELECT count(*) AS n FROM studies")
        assert not rows["complete"]


def test_a_file_that_cannot_be_read_keeps_nobody_from_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_source, "WORTH", 1)
    with embedded(images(1, study=1, StudyDate="20260105")) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        for file in tmp_path.rglob("*.parquet"):
            file.write_bytes(b"PAR1")
        assert counted(settings)["total"] == 1
        assert "the index is damaged" in fail(settings, "count_studies", source="index")


def test_a_list_from_the_index_that_is_cut_says_so(tmp_path: Path) -> None:
    objects = [made for number in (1, 2, 3) for made in images(1, study=number)]
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        told = ask(settings, "query_studies", study_date="2026", limit=2, source="index")
        assert (told["returned"], told["complete"]) == (2, False)
        assert any("these are 2 of 3" in note for note in told["notes"])


def test_a_record_from_the_index_is_the_one_the_archive_gives(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {
            "StudyTime": "0830",
            "PatientBirthDate": "19450230",
            "PatientName": "Yamada^T=山田^太",
        },
        {"StudyTime": "235959.123456", "AccessionNumber": "00 12", "StudyDescription": "=a\\b"},
        {"StudyDate": "", "StudyTime": "", "PatientSex": "X", "StudyID": "A\\B"},
    ]
    objects = [
        made
        for number, values in enumerate(odd, 1)
        for made in images(number, study=number, **{"SpecificCharacterSet": "ISO_IR 192", **values})
    ]
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        wanted = [
            "StudyTime",
            "PatientBirthDate",
            "PatientSex",
            "ReferringPhysicianName",
            "StudyID",
        ]
        kept, live = (
            ask(settings, "query_studies", additional_attributes=wanted, source=source)
            for source in ("index", "live")
        )
        by_uid = {
            record["StudyInstanceUID"]: {**kept["common"], **record} for record in kept["records"]
        }
        assert by_uid == {
            record["StudyInstanceUID"]: {**live["common"], **record} for record in live["records"]
        }
        (study,) = [uid for uid, record in by_uid.items() if record.get("StudyTime") == "0830"]
        asked = {"study_instance_uid": study, "additional_attributes": ["SeriesTime", "Laterality"]}
        kept, live = (
            ask(settings, "query_series", **asked, source=source) for source in ("index", "live")
        )
        assert {**kept["common"], **kept["records"][0]} == {**live["common"], **live["records"][0]}


def test_what_the_index_cannot_tell_gets_a_sentence(tmp_path: Path) -> None:
    with embedded(images(1, study=1)) as peer:
        settings = settings_of(peer.node, tmp_path)
        assert counted(settings)["total"] == 1  # there is no index yet
        said = fail(settings, "count_studies", source="index")
        assert "dicom-mcp index sync" in said
        fill(settings)
        said = fail(settings, "count_studies", group_by=["InstitutionName"], source="index")
        assert "the index does not have InstitutionName" in said
        assert "source=live" in said
        assert "auto, live, index" in fail(settings, "count_studies", source="both")
        other = replace(peer.node, name="other")
        several = replace(settings, others=(other,))
        assert "an index is of one archive" in fail(
            several, "count_studies", source="index", node="all"
        )
