"""Seeded fuzzing of whole sessions and of identifiers.

    python -m tests.faults.fuzz --sessions 10000 --identifiers 100000 --seed 1

Case N of seed S is the first case of seed S + N. A case that fails prints its own seed; with that
seed and `--sessions 1 --identifiers 0` (or the reverse) it alone is run again.
"""

import argparse
import json
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from time import monotonic

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.dimse.association import Association
from dicom_mcp.dimse.get import GetModel, Instance, get
from dicom_mcp.dimse.negotiation import Storage, request_pdu
from dicom_mcp.door.account import Account
from dicom_mcp.door.call import Call
from dicom_mcp.door.house import House
from dicom_mcp.door.progress import Progress
from dicom_mcp.errors import ArchiveError, Cancelled
from dicom_mcp.node import Node
from dicom_mcp.standard.identifier import decode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Matches, Query
from dicom_mcp.standard.recheck import Recheck
from dicom_mcp.standard.record import records
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from dicom_mcp.tools.query import Records, records_of
from tests.bounds import PATIENCE, in_time
from tests.faults import mutations
from tests.faults.identifiers import damaged_identifier, healthy_identifiers
from tests.pace import within
from tests.peers import scripted as wire
from tests.peers.scripted import FIND_REQUEST, Peer, Talk

# Seconds: what one question may take, how long it may take to end after that, and how long a peer
# whose words were lost waits for the next question before it closes.
SHORT = 0.25
GRACE = 1.0
SILENCES = (0.0, 0.0, 0.02, 0.1, 2 * SHORT)

# An identifier of some kilobytes is read in under a millisecond.
IDENTIFIER_SECONDS = 5.0

# Sessions wait for each other's bytes most of the time.
SESSIONS_AT_ONCE = 8

GET_REQUEST = 0x0010
CT = "1.2.840.10008.5.1.4.1.1.2"
SYNTAXES = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)

STUDIES = Query(
    Level.STUDY,
    {"PatientID": "7", "StudyDate": "20200101-"},
    ("PatientName", "ModalitiesInStudy", "ReferencedStudySequence"),
)
IMAGES = Query(Level.IMAGE, {"SeriesInstanceUID": "1.2.3.4"})

