"""`query_sql` as an assistant calls it, in the real server."""

import json
import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.cli import main
from dicom_mcp.index.columns import TABLES
from dicom_mcp.index.ledger import VERSION, Ledger
from dicom_mcp.tools.sql import EXAMPLES
from tests.peers.embedded import embedded
from tests.stdio import HANDSHAKES, Child, child
from tests.truth.archives import images

OBJECTS = [
    *images(2, study=1, StudyDate="20260301", Manufacturer="SIEMENS"),
    *images(1, study=2, StudyDate="20260302", Manufacturer="GE MEDICAL SYSTEMS"),
]
BY_MAKER = "SELECT manufacturer, count(*) AS n FROM series GROUP BY ALL ORDER BY ALL"


@contextmanager
def asked(folder: Path) -> Generator[Child]:
    """A server of two archives, of which the first has an index in this folder."""
    with embedded(OBJECTS) as peer:
        file = folder / "config.toml"
        kept = (folder / "kept").as_posix()
        node = f'host = "127.0.0.1"\nport = {peer.node.port}\ncalled_ae_title = "EMBEDDED"\n'
        file.write_text(
            f'[index]\nfolder = "{kept}"\npause = 0.001\nkeep = false\nnodes = ["pacs", "later"]\n'
            f"[nodes.pacs]\n{node}[nodes.later]\n{node.replace('EMBEDDED', 'LATER')}"
            f"[nodes.vna]\n{node}timeout = 22\n"
        )
        with pytest.raises(SystemExit, match="0"):
            main(["--config", str(file), "index", "sync", "pacs"])
        with child("--config", str(file)) as server:
            server.initialize(HANDSHAKES[-1])
            yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asked")


@pytest.fixture(scope="module")
def server(folder: Path) -> Generator[Child]:
    with asked(folder) as server:
        yield server


def answer(server: Child, **arguments: Any) -> dict[str, Any]:
    result = server.call("query_sql", **arguments)
    assert not result.get("isError"), result["content"][0]["text"]
    return result["structuredContent"]


def refusal(server: Child, **arguments: Any) -> str:
    result = server.call("query_sql", **arguments)
    assert result["isError"]
    return result["content"][0]["text"]


def test_rows_come_with_what_the_index_covers(server: Child) -> None:
    found = answer(server, sql=BY_MAKER)
    assert found["rows"] == [{"manufacturer": "GE", "n": 1}, {"manufacturer": "Siemens", "n": 1}]
    assert found["complete"], found["notes"]
    assert "From the index of pacs: 2 studies" in " ".join(found["notes"])


def test_without_a_statement_it_tells_its_columns_and_examples_that_can_be_asked(
    server: Child,
) -> None:
    for sql in ({}, {"sql": " "}, {"node": "later"}):
        found = answer(server, **sql)
        assert [(row["table"], row["column"]) for row in found["rows"]] == [
            (table, column.name) for table, columns in TABLES.items() for column in columns
        ]
        assert all(row["type"] and row["meaning"] for row in found["rows"])
        assert found["complete"]
        assert [note.partition("Example: ")[2] for note in found["notes"]] == [*EXAMPLES]
    for example in EXAMPLES:
        assert answer(server, sql=example)["complete"]


def test_the_same_is_a_resource(server: Child) -> None:
    listed = server.request("resources/list")["result"]["resources"]
    (uri,) = (one["uri"] for one in listed if one["name"] == "schema")
    (read,) = server.request("resources/read", {"uri": uri})["result"]["contents"]
    assert json.loads(read["text"]) == {"columns": answer(server)["rows"], "examples": [*EXAMPLES]}


def test_what_is_not_all_is_not_called_complete(server: Child) -> None:
    found = answer(server, sql="SELECT * FROM studies", limit=1)
    assert (found["returned"], found["complete"]) == (1, False)
    assert "first 1 rows" in " ".join(found["notes"])
    found = answer(server, sql="SELECT string_agg('x', '') FROM range(5000000)")
    assert (found["returned"], found["complete"]) == (0, False)
    assert "longer than an answer" in " ".join(found["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sql": "SELECT nothing FROM studies"}, "studies has study_uid, patient_id"),
        ({"sql": "SELECT * FROM images"}, "The tables are studies and series"),
        ({"sql": "SELECT * FROM read_text('/etc/passwd')"}, "cannot stand in FROM"),
        ({"sql": "DROP VIEW studies"}, "Write one SELECT"),
        ({"sql": "SELECT 1", "limit": 0}, "limit"),
        ({"sql": "SELECT 1", "node": "later"}, "dicom-mcp index sync"),
        ({"sql": "SELECT 1", "node": "vna"}, "Name one of these as node: pacs, later"),
        ({"sql": "SELECT 1", "node": "all"}, "an index is of one archive"),
        ({"sql": "SELECT 1", "node": "nowhere"}, "pacs"),
    ],
)
def test_an_error_says_what_to_change(server: Child, arguments: dict[str, Any], said: str) -> None:
    assert said in refusal(server, **arguments)
    assert answer(server, sql=BY_MAKER)["returned"] == 2


def test_what_somebody_did_to_its_files_is_told(server: Child, folder: Path) -> None:
    (series,) = folder.glob("kept/pacs-*/series/*.parquet")
    whole = series.read_bytes()
    for damage in (b"", b"PAR1", whole[:-20], os.urandom(len(whole))):
        series.write_bytes(damage)
        assert "dicom-mcp index sync counts" in refusal(server, sql=BY_MAKER)
    series.write_bytes(whole)
    assert answer(server, sql=BY_MAKER)["returned"] == 2
    with closing(Ledger(series.parents[1] / "ledger.sqlite")) as ledger:
        ledger.tell("version", "0")
        assert "another version" in refusal(server, sql=BY_MAKER)
        ledger.tell("version", str(VERSION))
    assert answer(server, sql=BY_MAKER)["returned"] == 2
