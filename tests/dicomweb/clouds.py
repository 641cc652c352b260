"""Peers that keep to what three clouds publish of their DICOMweb services: Azure's DICOM service
(conformance statement, version 2), Google's Cloud Healthcare API and AWS HealthImaging.

What they hold is searched by the embedded archive; here stands what each of them refuses.
"""

import json
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydicom.dataset import Dataset

from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import ROOT, EmbeddedWeb
from tests.dicomweb.serving import serving

_OPTIONS = frozenset({"limit", "offset", "includefield", "fuzzymatching"})
_UIDS = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"})
_TEXTS = frozenset(
    ["PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription"]
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a service takes: the keys at each level, the rows of a page, where it searches."""

    keys: dict[str, frozenset[str]]
    page: int
    most: int
    habits: Habits = field(default_factory=Habits)
    paths: str = ".*"
    most_in_all: int = 10**9
    by_tag: bool = False
    paged: bool = True
    fields: frozenset[str] | None = None


_AZURE_STUDY = _TEXTS | {
    *("StudyInstanceUID", "PatientBirthDate", "StudyDate", "ModalitiesInStudy"),
}
_AZURE_SERIES = frozenset(
    ["SeriesInstanceUID", "Modality", "PerformedProcedureStepStartDate", "ManufacturerModelName"]
)
AZURE = Rules(
    {
        "studies": _AZURE_STUDY,
        "series": _AZURE_STUDY | _AZURE_SERIES,
        "instances": _AZURE_STUDY | _AZURE_SERIES | {"SOPInstanceUID"},
    },
    page=100,
    most=200,
    habits=Habits(literal_keys=_TEXTS | _UIDS | {"Modality", "ManufacturerModelName"}),
)

_GOOGLE_STUDY = frozenset(
    [
        *("StudyInstanceUID", "PatientName", "PatientID", "AccessionNumber"),
        *("ReferringPhysicianName", "StudyDate"),
    ]
)
GOOGLE = Rules(
    {
        "studies": _GOOGLE_STUDY,
        "series": _GOOGLE_STUDY | {"SeriesInstanceUID", "Modality"},
        "instances": _GOOGLE_STUDY | {"SeriesInstanceUID", "Modality", "SOPInstanceUID"},
    },
    page=100,
    most=5000,
    habits=Habits(literal_keys=_TEXTS | _UIDS),
)

# It searches down the hierarchy only, and no search gives more than 10,000 rows in all.
AWS = Rules(
    {
        "studies": _GOOGLE_STUDY | {"ModalitiesInStudy", "StudyTime", "StudyID"},
        "series": frozenset({"SeriesInstanceUID", "Modality"}),
        "instances": frozenset({"SOPInstanceUID", "InstanceNumber"}),
    },
    page=100,
    most=1000,
    paths=r"/studies|/studies/[\d.]+/series|/studies/[\d.]+/series/[\d.]+/instances",
    most_in_all=10_000,
    habits=Habits(literal_keys=_TEXTS),
)


@contextmanager
def cloud(rules: Rules, objects: Sequence[Dataset]) -> Generator[tuple[str, list[str]]]:
    """The base URL of such a service that holds these objects, and what it was asked."""
    index = Index(":memory:")
    index.add_all(objects)
    web = EmbeddedWeb(index, habits=rules.habits)

    def answer(target: str) -> tuple[int, str, bytes]:
        found = _answered(rules, web, target)
        if isinstance(found, int):
            return found, "application/dicom+json", b""
        content = json.dumps(found).encode() if found else b""
        return 200 if found else 204, "application/dicom+json", content

    with serving(answer) as (url, asked):
        yield f"{url}/v2", asked
    index.close()


def _answered(rules: Rules, web: EmbeddedWeb, target: str) -> list[dict[str, Any]] | int:
    """The rows of a search, or the status it is refused with."""
    parts = urlsplit(target)
    path = parts.path.removeprefix("/v2")
    if not re.fullmatch(rules.paths, path):
        return 404
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    names = [name for name, _ in parameters if name not in _OPTIONS]
    options = dict(parameters)
    if rules.by_tag:
        included = [text for name, text in parameters if name == "includefield"]
        if not all(re.fullmatch("[0-9A-F]{8}", name) for name in (*names, *included)):
            return 400
    elif set(names) - rules.keys.get(path.rpartition("/")[2], frozenset()):
        return 400
    if len(names) != len(set(names)):
        return 400
    if rules.fields is not None and any(
        name == "includefield" and text not in rules.fields for name, text in parameters
    ):
        return 400
    limit, offset = int(options.get("limit", rules.page)), int(options.get("offset", 0))
    if not 1 <= limit <= rules.most or (not rules.paged and "limit" in options):
        return 400
    rest = [one for one in parameters if one[0] not in ("limit", "offset", "fuzzymatching")]
    most = max(0, min(limit, rules.most_in_all - offset))
    paging = [("limit", str(most)), ("offset", str(offset))]
    try:
        return web.search(f"{ROOT}{path}?{urlencode([*rest, *paging])}") or []
    except ValueError:
        return 400