# Keys that read what they are compared with in every way there is.
CURIOUS = Query(
    Level.STUDY,
    {
        "PatientName": "D*e^J?ne",
        "PatientID": "7*",
        "StudyDate": "20240101-20241231",
        "StudyTime": "0800-1200",
        "ModalitiesInStudy": "CT",
        "StudyInstanceUID": "1.2.3\\1.2.4",
        "StudyDescription": "*Ä*",
        "NumberOfStudyRelatedSeries": "3",
    },
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that did not end as every case must."""

    kind: str
    seed: int
    what: str

    def __str__(self) -> str:
        return f"{self.kind} of seed {self.seed}:\n{self.what}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often the cases ended in each way, and those that failed."""

    ended: Counter[str]
    failures: list[Failure]

    def __str__(self) -> str:
        counts = (f"{number:8} {how}" for how, number in self.ended.most_common())
        return "\n".join([*counts, *map(str, self.failures)])


def fuzz_sessions(number: int, seed: int) -> Outcome:
    """Run this many sessions; a question for each word in `ended`."""
    outcome = Outcome(Counter(), [])
    request_pdu(Node(), (), (), 0)  # what is imported for it is not on the first case's time

    def run(case: int) -> list[str] | Failure:
        try:
            return in_time(partial(session, case))
        except BaseException:
            return Failure("session", case, traceback.format_exc())

    with ThreadPoolExecutor(SESSIONS_AT_ONCE) as several:
        for result in several.map(run, range(seed, seed + number)):
            if isinstance(result, Failure):
                outcome.failures.append(result)
            else:
                outcome.ended.update(result)
    return outcome


def fuzz_identifiers(number: int, seed: int) -> Outcome:
    """Decode this many identifiers."""
    outcome = Outcome(Counter(), [])
    healthy_identifiers()  # not on the first case's time

    def run(case: int) -> None:
        try:
            outcome.ended[identifier(case)] += 1
        except BaseException:
            outcome.failures.append(Failure("identifier", case, traceback.format_exc()))

    running = _Progress(partial(map, run, range(seed, seed + number)))
    while not running.over.wait(IDENTIFIER_SECONDS):
        if not running.moved():
            stuck = seed + running.done
            outcome.failures.append(Failure("identifier", stuck, "it was never decoded"))
            return outcome
    return outcome


# --- one session


def session(seed: int) -> list[str]:
    """Some questions to a peer that says something wrong, then one to the same peer when it is
    well; how each ended. Raises when one ended in another way than it may."""
    random = Random(seed)
    peculiar = _peculiar(seed)
    with Peer((peculiar,)) as peer:
        node = Node("127.0.0.1", peer.port)
        if random.random() < 0.1:
            return [_ended(partial(_retrieve, node), SHORT)]
        archive = connect(node)
        try:
            questions = random.choices(_QUESTIONS, k=random.choice((1, 2, 2, 3)))
            ended = [_ended(partial(ask, archive, random), SHORT) for ask in questions]
            peer.heal()
            peer.hang_up()
            found = archive.find(
                Query(Level.STUDY, {"PatientID": "7"}), limit=50, deadline=Deadline(PATIENCE)
            )
            uids = [match["StudyInstanceUID"] for match in found.matches]
            assert uids == ["1.2.0", "1.2.1", "1.2.2"], f"the next answer was {found}"
            assert found.complete, f"the next answer was {found}: {found.notes}"
            return ended
        finally:
            archive.close()


def _ended(ask: Callable[[Deadline], str], seconds: float) -> str:
    """How a question ended, in time and as it may."""
    with within(seconds + GRACE):
        try:
            how = ask(Deadline(seconds))
        except (ArchiveError, Cancelled) as error:
            how = _said(error)
    return how


def _said(error: ArchiveError | Cancelled) -> str:
    """The error's name, once it has told somebody what to try."""
    assert error.remedy or isinstance(error, Cancelled), f"speechless: {error!r}"
    str(error).encode()
    return type(error).__name__


def _find(archive: Archive, random: Random, deadline: Deadline, *, query: Query = STUDIES) -> str:
    limit = random.choice((1, 2, 50))
    answer = archive.find(query, limit=limit, deadline=deadline)
    assert len(answer.matches) <= limit
    assert answer.complete or answer.notes, "incomplete, but nobody says why"
    said = _records(answer).model_dump_json()
    json.loads(said.encode())
    return "answered" if answer.complete else "answered in part"


def _verify(archive: Archive, random: Random, deadline: Deadline) -> str:  # noqa: ARG001
    assert 0 < archive.verify(deadline=deadline) < 1000 * PATIENCE
    return "verified"


def _cancelled(archive: Archive, random: Random, deadline: Deadline) -> str:
    """The caller goes away at some moment."""
    leaves = threading.Timer(random.random() * 0.02, deadline.cancel)
    leaves.start()
    try:
        return _find(archive, random, deadline)
    finally:
        leaves.cancel()
        leaves.join(PATIENCE)


_QUESTIONS = (_find, _find, _find, _verify, _cancelled, partial(_find, query=IMAGES))


def _retrieve(node: Node, deadline: Deadline) -> str:
    """A C-GET of two objects."""
    came: list[Instance] = []

    def take(instance: Instance) -> bool:
        came.append(instance)
        return True

    association = Association.request(
        node,
        (GetModel.STUDY_ROOT,),
        deadline=deadline,
        storage=(Storage(CT, IMPLICIT_VR_LITTLE_ENDIAN),),
        largest=64 * 1024,
    )
    try:
        query = Query(Level.STUDY, {"StudyInstanceUID": "1.2.1"})
        get(association, query, GetModel.STUDY_ROOT, take, deadline=deadline)
    finally:
        association.abort()
    return f"retrieved {len(came)}"


# --- the peer's side of it


def _peculiar(seed: int) -> wire.Step:
    """A peer that says something wrong in one of its connections' first answers."""
    connections = count()

    def step(talk: Talk) -> None:
        random = Random(f"{seed} {next(connections)}")
        syntax = random.choice(SYNTAXES)
        wrong_at = random.choice((0, 1, 1, 1, 1, 2, 2))
        wire.hear_request(talk)
        acceptance = [wire.acceptance(talk, syntax=syntax.encode())]
        _say(talk, acceptance, random, wrong=wrong_at == 0)
        for number in count(1):
            talk.connection.settimeout(random.choice(SILENCES) if number > wrong_at else PATIENCE)
            talk.read_message()
            if talk.operation == wire.CANCEL_REQUEST:
                continue
            _say(talk, _answer(talk, syntax, random), random, wrong=number == wrong_at)

    return step


def _answer(talk: Talk, syntax: str, random: Random) -> list[bytes]:
    """A healthy answer as PDUs."""
    said: list[bytes] = []
    if talk.operation == FIND_REQUEST:
        rows = random.sample(healthy_identifiers()[syntax], random.choice((0, 1, 3, 3, 10)))
        for row in rows:
            said += [talk.announcement(), wire.p_data((talk.context_id, 2, row))]
    if talk.operation == GET_REQUEST:
        for number in range(2):
            store = wire.command(
                {
                    0x0002: CT.encode() + b"\0",
                    0x0100: 0x0001,
                    0x0110: number,
                    0x0800: 0x0001,
                    0x1000: b"1.2.3." + bytes([48 + number, 0]),
                }
            )
            data_set = healthy_identifiers()[IMPLICIT_VR_LITTLE_ENDIAN][number]
            said += [wire.p_data((3, 3, store)), wire.p_data((3, 2, data_set))]
    return [*said, talk.answer(0x0000)]


def _say(talk: Talk, pdus: list[bytes], random: Random, *, wrong: bool) -> None:
    """Send these, or something like them, in pieces of any size."""
    data = b"".join(mutations.damaged_pdus(pdus, random) if wrong else pdus)
    while data:
        size = random.choice((1, 7, 100, 10_000, len(data)))
        talk.send(data[:size])
        data = data[size:]


# --- one identifier


def identifier(seed: int) -> str:
    """How decoding a damaged identifier, or bytes that never were one, ends. Raises when that is
    not with a match that can be shown, or with an error of the tree."""
    random = Random(seed)
    syntax = random.choice(SYNTAXES)
    data = damaged_identifier(random, syntax)
    try:
        match = decode(data, syntax)
    except ArchiveError as error:
        return type(error).__name__
    Recheck(CURIOUS).holds(match)
    _show(match)
    return "a match" if match else "nothing known"


def _show(match: Match) -> None:
    """What a model would be given of it."""
    rows, common = records(Level.STUDY, [match, match], tuple(match))
    shown = json.dumps([rows, common], allow_nan=False, ensure_ascii=False).encode()
    json.loads(shown)
    _records(Matches(CURIOUS, [match], absent=tuple(match))).model_dump_json()


def _records(answer: Matches) -> Records:
    """What a tool makes of an answer."""
    found = Account(answer.matches)
    found.join(answer)
    wanted = (*answer.query.wanted, *answer.absent)
    session = House(Settings(Node())).session()
    call = Call(session, session.archive(session.names()), Deadline(1.0), Progress())
    return records_of(call, found, answer.query.level, wanted)


class _Progress:
    """Work of many steps in a thread of its own, and how many are done."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.done = 0
        self.over = threading.Event()
        self._seen = -1

        def run() -> None:
            with suppress(StopIteration):
                steps = iter(work())  # pyright: ignore
                while True:
                    next(steps)  # pyright: ignore
                    self.done += 1
            self.over.set()

        threading.Thread(target=run, daemon=True, name="fuzzing").start()

    def moved(self) -> bool:
        """Whether anything was done since this was asked last."""
        seen, self._seen = self._seen, self.done
        return self._seen != seen


def main(arguments: Sequence[str]) -> int:
    """Run as told and print what happened; 1 when a case failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.fuzz", description=__doc__)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--identifiers", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**9))
    told = parser.parse_args(arguments)
    failed = False
    for name, run, number in (
        ("sessions", fuzz_sessions, told.sessions),
        ("identifiers", fuzz_identifiers, told.identifiers),
    ):
        started = monotonic()
        outcome = run(number, told.seed)
        took = monotonic() - started
        sys.stdout.write(f"{number} {name}, seed {told.seed}, {took:.0f} s\n{outcome}\n")
        failed = failed or bool(outcome.failures)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
