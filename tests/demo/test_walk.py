"""`dicom-mcp demo` and `serve --demo` as a person starts them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.hospital import Hospital
from dicom_mcp.demo.questions import QUESTIONS
from tests.stdio import child

COMMAND = Path(sys.executable).parent / "dicom-mcp"


def test_the_demo_asks_checks_and_ends_by_itself() -> None:
    done = subprocess.run(
        [COMMAND, "demo"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for question in QUESTIONS:
        assert question.words in done.stdout
    assert f"All {len(QUESTIONS)} answers are what the archive holds." in done.stdout
    for name in ("Claude Desktop", "Claude Code", "Cursor", "VS Code", "Zed"):
        assert f"\n{name}:" in done.stdout


def test_the_demo_fails_when_an_answer_is_not_what_the_archive_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The archive loses one study behind the back of the walk, which counts the objects itself."""
    from dicom_mcp.demo import walk

    class Forgetful(walk.EmbeddedArchive):
        def __init__(self, objects: list[Dataset], **more: object) -> None:
            lost = next(one for one in objects if one.StudyDescription == "CT Trauma Chest")
            kept = [one for one in objects if one.StudyInstanceUID != lost.StudyInstanceUID]
            super().__init__(kept, **more)  # pyright: ignore

    monkeypatch.setattr(walk, "EmbeddedArchive", Forgetful)
    assert walk.walk() == 1
    assert "Wrong: What came in today?" in capsys.readouterr().out


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
    from datetime import date

    house = Hospital(date(2026, 5, 5))
    assert next(house.pacs()) == next(house.pacs())
    assert next(house.pacs()) is not next(house.pacs())


def _until(lines: Iterator[str], wanted: str) -> Iterator[str]:
    for line in lines:
        yield line
        if wanted in line:
            return
