"""A soak: sixteen callers, one archive, a network that fails in every way.

    python -m tests.faults.soak --seconds 600

Most of the time is spent in weather that cuts, slows and stalls, where every answer must be right
or say that it is not whole. The rest is spent with bytes changed on the way: DICOM has no checksum,
so that only how calls end can be judged then. The archive is a process of its own, so that threads,
files and memory are those of the requestor and the proxy.
"""

import argparse
import gc
import multiprocessing
import sys
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from resource import getpagesize
from time import monotonic

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.errors import ArchiveError, Cancelled, NotAsked
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import UNIQUE_KEY, Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, nothing_left_behind
from tests.peers.bad_network import CALM, Proxy, Weather

CALLERS = 16
ASSOCIATIONS = 2
DEADLINES = (0.3, 1.0, 3.0)
GRACE = 1.0
GROWTH = 10 * 1024 * 1024

# The parts of a run: the first settles what memory is needed.
WARM_UP, TRUTH = 0.2, 0.6

# Seconds and weather; None is an archive that is down. One round of them, again and again.
ROUND: tuple[tuple[float, Weather | None], ...] = (
    (1.0, CALM),
    (1.0, Weather(latency=0.005)),
    (1.0, Weather(rate=30_000)),
    (1.5, Weather(reset=0.02)),
    (1.0, CALM),
    (1.5, Weather(stall=0.03)),
    (0.3, None),
    (1.0, CALM),
    (1.5, Weather(latency=0.002, reset=0.01, stall=0.01)),
)
CORRUPTION: tuple[tuple[float, Weather | None], ...] = (
    (1.0, Weather(corruption=0.05)),
    (0.5, Weather(corruption=0.5)),
    (0.5, Weather(corruption=0.02, reset=0.01, stall=0.01)),
)

# Callers whose archive is spared come back a little later, as people do.
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Question:
    """A query and every record of its right answer, by the level's unique key."""

    query: Query
    answer: dict[str, dict[str, str | int]]


@dataclass(slots=True)
class Report:
    """What happened, and what must not."""

    seed: int
    ended: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    slowest: float = 0.0
    connections: int = 0
    most_at_once: int = 0
    growth: int = 0

    def __str__(self) -> str:
        counts = [f"{number:8} {how}" for how, number in self.ended.most_common()]
        return "\n".join(
            [
                f"seed {self.seed}, {sum(self.ended.values())} calls, {self.connections} "
                f"connections, at most {self.most_at_once} at once; no call later than "
                f"{self.slowest:.2f} s after its deadline; memory {self.growth / 2**20:+.1f} MiB",
                *counts,
                *self.wrong[:20],
            ]
        )


def soak(seconds: float, seed: int) -> Report:
    """Run for this long. What went wrong is in the report's `wrong`, which should be empty."""
    report = Report(seed)
    questions = list(_questions())
    with (
        archive_process() as port,
        nothing_left_behind(),
        Proxy("127.0.0.1", port, seed=seed) as proxy,
    ):
        _part(report, proxy, questions, seconds * WARM_UP, ROUND, seed)
        before = _resident()
        _part(report, proxy, questions, seconds * TRUTH, ROUND, seed + 1)
        _part(report, proxy, None, seconds * (1 - WARM_UP - TRUTH), CORRUPTION, seed + 2)
        report.growth = _resident() - before
        report.connections, report.most_at_once = proxy.connections, proxy.most_at_once
    if report.growth > GROWTH:
        report.wrong.append(f"memory grew by {report.growth / 2**20:.1f} MiB")
    if report.most_at_once > ASSOCIATIONS:
        report.wrong.append(f"{report.most_at_once} associations at once")
    return report


