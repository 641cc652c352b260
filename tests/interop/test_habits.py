"""What is learned of real archives, as docs/answers.md tells it."""

import re
from pathlib import Path

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import connect
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from tests.bounds import PATIENCE
from tests.peers.archive import Peer

ANSWERS = Path(__file__).parents[2] / "docs" / "answers.md"
NAMES = {"orthanc": "Orthanc 1.10.1", "dcmqrscp": "DCMTK dcmqrscp 3.6.7"}


def test_real_archives_do_what_the_documentation_says(peer: Peer) -> None:
    archive = connect(peer.node)
    found: list[Match] = []
    try:
        studies = archive.find(
            Query(Level.STUDY, {"PatientName": "SCHMIDT^*"}, ("ModalitiesInStudy",)),
            limit=50,
            deadline=Deadline(PATIENCE),
        )
        archive.each_series(
            [str(match["StudyInstanceUID"]) for match in studies.matches],
            Query(Level.SERIES, {"PatientName": "SCHMIDT^*"}, ("Modality",)),
            found.append,
            deadline=Deadline(PATIENCE),
        )
        habits = archive.habits
    finally:
        archive.close()
    assert len(studies.matches) == 4
    assert found
    if peer.name not in NAMES:
        return
    told = (
        "left out" if "ModalitiesInStudy" in habits.left_out else "kept",
        "answered" if habits.relational else "not answered",
        "ignored" if habits.ignores_case.get("PatientName") else "compared",
    )
    row = re.search(rf"^\| {re.escape(NAMES[peer.name])} \|(.*)\|$", ANSWERS.read_text(), re.M)
    assert row
    assert tuple(cell.strip() for cell in row[1].split("|")) == told
