"""Names beyond ASCII in archives that compare bytes."""

from typing import Any

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.notes import the_note
from tests.peers.pynetdicom_scp import Answers, accepting, archive_of
from tests.truth.rows import row

pytestmark = pytest.mark.usefixtures("tidy")


def comparing_bytes(event: Any) -> Answers:
    """It holds one name, in Latin-1, which no key in UTF-8 equals; it knows no descriptions."""
    name = str(event.identifier.get("PatientName", ""))
    if name.isascii():
        yield 0xFF00, row("STUDY", StudyInstanceUID="1.1", PatientName="Bruckner^Anna")
        answer = row("STUDY", StudyInstanceUID="1.2", SpecificCharacterSet="ISO_IR 100")
        answer.PatientName = "Brückner^Anna"
        yield 0xFF00, answer


def test_a_name_that_is_stored_in_other_bytes_is_found() -> None:
    with accepting(comparing_bytes) as acceptor, archive_of(acceptor) as archive:
        for _ in range(2):
            answer = ask(archive, PatientName="Brückner*")
            assert "1.2" in uids(answer)
            assert the_note(answer.notes, "does not compare it as Unicode")


def test_a_key_that_was_ignored_does_not_prove_that_an_archive_reads_unicode() -> None:
    with accepting(comparing_bytes) as acceptor, archive_of(acceptor) as archive:
        answer = ask(archive, StudyDescription="*Schädel*")
        assert the_note(answer.notes, "does not return StudyDescription")
        assert "1.2" in uids(ask(archive, PatientName="Brückner*"))


def ask(archive: Archive, **keys: str) -> Matches:
    query = Query(Level.STUDY, keys)
    return in_time(lambda: archive.find(query, limit=50, deadline=Deadline(PATIENCE)))


def uids(answer: Matches) -> set[str]:
    return {str(match["StudyInstanceUID"]) for match in answer.matches}
