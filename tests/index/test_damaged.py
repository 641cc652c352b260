"""A flipped bit of any file of an index: the right answer, or the damage is told; and a sync counts
what was lost again."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom_mcp.errors import BadConfiguration, IndexUnavailable
from dicom_mcp.index.engines import ENGINES
from dicom_mcp.index.kept import Kept, mended
from dicom_mcp.index.ledger import sole_writer
from tests.index.filled import NOON, Filled, index_in
from tests.truth.archives import images

OBJECTS = [
    *images(3, study=1, KVP="120", StudyDescription="Abdomen"),
    *images(2, study=2, StudyDate="20251103", SeriesNumber="7"),
    *images(1, study=3, StudyDate=""),
]
TABLES = ("studies", "series", "headers", "reports")
EXAMPLES = 20_000 if os.environ.get("DICOM_MCP_SCALE") == "1" else 60


@contextmanager
def process() -> Generator[None]:
    """As in a process of its own, that has read nothing yet."""
    ENGINES.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicom_mcp.index.digests._READ", {})
        patch.setattr("dicom_mcp.index.ledger._DAYS", {})
        yield
    ENGINES.clear()


def rows(index: Filled) -> list[object]:
    return [index.rows(f"FROM {table} ORDER BY ALL", is_ours=True) for table in TABLES]


def known(index: Filled) -> list[object]:
    """What its ledger says."""
    read_of = [index.ledger.read_of(table) for table in TABLES[2:]]
    return [index.ledger.told("beginning"), {**index.ledger.days()}, *read_of]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index; the last change of its ledger is in SQLite's log beside it, as after a kill."""
    folder = tmp_path_factory.mktemp("kept")
    with index_in(folder / "open") as index:
        index.fill(OBJECTS, depth=("headers", "reports"))
        shutil.copytree(folder / "open", folder / "killed")
    return folder


@pytest.fixture(scope="module")
def truth(kept: Path) -> list[Any]:
    with index_in(kept / "open") as index:
        return [rows(index), known(index)]


@settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_flipped_bit_is_told_or_changes_nothing(
    kept: Path, truth: list[Any], tmp_path: Path, data: st.DataObject
) -> None:
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)
    shutil.copytree(kept / data.draw(st.sampled_from(["open", "killed"])), tmp_path / "copy")
    files = sorted(file for file in tmp_path.rglob("copy/**/*.*") if file.stat().st_size)
    file = data.draw(st.sampled_from(files))
    content = bytearray(file.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(content)
    told = (IndexUnavailable, BadConfiguration)
    with process(), suppress(*told), index_in(tmp_path / "copy") as index:
        assert rows(index) == truth[0], file
        if "-wal" not in file.name:
            assert known(index) == truth[1], file
        for day, entry in index.ledger.days().items():  # the log may lack its end
            assert entry == truth[1][1][day] or not entry.whole


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("how", ["flipped", "gone", "older", "another's"])
def test_a_sync_counts_again_what_was_damaged(
    kept: Path, truth: list[Any], tmp_path: Path, table: str, how: str
) -> None:
    shutil.copytree(kept / "open", tmp_path / "copy")
    file = tmp_path / "copy" / table / "2026-01.parquet"
    content = bytearray(file.read_bytes())
    match how:
        case "flipped":
            content[len(content) // 2] ^= 4
            file.write_bytes(content)
        case "gone":
            file.unlink()
        case "older":  # of another index of the same archive, say out of a backup
            with index_in(tmp_path / "other") as other:
                other.fill(OBJECTS[:1], depth=TABLES[2:])
                shutil.copy(other.store.folder / table / file.name, file)
        case _:
            file = Path(shutil.copy(file, file.with_stem("2019-07")))
    with process(), index_in(tmp_path / "copy") as index:
        for is_ours in (True, False):
            with pytest.raises(IndexUnavailable, match=rf"{table}/20.*index sync counts"):
                index.rows("FROM studies", is_ours=is_ours)
        index.clock.now = NOON
        assert mended(Kept(index.store, index.ledger)) == [f"{table}/{file.stem}"]
        assert len(index.rows("FROM studies WHERE study_date < '2026-01-01'")) == 1
        index.fill(OBJECTS, depth=TABLES[2:])
        assert [rows(index), known(index)] == truth


def test_a_damaged_ledger_and_lock_are_told(kept: Path, tmp_path: Path) -> None:
    shutil.copytree(kept / "open", tmp_path / "copy")
    file = tmp_path / "copy" / "ledger.sqlite"
    content = file.read_bytes()
    for damage in (b"x" * 5_000, content[:5_000], content.replace(b"2026-01-01", b"2026-01-02")):
        file.write_bytes(damage)
        told = r"ledger.sqlite (is damaged|cannot be read).*drop.*sync"
        with (
            process(),
            pytest.raises((IndexUnavailable, BadConfiguration), match=told),
            index_in(tmp_path / "copy") as index,
        ):
            index.ledger.days()
    (tmp_path / "writer.lock").write_bytes(b"x" * 5_000)
    with pytest.raises(BadConfiguration, match="not a database"), sole_writer(tmp_path):
        pass
