"""Who asks with pseudonyms gets the answers that who asks with names gets, in as many calls."""

import base64
import json
import os
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.door.answer import Pictures
from dicom_mcp.door.arguments import Arguments
from dicom_mcp.door.house import House
from dicom_mcp.door.progress import unheard
from dicom_mcp.door.request import Request
from dicom_mcp.door.telling import told
from dicom_mcp.errors import BadArgument, NotAllowed
from dicom_mcp.privacy.pseudonyms import PATTERN
from dicom_mcp.privacy.settings import PrivacySettings, Secret
from dicom_mcp.privacy.treatment import Mode
from dicom_mcp.tools import TOOLS
from tests.demo_hospital import pacs
from tests.peers.embedded import embedded
from tests.privacy.canaries import archive

_TOOLS = {entry.function.__name__: entry for entry in TOOLS}


class Both:
    """The same archive, asked by who may know names and by who may not."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        secret = Secret(base64.b64encode(os.urandom(32)).decode())
        self.privacy = PrivacySettings(folder=str(folder), secret=secret)
        self.named = House(settings)
        self.unnamed = House(replace(settings, privacy=self.privacy))

    def ask(self, house: House, tool: str, **given: Any) -> dict[str, Any]:
        entry = _TOOLS[tool]
        arguments = Arguments(entry.function, asks_archive=entry.asks_archive)
        answer = Request(entry.function, arguments, given, house.session(), unheard).answer()
        return told(answer.said if isinstance(answer, Pictures) else answer)

    def real(self, answer: Mapping[str, Any]) -> Any:
        """The answer with what is behind each pseudonym."""
        pseudonyms = self.unnamed._pseudonyms  # pyright: ignore[reportPrivateUsage]
        assert pseudonyms
        text = json.dumps(answer, ensure_ascii=False)
        return json.loads(PATTERN.sub(lambda found: pseudonyms.read(found[0])["value"], text))


@pytest.fixture
def both(tmp_path: Path) -> Generator[Both]:
    with embedded([*archive()]) as peer:
        asked = Both(Settings(node=peer.node), tmp_path / "map")
        with closing(asked.named), closing(asked.unnamed):
            yield asked


def test_each_answer_leads_on_by_pseudonyms(both: Both) -> None:
    first = both.ask(both.unnamed, "query_studies", patient_name="Canarius")["records"][0]
    patient, study = first["PatientID"], first["StudyInstanceUID"]
    timeline = both.ask(both.unnamed, "patient_timeline", patient_id=patient)
    assert timeline["records"][0]["study_instance_uid"] == study
    by_name = both.ask(both.unnamed, "patient_timeline", patient_name=patient.lower())
    assert by_name["records"] == timeline["records"]
    overview = both.ask(both.unnamed, "study_overview", study_instance_uid=study)
    assert overview["study"]["patient_id"] == patient
    series = overview["records"][-1]["series_instance_uid"]
    instances = both.ask(both.unnamed, "query_instances", series_instance_uid=series)
    (instance,) = instances["records"]
    assert (instance["StudyInstanceUID"], instance["SeriesInstanceUID"]) == (study, series)
    header = both.ask(
        both.unnamed, "read_header", series_instance_uid=series, attributes=["PatientID"]
    )
    assert header["records"][0]["value"] == patient
    orders = both.ask(both.unnamed, "resolve_list", values=f"{first['AccessionNumber']}\nACN1")
    assert [row.get("study_instance_uid") for row in orders["rows"]] == [study, None]
    assert [row["asked"] for row in orders["rows"]] == [first["AccessionNumber"], "ACN1"]


@pytest.mark.parametrize(
    ("tool", "given", "rows"),
    [
        ("query_patients", {}, ("PatientID",)),
        ("query_studies", {"study_date": "2026"}, ("StudyInstanceUID", "AccessionNumber")),
        ("count_studies", {"group_by": ["modality"]}, ("modality", "count")),
        ("count_studies", {"group_by": ["PatientID"]}, ("PatientID", "count")),
        ("count_studies", {"group_by": ["month"], "count": "patients"}, ("month", "count")),
    ],
)
def test_the_answers_are_those_that_have_names(
    both: Both, tool: str, given: dict[str, Any], rows: tuple[str, ...]
) -> None:
    named, unnamed = (both.ask(house, tool, **given) for house in (both.named, both.unnamed))
    place = "groups" if tool == "count_studies" else "records"

    def of(answer: Any) -> list[list[Any]]:
        return sorted([row.get(name) for name in rows] for row in answer[place])

    assert of(both.real(unnamed)) == of(named)
    assert unnamed["complete"] == named["complete"]


def test_what_was_looked_for_is_told_as_it_was_written(both: Both) -> None:
    answer = both.ask(both.unnamed, "query_studies", accession_number=["ACN055172", "ACN9"])
    assert answer["missing"] == {"AccessionNumber": ["ACN9"]}
    assert answer["records"][0]["AccessionNumber"].startswith("ACC-")


def test_what_is_no_pseudonym_of_this_key_is_refused(both: Both) -> None:
    with pytest.raises(BadArgument, match="no pseudonym that was given out here"):
        both.ask(both.unnamed, "query_studies", patient_id="PAT-0000-0000-0000-0000")


def test_a_failure_does_not_tell_what_was_behind_a_pseudonym(both: Both) -> None:
    first = both.ask(both.unnamed, "query_studies", patient_name="Canarius")["records"][0]
    for wrong in ("study_date", "study_instance_uid"):
        with pytest.raises(BadArgument) as caught:
            both.ask(both.unnamed, "query_studies", **{wrong: first["PatientID"]})
        assert "00zq081726" not in str(caught.value).lower()
        assert first["PatientID"].lower() in str(caught.value).lower()


def test_who_may_know_nobody_cannot_ask_for_somebody(both: Both) -> None:
    settings = replace(both.privacy, mode=Mode.NONE)
    with closing(House(replace(both.named.settings, privacy=settings))) as house:
        assert (
            both.ask(house, "count_studies")["total"]
            == both.ask(both.named, "count_studies")["total"]
        )
        for given in (
            {"patient_id": "00ZQ081726"},
            {"patient_name": "Canarius"},
            {"where": ["PatientName is Canarius^Wilhelmine"]},
            {"where": ["accession number is ACN055172"]},
        ):
            with pytest.raises(NotAllowed, match="nothing of single patients"):
                both.ask(house, "count_studies", **given)


def test_a_whole_hospital_is_asked_without_names(tmp_path: Path) -> None:
    with embedded([*pacs()]) as peer:
        both = Both(Settings(node=peer.node), tmp_path)
        with closing(both.named), closing(both.unnamed):
            for study in both.ask(both.named, "query_studies", limit=500)["records"]:
                uid = study["StudyInstanceUID"]
                named, unnamed = (
                    both.ask(house, "study_overview", study_instance_uid=uid)
                    for house in (both.named, both.unnamed)
                )
                assert both.real(unnamed)["records"] == named["records"]
                assert unnamed["totals"] == named["totals"]
