"""Several modalities together, and none of some, in every tool that takes a modality."""

from collections.abc import Callable, Collection, Iterator

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import NONE, Habits
from dicom_mcp.node import Node
from tests.asking import ask, fail
from tests.truth.archives import images

# The modalities of each study, and whose it is.
STUDIES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("CT",), "P1"),
    (("MR",), "P1"),
    (("CT", "MR"), "P2"),
    (("CT", "SR"), "P3"),
    (("PT", "CT"), "P4"),
    (("US",), "P4"),
    (("MR", "SR"), "P5"),
    (("CT", "MR", "PT", "SR"), "P6"),
    (("PT",), "P7"),
)


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    made: list[Dataset] = []
    for study, (several, patient) in enumerate(STUDIES, start=1):
        for number, modality in enumerate(several, start=1):
            made += images(
                1, study=study, Modality=modality, PatientID=patient, PatientName=f"Doe^{patient}"
            )
            made[-1].SeriesInstanceUID += str(number)
            made[-1].SOPInstanceUID += str(number)
    return made


HABITS = {
    "as the standard says": NONE,
    "modalities are not compared": Habits(ignored_keys=frozenset({"ModalitiesInStudy"})),
    "modalities are not returned": Habits(unreturned=frozenset({"ModalitiesInStudy"})),
    "images only": Habits(images_only=True),
    "cut lists": Habits(most_matches=6, cap_status=0xA700),
    "modalities compared as a whole": Habits(literal_keys=frozenset({"ModalitiesInStudy"})),
}


@pytest.fixture(scope="module", params=list(HABITS))
def node(held: list[Dataset], request: pytest.FixtureRequest) -> Iterator[Node]:
    with EmbeddedArchive(held, ae_title="MIXED", habits=HABITS[request.param]) as archive:
        yield Node(port=archive.port, called_ae_title="MIXED")


type Test = Callable[[Collection[str]], bool]

ASKED: dict[str, Test] = {
    "CT and MR": lambda has: "CT" in has and "MR" in has,
    "CT/MR": lambda has: "CT" in has and "MR" in has,
    "PET/CT": lambda has: "PT" in has and "CT" in has,
    "CT and report": lambda has: "CT" in has and "SR" in has,
    "CT or MR": lambda has: "CT" in has or "MR" in has,
    "CT, MR": lambda has: "CT" in has or "MR" in has,
    "not CT": lambda has: "CT" not in has,
    "without MR": lambda has: "MR" not in has,
    "CT without MR": lambda has: "CT" in has and "MR" not in has,
    "neither CT nor MR": lambda has: "CT" not in has and "MR" not in has,
    "CT and MR and PT": lambda has: {"CT", "MR", "PT"} <= {*has},
    "CT and mammography": lambda has: "CT" in has and "MG" in has,
    "no US": lambda has: "US" not in has,
}


def _patients(test: Test) -> int:
    whose: dict[str, set[str]] = {}
    for several, patient in STUDIES:
        whose.setdefault(patient, set()).update(several)
    return sum(map(test, whose.values()))


@pytest.mark.parametrize("text", list(ASKED))
def test_studies_with_several_modalities_are_those_that_have_all(node: Node, text: str) -> None:
    expected = {n for n, (several, _) in enumerate(STUDIES, start=1) if ASKED[text](several)}
    answer = ask(node, "query_studies", modality_in_study=text)
    uids = {str(one["StudyInstanceUID"]) for one in answer["records"]}
    assert len(uids) == len(answer["records"]) == len(expected)
    counted = ask(node, "count_studies", modality=text)
    assert counted["total"] == len(expected)
    if node.called_ae_title and answer["complete"]:
        assert counted["complete"]


@pytest.mark.parametrize("text", list(ASKED))
def test_patients_with_several_modalities_are_those_that_have_all(node: Node, text: str) -> None:
    answer = ask(node, "count_studies", modality=text, count="patients")
    assert answer["total"] == _patients(ASKED[text])


@pytest.fixture(scope="module")
def plain(held: list[Dataset]) -> Iterator[Node]:
    with EmbeddedArchive(held, ae_title="MIXED") as archive:
        yield Node(port=archive.port, called_ae_title="MIXED")