def _part(
    report: Report,
    proxy: Proxy,
    questions: Sequence[Question] | None,
    seconds: float,
    weathers: Sequence[tuple[float, Weather | None]],
    seed: int,
) -> None:
    """All callers at one archive until the time is over. Without `questions` to be answered
    rightly, any answer will do."""
    asked = questions or list(_questions())
    archive = connect(Node("127.0.0.1", proxy.port, timeout=DEADLINES[-1]))
    over = threading.Event()
    callers = [
        _Caller(archive, asked, over, Random(f"{seed} {number}"), judge=questions is not None)
        for number in range(CALLERS)
    ]
    threads = [threading.Thread(target=one.run, name="caller", daemon=True) for one in callers]
    for thread in threads:
        thread.start()
    ends = monotonic() + seconds
    while monotonic() < ends:
        for lasts, weather in weathers:
            _set(proxy, weather)
            over.wait(min(lasts, max(ends - monotonic(), 0)))
    _set(proxy, CALM)
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
        if thread.is_alive():
            report.wrong.append("a call never ended")
    archive.close()
    for caller in callers:
        report.ended.update(caller.ended)
        report.wrong += caller.wrong
        report.slowest = max(report.slowest, caller.slowest)


def _set(proxy: Proxy, weather: Weather | None) -> None:
    if weather is None:
        proxy.down()
        return
    proxy.weather = weather
    proxy.up()


class _Caller:
    """Asks one question after the other and judges the answers."""

    def __init__(
        self,
        archive: Archive,
        questions: Sequence[Question],
        over: threading.Event,
        random: Random,
        *,
        judge: bool,
    ) -> None:
        self.ended: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.slowest = 0.0
        self._archive = archive
        self._questions = questions
        self._over = over
        self._random = random
        self._judge = judge

    def run(self) -> None:
        while not self._over.is_set():
            deadline = Deadline(self._random.choice(DEADLINES))
            started = monotonic()
            try:
                how = self._ask(deadline)
            except ArchiveError as error:
                how = type(error).__name__
                if str(self._archive.node) not in str(error):
                    self.wrong.append(f"it does not say where: {error}")
                if isinstance(error, NotAsked):
                    self._over.wait(_PAUSE)
            except Exception as error:
                how = "crash"
                self.wrong.append(repr(error))
            late = monotonic() - started - deadline.seconds
            self.slowest = max(self.slowest, late)
            if late > GRACE:
                self.wrong.append(f"{how} {late:.2f} s after a deadline of {deadline.seconds} s")
            self.ended[how] += 1

    def _ask(self, deadline: Deadline) -> str:
        chance = self._random.random()
        if chance < 0.05:
            self._archive.verify(deadline=deadline)
            return "verified"
        question = self._random.choice(self._questions)
        limit = self._random.choice((1, 5, 500, 500))
        if chance < 0.9:
            return self._find(question, limit, deadline)
        leaves = threading.Timer(self._random.random() * 0.1, deadline.cancel)
        leaves.start()
        try:
            return self._find(question, limit, deadline)
        except Cancelled:
            return "cancelled"
        finally:
            leaves.cancel()
            leaves.join(PATIENCE)

    def _find(self, question: Question, limit: int, deadline: Deadline) -> str:
        answer = self._archive.find(question.query, limit=limit, deadline=deadline)
        if self._judge and (fault := _fault(question, answer, limit)):
            self.wrong.append(f"{fault}: {question.query} was answered with {answer}")
        return "answered" if answer.complete else "answered in part"


def _fault(question: Question, answer: Matches, limit: int) -> str:
    """What is wrong with an answer, or ""."""
    key = UNIQUE_KEY[question.query.level]
    wanted = question.query.wanted
    got = {str(one.get(key)): {name: one.get(name) for name in wanted} for one in answer.matches}
    if len(got) != len(answer.matches):
        return "a record came twice"
    if len(got) > limit:
        return "more than was asked for"
    if any(question.answer.get(uid) != record for uid, record in got.items()):
        return "a wrong record"
    if not answer.complete:
        return "" if answer.notes else "incomplete without a word"
    return "" if len(got) == len(question.answer) else "silently short"


# --- the archive and what is in it


