"""An index that is encrypted: nothing of a patient lies in its files, and no other key opens it."""

import base64
import random
import re
import sys
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.config import Settings, load
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.errors import BadConfiguration, IndexUnavailable
from dicom_mcp.index.kept import folder_of, opened, written
from dicom_mcp.index.reader import reading
from dicom_mcp.index.sealed import Reading, Writing
from dicom_mcp.index.sync import Sync
from dicom_mcp.index_settings import Encryption, IndexSettings
from dicom_mcp.node import AnyNode, Node
from tests.bounds import PATIENCE
from tests.demo_hospital import pacs
from tests.index.filled import fill
from tests.peers.embedded import embedded
from tests.truth.archives import images

KEY, OTHER = (base64.b64encode(bytes([number] * 32)).decode() for number in (7, 8))


def settings_of(node: AnyNode, folder: Path, key: str = KEY, *depth: str) -> Settings:
    encryption = Encryption(key) if key else None
    index = IndexSettings(folder=str(folder), keep=False, depth=depth, encryption=encryption)
    return Settings(node, time_zone=UTC, index=index)


def everything_in(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_no_file_tells_of_a_patient_and_answers_are_those_of_a_plain_one(tmp_path: Path) -> None:
    objects = [d for d in pacs() if d.StudyDate >= "20260329"]
    planted = {
        str(value)
        for d in objects
        for value in (d.PatientName, d.PatientID, d.AccessionNumber, d.StudyInstanceUID)
        if len(str(value)) > 4
    } | {part for d in objects for part in re.split(r"[\^= ]", str(d.PatientName)) if len(part) > 4}
    told: list[list[list[Any]]] = []
    with embedded(objects) as peer:
        for key in ("", KEY):
            settings = settings_of(peer.node, tmp_path / (key and "it"), key, "headers", "reports")
            with written(settings, peer.node) as kept, closing(connect(peer.node)) as archive:
                deep = ("headers", "reports")
                with closing(Sync(archive, kept.store, kept.ledger, zone=UTC, depth=deep)) as sync:
                    assert any(sync.step() is None for _ in range(200))
                    came = everything_in(folder_of(settings, peer.node))  # and what is open
            came += everything_in(folder_of(settings, peer.node))
            found = {value for value in planted if value.encode() in came}
            assert not found if key else found
            assert KEY.encode() not in came
            assert bytes([7] * 32) not in came
            with reading(settings, [peer.node], Deadline(PATIENCE)) as reader:
                for statement in (
                    "FROM studies ORDER BY ALL",
                    "FROM series ORDER BY ALL",
                    "FROM headers ORDER BY ALL",
                    "SELECT study_uid, text, authors FROM reports ORDER BY ALL",
                ):
                    for is_ours in (True, False):
                        table = reader.ask(statement, most_rows=5_000, is_ours=is_ours)
                        assert table.rows
                        told.append(table.rows)
    assert told[: len(told) // 2] == told[len(told) // 2 :]


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        (KEY, OTHER, "encrypted with another key"),
        (KEY, "", "encrypted, and its settings name no key.* Name key_file or key_env"),
        ("", KEY, "not encrypted, though its settings name a key.* drop"),
    ],
)
def test_another_key_is_told(tmp_path: Path, first: str, then: str, said: str) -> None:
    with embedded(images(2)) as peer:
        fill(settings_of(peer.node, tmp_path, first))
        before = everything_in(tmp_path)
        for opens in (opened, written):
            with (
                pytest.raises(BadConfiguration, match=said) as told,
                opens(settings_of(peer.node, tmp_path, then), peer.node),
            ):
                pass
            assert not {KEY, OTHER} & {*str(told.value).split()}
        assert everything_in(tmp_path) == before
        fill(settings_of(peer.node, tmp_path, first))


def test_a_key_is_read_from_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    file = tmp_path / "config.toml"
    file.write_text(
        '[index]\nkey_file = "key"\n[nodes.pacs]\nhost = "192.0.2.1"\nport = 104\n'
        'called_ae_title = "PACS"\n'
    )
    for text in (KEY, bytes([7] * 32).hex() + "\n"):
        secret.write_text(text)
        settings = load(str(file), {})
        assert settings.index
        assert settings.index.key == KEY
        assert settings.secret_files == (secret,)
        assert KEY not in repr(settings)
    for wrong in ("secret", "", KEY[:-4], KEY * 2):
        secret.write_text(wrong)
        with pytest.raises(BadConfiguration, match=r"not 32 bytes.*openssl rand") as told:
            load(str(file), {})
        assert not wrong or f" {wrong}" not in str(told.value)


@pytest.mark.parametrize("lacking", ["fsspec", "cryptography"])
def test_who_lacks_what_it_takes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    monkeypatch.setitem(sys.modules, lacking, None)
    node = Node("192.0.2.1")
    with (
        pytest.raises(IndexUnavailable, match=r"needs fsspec and cryptography.*extra encrypted"),
        written(settings_of(node, tmp_path), node),
    ):
        pass
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_a_file_gives_what_was_written_from_any_place(tmp_path: Path, size: int) -> None:
    plain = random.Random(size).randbytes(size)
    with closing(Writing(tmp_path / "x.partial", KEY)) as file:
        for begin in range(0, size, 30_000):
            file.write(plain[begin : begin + 30_000])
        assert file.tell() == size
    with closing(Reading(tmp_path / "x.partial", KEY)) as file:
        assert file.size == size
        assert file.read() == plain
        for begin, count in ((0, 10), (65_530, 20), (size - 5, 5), (size - 5, 50), (70_000, -1)):
            file.seek(max(begin, 0))
            end = size if count < 0 else max(begin, 0) + count
            assert file.read(count) == plain[max(begin, 0) : end]


@pytest.mark.parametrize("how", ["a byte", "cut", "cut by a block", "another month's", "longer"])
def test_what_somebody_changed_is_not_read(tmp_path: Path, how: str) -> None:
    objects = [
        *images(1, study=1, PatientComments="x"),
        *images(1, study=2, StudyDate="20251231"),
    ]
    with embedded(objects) as peer:
        settings = settings_of(peer.node, tmp_path)
        fill(settings)
        newer, older = sorted((folder_of(settings, peer.node) / "studies").iterdir())
        content = bytearray(older.read_bytes())
        if how == "a byte":
            content[len(content) // 2] ^= 1
        elif how == "cut by a block":
            content = content[:32]
        elif how == "another month's":
            content = bytearray(newer.read_bytes())
        else:
            content = content[:-7] if how == "cut" else content + b"\0" * 100
        older.write_bytes(content)
        with (
            reading(settings, [peer.node], Deadline(PATIENCE)) as reader,
            pytest.raises(IndexUnavailable, match=r"studies/20.* changed.*sync counts"),
        ):
            reader.ask("FROM studies", most_rows=10)
