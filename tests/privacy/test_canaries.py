"""Nothing that tells who somebody is leaves a server that names no patients, whatever every tool
there is is asked."""

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.tools import TOOLS
from tests.privacy.canaries import archive, configured, recognised, series_of, study_of
from tests.stdio import HANDSHAKES, child

_NAME, _ID = "Canarius", "00ZQ081726"
_ONE = {"series_instance_uid": series_of(0)}
_EVERY = {"attribute_preset": "extended"}

# What each tool is asked; a tool that is not here fails the test.
ASKED: dict[str, list[dict[str, Any]]] = {
    "configure_dicom_server": [{}],
    "list_dicom_nodes": [{}],
    "verify_connection": [{}],
    "diagnose": [{}],
    "query_patients": [_EVERY, {"name_pattern": _NAME}, {"name_pattern": "Kanarius"}],
    "query_studies": [_EVERY, {"patient_name": _NAME}, {"patient_id": "ZQ081726"}],
    "query_series": [{"study_instance_uid": study_of(0), **_EVERY}],
    "query_instances": [{**_ONE, **_EVERY}],
    "count_studies": [
        {"group_by": [keyword]}
        for keyword in ("StudyDescription", "PatientName", "PatientBirthDate", "SeriesDescription")
    ],
    "resolve_list": [{"values": f"{_ID}\nZQ181726\n999"}],
    "query_worklist": [{"date": ""}],
    "patient_timeline": [{"patient_id": _ID}, {"patient_name": "Grey"}],
    "study_overview": [{"study_instance_uid": study_of(0)}, {"patient_id": _ID}],
    "compare_nodes": [{}],
    "read_report": [{"study_instance_uid": study_of(number)} for number in range(8)],
    "read_header": [_ONE],
    "sample_headers": [
        {"study_instance_uids": study_of(0), "attributes": ["SeriesDescription", "StationName"]}
    ],
    "view_image": [_ONE],
    "view_series": [_ONE],
    "query_sql": [{"sql": "SELECT * FROM studies"}],
    "find_cohort": [{"has": [{"modality": "CT"}]}],
    "find_problems": [{}, {"kinds": ["patient_in_description"]}],
    "get_attribute_presets": [{}],
}


@pytest.mark.parametrize("mode", ["pseudonym", "none"])
def test_no_canary_leaves(tmp_path: Path, mode: str) -> None:
    with ExitStack() as opened:
        peer = opened.enter_context(EmbeddedArchive(archive(), ae_title="ANY-SCP"))
        file = configured(tmp_path, peer.port, mode)
        fill = [sys.executable, "-m", "dicom_mcp", "--config", file, "index", "sync"]
        subprocess.run(fill, check=True, capture_output=True)
        server = opened.enter_context(child("--config", file, "--debug"))
        server.initialize(HANDSHAKES[-1])
        for entry in TOOLS:
            name = entry.function.__name__
            for asked in ASKED[name]:
                answer = json.dumps(server.call(name, **asked), ensure_ascii=False)
                said = json.dumps(asked, ensure_ascii=False)
                assert [
                    word for word in recognised() if word in answer and word not in said
                ] == [], (
                    name,
                    asked,
                    answer,
                )
