import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse.association import Association
from dicom_mcp.dimse.find import Answered, find
from dicom_mcp.dimse.pool import Pool
from dicom_mcp.errors import (
    AssociationAborted,
    BadArgument,
    CalledTitleNotRecognised,
    CallingTitleNotRecognised,
    Cancelled,
    DeadlinePassed,
    NoAcceptedContext,
    TooManyAssociations,
)
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level, Model
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.dimse.codecs import EXPLICIT, IMPLICIT
from tests.notes import the_note
from tests.peers.pynetdicom_scp import MODELS, VERIFICATION, Answers, accepting, archive_of, study
from tests.peers.scripted import Peer, accept, behave, end, give_rows, hear_cancel, hear_question

pytestmark = pytest.mark.usefixtures("tidy")


def test_questions_one_after_the_other_share_one_association() -> None:
    with accepting() as acceptor, archive_of(acceptor) as archive:
        for patient in range(10):
            assert_answered(ask(archive, patient), patient)
        assert 0 < archive.verify(deadline=Deadline(PATIENCE)) < 1000 * PATIENCE
    assert acceptor.associations == 1
    assert acceptor.released.is_set()


def test_sixteen_callers_at_once_get_their_own_answers_over_two_associations() -> None:
    with accepting() as acceptor, archive_of(acceptor) as archive:

        def work(patient: int) -> None:
            for number in range(5):
                assert_answered(ask(archive, patient * 100 + number), patient * 100 + number)

        at_once([lambda patient=patient: work(patient) for patient in range(16)])
    assert acceptor.most_at_once <= 2
    assert acceptor.associations == 2
    assert len(acceptor.asked) == 80


def test_what_came_of_patients_goes_with_the_association() -> None:
    def named(event: Any) -> Answers:
        answer = study(event, 1)
        answer.PatientName = "ZZSECRET^Nora"
        yield 0xFF00, answer

    with accepting(named) as acceptor, archive_of(acceptor) as archive:
        (match,) = archive.find(Query(Level.STUDY), limit=5, deadline=Deadline(PATIENCE)).matches
    assert match["PatientName"] == "ZZSECRET^Nora"
    modules = [module for name, module in sys.modules.items() if name.startswith("dicom_mcp")]
    kept = [repr(value) for module in modules for value in vars(module).values()]
    assert not [text for text in kept if "ZZSECRET" in text]


def test_an_archive_that_accepts_one_association_serves_everybody_over_that_one() -> None:
    with accepting(maximum_associations=1) as acceptor, archive_of(acceptor) as archive:
        at_once(
            [
                lambda patient=patient: assert_answered(ask(archive, patient), patient)
                for patient in range(8)
            ]
        )
    assert acceptor.most_at_once == 1


def test_an_archive_with_no_association_left_says_so() -> None:
    with (
        accepting(maximum_associations=1) as acceptor,
        archive_of(acceptor) as archive,
        archive_of(acceptor) as other,
    ):
        ask(archive, 1)
        with pytest.raises(TooManyAssociations, match="try again in a moment"):
            ask(other, 2)


def test_a_limit_stops_the_archive_and_the_association_is_kept() -> None:
    stops = (accept, hear_question, give_rows(8), hear_cancel, end(0xFE00), behave)
    with Peer(stops) as peer:
        archive = connect(Node("127.0.0.1", peer.port))
        answer = ask(archive, 7, limit=7)
        assert len(answer.matches) == 7
        assert answer.complete is False
        assert the_note(answer.notes, "the first 7 studies")
        assert_answered(ask(archive, 7), 7)
        assert len(peer.talks) == 1
        in_time(archive.close)


def test_a_limit_stops_pynetdicom_too() -> None:
    stopped = threading.Event()

    def endless(event: Any) -> Answers:
        number = 0
        try:
            while not event.is_cancelled:
                yield 0xFF00, study(event, number)
                number += 1
            yield 0xFE00, None
        finally:
            stopped.set()

    with accepting(endless) as acceptor, archive_of(acceptor) as archive:
        for patient in range(3):
            answer = ask(archive, patient, limit=7)
            assert len(answer.matches) == 7
            assert patients(answer) == {str(patient)}
            assert stopped.wait(PATIENCE)
            stopped.clear()


def test_a_limit_cuts_an_archive_off_that_does_not_stop() -> None:
    over = threading.Event()

    def deaf(event: Any) -> Answers:
        number = 0
        while not over.is_set():
            yield 0xFF00, study(event, number)
            number += 1

    with accepting(deaf) as acceptor, archive_of(acceptor) as archive:
        try:
            for patient in range(2):
                answer = ask(archive, patient, limit=7)
                assert patients(answer) == {str(patient)}
                assert len(answer.matches) == 7
            assert acceptor.aborted.wait(PATIENCE)
        finally:
            over.set()
    assert acceptor.associations == 2


