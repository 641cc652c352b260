"""Keys that an archive compares only in so many studies, of which it says nothing."""

from contextlib import closing

from dicom_mcp.demo.habits import Habits
from dicom_mcp.dicom_api import connect
from dicom_mcp.standard.levels import Level
from tests.asking import answers, ask
from tests.busy import Kept
from tests.peers.embedded import Kind, embedded
from tests.truth.archives import find

LATE = frozenset({"PatientName", "StudyDescription", "PatientSex"})
CUT = Habits(most_candidates=100, late_keys=LATE)


def test_what_is_not_looked_at_is_found_all_the_same(small: Kept) -> None:
    bergers = [study for study in small.held if study.patient.name.startswith("Berger^")]
    women = [study for study in bergers if study.patient.sex == "F"]
    with embedded([], Kind(CUT), database=str(small.database)) as peer:
        named, both = answers(
            peer.node,
            [
                ("count_studies", {"patient_name": "Berger^*"}),
                ("count_studies", {"patient_name": "Berger^*", "where": ["PatientSex is F"]}),
            ],
        )
        alone = ask(peer.node, "count_studies", where=["PatientSex is F"])
    assert (named["total"], named["complete"]) == (len(bergers), True)
    assert (both["total"], both["complete"]) == (len(women), True)
    assert alone["total"] == sum(study.patient.sex == "F" for study in small.held)


def test_an_archive_that_looks_at_all_is_tried_once(small: Kept) -> None:
    keys = {"PatientName": "Berger^*", "StudyDate": "20260310"}
    with (
        embedded([], Kind(), database=str(small.database)) as peer,
        closing(connect(peer.node)) as archive,
    ):
        first, second = (find(archive, Level.STUDY, keys) for _ in range(2))
    assert first.complete
    assert first.queries <= second.queries + 7
    assert second.queries <= 2
