"""Peers that keep to what three clouds publish of their DICOMweb services.

What they hold is searched by the embedded archive; here stands what each of them refuses, by
- Azure: "DICOM Conformance Statement v2", Search (MicrosoftDocs/azure-docs,
  articles/healthcare-apis/dicom/dicom-services-conformance-statement-v2.md at 01ff6a1): limit 1 to
  200 (100), exact matching but for ranges of StudyDate and PatientBirthDate, searchable attributes
  by path, no empty values, 400 for what is out of range.
- Google: the "Search transaction" of cloud.google.com/healthcare-api/docs/dicom, as its users cite
  it: 100 studies or series and 1,000 instances where no limit is given (python-docs-samples #6975
  and #7044, nroduit/Weasis #653), at most 5,000 and 50,000 (Google's own adapter,
  healthcare-dicom-dicomweb-adapter #44); attributes of genai-toolbox's search tools.
- AWS: docs.aws.amazon.com/healthimaging/latest/devguide/dicomweb-search.html and the pages on
  studies, series and instances below it: series of a study and instances of a series only, these
  elements, 10,000 records in all. Its limit for one page is not published there: 1,000 is assumed.
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
from tests.peers.web_server import serving

_OPTIONS = frozenset({"limit", "offset", "includefield", "fuzzymatching"})
_UIDS = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"})
_TEXTS = frozenset(
    ["PatientName", "PatientID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription"]
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a service takes: the keys at each level, and in the path of a study or series where
    those are others; the rows of a page, of instances in case, and where it searches."""

    keys: dict[str, frozenset[str]]
    page: int
    most: int
    in_study: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    in_series: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    page_of_instances: int = 0
    most_instances: int = 0
    takes_empty: bool = True
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
    in_study={"series": _AZURE_SERIES, "instances": _AZURE_SERIES | {"SOPInstanceUID"}},
    in_series={"instances": frozenset({"SOPInstanceUID"})},
    takes_empty=False,
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
    page_of_instances=1000,
    most_instances=50_000,
    habits=Habits(literal_keys=_TEXTS | _UIDS),
)

# It searches down the hierarchy only, and no search gives more than 10,000 rows in all.
AWS = Rules(
    {
        "studies": _GOOGLE_STUDY | {"ModalitiesInStudy", "StudyID"},
        "series": frozenset({"SeriesInstanceUID", "Modality"}),
        "instances": frozenset({"SOPInstanceUID", "SOPClassUID"}),
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
    elif set(names) - _keys(rules, path):
        return 400
    if not rules.takes_empty and any(not text for name, text in parameters if name in names):
        return 400
    if len(names) != len(set(names)):
        return 400
    if rules.fields is not None and any(
        name == "includefield" and text not in rules.fields for name, text in parameters
    ):
        return 400
    page, most = rules.page, rules.most
    if path.endswith("/instances"):
        page, most = rules.page_of_instances or page, rules.most_instances or most
    limit, offset = int(options.get("limit", page)), int(options.get("offset", 0))
    if not 1 <= limit <= most or (not rules.paged and "limit" in options):
        return 400
    rest = [one for one in parameters if one[0] not in ("limit", "offset", "fuzzymatching")]
    most = max(0, min(limit, rules.most_in_all - offset))
    paging = [("limit", str(most)), ("offset", str(offset))]
    try:
        return web.search(f"{ROOT}{path}?{urlencode([*rest, *paging])}") or []
    except ValueError:
        return 400


def _keys(rules: Rules, path: str) -> frozenset[str]:
    """What may be searched by at the end of this path."""
    *above, level = path.strip("/").split("/")
    keys = rules.keys.get(level, frozenset())
    if len(above) >= 2:
        keys = rules.in_study.get(level, keys)
    return rules.in_series.get(level, keys) if len(above) >= 4 else keys
