"""What an administrator reads of a question afterwards, however it ended."""

import logging
import re
import subprocess
import sys

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.node import Node
from tests.asking import call
from tests.peers.misbehaviours import MISBEHAVIOURS
from tests.peers.scripted import HEALTHY, Peer, Script

# The archive, both titles, the service, how it ended, how many rows came, how long it took.
LINE = re.compile(
    r"C-FIND call=[0-9a-f]{8} archive=127\.0\.0\.1:(?P<port>\d+) called_ae_title=PEER "
    r"calling_ae_title=TESTER level=STUDY rows=(?P<rows>\d+) outcome=(?P<outcome>\w+) ms=\d+\.\d"
)


@pytest.mark.parametrize(
    ("script", "outcome", "rows"),
    [
        (HEALTHY, "0x0000", "3"),
        (MISBEHAVIOURS["cannot process after three rows"], "0xC001", "3"),
        (MISBEHAVIOURS["aborts midway"], "AssociationAborted", "3"),
        (MISBEHAVIOURS["falls silent after three rows"], "deadline", "3"),
        (MISBEHAVIOURS["has too many associations"], "TooManyAssociations", "0"),
        (None, "ConnectionRefused", "0"),
        (MISBEHAVIOURS["does not allow it"], "0x0124", "0"),
    ],
    ids=["success", "failure midway", "abort", "deadline", "rejection", "refusal", "failure"],
)
def test_the_log_says_who_was_asked_what_and_how_it_ended(
    script: Script | None, outcome: str, rows: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dicom_mcp")
    with Peer(script) as peer:
        node = Node("127.0.0.1", peer.port, "PEER", "TESTER", timeout=2)
        call(
            Settings(node),
            "query_studies",
            patient_id="7",
            exclude_attributes=["ModalitiesInStudy"],
        )
    lines = [record.getMessage() for record in caplog.records]
    asked = [one for one in map(LINE.fullmatch, lines) if one]
    assert asked, lines
    assert (asked[0]["port"], asked[0]["outcome"], asked[0]["rows"]) == (
        str(peer.port),
        outcome,
        rows,
    )
    (tool,) = (line for line in lines if line.startswith("tool "))
    calls = {found for line in lines for found in re.findall(r"call=(\w+)", line)}
    assert len(calls) == 1
    assert "name=query_studies" in tool
    assert "ZZSECRET" not in "".join(lines)


def test_the_log_says_of_a_test_of_the_connection_how_it_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicom_mcp")
    with Peer(HEALTHY) as peer:
        for port in (peer.port, 1):
            call(Settings(Node("127.0.0.1", port, "PEER", "TESTER")), "verify_connection")
    lines = [one for one in (r.getMessage() for r in caplog.records) if one.startswith("C-ECHO")]
    assert "outcome=0x0000 ms=" in lines[0]
    assert "outcome=ConnectionRefused ms=" in lines[1]


def test_every_node_of_one_question_is_logged_under_its_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "dicom_mcp")
    with Peer(HEALTHY) as one, Peer(HEALTHY) as other:
        nodes = [Node("127.0.0.1", peer.port, name=f"at{peer.port}") for peer in (one, other)]
        call(Settings(nodes[0], others=(nodes[1],)), "query_patients", node="all")
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if line.startswith("C-FIND ")]) >= 2
    calls = {found for line in lines for found in re.findall(r"call=(\S+)", line)}
    assert len(calls) == 1
    assert "-" not in calls


def test_what_the_decoders_say_of_values_reaches_nobody() -> None:
    """pydicom sets the level of its logger when it is imported, which is after ours is set up."""
    script = (
        "import logging, warnings; from dicom_mcp import journal; journal.to_stderr(debug=True);"
        "from dicom_mcp.dicom_api import prepare; prepare();"
        "logging.getLogger('pydicom').error('ZZSECRET');"
        "logging.getLogger('pynetdicom.acse').error('ZZSECRET');"
        "warnings.warn('ZZSECRET'); logging.getLogger('dicom_mcp').warning('heard')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert "ZZSECRET" not in done.stderr + done.stdout
    assert "heard" in done.stderr
