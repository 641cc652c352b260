"""Those who ask: dicom-mcp, the probe, DCMTK's findscu and plain pynetdicom.

Each is a function that asks one question once, or several times where one is too short to be
timed, and fails unless every match came. All send the same keys.
"""

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom import AE, _config
from pynetdicom.association import Association

from benchmarks import pdu
from benchmarks.peers import Question, program
from benchmarks.probe import Probe
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, connect
from dicom_mcp.node import Node
from dicom_mcp.standard import syntaxes
from dicom_mcp.standard.keys import encode

# Longer than any question here takes on a slow machine.
PATIENCE = 120

# More than any question has, so that every answer is read to its end.
_LIMIT = 1_000_000

# As shipped findscu waits 45 ms more for each query, for an acknowledgement.
_FINDSCU_ENVIRONMENT = {**os.environ, "TCP_NODELAY": "1"}

# Seconds over which queries of one findscu are counted.
_WHILE = 0.5

# Measures one question in seconds.
type Contestant = Callable[[], float]


def dicom_mcp_warm(question: Question, stack: ExitStack, times: int) -> Contestant:
    """`Archive.find` over kept associations."""
    archive = stack.enter_context(closing(_archive(question)))
    _asked(archive, question)
    return lambda: _seconds(lambda: _asked(archive, question), times)


def dicom_mcp_first(question: Question) -> Contestant:
    """`Archive.find` of an archive that has never been asked: connection and association too."""

    def ask() -> None:
        archive = _archive(question)
        _asked(archive, question)
        asked.append(archive)

    asked: list[Archive] = []

    def measured() -> float:
        seconds = _seconds(ask)
        asked.pop().close()
        return seconds

    return measured


def probe_warm(
    question: Question, stack: ExitStack, times: int, *, quick_acknowledge: bool
) -> Contestant:
    """The probe on a kept association."""
    asked = _encoded(question)
    probe = stack.enter_context(_probe(question, quick_acknowledge=quick_acknowledge))
    expected = probe.ask(asked)

    def ask() -> None:
        _expect(probe.ask(asked), expected)

    return lambda: _seconds(ask, times)


def probe_first(question: Question) -> Contestant:
    """The probe, its connection and association included."""
    asked = _encoded(question)

    def measured() -> float:
        with ExitStack() as stack:

            def ask() -> None:
                stack.enter_context(_probe(question, quick_acknowledge=True)).ask(asked)

            return _seconds(ask)

    return measured


def findscu_process(question: Question, folder: Path) -> Contestant:
    """findscu from its start to its end."""
    command = _findscu(question, folder, 1)
    _check_count(command, question)
    return lambda: _seconds(lambda: _run(command))


def findscu_kept(question: Question, folder: Path) -> Contestant:
    """One query of many in one findscu: what so many more of them add to a process with one."""
    one = _findscu(question, folder, 1)
    eleven = _findscu(question, folder, 11)
    alone, together = _seconds(lambda: _run(one)), _seconds(lambda: _run(eleven))
    # So many that they take a while: a process starts in 30 to 100 ms, never the same.
    times = round(_WHILE / max((together - alone) / 10, _WHILE / 500)) + 1
    many = _findscu(question, folder, 1 + times)

    def measured() -> float:
        alone = _seconds(lambda: _run(one))
        return max(_seconds(lambda: _run(many)) - alone, 0.0) / times

    return measured


def pynetdicom_whole(question: Question, *, logging: bool) -> Contestant:
    """pynetdicom as its documentation shows it: associate, send_c_find, iterate, release.

    With `logging` as it comes: it formats every identifier for a log, whether anybody reads that
    or not.
    """
    asked = _data_set(question)

    def ask() -> None:
        association = _associated(question)
        _iterated(association, asked, question)
        association.release()

    def measured() -> float:
        _pynetdicom_logs(logging)
        return _seconds(ask)

    return measured


def pynetdicom_kept(question: Question, stack: ExitStack) -> Contestant:
    """pynetdicom's send_c_find on a kept association, without its logging."""
    _pynetdicom_logs(False)
    asked = _data_set(question)
    association = _associated(question)
    stack.callback(association.release)

    def measured() -> float:
        _pynetdicom_logs(False)
        return _seconds(lambda: _iterated(association, asked, question))

    return measured


