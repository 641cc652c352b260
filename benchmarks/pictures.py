"""The first picture of a CT of 300 slices and the text of a report, from Orthanc: a tool call of
dicom-mcp over stdio against DCMTK's getscu with dcm2pnm or dsrdump, in turn.

`python -m benchmarks.pictures`
"""

import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from pydicom.dataset import Dataset

from benchmarks import peers
from benchmarks.hospital_year import series
from benchmarks.stdio import Server, server
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid

SLICES, ROUNDS, PATIENCE = 300, 7, 120
_SR = "1.2.840.10008.5.1.4.1.1.88.11"
_ROWS = 512


def main() -> None:
    """Ask in turn and print seconds."""
    images = list(_slices())
    report = next(
        one
        for one in hospital(date(2026, 3, 31)).pacs()
        if one.StudyInstanceUID == study_uid("nodule ct follow-up") and one.SOPClassUID == _SR
    )
    with peers.orthanc_holding([*images, report]) as port, server(port, "ORTHANC") as asked:
        _race(
            "first picture of a series",
            _pictures(asked, port, images),
            _first_picture(port, images),
        )
        _race("text of a report", _texts(asked, port, report), {})


def _race(
    name: str,
    contestants: Mapping[str, Callable[[int], float]],
    first: Mapping[str, Callable[[], float]],
) -> None:
    print(f"\n{name}, {SLICES} CT slices of {_ROWS} x {_ROWS} in Orthanc, median of {ROUNDS}")
    for what, once in first.items():
        print(f"  {what:34} {once() * 1000:7.0f} ms")
    rounds = [{what: ask(n) for what, ask in contestants.items()} for n in range(ROUNDS + 1)][1:]
    ours = next(iter(contestants))
    for what in contestants:
        milliseconds = median(one[what] for one in rounds) * 1000
        ratio = median(one[what] / one[ours] for one in rounds)
        print(f"  {what:34} {milliseconds:7.0f} ms  {ratio:5.1f} x ours")


def _pictures(asked: Server, port: int, images: list[Dataset]) -> dict[str, Callable[[int], float]]:
    uid = str(images[0].SeriesInstanceUID)

    def ours(number: int) -> float:
        return _view(asked, uid, f"{5 + 7 * number} %")  # another slice each time: none is cached

    def one_image(number: int) -> float:
        image = images[11 + 20 * number]
        return _getscu(port, image, "IMAGE", _to_picture)

    return {
        "dicom-mcp": ours,
        "getscu of that image, dcm2pnm": one_image,
        "getscu of the series, dcm2pnm": lambda n: _getscu(port, images[n], "SERIES", _to_picture),
    }


def _first_picture(port: int, images: list[Dataset]) -> dict[str, Callable[[], float]]:
    def fresh() -> float:
        with server(port, "ORTHANC") as asked:
            return _view(asked, str(images[0].SeriesInstanceUID), "middle")

    return {"dicom-mcp, first call of a server": fresh}


def _view(asked: Server, uid: str, at: str) -> float:
    seconds, result = asked.timed("view_image", {"series_instance_uid": uid, "at": at})
    if [one["type"] for one in result["content"]] != ["text", "image"]:
        raise RuntimeError(f"no picture: {result['content'][0]['text']}")
    return seconds


def _texts(asked: Server, port: int, report: Dataset) -> dict[str, Callable[[int], float]]:
    study = str(report.StudyInstanceUID)

    def ours(_: int) -> float:
        # A cached report would be no retrieval: another server's cache is empty.
        with server(port, "ORTHANC") as fresh:
            fresh.timed("query_studies", {"study_instance_uid": study})
            return _read(fresh, study)

    return {
        "dicom-mcp": ours,
        "dicom-mcp, again": lambda _: _read(asked, study),
        "getscu of the report, dsrdump": lambda _: _getscu(port, report, "IMAGE", _to_text),
    }


def _read(asked: Server, study: str) -> float:
    seconds, result = asked.timed("read_report", {"study_instance_uid": study})
    if "nodule" not in result["content"][0]["text"]:
        raise RuntimeError("no report")
    return seconds


def _getscu(port: int, one: Dataset, level: str, then: Callable[[Path], None]) -> float:
    keys: dict[str, Any] = {
        "QueryRetrieveLevel": level,
        "StudyInstanceUID": one.StudyInstanceUID,
        "SeriesInstanceUID": one.SeriesInstanceUID,
        **({"SOPInstanceUID": one.SOPInstanceUID} if level == "IMAGE" else {}),
    }
    options = [part for name, text in keys.items() for part in ("-k", f"{name}={text}")]
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        subprocess.run(
            [
                *(peers.program("getscu") or "getscu", "-S", "-aec", "ORTHANC", "-od", folder),
                *(*options, "127.0.0.1", str(port)),
            ],
            timeout=PATIENCE,
            check=True,
            env={"TCP_NODELAY": "1"},
        )
        then(next(Path(folder).iterdir()))
        return perf_counter() - start


def _to_picture(path: Path) -> None:
    command = [peers.program("dcm2pnm") or "dcm2pnm", "+on", "+Wi", "1", path, f"{path}.png"]
    subprocess.run(command, timeout=PATIENCE, check=True)


def _to_text(path: Path) -> None:
    command = [peers.program("dsrdump") or "dsrdump", path]
    subprocess.run(command, timeout=PATIENCE, check=True, stdout=subprocess.DEVNULL)


def _slices() -> Iterator[Dataset]:
    """Slices with something to see: a gradient that moves."""
    for number, image in enumerate(series(SLICES)):
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
        image.SamplesPerPixel, image.PixelRepresentation = 1, 0
        image.PhotometricInterpretation = "MONOCHROME2"
        image.WindowCenter, image.WindowWidth = 400, 800
        row = struct.pack(f"<{_ROWS}H", *((x + number) % 1000 for x in range(_ROWS)))
        image.add_new(0x7FE00010, "OW", row * _ROWS)
        yield image


if __name__ == "__main__":
    main()
