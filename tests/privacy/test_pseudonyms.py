"""Pseudonyms and their map: what is always the same, what nobody finds out, what is refused."""

import base64
import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from dicom_mcp.errors import BadArgument, BadConfiguration
from dicom_mcp.privacy.pseudonyms import KINDS, MAP, PATTERN, Pseudonyms

_VALUES = [f"{number:08}" for number in range(300)]
_GUESSES = 20_000


def key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def pseudonyms(tmp_path: Path) -> Generator[Pseudonyms]:
    with closing(Pseudonyms(key(), tmp_path)) as opened:
        yield opened


def test_a_value_has_one_pseudonym_on_every_server_of_a_key(tmp_path: Path) -> None:
    shared = key()
    with (
        closing(Pseudonyms(shared, tmp_path)) as here,
        closing(Pseudonyms(shared, tmp_path)) as there,
    ):
        named = here.of("PAT", "00104217", name="Doe^Jane")
        assert PATTERN.fullmatch(named)
        assert there.of("PAT", "00104217") == named
        assert there.read(named.lower()) == {
            "kind": "patient",
            "value": "00104217",
            "name": "Doe^Jane",
        }


def test_what_is_of_another_kind_or_key_shares_nothing(tmp_path: Path) -> None:
    with (
        closing(Pseudonyms(key(), tmp_path / "a")) as one_key,
        closing(Pseudonyms(key(), tmp_path / "b")) as other_key,
    ):
        made = [
            {name[4:] for value in _VALUES for name in [held.of(kind, value)]}
            for held in (one_key, other_key)
            for kind in KINDS
        ]
    everything = {name for names in made for name in names}
    assert len(everything) == len(_VALUES) * len(KINDS) * 2


def test_guesses_find_nothing(pseudonyms: Pseudonyms) -> None:
    pseudonyms.of_several("PAT", [(value, {}) for value in _VALUES])
    letters, dice = "0123456789ABCDEFGHJKMNPQRSTVWXYZ", random.Random(18)
    for _ in range(_GUESSES):
        digits = "".join(dice.choices(letters, k=16))
        guess = "-".join(("PAT", *(digits[at : at + 4] for at in range(0, 16, 4))))
        with pytest.raises(BadArgument):
            pseudonyms.read(guess)


def test_the_map_tells_nothing_without_the_key(tmp_path: Path) -> None:
    with closing(Pseudonyms(key(), tmp_path)) as pseudonyms:
        pseudonyms.of("PAT", "ZZ-4711", name="Canarius^Wilhelmine")
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"4711" not in held
    assert b"Canarius" not in held
    assert (tmp_path / MAP).stat().st_mode & 0o077 == 0
    with pytest.raises(BadConfiguration, match="made with another key"):
        Pseudonyms(key(), tmp_path)


def test_an_entry_that_was_changed_is_not_read(tmp_path: Path) -> None:
    with closing(Pseudonyms(key(), tmp_path)) as pseudonyms:
        first, second = pseudonyms.of("PAT", "1"), pseudonyms.of("PAT", "2")
        with closing(sqlite3.connect(tmp_path / MAP)) as rows:
            (sealed,) = rows.execute(
                "SELECT sealed FROM named WHERE pseudonym = ?", (second,)
            ).fetchone()
            rows.execute("UPDATE named SET sealed = ? WHERE pseudonym = ?", (sealed, first))
            rows.commit()
        with pytest.raises(BadConfiguration, match="was changed"):
            pseudonyms.read(first)


def _run(*arguments: str, file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "dicom_mcp", "--config", str(file), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_person_looks_somebody_up_and_it_is_written_down(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    made = _run("privacy", "key", str(tmp_path / "key"), file=file)
    assert made.returncode == 0
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert 'mode = "pseudonym"' in made.stdout
    file.write_text(
        '[nodes.pacs]\nhost = "127.0.0.1"\nport = 104\n'
        f'[privacy]\nkey_file = "key"\nfolder = "{(tmp_path / "map").as_posix()}"\n'
    )
    secret = base64.b64encode(base64.b64decode((tmp_path / "key").read_text())).decode()
    with closing(Pseudonyms(secret, tmp_path / "map")) as pseudonyms:
        named = pseudonyms.of("PAT", "4711", name="Doe^Jane")
    assert _run("whois", named, "--reason", " ", file=file).returncode == 1
    told = _run("whois", named.lower(), "--reason", "a call of the ward", file=file)
    assert told.stdout == "patient 4711, Doe^Jane\n"
    (line,) = (tmp_path / "map" / "whois.jsonl").read_text().splitlines()
    assert json.loads(line).items() >= {
        ("pseudonym", named),
        ("reason", "a call of the ward"),
    }
    assert _run("privacy", "rotate", file=file).returncode == 0
    assert (
        "no pseudonym that was given out" in _run("whois", named, "--reason", "x", file=file).stderr
    )
    (old,) = (tmp_path / "map").glob("until-*")
    again = _run("whois", named, "--reason", "x", "--backup", str(old), file=file)
    assert again.stdout == "patient 4711, Doe^Jane\n"
    assert _run("privacy", "backup", str(tmp_path / "copy"), file=file).returncode == 0
    assert (tmp_path / "copy" / "key").read_text() == (tmp_path / "key").read_text()
    assert _run("privacy", "destroy", "--yes", file=file).returncode == 0
    assert not (tmp_path / "key").exists()
    assert not (tmp_path / "map" / MAP).exists()
