"""What hides in an archive's text is shown by every tool there is."""

import json
import subprocess
import sys
import unicodedata
from contextlib import ExitStack
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, cast

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.tools import TOOLS
from tests.content import documents as made
from tests.content.samples import gradient, image
from tests.demo_hospital import hospital
from tests.stdio import HANDSHAKES, child

# Right to left, zero width, a tag and a control of C1; ESC is in tests/test_sendable.py, as the
# archive that answers here would warn of it.
HIDDEN = "\u202e\u200b\U000e0041\x9b"
TEXT = frozenset({"LO", "SH", "PN", "ST", "LT", "UT", "UC"})
STUDY, REPORT, PICTURE = "2.25.71", "2.25.81", "2.25.82"

# What each tool is asked; a tool that is not here fails the test.
ASKED: dict[str, dict[str, Any]] = {
    "configure_dicom_server": {},
    "list_dicom_nodes": {},
    "verify_connection": {},
    "diagnose": {},
    "query_patients": {"attribute_preset": "extended"},
    "query_studies": {"attribute_preset": "extended"},
    "query_series": {"study_instance_uid": STUDY, "attribute_preset": "extended"},
    "query_instances": {"series_instance_uid": PICTURE, "attribute_preset": "extended"},
    "count_studies": {"group_by": ["StudyDescription"]},
    "resolve_list": {"values": f"{STUDY}\n1.2.3"},
    "query_worklist": {"date": ""},
    "patient_timeline": {"patient_id": "4711"},
    "study_overview": {"study_instance_uid": STUDY},
    "compare_nodes": {},
    "read_report": {"study_instance_uid": STUDY},
    "read_header": {"series_instance_uid": PICTURE},
    "sample_headers": {"series_instance_uids": [PICTURE], "attributes": ["SeriesDescription"]},
    "view_image": {"series_instance_uid": PICTURE},
    "view_series": {"series_instance_uid": PICTURE},
    "query_sql": {"sql": "SELECT * FROM studies JOIN series USING (study_uid)"},
    "find_cohort": {"has": [{"study_uid": "not 1"}]},
    "find_problems": {"kinds": ["damaged_text"]},
    "get_attribute_presets": {},
}


def test_every_tool_shows_what_hides_in_the_text_of_an_archive(tmp_path: Path) -> None:
    report, picture = made.document(made.text("a nodule")), image(gradient(0, 200, "u1"))
    for series, each in ((REPORT, report), (PICTURE, picture)):
        each.PatientName, each.PatientID, each.StudyDate = "Roe^Jane", "4711", "20260301"
        each.StudyInstanceUID, each.SeriesInstanceUID = STUDY, series
        each.SOPInstanceUID = series.replace("2.25.8", "2.25.9")
        each.StudyDescription, each.SeriesDescription = "CT chest", "axial"
        each.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    planned = hospital(date(2026, 3, 31)).worklist()[:2]
    for each in chain((report, picture), planned):
        hide(each)
    with ExitStack() as opened:
        archive = EmbeddedArchive([report, picture], ae_title="ANY-SCP", worklist=planned)
        file = configured(tmp_path, opened.enter_context(archive).port)
        fill = [sys.executable, "-m", "dicom_mcp", "--config", file, "index", "sync"]
        subprocess.run(fill, check=True, capture_output=True)
        server = opened.enter_context(child("--config", file))
        server.initialize(HANDSHAKES[-1])
        shown: set[str] = set()
        for entry in TOOLS:
            name = entry.function.__name__
            answer = server.call(name, **ASKED[name])
            for text in texts(answer):
                raw = {one for one in text if unicodedata.category(one) in ("Cc", "Cf")}
                assert not raw - {"\n", "\t"}, (name, text)
                if "\\u{202E}" in text:
                    shown.add(name)
    assert shown >= {
        *("query_patients", "query_studies", "query_series", "count_studies", "query_worklist"),
        *("patient_timeline", "study_overview", "read_report", "read_header", "sample_headers"),
        *("view_image", "view_series", "query_sql", "find_cohort", "find_problems", "resolve_list"),
    }


def configured(folder: Path, port: int) -> str:
    """A configuration of an archive at this port that has an index."""
    file = folder / "config.toml"
    file.write_text(
        f'index = {{ folder = "{folder.as_posix()}/kept", pause = 0.001, keep = false }}\n'
        f'[nodes.pacs]\nhost = "127.0.0.1"\nport = {port}\ncalled_ae_title = "ANY-SCP"\n'
    )
    return str(file)


def hide(dataset: Dataset) -> None:
    """Put hidden characters into every text, but the ID by which a person is found."""
    dataset.SpecificCharacterSet = "ISO_IR 192"

    def put(_: Dataset, element: Any) -> None:
        if element.VR in TEXT and element.keyword != "PatientID" and element.value:
            element.value = f"{element.value}{HIDDEN}x"

    dataset.walk(put)


def texts(answer: Any) -> list[str]:
    """Every text in an answer, those in the JSON of its words too."""
    if isinstance(answer, dict):
        fields = cast("dict[str, Any]", answer)
        if fields.get("type") == "image":
            return []
        found = [*fields, *chain.from_iterable(map(texts, fields.values()))]
        if fields.get("type") == "text" and fields["text"].startswith("{"):
            found += texts(json.loads(fields["text"]))
        return found
    if isinstance(answer, list):
        return [*chain.from_iterable(map(texts, cast("list[Any]", answer)))]
    return [answer] if isinstance(answer, str) else []
