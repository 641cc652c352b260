"""What tests that ask an archive need."""

import gc
import signal
from collections.abc import Iterable, Iterator
from importlib import import_module

import pytest
from hypothesis import HealthCheck, settings
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.in_hand import IN_HAND
from dicom_mcp.index.engines import ENGINES
from tests.bounds import nothing_left_behind
from tests.busy import Kept, kept
from tests.demo_hospital import pacs, vna
from tests.truthful import Watch, watching

# A busy machine takes its time to make inputs; that says nothing of what is tested.
settings.register_profile("any pace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any pace")


def pytest_collection_finish() -> None:
    """What was imported stays, and need not be looked at whenever garbage is collected: that took
    half a second before each test that wants to leave nothing behind."""
    gc.collect()
    gc.freeze()


def pytest_runtest_teardown() -> None:
    """What a test fetched without a call of a tool, which would have ended, hinders no other; and
    what it asked of an index leaves no clock running that another finds."""
    IN_HAND.clear()
    ENGINES.clear()


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:  # pyright: ignore[reportUnusedFunction]
    """The requestor imports pynetdicom at its first question, which a short deadline would feel."""
    for name in ("pynetdicom.pdu", "pynetdicom.pdu_primitives", "pynetdicom.presentation"):
        import_module(name)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:  # pyright: ignore[reportUnusedFunction]
    """Programs started by a test inherit an ignored SIGINT, as a shell gives one to what runs in
    the background; a handler they do not inherit."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def every_answer() -> Iterator[Watch]:
    """What watches the answers of this session's tests."""
    with pytest.MonkeyPatch.context() as patch, watching(patch) as watch:
        yield watch


@pytest.fixture(autouse=True)
def _truthful(every_answer: Watch) -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """Fails the test in which an answer does not keep what docs/answers.md promises of every one,
    or a call asks an archive in vain more often than it may."""
    yield
    assert every_answer.take() == []


@pytest.fixture
def tidy() -> Iterator[None]:
    """Fails the test when it leaves a thread or a socket behind."""
    with nothing_left_behind():
        yield


@pytest.fixture(scope="session")
def held() -> list[Dataset]:
    """What the PACS of the demo hospital holds; nobody changes it."""
    return list(pacs())


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An embedded archive's database that holds the same; filling one takes a second."""
    return _filled(tmp_path_factory, pacs())


@pytest.fixture(scope="session")
def vna_database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One that holds what the second archive of the demo hospital does."""
    return _filled(tmp_path_factory, vna())


def _filled(tmp_path_factory: pytest.TempPathFactory, objects: Iterable[Dataset]) -> str:
    path = tmp_path_factory.mktemp("embedded") / "archive.sqlite"
    EmbeddedArchive(objects, ae_title="EMBEDDED", database=str(path))
    return str(path)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A busy hospital's six weeks: 600 studies of 2,000 series."""
    return kept(tmp_path_factory.mktemp("busy"), 600, 6)
