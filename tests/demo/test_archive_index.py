"""What the archive finds is what a look at every single object would find."""

from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp.demo.entities import is_supported
from dicom_mcp.demo.index import Index
from dicom_mcp.standard.entities import level_of
from dicom_mcp.standard.levels import HIERARCHY, UNIQUE_KEY, Level
from dicom_mcp.standard.matching import Key, matches
from tests.demo.objects import ROOT, hospital, instance

OBJECTS = list(hospital())
UIDS = sorted({str(one[UNIQUE_KEY[level]].value) for one in OBJECTS for level in HIERARCHY[1:]})


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    filled = Index()
    filled.add_all(OBJECTS)
    yield filled
    filled.close()


def text_key(vr: str, texts: list[str]) -> st.SearchStrategy[Key]:
    return st.sampled_from([(vr, text) for text in ("", *texts)])


UID_LISTS = st.lists(st.sampled_from([*UIDS, "1.2.3"]), min_size=1, max_size=3)
UID_KEYS: st.SearchStrategy[Key] = UID_LISTS.map(lambda uids: ("UI", "\\".join(uids)))
DATES = ["20240210", "20240110-20240210", "20240301-", "-20240110", "2024", "20231231-20231231"]
KEYS: dict[str, st.SearchStrategy[Key]] = {
    "PatientID": text_key("LO", ["007", "7", "0*", "?", "8 ", "nobody", "*"]),
    "PatientName": text_key("PN", ["doe*", "*山田*", "Müller^Jürgen", "nobody"]),
    "StudyDate": text_key("DA", DATES),
    "StudyInstanceUID": UID_KEYS,
    "SeriesInstanceUID": UID_KEYS,
    "SOPInstanceUID": UID_KEYS,
    "Modality": text_key("CS", ["CT", "M?", "SR"]),
    "InstanceNumber": text_key("IS", ["1", "002"]),
}


@given(st.sampled_from(HIERARCHY), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_narrowing_in_the_database_loses_no_match_and_adds_none(
    index: Index, level: Level, data: st.DataObject
) -> None:
    possible = [keyword for keyword in KEYS if is_supported(keyword, level)]
    asked = data.draw(st.lists(st.sampled_from(possible), unique=True))
    keys = {keyword: data.draw(KEYS[keyword]) for keyword in asked}
    unique = UNIQUE_KEY[level]
    found = [record[unique] for record in index.find(level, keys)]
    expected = [[uid] for uid in entities(level, keys)]
    assert found == expected


def entities(level: Level, keys: Mapping[str, Key]) -> list[str]:
    """Unique keys of the entities whose first object matches every key, in order."""
    first: dict[str, Dataset] = {}
    for one in OBJECTS:
        first.setdefault(str(one[UNIQUE_KEY[level]].value), one)
    return [
        uid for uid, one in first.items() if all(agrees(one, k, key) for k, key in keys.items())
    ]


def agrees(dataset: Dataset, keyword: str, key: Key) -> bool:
    assert isinstance(key, tuple)
    value = str(dataset[keyword].value) if keyword in dataset else ""
    return matches(key[0], key[1], [value] if value else [])


def test_a_list_longer_than_a_page_is_whole_and_in_order() -> None:
    index = Index()
    index.add_all(instance(number) for number in range(1, 1202))
    found = [record["InstanceNumber"] for record in index.find(Level.IMAGE, {})]
    index.close()
    assert found == [[str(number)] for number in range(1, 1202)]


def test_an_object_that_moves_to_another_study_leaves_no_empty_study_behind() -> None:
    index = Index()
    index.add(instance(1))
    index.add(instance(1, StudyInstanceUID=f"{ROOT}.2", SeriesInstanceUID=f"{ROOT}.2.1"))
    studies = [record["StudyInstanceUID"] for record in index.find(Level.STUDY, {})]
    series = [record["SeriesInstanceUID"] for record in index.find(Level.SERIES, {})]
    index.close()
    assert studies == [[f"{ROOT}.2"]]
    assert series == [[f"{ROOT}.2.1"]]


def test_each_study_keeps_the_patient_as_it_knew_them() -> None:
    index = Index()
    for number, born in ((1, "19700101"), (2, "19710101")):
        index.add(
            instance(
                number,
                StudyInstanceUID=f"{ROOT}.{number}",
                SeriesInstanceUID=f"{ROOT}.{number}.1",
                PatientBirthDate=born,
            )
        )
    later: dict[str, Key] = {"PatientBirthDate": ("DA", "19710101")}
    studies = [record["StudyInstanceUID"] for record in index.find(Level.STUDY, later)]
    patients = [record["PatientBirthDate"] for record in index.find(Level.PATIENT, {})]
    index.close()
    assert studies == [[f"{ROOT}.2"]]
    assert patients == [["19700101"]]


def test_an_archive_can_be_kept_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("archive") / "index.sqlite"
    index = Index(str(path))
    index.add(instance(1))
    index.close()
    again = Index(str(path))
    assert again.object(f"{ROOT}.1") is not None
    again.close()


@pytest.mark.parametrize(
    ("keyword", "level"),
    [
        ("PatientSex", Level.PATIENT),
        ("StudyDate", Level.STUDY),
        ("ModalitiesInStudy", Level.STUDY),
        ("StationName", Level.SERIES),
        ("NumberOfSeriesRelatedInstances", Level.SERIES),
        ("Rows", Level.IMAGE),
    ],
)
def test_attributes_belong_to_the_entity_they_describe(keyword: str, level: Level) -> None:
    assert level_of(keyword) is level
    assert is_supported(keyword, level)
    assert not any(is_supported(keyword, above) for above in level.above)


@pytest.mark.parametrize("keyword", ["PixelData", "ContentSequence", "NoSuchThing"])
def test_bulk_and_unknown_attributes_are_not_supported(keyword: str) -> None:
    assert not any(is_supported(keyword, level) for level in HIERARCHY)
