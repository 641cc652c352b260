"""One study from above, against plain loops over the objects."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import PLANTED
from dicom_mcp.demo.objects import accession, study_uid
from dicom_mcp.demo.patients import STUDIES
from dicom_mcp.node import Node
from dicom_mcp.studies.kind import is_image, kind
from dicom_mcp.studies.listing import lacking, ranges, repeated
from tests.asking import ask, fail
from tests.notes import the_note
from tests.overviews import (
    READABLE,
    STORAGE,
    TRUE_KINDS,
    by_series,
    said_row,
    true_row,
)
from tests.peers.habits import BAD_HABITS, EXCUSED, KINDS
from tests.peers.pynetdicom_scp import Answers, accepting, study


@pytest.fixture(scope="module")
def node(database: str) -> Iterator[Node]:
    with EmbeddedArchive([], ae_title="ABOVE", database=database) as archive:
        yield Node(port=archive.port, called_ae_title="ABOVE")


@pytest.mark.parametrize("habits", list(KINDS))
def test_every_series_of_every_study_is_told_truly_or_marked(
    habits: str, held: list[Dataset], database: str
) -> None:
    with EmbeddedArchive([], ae_title="ABOVE", database=database, **KINDS[habits]) as archive:
        node = Node(port=archive.port, called_ae_title="ABOVE")
        for study in (study_uid(one.key) for one in STUDIES):
            answer = ask(node, "study_overview", study_instance_uid=study)
            series = by_series(held, study)
            true = [true_row(objects) for objects in series.values()]
            said = [said_row(row) for row in answer["records"]]
            if not answer["complete"]:
                assert answer["notes"]
                for row, truth in zip(said, true, strict=True):
                    unknown = {name for name in ("instances", "lacks") if row[name] in (None, [])}
                    row |= {name: truth[name] for name in unknown}
            assert said == true
            assert answer["complete"] or habits in {*EXCUSED, "stops silently after 10"}
            totals = answer["totals"]
            assert totals["series"] == answer["returned"] == len(series)
            everything = [one for objects in series.values() for one in objects]
            assert totals.get("instances", len(everything)) == len(everything)
            objects = {one["sop_instance_uid"]: one["kind"] for one in answer["objects"]}
            kinds = {
                str(one.SOPInstanceUID): TRUE_KINDS[one.SOPClassUID.removeprefix(STORAGE)]
                for one in everything
            }
            assert objects == {uid: what for uid, what in kinds.items() if what in READABLE}
            reports = READABLE - {"dose report"}
            assert totals["reports"] == sum(what in reports for what in kinds.values())


def test_the_first_series_of_the_spine_lacks_the_images_5_and_6(node: Node) -> None:
    planted = next(one for one in PLANTED if "lacks the images 5 and 6" in one.sentence)
    answer = ask(node, "study_overview", study_instance_uid=planted.study_instance_uid)
    first, second, _ = answer["records"]
    assert (first["numbers"], first["lacks"]) == ("1-4, 7-10", "5-6")
    assert "lacks" not in second
    assert answer["complete"] is True
    assert answer["notes"] == [
        "Series 1 (t2_tse_sag) lacks the images 5-6: the archive has 1-4, 7-10."
    ]


def test_the_planning_ct_is_one_study_of_images_and_radiotherapy_objects(node: Node) -> None:
    planted = next(one for one in PLANTED if "planning CT" in one.sentence)
    answer = ask(node, "study_overview", study_instance_uid=planted.study_instance_uid)
    assert {row["modality"]: row["kind"] for row in answer["records"]} == {
        "CT": "images",
        "RTSTRUCT": "radiotherapy structures",
        "RTPLAN": "radiotherapy plan",
        "RTDOSE": "radiotherapy dose",
        "SR": "report",
    }


def test_the_knee_ultrasound_has_no_report(node: Node) -> None:
    totals = ask(node, "study_overview", study_instance_uid=study_uid("knee ultrasound"))["totals"]
    assert totals["reports"] == 0


def test_an_accession_number_finds_the_study(node: Node) -> None:
    study = next(one for one in STUDIES if one.key == "heart echo")
    answer = ask(node, "study_overview", accession_number=accession(study))
    assert answer["study"]["study_instance_uid"] == study_uid("heart echo")
    assert answer["records"][0]["frames"] == 8


def test_several_studies_are_choices(node: Node) -> None:
    answer = ask(node, "study_overview", patient_id="00700150")
    assert answer["records"] == []
    assert answer["complete"] is False
    assert {one["study_instance_uid"] for one in answer["choices"]} == {
        study_uid(one) for one in ("heart echo", "heart ecg first", "heart ecg second")
    }
    assert the_note(answer["notes"], "3 studies match")


def test_no_study_is_said_with_what_would_match(node: Node) -> None:
    answer = ask(node, "study_overview", accession_number="A554")
    assert answer["records"] == answer["choices"] == []
    assert answer["notes"] == ask(node, "query_studies", accession_number="A554")["notes"]
    assert "No study in this archive matches these keys." in answer["notes"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [({}, "no study is named"), ({"study_instance_uid": "1.2.x"}, "is not a DICOM UID")],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    asked: dict[str, Any], says: str
) -> None:
    assert says in fail(Node(port=1), "study_overview", **asked)


def series(base: Dataset, number: int, numbers: Iterable[int], **attributes: Any) -> list[Dataset]:
    """A series of the base's study whose images have these numbers and attributes."""
    made: list[Dataset] = []
    for place, one in enumerate(numbers, start=1):
        image = deepcopy(base)
        image.SeriesInstanceUID = f"1.2.3.{number}"
        image.SOPInstanceUID = f"1.2.3.{number}.{place}"
        image.SeriesNumber = number
        image.InstanceNumber = one
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        image.file_meta.MediaStorageSOPClassUID = UID(image.SOPClassUID)
        image.file_meta.MediaStorageSOPInstanceUID = UID(image.SOPInstanceUID)
        made.append(image)
    return made


