"""Each bad habit of the embedded archive, as a peer that asks it sees it."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.association import Association

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Declaring, Habits
from dicom_mcp.standard.levels import Model
from tests.demo.objects import ROOT, hospital
from tests.peers.pynetdicom_scu import PATIENCE, STUDY_ROOT, ask, associated, requesting, statuses

STUDIES = [f"{ROOT}.{number}" for number in range(1, 7)]


@contextmanager
def asking(habits: Habits) -> Generator[Association]:
    """An association with an archive of six studies that has these habits."""
    with (
        EmbeddedArchive(hospital(), ae_title="DEMO", habits=habits) as archive,
        associated(archive) as association,
    ):
        yield association


def studies(association: Association, **keys: object) -> list[Dataset]:
    return ask(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", **keys)


def uids(found: list[Dataset]) -> list[str]:
    return [str(one.StudyInstanceUID) for one in found]


@pytest.mark.parametrize(
    ("keyword", "key"),
    [
        ("ModalitiesInStudy", "MR"),
        ("StudyDescription", "CT Head"),
        ("StudyDate", "20240210"),
        ("PatientID", "7"),
        ("PatientName", "Doe^John"),
        ("StudyInstanceUID", f"{ROOT}.3"),
    ],
)
def test_an_ignored_key_is_not_matched_and_its_value_returned(keyword: str, key: str) -> None:
    with asking(Habits(ignored_keys=frozenset({keyword}))) as association:
        found = studies(association, **{keyword: key})
    assert uids(found) == STUDIES
    assert all(keyword in one for one in found)


def test_a_key_can_be_ignored_and_left_out_of_the_answers() -> None:
    keyword = frozenset({"ModalitiesInStudy"})
    with asking(Habits(ignored_keys=keyword, unreturned=keyword)) as association:
        found = studies(association, ModalitiesInStudy="MR")
    assert uids(found) == STUDIES
    assert not any("ModalitiesInStudy" in one for one in found)


def test_an_unreturned_attribute_is_matched_all_the_same() -> None:
    missing = frozenset({"StudyDate", "NumberOfStudyRelatedInstances"})
    with asking(Habits(unreturned=missing)) as association:
        found = studies(association, StudyDate="20240210", NumberOfStudyRelatedInstances=None)
    assert uids(found) == STUDIES[1:3]
    assert not any(keyword in one for one in found for keyword in missing)


def test_the_unique_key_of_the_level_is_always_returned_and_those_above_can_be_missing() -> None:
    with asking(Habits(unreturned=frozenset({"StudyInstanceUID"}))) as association:
        (series, *_) = ask(
            association,
            STUDY_ROOT,
            QueryRetrieveLevel="SERIES",
            StudyInstanceUID=STUDIES[0],
            SeriesInstanceUID="",
        )
        assert len(uids(studies(association))) == 6
    assert "SeriesInstanceUID" in series
    assert "StudyInstanceUID" not in series


def test_every_match_can_say_that_optional_keys_are_not_supported() -> None:
    with asking(Habits(optional_keys_status=True)) as association:
        told = statuses(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="007")
    assert told == [0xFF01, 0xFF01, 0x0000]


@pytest.mark.parametrize("status", [0x0000, 0xA700, 0xFE00])
def test_an_answer_is_capped_only_where_there_is_more(status: int) -> None:
    habits = Habits(most_matches=2, cap_status=status)
    with asking(habits) as association:
        capped = statuses(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientName="")
        whole = statuses(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", PatientID="007")
    assert capped == [0xFF00, 0xFF00, status]
    assert whole == [0xFF00, 0xFF00, 0x0000]


@pytest.mark.parametrize(("modality", "count"), [("CT", 2), ("MR", 2), ("SR", 1)])
def test_a_limit_that_counts_series_cuts_studies_by_modality_silently(
    modality: str, count: int
) -> None:
    with asking(Habits(most_below=2)) as association:
        found = uids(studies(association, ModalitiesInStudy=modality))
        whole = uids(studies(association, ModalitiesInStudy=""))
    assert len(found) == count
    assert whole == STUDIES


def test_a_limit_that_counts_series_counts_those_that_match() -> None:
    with asking(Habits(most_below=3)) as association:
        assert len(studies(association, ModalitiesInStudy="CT")) == 3
    with asking(Habits(most_below=1)) as association:
        assert len(studies(association, ModalitiesInStudy="CT")) == 1


def test_a_limit_that_counts_series_can_bite_on_what_is_only_asked_for() -> None:
    keys = frozenset({"ModalitiesInStudy", "NumberOfStudyRelatedSeries"})
    with asking(Habits(most_below=4, below_keys=keys, joined=True)) as association:
        without = studies(association)
        joined = [studies(association, **{keyword: None}) for keyword in keys]
    assert len(without) == 6
    assert [len(found) < 6 for found in joined] == [True, True]


def test_a_limit_that_counts_studies_cuts_patients_silently() -> None:
    model = Model.PATIENT_ROOT
    counts: list[int] = []
    for most in range(1, 7):
        ae = AE("TESTER")
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE
        ae.add_requested_context(model.value)
        habits = Habits(most_below=most)
        with EmbeddedArchive(hospital(), ae_title="DEMO", habits=habits) as archive:
            association = requesting(ae)(archive.host, archive.port)
            counts.append(len(ask(association, model, QueryRetrieveLevel="PATIENT", PatientID="")))
            association.release()
    # Two of the six studies are of one patient: they count twice for one row.
    assert counts[0] == 1
    assert counts[-1] == 5
    assert sorted({*counts}) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("status", [0x0000, 0xA700, 0xFE00])
def test_keys_can_be_compared_after_the_limit(status: int) -> None:
    late = frozenset({"StudyDescription"})
    habits = Habits(most_candidates=3, late_keys=late, cap_status=status)
    with asking(habits) as association:
        cut = statuses(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", StudyDescription="CT*")
        nothing = statuses(
            association, STUDY_ROOT, QueryRetrieveLevel="STUDY", StudyDescription="US*"
        )
        few = statuses(
            association,
            STUDY_ROOT,
            QueryRetrieveLevel="STUDY",
            StudyDate="20240210",
            StudyDescription="CT*",
        )
        other = statuses(association, STUDY_ROOT, QueryRetrieveLevel="STUDY", StudyDescription="")
    assert cut == [0xFF00, 0xFF00, status]
    assert nothing == [status]
    assert few == [0xFF00, 0x0000]
    assert other == [0xFF00] * 6 + [0x0000]


def test_a_list_of_values_can_be_read_in_part() -> None:
    with asking(Habits(most_values=3)) as association:
        assert uids(studies(association, StudyInstanceUID="\\".join(STUDIES))) == STUDIES[:3]


@pytest.mark.parametrize(
    ("declaring", "declared", "name"),
    [
        ("as Latin-1", "ISO_IR 100", "MÃ¼ller^JÃ¼rgen"),
        ("not at all", None, "Müller^Jürgen".encode()),
    ],
)
def test_an_answer_in_utf_8_is_declared_as_something_else(
    declaring: Declaring, declared: str | None, name: str | bytes
) -> None:
    with asking(Habits(utf_8_declared=declaring)) as association:
        (found,) = studies(association, PatientID="8", PatientName="")
    assert found.get("SpecificCharacterSet") == declared
    if isinstance(name, str):
        assert found.PatientName == name
    else:
        assert found.PatientName.original_string == name


@pytest.mark.parametrize(
    ("declared", "key", "found"),
    [
        ("ISO_IR 192", "Müller*", []),
        ("ISO_IR 100", "Müller*", STUDIES[2:3]),
        ("ISO_IR 192", "M*ller^J*", STUDIES[2:3]),
        ("ISO_IR 192", "*山田*", []),
        ("ISO_IR 192", "Иванов*", []),
        ("ISO_IR 144", "Иванов*", STUDIES[4:5]),
    ],
)
def test_text_compared_by_bytes_is_found_in_its_own_character_set_only(
    declared: str, key: str, found: list[str]
) -> None:
    with asking(Habits(by_bytes=True)) as association:
        answer = studies(association, SpecificCharacterSet=declared, PatientName=key)
    assert uids(answer) == found


@pytest.mark.parametrize(("key", "count"), [("Doe*", 3), ("DOE*", 0)])
def test_names_can_be_compared_with_their_case(key: str, count: int) -> None:
    with asking(Habits(case_sensitive=True)) as association:
        assert len(studies(association, PatientName=key)) == count


def test_every_match_can_come_twice() -> None:
    with asking(Habits(duplicated=True)) as association:
        found = uids(studies(association))
    assert found == [uid for uid in STUDIES for _ in range(2)]


@pytest.mark.parametrize("model", list(Model))
def test_only_the_models_it_has_are_accepted(model: Model) -> None:
    habits = Habits(models=frozenset({model}))
    ae = AE("TESTER")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = PATIENCE
    for one in Model:
        ae.add_requested_context(one.value)
    with EmbeddedArchive(hospital(), ae_title="DEMO", habits=habits) as archive:
        association = requesting(ae)(archive.host, archive.port)
        accepted = [context.abstract_syntax for context in association.accepted_contexts]
        found = uids(ask(association, model, QueryRetrieveLevel="STUDY", PatientID="007"))
        association.release()
    assert accepted == [model]
    assert len(found) == 2


def test_a_silent_hierarchy_finds_nothing_without_the_keys_above() -> None:
    with (
        EmbeddedArchive(hospital(), ae_title="SILENT", hierarchy="silent") as archive,
        associated(archive) as association,
    ):
        without = ask(association, STUDY_ROOT, QueryRetrieveLevel="SERIES", SeriesInstanceUID="")
        given = ask(
            association,
            STUDY_ROOT,
            QueryRetrieveLevel="SERIES",
            StudyInstanceUID=STUDIES[0],
            SeriesInstanceUID="",
        )
    assert without == []
    assert len(given) == 2
