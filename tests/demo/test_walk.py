"""`dicom-mcp demo` and `serve --demo` as a person starts them."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from rich.cells import cell_len
from rich.console import Console

from dicom_mcp.demo import loopback, walk
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import Hospital
from dicom_mcp.demo.questions import QUESTIONS, Walk
from tests.stdio import child

COMMAND = Path(sys.executable).parent / "dicom-mcp"


def test_the_demo_asks_checks_and_ends_by_itself_and_fits_a_narrow_terminal() -> None:
    done = _demo(COLUMNS="80")
    for question in QUESTIONS:
        assert question.words in done.stdout
    assert f"All {len(QUESTIONS)} answers are what the archive holds." in done.stdout
    for name in ("Claude Desktop", "Claude Code", "Cursor", "VS Code", "Zed"):
        assert f"\n{name}: " in done.stdout
    questions, _ = done.stdout.split("Connect your own assistant")
    assert max(map(cell_len, questions.splitlines())) <= 80
    assert "\x1b" not in done.stdout


def test_the_demo_lives_on_the_users_day() -> None:
    """Where it is another day than here: 14 hours ahead of UTC or 12 behind, one always is."""
    here = datetime.now().astimezone().date()
    hours = next(
        hours
        for hours in (14, -12)
        if datetime.now(timezone(timedelta(hours=hours))).date() != here
    )
    _demo(TZ=f"<away>{-hours:+d}")  # POSIX counts westwards


def test_the_demo_leaves_quietly_when_nobody_reads_on() -> None:
    with subprocess.Popen(
        [COMMAND, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout
        assert started.stderr
        assert started.stdout.readline()
        started.stdout.close()
        assert started.stderr.read() == ""
        assert started.wait(60) == 1


def _without_a_study(objects: list[Dataset]) -> list[Dataset]:
    lost = next(one for one in objects if one.StudyDescription == "CT Trauma Chest")
    return [one for one in objects if one.StudyInstanceUID != lost.StudyInstanceUID]


def _without_a_patient(objects: list[Dataset]) -> list[Dataset]:
    return [one for one in objects if "Brückner" not in str(one.PatientName)]


def _with_a_patient_too_many(objects: list[Dataset]) -> list[Dataset]:
    another = deepcopy(next(one for one in objects if "太郎" in str(one.PatientName)))
    another.PatientID = "another"
    another.StudyInstanceUID = another.SeriesInstanceUID = another.SOPInstanceUID = "1.2.3"
    return [*objects, another]


def _with_another_scanner(objects: list[Dataset]) -> list[Dataset]:
    return [_changed(one, "StationName") for one in objects]


def _with_another_birth_date(objects: list[Dataset]) -> list[Dataset]:
    return [_changed(one, "PatientBirthDate") for one in objects]


def _changed(one: Dataset, keyword: str) -> Dataset:
    if "Brückner" not in str(one.PatientName):
        return one
    changed = deepcopy(one)
    setattr(changed, keyword, "19000101")
    return changed


@pytest.mark.parametrize(
    ("mistaken", "complaints"),
    [
        (_without_a_study, ["What came in today? 2 records do not agree with the 3 held"]),
        (
            _without_a_patient,
            [
                "Is there a patient called Brückner? 0 records do not agree with the 1 held",
                "which scanner was it? could not be asked after that answer",
            ],
        ),
        (_with_a_patient_too_many, ["somebody with 太郎 in the name? 2 records do not agree"]),
        (_with_another_scanner, ["which scanner was it? StationName of 2.25."]),
        (_with_another_birth_date, ["called Brückner? PatientBirthDate of 00104217 is not"]),
    ],
)
def test_the_demo_names_each_answer_that_is_not_what_the_archive_should_hold(
    mistaken: Callable[[list[Dataset]], list[Dataset]],
    complaints: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The archive is given something else behind the back of the walk."""

    def archive(objects: Iterable[Dataset], **more: Any) -> EmbeddedArchive:
        return EmbeddedArchive(mistaken(list(objects)), **more)

    monkeypatch.setattr(loopback, "EmbeddedArchive", archive)
    shown = io.StringIO()
    assert walk.walk(lambda rows, _: [str(rows)], Console(file=shown, width=200)) == 1
    for complaint in complaints:
        assert complaint in shown.getvalue()


def test_an_answer_of_another_archive_is_not_taken_for_ours() -> None:
    (question,) = (one for one in QUESTIONS if one.tool == "verify_connection")
    so_far = Walk({"host": "127.0.0.1", "port": 11112}, "", [], date(2026, 5, 5))
    answer = {"works": True, "archive": {"host": "127.0.0.1", "port": 104}}
    assert question.fault(so_far, answer, "").startswith("another archive answered")


def test_serve_demo_is_a_server_with_an_archive_behind_it() -> None:
    with child("serve", "--demo") as server:
        server.initialize("2025-11-25")
        answer = server.call("query_studies", study_date="today")["structuredContent"]
        assert answer["archive"]["called_ae_title"] == "DEMO_PACS"
        assert answer["returned"] == 3
        server.leave(5)
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in server.lines)


def test_keep_prints_how_to_reach_the_archives_and_leaves_on_an_interrupt() -> None:
    with subprocess.Popen(
        [COMMAND, "demo", "--keep"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as kept:
        assert kept.stdout
        said = "".join(_until(kept.stdout, "Both run until Ctrl-C"))
        assert "DEMO_PACS" in said
        assert "DEMO_VNA" in said
        kept.terminate()
        assert kept.wait(30) == 0


def test_the_hospital_is_built_anew_each_time() -> None:
    house = Hospital(date(2026, 5, 5))
    assert next(house.pacs()) == next(house.pacs())
    assert next(house.pacs()) is not next(house.pacs())


def _demo(**environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, "demo"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done


def _until(lines: Iterator[str], wanted: str) -> Iterator[str]:
    for line in lines:
        yield line
        if wanted in line:
            return