@pytest.mark.parametrize("text", list(ASKED))
def test_what_is_whole_is_called_whole_and_says_how_it_was_understood(
    plain: Node, text: str
) -> None:
    for tool, key in (("query_studies", "modality_in_study"), ("count_studies", "modality")):
        answer = ask(plain, tool, **{key: text})
        assert answer["complete"]
        if text not in ("CT or MR", "CT, MR"):
            assert answer["sent"]["ModalitiesInStudy"] in " ".join(answer["notes"])


def test_a_list_of_several_modalities_that_is_cut_by_limit_says_so(plain: Node) -> None:
    answer = ask(plain, "query_studies", modality_in_study="not US", limit=2)
    assert (answer["returned"], answer["complete"]) == (2, False)
    assert "these are 2 of 8" in " ".join(answer["notes"])


def test_other_keys_go_with_several_modalities(plain: Node) -> None:
    answer = ask(plain, "count_studies", modality="CT and MR", patient_id="P2")
    assert (answer["total"], answer["complete"]) == (1, True)
    answer = ask(plain, "count_studies", modality="CT and MR", patient_id="P1")
    assert answer["total"] == 0
    assert "without ModalitiesInStudy: 2 studies" in " ".join(answer["notes"])
    answer = ask(plain, "count_studies", modality="CT and MR", patient_id="P1", count="patients")
    assert answer["total"] == 1


def test_groups_of_several_modalities_add_up(plain: Node) -> None:
    answer = ask(plain, "count_studies", modality="CT and MR", group_by=["modality"])
    assert {one["modality"]: one["count"] for one in answer["groups"]} == {"CT": 2, "MR": 2}
    answer = ask(plain, "count_studies", modality="not CT", group_by=["modality"])
    assert {one["modality"]: one["count"] for one in answer["groups"]} == {
        "MR": 2,
        "US": 1,
        "SR": 1,
        "PT": 1,
    }


@pytest.mark.parametrize(
    ("text", "expected"), [("CT and MR", 1), ("CT or SR", 1), ("not CT", 0), ("PET/CT", 1)]
)
def test_a_timeline_compares_several_modalities(plain: Node, text: str, expected: int) -> None:
    answer = ask(plain, "patient_timeline", patient_id="P6", modality=text)
    assert (answer["returned"], answer["complete"]) == (expected, True)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("count_studies", {"count": "series", "modality": "CT and MR"}),
        ("count_studies", {"count": "images", "modality": "not CT"}),
        ("query_worklist", {"modality": "CT and MR"}),
        ("query_series", {"study_instance_uid": "1.2", "modality": "CT and MR"}),
        ("query_series", {"study_instance_uid": "1.2", "modality": "not CT"}),
        ("sample_headers", {"study_instance_uids": ["1.2"], "modality": "CT and MR"}),
    ],
)
def test_what_has_one_modality_is_not_asked_for_two(
    tool: str, arguments: dict[str, object]
) -> None:
    assert "each series has one modality" in fail(Node(port=1), tool, **arguments)


def test_modalities_of_a_study_may_be_a_condition(plain: Node) -> None:
    for condition, test in (
        ("ModalitiesInStudy is CT and MR", ASKED["CT and MR"]),
        ("ModalitiesInStudy is not CT", ASKED["not CT"]),
        ("modalities contain CT or MR", ASKED["CT or MR"]),
    ):
        answer = ask(plain, "count_studies", where=[condition])
        assert answer["total"] == sum(test(several) for several, _ in STUDIES)
        assert answer["complete"]


def test_headers_are_sampled_of_any_modality_that_is_named(plain: Node) -> None:
    study = next(
        str(one["StudyInstanceUID"])
        for one in ask(plain, "query_studies", modality_in_study="CT and MR and PT")["records"]
    )
    answer = ask(
        plain, "sample_headers", study_instance_uids=[study], modality="CT or magnetic resonance"
    )
    assert {one["modality"] for one in answer["records"]} == {"CT", "MR"}
