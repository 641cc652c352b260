"""A tree of plain files as DICOMweb, which any web server gives whatever it is asked with."""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from pydicom.dataset import Dataset

from tests.peers.web_server import serving

type Files = dict[str, tuple[str, bytes]]

_JSON = "application/json"
_FRAME = "multipart/related; boundary=frame; type=application/octet-stream"

_OF_STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "PatientName", "PatientID"),
    *("PatientBirthDate", "PatientSex", "StudyID", "StudyDescription"),
)
_OF_SERIES = (
    *("StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"),
)


def files(objects: Sequence[Dataset], *, of: Sequence[str] = ("studies", "metadata")) -> Files:
    """The tree of these objects: lists of studies and of their series, the metadata of series, and
    the frames of images. `of` says which of studies, series, metadata and frames there are."""
    found: Files = {}
    studies: dict[str, dict[str, list[Dataset]]] = {}
    for one in objects:
        series = studies.setdefault(one.StudyInstanceUID, {})
        series.setdefault(one.SeriesInstanceUID, []).append(one)
    rows = [_row(next(iter(of_study.values()))[0], _OF_STUDY) for of_study in studies.values()]
    found["/studies"] = (_JSON, json.dumps(rows).encode())
    for study, of_study in studies.items():
        path = f"/studies/{study}/series"
        if "series" in of:
            rows = [_row(held[0], _OF_SERIES) for held in of_study.values()]
            found[path] = (_JSON, json.dumps(rows).encode())
        for series, held in of_study.items():
            if "metadata" in of:
                rows = [_metadata(one) for one in held]
                found[f"{path}/{series}/metadata"] = (_JSON, json.dumps(rows).encode())
            for one in (each for each in held if "frames" in of and "PixelData" in each):
                place = f"{path}/{series}/instances/{one.SOPInstanceUID}/frames/1"
                found[place] = (_FRAME, _frame(one))
    return found


@contextmanager
def served(tree: Files, *, missing: int = 404) -> Generator[tuple[str, list[str]]]:
    """The base URL of a web server that gives these files, and what it was asked."""

    def answer(target: str) -> tuple[int, str, bytes]:
        kind, content = tree.get(urlsplit(target).path, ("", b""))
        return (200, kind, content) if kind else (missing, "text/html", b"")

    with serving(answer) as served_at:
        yield served_at


def _row(one: Dataset, keywords: Sequence[str]) -> dict[str, Any]:
    row = Dataset()
    for keyword in keywords:
        if keyword in one:
            row[keyword] = one[keyword]
    return row.to_json_dict()


def _metadata(one: Dataset) -> dict[str, Any]:
    row = {tag: element for tag, element in one.to_json_dict().items() if tag != "7FE00010"}
    return {**row, "7FE00010": {"vr": "OW", "BulkDataURI": "bulkdata/pixels"}}


def _frame(one: Dataset) -> bytes:
    kind = f"application/octet-stream; transfer-syntax={one.file_meta.TransferSyntaxUID}"
    return (
        f"--frame\r\nContent-Type: {kind}\r\n\r\n".encode() + one.PixelData + b"\r\n--frame--\r\n"
    )
