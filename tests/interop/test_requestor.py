"""The requestor itself over one kept connection to each real archive, without the tools above."""

import threading
from collections.abc import Iterator

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.errors import CalledTitleNotRecognised
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import UNIQUE_KEY, Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.peers.archive import Peer


@pytest.fixture
def archive(peer: Peer) -> Iterator[Archive]:
    archive = connect(peer.node)
    yield archive
    in_time(archive.close)


def test_every_level_is_walked_from_patient_to_instance(
    archive: Archive, held: list[Dataset]
) -> None:
    for study in sorted({(one.PatientID, one.StudyInstanceUID) for one in held})[:6]:
        keys = {"PatientID": str(study[0])}
        inside = [one for one in held if one.PatientID == study[0]]
        assert found(archive, Level.PATIENT, keys) == unique(inside, Level.PATIENT)
        assert found(archive, Level.STUDY, keys) == unique(inside, Level.STUDY)
        inside = [one for one in held if one.StudyInstanceUID == study[1]]
        keys = {"StudyInstanceUID": str(study[1])}
        assert found(archive, Level.SERIES, keys) == unique(inside, Level.SERIES)
        for series in unique(inside, Level.SERIES):
            images = [one for one in inside if one.SeriesInstanceUID == series]
            keys = {"SeriesInstanceUID": series}
            assert found(archive, Level.IMAGE, keys) == unique(images, Level.IMAGE)


def test_an_answer_that_is_cut_leaves_nothing_for_the_next_question(
    archive: Archive, held: list[Dataset]
) -> None:
    for patient in sorted(unique(held, Level.PATIENT)):
        cut = ask(archive, Level.STUDY, {}, limit=1)
        assert (len(cut.matches), cut.complete) == (1, False)
        answer = ask(archive, Level.STUDY, {"PatientID": patient})
        assert {match["PatientID"] == patient for match in answer.matches} == {True}


def test_sixteen_callers_at_once_get_their_own_answers(
    archive: Archive, held: list[Dataset]
) -> None:
    wrong: list[object] = []

    def work(patient: str) -> None:
        inside = [one for one in held if one.PatientID == patient]
        try:
            for _ in range(5):
                assert found(archive, Level.STUDY, {"PatientID": patient}) == unique(
                    inside, Level.STUDY
                )
        except BaseException as error:
            wrong.append(error)

    patients = sorted(unique(held, Level.PATIENT))
    callers = [
        threading.Thread(target=work, args=(patients[number % len(patients)],), daemon=True)
        for number in range(16)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
        assert not caller.is_alive()
    assert wrong == []


def test_a_series_nobody_has_is_no_failure(archive: Archive) -> None:
    answer = ask(archive, Level.IMAGE, {"SeriesInstanceUID": "1.2.3.4.5"})
    assert answer.matches == []
    assert answer.complete is True


def test_a_wrong_title_is_told_by_an_archive_that_checks_it(peer: Peer) -> None:
    """dcmqrscp does; the others are configured, as many archives are, to answer to every title."""
    archive = connect(Node(peer.node.host, peer.node.port, called_ae_title="WRONG"))
    try:
        if peer.name == "dcmqrscp":
            with pytest.raises(CalledTitleNotRecognised, match="called_ae_title WRONG"):
                archive.verify(deadline=Deadline(PATIENCE))
        else:
            assert archive.verify(deadline=Deadline(PATIENCE)) > 0
    finally:
        in_time(archive.close)


def ask(archive: Archive, level: Level, keys: dict[str, str], *, limit: int = 500) -> Matches:
    query = Query(level, keys, ("PatientID",))
    return in_time(lambda: archive.find(query, limit=limit, deadline=Deadline(PATIENCE)))


def found(archive: Archive, level: Level, keys: dict[str, str]) -> set[str]:
    """The unique keys of a whole answer, each only once."""
    answer = ask(archive, level, keys)
    assert answer.complete, answer.notes
    uids = [str(match[UNIQUE_KEY[level]]) for match in answer.matches]
    assert len(uids) == len(set(uids))
    return set(uids)


def unique(objects: list[Dataset], level: Level) -> set[str]:
    return {str(getattr(one, UNIQUE_KEY[level])) for one in objects}