@pytest.fixture(scope="module")
def odd(held: list[Dataset]) -> Iterator[Node]:
    """A study with one series of each kind of oddity."""
    base = deepcopy(next(one for one in held if one.StudyInstanceUID == study_uid("back mr")))
    del base.PixelData
    objects = [
        *series(base, 1, (1, 2, 3), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        *series(base, 2, (1, 2, 2, 3), SeriesDescription="t1"),
        *series(base, 3, (1,), SeriesDescription="MIP cor"),
        *series(base, 4, (1, 101, 201), SeriesDescription="dynamic"),
        *series(base, 5, (1,), Modality="KO", SOPClassUID=f"{STORAGE}88.59"),
        *series(base, 6, (1, 2), Modality="PR", SOPClassUID=f"{STORAGE}11.1"),
        *series(base, 7, (1,), Modality="SEG", SOPClassUID=f"{STORAGE}66.4"),
        *series(base, 8, (1,), SOPClassUID=f"{STORAGE}7", SeriesDescription="Dose Report"),
        *series(base, 9, (1,), SeriesDescription="t1 late", SeriesDate="20260209"),
        *series(base, 10, (1, 2), ImageType=["DERIVED", "PRIMARY", "ADC"]),
    ]
    with EmbeddedArchive(objects, ae_title="ABOVE") as archive:
        yield Node(port=archive.port, called_ae_title="ABOVE")


def test_each_kind_has_its_word(odd: Node) -> None:
    answer = ask(odd, "study_overview", study_instance_uid=study_uid("back mr"))
    assert [row["kind"] for row in answer["records"]] == [
        "localizer",
        "images",
        "reconstruction",
        "images",
        "key images",
        "presentation state",
        "segmentation",
        "secondary capture (dose report)",
        "images",
        "derived images",
    ]
    assert answer["totals"]["key_objects"] == 1
    assert [one["sop_instance_uid"] for one in answer["objects"]] == ["1.2.3.5.1"]


def test_repeated_numbers_are_said_and_scattered_ones_are_no_gaps(odd: Node) -> None:
    answer = ask(odd, "study_overview", study_instance_uid=study_uid("back mr"))
    assert [row.get("repeated") for row in answer["records"][:4]] == [None, "2", None, None]
    assert answer["notes"] == ["Series 2 (t1) has more than one instance numbered 2."]


def test_only_a_date_that_is_not_the_studys_is_shown(odd: Node) -> None:
    answer = ask(odd, "study_overview", study_instance_uid=study_uid("back mr"))
    assert [row["number"] for row in answer["records"] if "date" in row] == [9]


def test_a_list_cut_without_a_word_is_not_taken_for_the_whole(database: str) -> None:
    """The archive gives at most 10 and keeps no counts: of 24 images 10 come, numbered 1 to 10."""
    with EmbeddedArchive([], ae_title="ABOVE", habits=BAD_HABITS, database=database) as archive:
        node = Node(port=archive.port, called_ae_title="ABOVE")
        cut = ask(node, "study_overview", study_instance_uid=study_uid("anna elder ct"))
        whole = ask(node, "study_overview", study_instance_uid=study_uid("back mr first"))
    assert cut["complete"] is False
    assert "instances" not in cut["records"][0]
    assert cut["records"][0]["instances_seen"] == 10
    assert "instances" not in cut["totals"]
    assert whole["complete"] is True
    assert whole["records"][0]["instances"] == 10


def test_the_series_are_told_though_their_images_cannot_be_listed() -> None:
    def find(event: Any) -> Answers:
        level = event.identifier.QueryRetrieveLevel
        if level == "IMAGE":
            yield 0xC001, None
            return
        one = study(event, 1)
        if level == "SERIES":
            one.SeriesInstanceUID, one.Modality, one.SeriesNumber = "1.2.1.1", "SR", 1
            one.SeriesDescription = "Befund"
            one.NumberOfSeriesRelatedInstances = 1
        yield 0xFF00, one

    with accepting(find) as acceptor:
        node = acceptor.node(called="ACCEPTOR", calling="MCPSCU")
        answer = ask(node, "study_overview", study_instance_uid="1.2.1")
    (row,) = answer["records"]
    assert (row["kind"], row["instances"]) == ("report", 1)
    assert answer["complete"] is False
    assert answer["objects"] == []
    assert any("the instances of 0 of 1 series were listed" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("modality", "description", "sop_class", "expected"),
    [
        ("CT", "Topogram 0.6 T20f", "2", "localizer"),
        ("CT", "Scout", "2", "localizer"),
        ("MR", "LOC", "4", "localizer"),
        ("MR", "localizer_3_plane", "4", "localizer"),
        ("MR", "t1_local_tra", "4", "images"),
        ("CT", "Thorax MPR cor", "2", "reconstruction"),
        ("MR", "vibe_water", "4", "images"),
        ("SR", "", "88.67", "dose report"),
        ("SR", "Dose Report", "88.22", "dose report"),
        ("SR", "Report CT low dose", "88.11", "report"),
        ("SR", "", "", "structured report"),
        ("SR", "Befund", "", "report"),
        ("SR", "", "88.33", "report"),
        ("SR", "", "88.50", "CAD report"),
        ("KO", "", "", "key images"),
        ("XA", "Dose", "12.1", "images"),
        ("CT", "", "2.1", "images"),
        ("OT", "", "104.3", "3D model"),
        ("ECG", "", "9.1.1", "waveform"),
        ("RTPLAN", "", "481.8", "radiotherapy plan"),
    ],
)
def test_a_kind_is_told_by_class_modality_and_description(
    modality: str, description: str, sop_class: str, expected: str
) -> None:
    classes = [STORAGE + sop_class] if sop_class else []
    assert kind(modality, description, sop_classes=classes) == expected


def test_every_storage_class_of_the_dictionary_has_a_kind() -> None:
    for uid, (name, *_) in UID_dictionary.items():
        if not uid.startswith(STORAGE) or not name.endswith("Storage"):
            continue
        said = kind("OT", "", sop_classes=[uid])
        for words, meant in (
            ("Image", {"images", "secondary capture", "radiotherapy images"}),
            ("Presentation State", {"presentation state"}),
            (" SR", {"report", "dose report", "CAD report", "other structured document"}),
            ("Waveform Storage", {"waveform", "sound"}),
            ("ECG", {"waveform"}),
            ("Segmentation", {"segmentation"}),
            ("Encapsulated", {"document", "3D model"}),
            ("RT Plan", {"radiotherapy plan"}),
            ("Dose SR", {"dose report"}),
        ):
            if words in name and "Procedure" not in name:
                assert said in meant, (name, said)


def test_pictures_are_told_from_what_accompanies_them() -> None:
    assert all(map(is_image, ("CT", "US", "MG", "RTIMAGE", "OT", "SC", "XYZ")))
    assert not any(map(is_image, ("SR", "KO", "PR", "DOC", "RTDOSE", "ECG", "SEG")))


@pytest.mark.parametrize(
    ("numbers", "written", "gaps", "twice"),
    [
        ([], "", [], []),
        ([1, 2, 3], "1-3", [], []),
        ([0, 1, 3], "0-1, 3", [2], []),
        ([1, 1, 2], "1-2", [], [1]),
        ([5], "5", [], []),
        ([1, 100], "1, 100", [], []),
        (
            [*range(1, 60, 2)],
            "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, …, 59",
            [*range(2, 59, 2)],
            [],
        ),
    ],
)
def test_numbers_are_written_as_people_do(
    numbers: list[int], written: str, gaps: list[int], twice: list[int]
) -> None:
    assert (ranges(numbers), lacking(numbers), repeated(numbers)) == (written, gaps, twice)
