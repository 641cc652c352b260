"""The console command as a person meets it."""

import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from dicom_mcp import cli
from dicom_mcp.config import VARIABLES


def test_help_names_every_command_and_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    assert _status("--help") == 0
    said = capsys.readouterr().out
    for name, meaning in VARIABLES.items():
        assert name in said
        assert meaning in said
    for command in ("serve", "nodes", "init", "query", "doctor", "demo"):
        assert f"\n    {command} " in said


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert _status("--version") == 0
    assert capsys.readouterr().out == version("dicom-archive-mcp") + "\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["sevre"], "invalid choice: 'sevre'"),
        (["serve", "--dmeo"], "unrecognized arguments: --dmeo"),
        (["serve", "--http", "70000"], "'70000' is not a port between 1 and 65535"),
        (["serve", "--http", "0"], "'0' is not a port between 1 and 65535"),
        (["serve", "--http", "http"], "'http' is not a port between 1 and 65535"),
        (["demo", "--kep"], "unrecognized arguments: --kep"),
    ],
)
def test_a_wrong_command_line_is_refused_on_stderr(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _status(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert complaint in said.err


def test_a_setting_that_cannot_work_is_one_sentence_and_a_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DICOM_PORT", "70000")
    status = _status("serve", "--demo")
    assert str(status).startswith("dicom-mcp: port 70000 is not between 1 and 65535.")


def test_who_starts_the_server_by_hand_is_told_what_it_waits_for() -> None:
    try:
        ours, theirs = os.openpty()
    except OSError:
        pytest.skip("no pseudo-terminals here")
    with subprocess.Popen(
        [sys.executable, "-m", "dicom_mcp"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr
            assert "waits for an assistant" in process.stderr.readline()
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)
        assert process.stdout
        assert process.stdout.read() == ""


def _status(*arguments: str) -> object:
    """How the command leaves; a sentence means status 1 and that sentence on stderr."""
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return left.value.code


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_has_no_lines_gets_hyphens(encoding: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dicom_mcp", "doctor", "127.0.0.1:1"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "70"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"\n" + b"-" * 70 + b"\n" in done.stdout.replace(b"\r", b"")
    assert b"\\u" not in done.stdout