@contextmanager
def archive_process() -> Generator[int]:
    """The embedded archive in a process of its own; its port."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), "the archive did not start"
        yield ours.recv()
    finally:
        ours.close()
        process.join(PATIENCE)
        process.kill()
        process.join()
        process.close()


def _serve(tell: Connection) -> None:
    # pynetdicom's reactor ends with a traceback at a damaged command.
    threading.excepthook = lambda _: None
    with EmbeddedArchive(_objects(), ae_title="SOAK") as archive:
        tell.send(archive.port)
        tell.poll(None)  # until the other side closes


def _studies() -> Generator[tuple[int, int, str]]:
    """Patient and study, their numbers, and the study's UID."""
    for patient in range(CALLERS):
        for study in range(3 + 2 * patient):
            yield patient, study, f"1.2.826.0.1.3680043.10.7.{1 + patient}.{1 + study}"


def _objects() -> Generator[Dataset]:
    for patient, study, uid in _studies():
        for series in (1, 2):
            for number in range(1, 3):
                instance = Dataset()
                instance.file_meta = FileMetaDataset()
                instance.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
                instance.SpecificCharacterSet = "ISO_IR 192"
                instance.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
                instance.StudyInstanceUID = uid
                instance.SeriesInstanceUID = f"{uid}.{series}"
                instance.SOPInstanceUID = f"{uid}.{series}.{number}"
                instance.PatientName = f"Soak^Number {patient}"
                instance.PatientID = f"P{patient}"
                instance.StudyDate = f"2026{1 + patient % 12:02}{1 + study % 28:02}"
                instance.StudyDescription = f"study {study} of {patient}"
                instance.Modality = "CT"
                instance.SeriesNumber = series
                instance.SeriesDescription = f"series {series} of study {study} of {patient}"
                instance.InstanceNumber = number
                yield instance


def _questions() -> Generator[Question]:
    """The studies of each patient, the series of some studies, the instances of some series."""
    of_patient: dict[int, dict[str, dict[str, str | int]]] = {}
    for patient, study, uid in _studies():
        of_patient.setdefault(patient, {})[uid] = {
            "StudyInstanceUID": uid,
            "PatientID": f"P{patient}",
            "StudyDescription": f"study {study} of {patient}",
        }
        if study % 5:
            continue
        yield _question(
            Level.SERIES,
            {"StudyInstanceUID": uid},
            {
                f"{uid}.{series}": {
                    "SeriesInstanceUID": f"{uid}.{series}",
                    "SeriesDescription": f"series {series} of study {study} of {patient}",
                    "StudyInstanceUID": uid,
                }
                for series in (1, 2)
            },
        )
        series = f"{uid}.{1 + patient % 2}"
        above = {"StudyInstanceUID": uid} if study else {}
        yield _question(
            Level.IMAGE,
            {**above, "SeriesInstanceUID": series},
            {
                f"{series}.{number}": {
                    "SOPInstanceUID": f"{series}.{number}",
                    "InstanceNumber": number,
                    "SeriesInstanceUID": series,
                    "StudyInstanceUID": uid,
                }
                for number in (1, 2)
            },
        )
    for patient, answer in of_patient.items():
        yield _question(Level.STUDY, {"PatientID": f"P{patient}"}, answer)
    yield _question(Level.STUDY, {"PatientID": "NOBODY"}, {})


def _question(
    level: Level, keys: dict[str, str], answer: dict[str, dict[str, str | int]]
) -> Question:
    wanted = tuple(next(iter(answer.values()), dict[str, str | int]()))
    return Question(Query(level, keys, wanted), answer)


def _resident() -> int:
    """Bytes of memory this process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()


def main(arguments: Sequence[str]) -> int:
    """Run as told and print what happened; 1 when something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**9))
    told = parser.parse_args(arguments)
    report = soak(told.seconds, told.seed)
    sys.stdout.write(f"{report}\n")
    return int(bool(report.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