def test_a_limit_that_is_just_reached_is_a_whole_answer() -> None:
    with accepting() as acceptor, archive_of(acceptor) as archive:
        assert ask(archive, 1, limit=3).complete is True
        assert ask(archive, 1, limit=2).complete is False


def test_a_cancelled_call_ends_at_once_and_the_archive_hears_of_it() -> None:
    asked, cancelled = threading.Event(), threading.Event()

    def slow(event: Any) -> Answers:
        asked.set()
        for _ in range(10 * PATIENCE):
            if event.is_cancelled:
                cancelled.set()
                break
            cancelled.wait(0.05)
        yield 0xFE00, None

    deadline = Deadline(10 * PATIENCE)
    with accepting(slow) as acceptor, archive_of(acceptor) as archive:
        calls = Calls([lambda: ask(archive, 1, deadline=deadline)])
        assert asked.wait(PATIENCE)
        deadline.cancel()
        (error,) = calls.errors()
        assert isinstance(error, Cancelled)
        assert cancelled.wait(PATIENCE)


def test_a_call_that_waits_for_its_turn_can_be_cancelled_and_has_its_own_deadline() -> None:
    asked, over = threading.Semaphore(0), threading.Event()

    def busy(event: Any) -> Answers:
        asked.release()
        over.wait(10 * PATIENCE)
        yield 0xFF00, study(event, 0)

    with accepting(busy) as acceptor, archive_of(acceptor) as archive:
        holding = Calls([lambda: ask(archive, 1), lambda: ask(archive, 2)])
        try:
            assert asked.acquire(timeout=PATIENCE)
            assert asked.acquire(timeout=PATIENCE)
            with pytest.raises(DeadlinePassed, match=r"all associations to it were busy for 0\.2"):
                ask(archive, 3, deadline=Deadline(0.2))
            deadline = Deadline(10 * PATIENCE)
            waiting = Calls([lambda: ask(archive, 4, deadline=deadline)])
            deadline.cancel()
            (error,) = waiting.errors()
            assert isinstance(error, Cancelled)
        finally:
            over.set()
        assert holding.errors() == []
        assert_one(ask(archive, 5), 5)
    assert acceptor.associations == 2


def test_an_association_that_went_stale_is_replaced_once() -> None:
    questions: list[int] = []

    def second_time_aborts(event: Any) -> Answers:
        questions.append(1)
        if len(questions) == 2:
            event.assoc.abort()
            return
        yield 0xFF00, study(event, 0)

    with accepting(second_time_aborts) as acceptor, archive_of(acceptor) as archive:
        for patient in range(3):
            assert_one(ask(archive, patient), patient)
    assert acceptor.associations == 2
    assert len(questions) == 4


def test_an_archive_that_always_aborts_is_asked_no_more_than_twice() -> None:
    questions: list[int] = []

    def aborts(event: Any) -> Answers:
        questions.append(1)
        if len(questions) > 1:
            event.assoc.abort()
            return
        yield 0xFF00, study(event, 0)

    with accepting(aborts) as acceptor, archive_of(acceptor) as archive:
        ask(archive, 1)
        with pytest.raises(AssociationAborted, match="aborted the association"):
            ask(archive, 2)
    assert len(questions) == 3


def test_an_association_nobody_asks_for_is_released() -> None:
    with accepting() as acceptor:
        pool = Pool(
            lambda deadline: Association.request(acceptor.node(), MODELS, deadline=deadline),
            idle_seconds=0.05,
        )
        with pool.lease(deadline=Deadline(PATIENCE)) as lease:
            assert not lease.used_before
        assert acceptor.released.wait(PATIENCE)
        with pool.lease(deadline=Deadline(PATIENCE)):
            pass
        in_time(pool.close)
    assert acceptor.associations == 2


def test_a_borrower_that_fails_leaves_no_association_to_others() -> None:
    with accepting() as acceptor:
        pool = Pool(
            lambda deadline: Association.request(acceptor.node(), MODELS, deadline=deadline)
        )
        query = Query(Level.STUDY, {"PatientID": "1"})

        for _ in range(3):
            with pool.lease(deadline=(deadline := Deadline(PATIENCE))) as lease:
                model, answered = Model.STUDY_ROOT, Answered()
                left = find(lease.association, query, model, answered, deadline=deadline)
                next(left)
        in_time(pool.close)
    assert acceptor.associations == 3


