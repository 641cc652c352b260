"""Cohorts as an assistant finds them, and goes on with them in other tools."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.cli import main
from dicom_mcp.config import Settings
from dicom_mcp.door.arguments import Arguments
from dicom_mcp.door.cohorts import Cohorts
from dicom_mcp.errors import BadArgument
from dicom_mcp.node import Node
from dicom_mcp.tools.query import query_studies
from tests import busy
from tests.asking import answers, ask, fail
from tests.index.filled import fill, settings_of
from tests.peers.embedded import Kind, embedded

CT_AND_MR = [{"modality": "CT", "body_part": "head"}, {"modality": "MR", "days": 30}]


@dataclass(frozen=True, slots=True)
class Indexed:
    """An archive with an index, and what it holds."""

    settings: Settings
    held: list[busy.Study]


@pytest.fixture(scope="module")
def indexed(small: busy.Kept, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexed]:
    with embedded([], Kind(), database=str(small.database)) as peer:
        settings = settings_of(replace(peer.node, name="default"), tmp_path_factory.mktemp("index"))
        fill(settings)
        yield Indexed(settings, [*small.held])


def test_a_cohort_with_an_interval_is_found_and_asked_about_on(indexed: Indexed) -> None:
    """Heads in a CT, and an MR within 30 days: who, which studies, and what else they are."""
    whose = defaultdict[str, list[busy.Study]](list)
    for study in indexed.held:
        whose[study.patient.patient_id].append(study)
    pairs = [
        (ct, mr)
        for mine in whose.values()
        for ct in mine
        for mr in mine
        if any(series.modality == "CT" and series.body_part == "HEAD" for series in ct.series)
        and any(series.modality == "MR" for series in mr.series)
        and ct.day
        and mr.day
        and abs((ct.day - mr.day).days) <= 30
    ]
    assert len(pairs) > 10
    studies = {study.uid for pair in pairs for study in pair}
    patients = {ct.patient.patient_id for ct, _ in pairs}

    found, counted, listed, series, sampled, narrower, joined, wrong = answers(
        indexed.settings,
        [
            ("find_cohort", {"has": CT_AND_MR, "name": "heads", "limit": 500}),
            ("count_studies", {"cohort": "heads", "group_by": ["modality"]}),
            ("query_studies", {"cohort": "Heads", "limit": 500}),
            ("count_studies", {"cohort": "heads", "count": "series", "source": "index"}),
            ("sample_headers", {"cohort": "heads", "attributes": ["KVP"], "limit": 1}),
            ("find_cohort", {"has": {"sex": "female"}, "cohort": "heads"}),
            (
                "query_sql",
                {
                    "sql": "SELECT count(*) AS n FROM series JOIN cohort USING (study_uid)",
                    "cohort": "heads",
                },
            ),
            ("find_problems", {"cohort": "heads", "limit": 100}),
        ],
    )
    assert (found["cohort"], found["patients"], found["studies"]) == (
        "heads",
        len(patients),
        len(studies),
    )
    assert found["complete"] is True
    assert [step["step"] for step in found["funnel"]] == [
        *("all patients", "modality CT", "body part HEAD"),
        "modality MR, within 30 days of the first",
    ]
    assert {row["patient_id"] for row in found["rows"]} == patients
    assert {study["study_uid"] for row in found["rows"] for study in row["studies"]} == studies
    assert counted["total"] == len(studies)
    assert {record["StudyInstanceUID"] for record in listed["records"]} == studies
    assert series["total"] == sum(
        len(study.series) for study in indexed.held if study.uid in studies
    )
    assert sampled["complete"] is False  # one series of many
    assert joined["rows"] == [{"n": series["total"]}]
    shown = {row.get("study_instance_uid") for rows in wrong["evidence"].values() for row in rows}
    assert shown - {None} <= studies
    women = {ct.patient.patient_id for ct, _ in pairs if ct.patient.sex == "F"}
    assert (narrower["patients"], narrower["cohort"]) == (len(women), "cohort 1")


def test_what_cannot_be_decided_is_counted_beside_the_cohort(indexed: Indexed) -> None:
    """Six studies have no date, so that nobody knows how old their patients were."""
    answer = ask(indexed.settings, "find_cohort", has=[{"age": ">=0", "accession_number": "not 1"}])
    without = {study.patient.patient_id for study in indexed.held if not study.accession}
    assert answer["undecided"] > 0
    assert answer["undecided"] <= len(without) + 6
    assert "may belong to it" in "".join(answer["notes"])
    assert answer["funnel"][-1]["undecided"] == answer["undecided"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"has": []}, "has is empty"),
        ({"has": ["CT, days=30"]}, "days counts from the first"),
        ({"has": [{"modality": "CT"}], "cohort": "nobody's"}, "there is no cohort"),
        ({"has": [{"modality": "CT"}], "name": "../x"}, "Letters, digits and blanks"),
        ({"has": ["{modality"]}, "no JSON object"),
    ],
)
def test_what_is_no_cohort_gets_a_sentence(
    indexed: Indexed, asked: dict[str, Any], told: str
) -> None:
    assert told in fail(indexed.settings, "find_cohort", **asked)


def test_a_cohort_is_not_mistaken_for_everything(indexed: Indexed) -> None:
    """One that nobody kept, one without a study, one beside studies that are named, and one that is
    too large to be asked for."""
    assert "there is no cohort" in fail(indexed.settings, "count_studies", cohort="mine")
    arguments = Arguments(query_studies, asks_archive=True, takes_cohort=True)
    for studies, beside, told in (
        ((), {}, "has no study"),
        (("1.2",), {"study_instance_uid": "1.3"}, "both given"),
        (("1.2",), {"study_uid": "1.3"}, "both given"),
        (("1.2",) * 5_001, {}, "5,000 at most"),
    ):
        with pytest.raises(BadArgument, match=told):
            arguments.with_studies({"cohort": "mine", **beside}, lambda _, studies=studies: studies)


def test_nobody_reaches_what_another_session_kept() -> None:
    cohorts = Cohorts()
    mine, _, _ = cohorts.keep("a", "mine", ["1.2"])
    assert cohorts.get("a", "MINE").studies == ("1.2",)
    for other in ("b", None):
        with pytest.raises(BadArgument, match="there is no cohort"):
            cohorts.get(other, mine)
    shared, _, _ = cohorts.keep(None, "mine", ["1.3"])
    assert shared.startswith("mine ")
    assert len(shared) > 20
    assert cohorts.get(None, shared).studies == ("1.3",)


def test_a_name_is_not_given_to_another_cohort_without_a_word() -> None:
    cohorts = Cohorts()
    assert cohorts.keep("a", "mine", ["1.2"])[2] is False
    assert cohorts.keep("a", "Mine", ["1.3"])[2] is True
    assert cohorts.keep("b", "mine", ["1.4"])[2] is False
    made = [cohorts.keep("a", "", ["1.2"])[0] for _ in range(60)]
    assert len({*made}) == 60


def test_a_person_names_several_examinations(
    indexed: Indexed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each --has is one of them: the last one alone would be another question."""
    node = indexed.settings.node
    assert isinstance(node, Node)
    assert indexed.settings.index
    file = tmp_path / "dicom-mcp.toml"
    file.write_text(
        f'time_zone = "UTC"\n[index]\nfolder = "{indexed.settings.index.folder}"\nkeep = false\n'
        f'[nodes.default]\nhost = "127.0.0.1"\nport = {node.port}\n'
        f'called_ae_title = "{node.called_ae_title}"\n'
        f'calling_ae_title = "{node.calling_ae_title}"\n'
    )
    asked = ["--has", "CT, body_part=head", "--has", "MR, days=30", "--without", "PT"]
    with pytest.raises(SystemExit):
        main(["--config", str(file), "query", "cohort", *asked, "--json"])
    said = capsys.readouterr()
    assert said.out, said.err
    answer = json.loads(said.out)
    assert [step["step"] for step in answer["funnel"]][1:] == [
        *("modality CT", "body part HEAD", "modality MR, within 30 days of the first"),
        "without modality PT",
    ]


def test_the_oldest_cohorts_make_room_and_are_named() -> None:
    cohorts = Cohorts()
    gone = [cohorts.keep("a", f"c{number}", ["1.2"])[1] for number in range(52)]
    assert gone[-2:] == [["c0"], ["c1"]]
    assert cohorts.keep("b", "large", [f"1.{number}" for number in range(1_000_001)])[1] == []
    with pytest.raises(BadArgument):
        cohorts.get("a", "c51")


def test_no_table_of_a_cohort_is_there_for_those_who_name_none(indexed: Indexed) -> None:
    sql = "SELECT count(*) AS n FROM cohort"
    assert "there is no table 'cohort'" in fail(indexed.settings, "query_sql", sql=sql)
    made, counted = answers(
        indexed.settings,
        [
            ("find_cohort", {"has": {"modality": "CT"}, "name": "all"}),
            ("query_sql", {"sql": sql, "cohort": "all"}),
        ],
    )
    assert counted["rows"] == [{"n": made["studies"]}]
    assert "there is no table 'cohort'" in fail(indexed.settings, "query_sql", sql=sql)
