"""`diagnose` finds limits that bite on something else than the rows of an answer."""

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.habits import NONE, Habits
from dicom_mcp.diagnosis import diagnose
from dicom_mcp.node import AnyNode, WebNode
from dicom_mcp.truth.habits import Habits as Learned
from tests import busy
from tests.bounds import PATIENCE
from tests.busy import Kept
from tests.peers.embedded import Kind, embedded, embedded_web

_MODALITY, _PATIENTS, _ALONE = "studies of a modality", "patients", "studies found by one key alone"
_LATE = frozenset({"PatientName", "StudyDescription"})

# A habit, which capability tells of it, and what is remembered.
CUT: dict[str, tuple[Habits, str, set[str]]] = {
    "series": (Habits(most_below=120), _MODALITY, {"ModalitiesInStudy", "PATIENT"}),
    "like Orthanc": (
        Habits(most_matches=100, cap_status=0xFE00, most_below=101),
        _MODALITY,
        {"ModalitiesInStudy"},
    ),
    "candidates": (Habits(most_candidates=100, late_keys=_LATE), _ALONE, {*_LATE}),
}


def _capabilities(node: AnyNode, habits: Learned) -> dict[str, str]:
    found = diagnose(node, habits, deadline=Deadline(PATIENCE))
    return {one.name: one.found for one in found.capabilities}


@pytest.mark.parametrize("name", list(CUT))
def test_a_limit_on_something_else_than_rows_is_found_and_remembered(
    small: Kept, name: str
) -> None:
    habits, capability, remembered = CUT[name]
    learned = Learned()
    with embedded([], Kind(habits), database=str(small.database)) as peer:
        told = _capabilities(peer.node, learned)
    assert "without a word" in told[capability]
    assert learned.cut_unseen >= remembered
    assert any("without a word" in sentence for sentence in learned.told())


def test_an_archive_that_leaves_out_studies_for_what_it_is_asked_to_tell_is_found(
    small: Kept,
) -> None:
    habits = Habits(most_below=120, below_keys=frozenset({"ModalitiesInStudy"}), joined=True)
    learned = Learned()
    with embedded([], Kind(habits), database=str(small.database)) as peer:
        told = _capabilities(peer.node, learned)
    assert "without a word" in told["studies with counts and modalities"]
    assert learned.cuts_told
    assert learned.cap is None


def test_it_is_found_over_dicomweb(small: Kept) -> None:
    learned = Learned()
    with embedded_web([], Habits(most_below=120), database=str(small.database)) as url:
        told = _capabilities(WebNode(url), learned)
    assert "without a word" in told[_MODALITY]
    assert learned.cut_unseen == {"ModalitiesInStudy"}


@pytest.mark.parametrize(
    "habits", [NONE, Habits(most_candidates=100, late_keys=_LATE, cap_status=0xA700)]
)
def test_nothing_is_said_of_an_archive_that_cuts_nothing_or_says_so(
    small: Kept, habits: Habits
) -> None:
    learned = Learned()
    with embedded([], Kind(habits), database=str(small.database)) as peer:
        told = _capabilities(peer.node, learned)
    wholes = (_MODALITY, _PATIENTS, _ALONE, "studies with counts and modalities")
    assert all("no cap met" in told[one] for one in wholes if one in told)
    assert learned.cut_unseen == set()
    assert not learned.cuts_told


@pytest.mark.orthanc
def test_what_orthanc_does_with_a_limit_is_found(small: Kept) -> None:
    learned, of_web = Learned(), Learned()
    with busy.orthanc(small.folder, small.held, 100) as served:
        told = _capabilities(served.node, learned)
        told_of_web = _capabilities(WebNode(served.base_url), of_web)
    assert told["most matches at once"] == "100, it says so"
    assert told[_PATIENTS] == "cut after 100, it says so"
    assert "without a word" in told[_MODALITY]
    assert "without a word" in told_of_web[_MODALITY]
    assert "ModalitiesInStudy" in learned.cut_unseen & of_web.cut_unseen
    assert told_of_web["most matches at once"] == "101, without a word; there are more"
