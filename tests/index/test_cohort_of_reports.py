"""Cohorts by what headers and reports say, as an assistant finds them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.config import Settings
from tests.asking import ask, fail
from tests.content.documents import report
from tests.index.filled import fill, settings_of
from tests.peers.embedded import embedded
from tests.truth.archives import images

# What the report of each patient's CT says; that of P6 was never written.
SAYS = ("A nodule of 6 mm.", "No nodule.", "Normal.", "Rule out nodule.", "Nódulo pulmonar.")


def held() -> list[Dataset]:
    """A CT of each patient with its report, an MR of P1 before it and one of P2 after it."""
    made: list[Dataset] = []
    for number in range(1, 7):
        kvp = {} if number == 3 else {"KVP": "100" if number % 2 else "120"}
        made += images(2, study=number, StudyDate="20250110", **kvp)
    for number, says in enumerate(SAYS, start=1):
        made.append(report(number, "20250110", says, patient=f"P{number}"))
    mr = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
    made += images(1, study=11, PatientID="P1", StudyDate="20250101", **mr)
    made += images(1, study=12, PatientID="P2", StudyDate="20250201", **mr)
    made.append(report(12, "20250201", "The nodule was excised.", patient="P2"))
    return made


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with embedded(held()) as peer:
        plain = settings_of(peer.node, tmp_path_factory.mktemp("index"))
        assert plain.index
        made = replace(plain, index=replace(plain.index, depth=("headers", "reports")))
        fill(made)
        yield made


CASES: list[tuple[list[dict[str, Any]], list[dict[str, Any]], set[str], set[str]]] = [
    ([{"report": "nodule"}], [], {"P1", "P2"}, {"P4", "P6"}),
    ([{"modality": "CT", "report": "nodule"}], [], {"P1"}, {"P4", "P6"}),
    ([{"modality": "CT", "report": "denied nodule"}], [], {"P2"}, {"P4", "P6"}),
    ([{"modality": "CT", "report": "no nodule"}], [], {"P2"}, {"P4", "P6"}),
    (
        [{"modality": "CT", "report": "not nodule"}],
        [],
        {"P2", "P3", "P5"},
        {"P4", "P6"},
    ),
    ([{"modality": "CT"}], [{"report": "nodule"}], {"P3", "P5"}, {"P4", "P6"}),
    ([{"report": ["nodule", "nodulo"]}], [], {"P1", "P2", "P5"}, {"P4", "P6"}),
    ([{"modality": "CT", "report": "none"}], [], {"P6"}, set()),
    ([{"modality": "CT", "report": "any"}], [], {f"P{n}" for n in range(1, 6)}, set()),
    # The last report mentions it; an MR was at most 30 days from the CT.
    (
        [{"last_of": {"report": "any"}, "report": "nodule"}, {"modality": "MR", "days": 30}],
        [],
        {"P1", "P2"},
        set(),
    ),
    ([{"last_of": {"report": "any"}, "report": "no nodule"}], [], set(), {"P4"}),
    # Of a series without the attribute it is not known, be it of another modality.
    ([{"kvp": "<110"}], [], {"P1", "P5"}, {"P2", "P3", "P4"}),
    ([{"modality": "CT", "kvp": "100"}], [], {"P1", "P5"}, {"P3"}),
    ([{"modality": "CT", "kvp": "none"}], [], {"P3"}, set()),
    ([{"modality": "CT", "kvp": "120", "report": "any"}], [], {"P2", "P4"}, {"P3"}),
    ([{"verification": "unverified"}], [], {f"P{n}" for n in range(1, 6)}, set()),
    ([{"verification": "verified"}], [], set(), set()),
    (
        [{"completion": "complete", "is_whole": "yes"}],
        [],
        {f"P{n}" for n in range(1, 6)},
        set(),
    ),
    ([{"authors": "none"}], [], {f"P{n}" for n in range(1, 6)}, set()),
    ([{"image_type": "derived", "modality": "CT"}], [], set(), {f"P{n}" for n in range(1, 7)}),
    ([{"report_date": "2025-02"}], [], {"P2"}, set()),
]


@pytest.mark.parametrize(("has", "without", "patients", "undecided"), CASES)
def test_a_cohort_is_found_by_headers_and_reports(
    settings: Settings,
    has: list[dict[str, Any]],
    without: list[dict[str, Any]],
    patients: set[str],
    undecided: set[str],
) -> None:
    answer = ask(settings, "find_cohort", has=has, without=without, limit=50)
    assert {row["patient_id"] for row in answer["rows"]} == patients
    assert answer["undecided"] == len(undecided)


def test_what_an_index_does_not_keep_is_no_criterion(settings: Settings) -> None:
    assert settings.index
    for depth, has, told in (
        ((), {"report": "nodule"}, 'keeps no reports.*depth = "reports"'),
        (("reports",), {"kvp": "120"}, 'keeps no headers.*depth = "headers"'),
        (("headers",), {"verification": "VERIFIED"}, "keeps no reports"),
    ):
        without = replace(settings, index=replace(settings.index, depth=depth))
        said = fail(without, "find_cohort", has=[has])
        assert re.search(told, said), said
