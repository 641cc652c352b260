"""WADO-RS of 300 CT slices (158 MB) from Orthanc: the series in one request, each slice in one, and
bare probes that read to the end of the same answers.

`python -m benchmarks.wado`; the goal is at most 1.5 times the probe of the same kind.
"""

import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter

from pynetdicom.dsutils import encode

from benchmarks.hospital_year import series
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.dicomweb.wado import FORMS
from dicom_mcp.node import WebNode
from dicom_mcp.standard.instance import Instance, Reference
from tests.peers.orthanc import give_files, orthanc_web

SLICES, ROUNDS, PATIENCE = 300, 5, 120
GOAL = 1.5


def main() -> None:
    """Ask in turn and print seconds and ratios."""
    references: list[Reference] = []
    images: list[Instance] = []
    for image in series(SLICES):
        image.add_new(0x7FE00010, "OW", bytes(512 * 512 * 2))
        uids = str(image.SOPClassUID), str(image.SOPInstanceUID)
        encoded = bytearray(encode(image, False, True) or b"")
        images.append(Instance(*uids, str(image.file_meta.TransferSyntaxUID), encoded))
        references.append(
            Reference(str(image.StudyInstanceUID), str(image.SeriesInstanceUID), uids[1])
        )
    with (
        tempfile.TemporaryDirectory(prefix="benchmark") as folder,
        orthanc_web([], Path(folder)) as url,
        closing(WebExchange(WebNode(url))) as exchange,
    ):
        give_files(url, images)
        one = references[0]
        whole = f"/studies/{one.study_instance_uid}/series/{one.series_instance_uid}"
        each = [f"{whole}/instances/{one.sop_instance_uid}" for one in references]
        contestants: dict[str, Callable[[], int]] = {
            "one request": lambda: _ours(exchange, references),
            "probe, one request": lambda: _probe(url, [whole]),
            "one each": lambda: sum(_ours(exchange, [one]) for one in references),
            "probe, one each": lambda: _probe(url, each),
            "headers": lambda: _ours(exchange, references, headers=True),
        }
        rounds = [
            {name: _seconds(ask) for name, ask in contestants.items()} for _ in range(ROUNDS + 1)
        ][1:]
    megabytes = sum(len(one.data_set) for one in images) / 1e6
    print(f"WADO-RS of {SLICES} CT slices, {megabytes:.0f} MB, Orthanc, median of {ROUNDS}")
    for name in contestants:
        told = f"  {name:18} {median(one[name] for one in rounds):6.2f} s"
        if (probe := f"probe, {name}") in contestants:
            ratio = median(one[name] / one[probe] for one in rounds)
            told += f"  {ratio:5.2f} x the probe; goal {'met' if ratio <= GOAL else 'not met'}"
        print(told)


def _seconds(ask: Callable[[], int]) -> float:
    start = perf_counter()
    assert ask() >= SLICES
    return perf_counter() - start


def _ours(exchange: WebExchange, references: Sequence[Reference], *, headers: bool = False) -> int:
    found = exchange.retrieve(
        references, lambda one: bool(one.data_set), deadline=Deadline(PATIENCE), headers=headers
    )
    assert not found.missing
    return found.count


def _probe(url: str, targets: Sequence[str]) -> int:
    """Reads to the last boundary of each answer over one connection; keeps and parses nothing."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    buffer = bytearray(256 * 1024)
    with socket.create_connection((name, int(port)), PATIENCE) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for target in targets:
            asked = f"GET /{path}{target} HTTP/1.1\r\nHost: {host}\r\nAccept: {FORMS[0]}\r\n\r\n"
            connected.sendall(asked.encode())
            head, tail = bytearray(), b""
            while b"\r\n\r\n" not in head:
                head += connected.recv(65536)
            assert b" 200 " in head[:20]
            end = head.partition(b"boundary=")[2].partition(b"\r\n")[0].strip(b'"') + b"--"
            tail = bytes(head[-100:])
            while end not in tail:
                read = connected.recv_into(buffer)
                assert read
                tail = tail[-100:] + buffer[max(0, read - 100) : read]
    return SLICES


if __name__ == "__main__":
    main()