def test_a_closed_archive_still_answers_but_keeps_nothing() -> None:
    with accepting() as acceptor, archive_of(acceptor) as archive:
        ask(archive, 1)
        archive.close()
        assert acceptor.released.wait(PATIENCE)
        assert_answered(ask(archive, 2), 2)
        assert acceptor.aborted.wait(PATIENCE)


@pytest.mark.parametrize(
    ("syntaxes", "maximum_pdu"),
    [
        ([IMPLICIT], 128),
        ([EXPLICIT], 128),
        ([IMPLICIT], 0),
        ([EXPLICIT], 1 << 20),
        ([EXPLICIT, IMPLICIT], 16382),
    ],
)
def test_every_syntax_and_every_size_of_pdu_is_spoken(
    syntaxes: list[str], maximum_pdu: int
) -> None:
    with (
        accepting(syntaxes=syntaxes, maximum_pdu=maximum_pdu) as acceptor,
        archive_of(acceptor) as archive,
    ):
        assert_answered(ask(archive, 1), 1)
        assert 0 < archive.verify(deadline=Deadline(PATIENCE)) < 1000 * PATIENCE


def test_titles_that_are_not_recognised_are_told_apart() -> None:
    with accepting(called=True, calling=["TESTER"]) as acceptor:
        with archive_of(acceptor) as archive:
            assert_answered(ask(archive, 1), 1)
        with (
            archive_of(acceptor, called="WRONG") as archive,
            pytest.raises(CalledTitleNotRecognised, match="called_ae_title WRONG is not its"),
        ):
            ask(archive, 1)
        with (
            archive_of(acceptor, calling="STRANGER") as archive,
            pytest.raises(CallingTitleNotRecognised, match="calling_ae_title STRANGER"),
        ):
            ask(archive, 1)


def test_an_archive_without_the_service_is_told_from_one_that_is_down() -> None:
    with accepting(models=(VERIFICATION,)) as acceptor, archive_of(acceptor) as archive:
        for level in (Level.PATIENT, Level.STUDY):
            with pytest.raises(NoAcceptedContext, match=r"not C-FIND \(Study Root\)"):
                in_time(lambda: archive.find(Query(level), limit=1, deadline=Deadline(30)))  # noqa: B023
        assert in_time(lambda: archive.verify(deadline=Deadline(30))) > 0


def test_instances_of_very_many_series_or_of_none_need_their_study() -> None:
    many = "\\".join(f"1.2.{number}" for number in range(101))
    with accepting() as acceptor, archive_of(acceptor) as archive:
        for keys in ({"SeriesInstanceUID": many}, {"SOPInstanceUID": "1.2"}):
            with pytest.raises(BadArgument, match="study_instance_uid"):
                archive.find(Query(Level.IMAGE, keys), limit=1, deadline=Deadline(PATIENCE))
    assert len(acceptor.asked) <= 3  # whether a series alone is enough


def test_every_match_that_arrives_is_reported() -> None:
    arrived: list[int] = []
    with accepting() as acceptor, archive_of(acceptor) as archive:
        archive.find(
            Query(Level.STUDY, {"PatientID": "1"}),
            limit=50,
            deadline=Deadline(PATIENCE),
            on_match=lambda: arrived.append(1),
        )
    assert len(arrived) == 3


def ask(
    archive: Archive, patient: int, *, limit: int = 50, deadline: Deadline | None = None
) -> Matches:
    query = Query(Level.STUDY, {"PatientID": str(patient)})
    return archive.find(query, limit=limit, deadline=deadline or Deadline(PATIENCE))


def assert_answered(answer: Matches, patient: int) -> None:
    assert patients(answer) == {str(patient)}
    assert [match["StudyInstanceUID"] for match in answer.matches] == ["1.2.0", "1.2.1", "1.2.2"]
    assert answer.complete
    assert answer.notes == ()


def patients(answer: Matches) -> set[str]:
    return {str(match["PatientID"]) for match in answer.matches}


def assert_one(answer: Matches, patient: int) -> None:
    assert [match["PatientID"] for match in answer.matches] == [str(patient)]


class Calls:
    """Pieces of work at once, each in a thread of its own."""

    def __init__(self, works: list[Callable[[], object]]) -> None:
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._run, args=(work,), daemon=True) for work in works
        ]
        for thread in self._threads:
            thread.start()

    def errors(self) -> list[BaseException]:
        """What they raised, once they have all ended."""
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "it never ended"
        return self._errors

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self._errors.append(error)


def at_once(works: list[Callable[[], object]]) -> None:
    """Run them all at once; none may fail."""
    for error in Calls(works).errors():
        raise error
