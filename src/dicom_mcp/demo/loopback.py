"""The hospital's archives running on this machine, for assistants and other DICOM tools."""

import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import date
from socket import socket
from threading import Event

from pydicom.dataset import Dataset

from .archive import EmbeddedArchive
from .awaited import PACS, VNA
from .hospital import Hospital, hospital
from .index import Index
from .web import EmbeddedWeb

# Where `demo --keep` listens unless something else does: the port a DICOM client tries first.
_PORTS = {PACS: 11112, VNA: 11113}


# How soon Ctrl-C is noticed where it interrupts nothing.
_LOOK_SECONDS = 0.5


@contextmanager
def demo_archives(house: Hospital | None = None) -> Generator[tuple[EmbeddedArchive, EmbeddedWeb]]:
    """The hospital's PACS over DIMSE and its VNA over DICOMweb, each on a free loopback port, for
    as long as the block runs."""
    house = house or _hospital_today()
    index = Index()
    index.add_all(house.vna())
    with (
        EmbeddedArchive(house.pacs(), ae_title=PACS, worklist=house.worklist()) as pacs,
        EmbeddedWeb(index) as vna,
    ):
        yield pacs, vna
    index.close()


@contextmanager
def pacs_of(day: date, listening: socket) -> Generator[None]:
    """The hospital's PACS on this day, at a socket that listens already."""
    house = hospital(day)
    archive = EmbeddedArchive(house.pacs(), ae_title=PACS, worklist=house.worklist())
    archive.start(listening)
    try:
        yield
    finally:
        archive.stop()


@contextmanager
def vna_of(day: date, listening: socket) -> Generator[None]:
    """Its VNA over DICOMweb, likewise."""
    index = Index()
    index.add_all(hospital(day).vna())
    web = EmbeddedWeb(index)
    web.start(listening)
    try:
        yield
    finally:
        web.stop()
        index.close()


def keep() -> int:
    """Run both archives until interrupted and print how to reach them; returns status 0."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    house = _hospital_today()
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: stop.set())  # noqa: ARG005
    with (
        _kept(PACS, house.pacs(), house.worklist()) as pacs,
        _kept(VNA, house.vna()) as vna,
    ):
        table = Table("archive", "host", "port", "AE title")
        for name, archive in (("the hospital's PACS", pacs), ("its second archive", vna)):
            table.add_row(name, archive.host, str(archive.port), archive.ae_title)
        console.print(table)
        console.print(
            f"echoscu -aec {PACS} {pacs.host} {pacs.port}\n"
            f"findscu -S -aec {PACS} -k QueryRetrieveLevel=STUDY -k PatientName -k StudyDate "
            f"{pacs.host} {pacs.port}\n"
            f"DICOM_PORT={pacs.port} DICOM_CALLED_AE_TITLE={PACS} dicom-mcp\n",
            soft_wrap=True,
        )
        console.print("Both run until Ctrl-C; nothing is kept on disk.")
        while not stop.wait(_LOOK_SECONDS):  # Windows interrupts no wait without an end
            pass
    return 0


@contextmanager
def _kept(
    ae_title: str, objects: Iterable[Dataset], worklist: Iterable[Dataset] = ()
) -> Generator[EmbeddedArchive]:
    """An archive on its usual port, or on a free one when that is taken."""
    objects, worklist = list(objects), list(worklist)
    archive = EmbeddedArchive(objects, ae_title=ae_title, worklist=worklist, port=_PORTS[ae_title])
    try:
        archive.start()
    except OSError:
        archive = EmbeddedArchive(objects, ae_title=ae_title, worklist=worklist)
        archive.start()
    try:
        yield archive
    finally:
        archive.stop()


def _hospital_today() -> Hospital:
    return hospital(date.today())  # noqa: DTZ011 - the hospital is where the person is
