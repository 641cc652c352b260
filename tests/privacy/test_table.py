"""`dicom-mcp privacy table`: what is done with each attribute, as a person reads it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dicom_mcp import cli
from dicom_mcp.errors import BadAttribute
from dicom_mcp.privacy.profile import EDITION, profile
from dicom_mcp.privacy.treatment import DEFAULT_OPTIONS, Mode
from dicom_mcp.standard.dictionary import keywords
from dicom_mcp.terminal.privacy_table import show_table

type Printed = Callable[[], str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return lambda: capsys.readouterr().out


def test_each_attribute_has_a_line_that_can_be_searched(printed: Printed):
    show_table(DEFAULT_OPTIONS)
    lines = printed().splitlines()
    assert lines[0].split() == ["tag", "keyword", "vr", "full", "pseudonym", "none", "why"]
    (line,) = [line for line in lines if " StudyDescription " in line]
    told = "(0008,1030) StudyDescription LO kept cleaned withheld E.1-1: X, descriptors: C"
    assert " ".join(line.split()) == told
    assert any(line.startswith(f"{EDITION}, table E.1-1; retained: content, d") for line in lines)
    assert "withheld: not given" in lines
    assert sum(line.startswith("(") for line in lines) > len(keywords())


def test_every_row_of_the_profile_has_one(printed: Printed):
    show_table(DEFAULT_OPTIONS, (Mode.PSEUDONYM,), csv=True)
    rows = list(csv.DictReader(printed().splitlines()))
    assert list(rows[0]) == ["tag", "keyword", "vr", "pseudonym", "why"]
    by_profile = {row["tag"] for row in rows if "E.1-1" in row["why"]}
    named = {f"({tag[:4]},{tag[4:]})" for tag in profile() if tag.isalnum() and "x" not in tag}
    assert named - {"(priv,ate)"} <= by_profile
    (private,) = [row for row in rows if row["tag"] == "odd groups"]
    assert private["pseudonym"] == "withheld"


def test_some_attributes_can_be_named_as_people_name_them(printed: Printed):
    show_table(DEFAULT_OPTIONS, (Mode.NONE,), ("mrn", "OverlayData"), json=True)
    told = json.loads(printed())
    assert [(row["keyword"], row["none"]) for row in told["rows"]] == [
        ("PatientID", "withheld"),
        ("OverlayData", "withheld"),
    ]
    assert told["means"] == {"withheld": "not given"}
    with pytest.raises(BadAttribute):
        show_table(DEFAULT_OPTIONS, names=("shoe size",))


def test_the_command_prints_what_the_configuration_retains(
    printed: Printed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "config.toml"
    file.write_text('[privacy]\nretain = ["dates"]\n[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n')
    file.chmod(0o600)
    monkeypatch.setenv("DICOM_MCP_CONFIG", str(file))
    cli.main(["privacy", "table", "--mode", "pseudonym", "--csv", "StudyDate", "StationName"])
    assert printed().splitlines()[1:] == [
        '"(0008,0020)",StudyDate,DA,date,"E.1-1: Z, full_dates: K, modified_dates: C"',
        '"(0008,1010)",StationName,SH,withheld,"E.1-1: X/Z/D, device: K"',
    ]