def callers(question: Question, stack: ExitStack, count: int, each: int) -> Contestant:
    """`count` threads with `each` questions to one archive: its two associations."""
    archive = stack.enter_context(closing(_archive(question)))
    pool = stack.enter_context(ThreadPoolExecutor(count))

    def caller(_: int) -> None:
        for _ in range(each):
            _asked(archive, question)

    def ask() -> None:
        for _ in pool.map(caller, range(count), timeout=PATIENCE):
            pass

    ask()
    return lambda: _seconds(ask)


def findscu_side_by_side(question: Question, folder: Path, queries: int) -> Contestant:
    """Two findscu with half of the queries each, over a kept association each."""
    command = _findscu(question, folder, queries // 2)

    def ask() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_run, (command, command)))

    return lambda: _seconds(ask)


def findscu_loops(question: Question, folder: Path, queries: int) -> Contestant:
    """Two loops that start a findscu for each query, as a script would."""
    command = _findscu(question, folder, 1)

    def loop(_: int) -> None:
        for _ in range(queries // 2):
            _run(command)

    def ask() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(loop, range(2)))

    return lambda: _seconds(ask)


def _seconds(ask: Callable[[], object], times: int = 1) -> float:
    start = perf_counter()
    for _ in range(times):
        ask()
    return (perf_counter() - start) / times


def _expect(count: int, expected: int) -> None:
    if count != expected:
        raise RuntimeError(f"{count} came instead of {expected}: nothing was measured")


def _archive(question: Question) -> Archive:
    """As one that has given a longer answer before, or round numbers would be doubted and asked
    for again in parts (truth/whole.py)."""
    archive = connect(Node(port=question.port, called_ae_title=question.called_ae_title))
    archive.habits.gave(question.query.level, _LIMIT)
    return archive


def _asked(archive: Archive, question: Question) -> None:
    found = archive.find(question.query, limit=_LIMIT, deadline=Deadline(PATIENCE))
    _expect(len(found.matches), question.matches)


def _probe(question: Question, *, quick_acknowledge: bool) -> Probe:
    return Probe(
        question.port,
        question.called_ae_title,
        seconds=PATIENCE,
        quick_acknowledge=quick_acknowledge,
    )


def _encoded(question: Question) -> bytes:
    return encode(question.query, syntaxes.EXPLICIT_VR_LITTLE_ENDIAN)


def _data_set(question: Question) -> Dataset:
    data_set = Dataset()
    data_set.QueryRetrieveLevel = question.query.level.value
    for element, key in question.query.elements():
        setattr(data_set, element.keyword, key or None)
    return data_set


def _findscu(question: Question, folder: Path, times: int) -> list[str]:
    """The command that asks the question `times` over one association and prints the matches."""
    data_set = _data_set(question)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data_set.file_meta.MediaStorageSOPClassUID = UID(pdu.STUDY_ROOT)
    data_set.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    written = folder / f"{question.peer}-{question.matches}.dcm"
    data_set.save_as(written, enforce_file_format=True)
    limits = ["-to", "10", "-ta", "30", "-td", str(PATIENCE)]
    to = ["-aec", question.called_ae_title, "127.0.0.1", str(question.port), str(written)]
    return [program("findscu") or "", "-S", *limits, "--repeat", str(times), *to]


def _run(command: list[str]) -> None:
    subprocess.run(
        command,
        env=_FINDSCU_ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )


def _check_count(command: list[str], question: Question) -> None:
    printed = subprocess.run(
        command, capture_output=True, timeout=PATIENCE, check=True, env=_FINDSCU_ENVIRONMENT
    )
    _expect((printed.stdout + printed.stderr).count(b"(Pending)"), question.matches)


def _pynetdicom_logs(logs: bool) -> None:
    _config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = logs
    _config.LOG_HANDLER_LEVEL = "standard" if logs else "none"


def _associated(question: Question) -> Association:
    entity = AE()
    entity.add_requested_context(UID(pdu.STUDY_ROOT))
    association = entity.associate(  # pyright: ignore[reportUnknownMemberType]
        "127.0.0.1", question.port, ae_title=question.called_ae_title
    )
    if not association.is_established:
        raise RuntimeError(f"{question.peer} did not accept pynetdicom's association")
    return association


def _iterated(association: Association, asked: Dataset, question: Question) -> None:
    responses = association.send_c_find(asked, UID(pdu.STUDY_ROOT))
    _expect(sum(found is not None for _, found in responses), question.matches)
