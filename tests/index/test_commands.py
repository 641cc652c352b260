"""`dicom-mcp index`, as a person uses it."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dicom_mcp.cli import main
from dicom_mcp.index.columns import TABLES
from dicom_mcp.index.kept import folder_of, has_index, written
from dicom_mcp.node import Node
from dicom_mcp.words.manufacturer import manufacturer
from tests.index.filled import settings_of
from tests.peers.embedded import embedded
from tests.truth.archives import images


def told(
    capsys: pytest.CaptureFixture[str],
    file: Path,
    *arguments: str,
    status: int = 0,
    command: str = "index",
) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(file), command, *arguments])
    assert ended.value.code == status
    return " ".join(capsys.readouterr().out.split())


def test_it_is_filled_shown_asked_checked_and_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = [*images(2, study=1), *images(1, study=2, StudyDate="20250704")]
    with embedded(objects) as peer:
        file = tmp_path / "config.toml"
        file.write_text(
            f'index = {{ folder = "{tmp_path.as_posix()}/kept", pause = 0.001 }}\n'
            f'[nodes.pacs]\nhost = "127.0.0.1"\nport = {peer.node.port}\n'
            f'called_ae_title = "EMBEDDED"\n'
        )
        told(capsys, file, "sync")
        calendar = told(capsys, file, "status")
        assert "2 studies, 2 series; from 2025-07-04 to 2026-01-01" in calendar
        assert re.search(r"2025 .* 1 2024|2025 .* 1", calendar)
        statement = "SELECT study_date, count(*) AS n FROM studies GROUP BY ALL ORDER BY ALL"
        asked = told(capsys, file, "sql", statement, "--csv", command="query")
        assert asked == "study_date,n 2025-07-04,1 2026-01-01,1"
        assert "studies study_uid VARCHAR" in told(capsys, file, "sql", command="query")
        parquet = tmp_path / "it's.parquet"
        whole = (f"{statement}; -- all", "--parquet", str(parquet))
        told(capsys, file, "sql", *whole, command="query")
        written = duckdb.read_parquet(str(parquet)).fetchall()
        assert [count for _, count in written] == [1, 1]
        assert parquet.stat().st_mode & 0o77 == 0
        of_cohort = ("--has", "modality=CT", "--parquet", str(parquet))
        assert "modality CT" in told(capsys, file, "cohort", *of_cohort, command="query")
        uids = duckdb.read_parquet(str(parquet)).project("study_uid").order("study_uid").fetchall()
        assert uids == [("1.2.1",), ("1.2.2",)]
        shown = told(capsys, file, "cohort", "--has", "CT", command="query")
        assert "all patients 2" in shown
        assert "2 rows, complete" in shown, "the steps of the funnel are no rows"
        rows = told(capsys, file, "cohort", "--has", "CT", "--csv", command="query")
        assert rows.startswith("patient_id,")
        for wrong in ("SELECT 1) TO '/tmp/x' --", "COPY studies TO '/tmp/x'", ""):
            told(capsys, file, "sql", wrong, "--parquet", str(parquet), command="query", status=1)
        elsewhere = str(tmp_path / "none" / "x.parquet")
        told(capsys, file, "sql", "SELECT 1", "--parquet", elsewhere, command="query", status=1)
        assert "2 days asked again" in told(capsys, file, "check")
        (of_july,) = tmp_path.glob("kept/*/series/2025-07.parquet")
        of_july.write_bytes(of_july.read_bytes()[:-1] + b"x")
        assert "series/2025-07 changed since it was written" in told(capsys, file, "status")
        told(capsys, file, "sql", statement, command="query", status=1)
        told(capsys, file, "sync")
        assert told(capsys, file, "sql", statement, "--csv", command="query") == asked
        assert "changed" not in told(capsys, file, "status")
        assert "removed" in told(capsys, file, "drop")
        assert "nothing yet" in told(capsys, file, "status")


def test_it_tells_how_deep_it_is_and_how_long_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as at a terminal
    monkeypatch.setenv("COLUMNS", "200")
    with embedded([*images(2, study=1), *images(1, study=2, StudyDate="20250704")]) as peer:
        file = tmp_path / "config.toml"
        file.write_text(
            f'index = {{ folder = "{tmp_path.as_posix()}/kept", pause = 0.001, depth = "headers" }}'
            f'\n[nodes.pacs]\nhost = "127.0.0.1"\nport = {peer.node.port}\n'
            f'called_ae_title = "EMBEDDED"\n'
        )
        with pytest.raises(SystemExit):
            main(["--config", str(file), "index", "sync"])
        shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", capsys.readouterr().err)
        assert "counting what there is" in shown
        assert re.search(r"2 studies of 2, [\d,]+ a minute, about .* left; 2 series", shown)
        assert re.search(r"headers of 1 series of 2, [\d,]+ a minute, about .* left", shown)
        assert "2 studies and 2 series asked for, 2 series read" in shown
        monkeypatch.delenv("FORCE_COLOR")
        assert "headers: 2 of 2 series read." in told(capsys, file, "status")


def test_one_that_keeps_going_outlasts_an_archive_that_is_down_and_fills_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if waited.count(120) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("dicom_mcp.terminal.index.sleep", wait)
    with embedded(images(1, study=1)) as peer:
        file = tmp_path / "config.toml"
        file.write_text(
            f'index = {{ folder = "{tmp_path.as_posix()}/kept", pause = 0 }}\n'
            '[nodes.down]\nhost = "127.0.0.1"\nport = 1\n'
            f'[nodes.pacs]\nhost = "127.0.0.1"\nport = {peer.node.port}\n'
            'called_ae_title = "EMBEDDED"\n'
        )
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(file), "index", "sync", "--keep-going"])
    assert ended.value.code == 130
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("connection refused") == 2
    assert "It is asked again in 120 seconds." in said
    assert said.count("pacs: 1 study and 1 series asked for.") == 1


def test_who_has_not_asked_for_an_index_is_told_how(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[nodes.pacs]\nhost = "192.0.2.1"\nport = 104\n')
    with pytest.raises(SystemExit, match=r"there is no index.*Write \[index\]"):
        main(["--config", str(file), "index", "sync"])


def test_an_index_is_of_an_address_whatever_it_is_called(tmp_path: Path) -> None:
    pacs = Node("192.0.2.1", name="pacs")
    settings = settings_of(pacs, tmp_path)
    with written(settings, pacs):
        pass
    renamed = replace(pacs, name="archive")
    assert folder_of(settings, renamed) == folder_of(settings, pacs)
    assert has_index(settings, renamed)
    assert not has_index(settings, replace(pacs, host="192.0.2.2"))


def test_the_page_names_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "index-of-an-archive.md").read_text()
    for table, columns in TABLES.items():
        names = ", ".join(column.name for column in columns)
        assert f"`{table}`: {names}." in " ".join(page.split())


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SIEMENS", "Siemens"),
        ("Siemens Healthineers", "Siemens"),
        ("GE MEDICAL SYSTEMS", "GE"),
        ("GE_Medical_Systems", "GE"),
        ("General Electric", "GE"),
        ("Philips Medical Systems", "Philips"),
        ("TOSHIBA_MEC", "Canon"),
        ("Canon Medical Systems", "Canon"),
        ("KODAK", "Carestream"),
        ("Georgia Imaging  Inc.", "Georgia Imaging Inc."),
        ("Varian Medical Systems", "Varian"),
        ("", ""),
    ],
)
def test_a_maker_has_one_name(written: str, meant: str) -> None:
    assert manufacturer(written) == meant
