"""The embedded archive asked by DCMTK's own programs."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicom_mcp.demo.archive import EmbeddedArchive
from tests.demo.objects import ROOT, compressed, hospital, instance, pixels, worklist
from tests.peers.dcmtk import find, key_options, run, storescp, to

pytestmark = pytest.mark.dcmtk

LEVELS = ["PATIENT", "STUDY", "SERIES", "IMAGE"]
# What DCMTK calls 0xA900, whatever the service.
A900 = "DataSetDoesNotMatchSOPClass"
UNIQUE = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]


@pytest.fixture(scope="module")
def archive() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(hospital(), ae_title="DEMO", worklist=worklist()) as running:
        yield running


@pytest.fixture
def images() -> Iterator[EmbeddedArchive]:
    with EmbeddedArchive(compressed(), ae_title="DEMO") as running:
        yield running


def test_echo_is_answered(archive: EmbeddedArchive) -> None:
    result = run("echoscu", "-v", *to(archive.port))
    assert "Received Echo Response (Success)" in result.stdout


@pytest.mark.parametrize(
    ("option", "level", "count"),
    [
        ("-P", "PATIENT", 5),
        ("-P", "STUDY", 6),
        ("-P", "SERIES", 7),
        ("-P", "IMAGE", 17),
        ("-S", "STUDY", 6),
        ("-S", "SERIES", 7),
        ("-S", "IMAGE", 17),
    ],
)
def test_there_is_exactly_one_answer_for_each_entity_at_the_level_asked(
    archive: EmbeddedArchive, tmp_path: Path, option: str, level: str, count: int
) -> None:
    unique = UNIQUE[LEVELS.index(level)]
    found = find(
        archive.port,
        option,
        keys={"QueryRetrieveLevel": level, unique: ""},
        into=tmp_path / "found",
    )
    assert len(found) == len({str(one[unique].value) for one in found}) == count
    assert {one.QueryRetrieveLevel for one in found} == {level}
    assert {one.RetrieveAETitle for one in found} == {"DEMO"}


def test_study_root_has_no_patient_level(archive: EmbeddedArchive) -> None:
    keys = key_options({"QueryRetrieveLevel": "PATIENT", "PatientID": ""})
    result = run("findscu", "-v", "-S", *keys, *to(archive.port))
    assert f"(Error: {A900})" in result.stdout


@pytest.mark.parametrize(
    ("keys", "studies"),
    [
        ({"PatientID": "007"}, [1, 2]),
        ({"PatientID": "7"}, [6]),
        ({"PatientName": "doe^*"}, [1, 2, 6]),
        ({"PatientName": "DOE^JANE"}, [1, 2]),
        ({"PatientName": "D?e^J*n"}, [6]),
        ({"StudyDate": "20240210"}, [2, 3]),
        ({"StudyDate": "20240201-20240229"}, [2, 3]),
        ({"StudyDate": "20240301-"}, [4, 5]),
        ({"StudyDate": "-20240110"}, [1, 6]),
        ({"StudyTime": "10-1130"}, [1, 2]),
        ({"StudyTime": "11"}, [2]),
        ({"StudyDescription": "CT Chest"}, [1]),
        ({"StudyDescription": "*Chest*"}, [1, 2]),
        ({"StudyDescription": "*chest*"}, []),
        ({"AccessionNumber": "A?"}, [1, 3, 4, 5, 6]),
        ({"AccessionNumber": "*"}, [1, 2, 3, 4, 5, 6]),
        ({"ModalitiesInStudy": "SR"}, [1]),
        ({"ModalitiesInStudy": "CT", "StudyDate": "2024*"}, []),
        ({"NumberOfStudyRelatedInstances": "4"}, [2]),
        ({"StudyInstanceUID": f"{ROOT}.3\\{ROOT}.5\\{ROOT}.99"}, [3, 5]),
    ],
)
def test_keys_are_matched(
    archive: EmbeddedArchive, tmp_path: Path, keys: dict[str, str], studies: list[int]
) -> None:
    asked = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": "", **keys}
    found = find(archive.port, "-S", keys=asked, into=tmp_path / "found")
    assert sorted(one.StudyInstanceUID for one in found) == [f"{ROOT}.{n}" for n in studies]


@pytest.mark.parametrize(
    ("declared", "pattern", "name"),
    [
        ("ISO_IR 192", "*山田*".encode(), "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 192", "やまだ*".encode(), "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("\\ISO 2022 IR 87", b"=\x1b$B;3ED\x1b(B*", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 192", "ИВАНОВ*".encode(), "Иванов^Иван"),
        ("ISO_IR 144", "Иванов*".encode("iso8859_5"), "Иванов^Иван"),
        ("ISO_IR 192", "MÜLLER^*".encode(), "Müller^Jürgen"),
        ("ISO_IR 100", "Müller*".encode("latin-1"), "Müller^Jürgen"),
    ],
)
def test_names_of_every_script_are_found_and_returned_as_they_are(
    archive: EmbeddedArchive, tmp_path: Path, declared: str, pattern: bytes, name: str
) -> None:
    keys = {
        "SpecificCharacterSet": declared,
        "QueryRetrieveLevel": "STUDY",
        "PatientName": pattern,
        "StudyDescription": "",
    }
    (found,) = find(archive.port, "-S", keys=keys, into=tmp_path / "found")
    assert str(found.PatientName) == name


def test_counts_and_lists_are_worked_out(archive: EmbeddedArchive, tmp_path: Path) -> None:
    keys = {
        "QueryRetrieveLevel": "STUDY",
        "StudyInstanceUID": f"{ROOT}.1",
        "NumberOfPatientRelatedStudies": "",
        "NumberOfPatientRelatedSeries": "",
        "NumberOfPatientRelatedInstances": "",
        "NumberOfStudyRelatedSeries": "",
        "NumberOfStudyRelatedInstances": "",
        "ModalitiesInStudy": "",
        "SOPClassesInStudy": "",
        "InstanceAvailability": "",
    }
    (found,) = find(archive.port, "-S", keys=keys, into=tmp_path / "found")
    assert found.NumberOfPatientRelatedStudies == 2
    assert found.NumberOfPatientRelatedSeries == 3
    assert found.NumberOfPatientRelatedInstances == 10
    assert found.NumberOfStudyRelatedSeries == 2
    assert found.NumberOfStudyRelatedInstances == 6
    assert list(found.ModalitiesInStudy) == ["CT", "SR"]
    assert len(found.SOPClassesInStudy) == 2
    assert found.InstanceAvailability == "ONLINE"


def test_an_image_query_needs_no_study(archive: EmbeddedArchive, tmp_path: Path) -> None:
    keys = {"QueryRetrieveLevel": "IMAGE", "SeriesInstanceUID": f"{ROOT}.1.1", "InstanceNumber": ""}
    found = find(archive.port, "-S", keys=keys, into=tmp_path / "found")
    assert sorted(one.InstanceNumber for one in found) == [1, 2, 3, 4, 5]


def test_a_strict_archive_refuses_an_image_query_without_a_study() -> None:
    with EmbeddedArchive(hospital(), ae_title="STRICT", hierarchy="strict") as strict:
        keys = {"QueryRetrieveLevel": "IMAGE", "SeriesInstanceUID": f"{ROOT}.1.1"}
        refused = run("findscu", "-v", "-S", *key_options(keys), *to(strict.port))
        keys["StudyInstanceUID"] = f"{ROOT}.1"
        answered = run("findscu", "-v", "-S", *key_options(keys), *to(strict.port))
    assert f"(Error: {A900})" in refused.stdout
    assert "Find Response: 5" in answered.stdout


def test_an_unsupported_key_is_left_out_and_said_to_be(archive: EmbeddedArchive) -> None:
    keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.1", "StationName": ""}
    result = run("findscu", "-v", *("-S", "+sr"), *key_options(keys), *to(archive.port))
    assert "WarningUnsupportedOptionalKeys" in result.stdout
    assert "StationName" not in result.stdout.partition("Find Response: 1")[2]


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ({}, ["Doe^Jane", "Doe^John", "Müller^Jürgen"]),
        ({"Modality": "CT"}, ["Doe^Jane", "Doe^John"]),
        ({"Modality": "CT", "ScheduledProcedureStepStartDate": "20240402-"}, ["Doe^John"]),
        ({"ScheduledStationAETitle": "MR2"}, ["Müller^Jürgen"]),
        ({"Modality": "MR", "ScheduledStationAETitle": "CT1"}, []),
    ],
)
def test_the_worklist_is_asked_by_sequence_keys(
    archive: EmbeddedArchive, tmp_path: Path, step: dict[str, str], names: list[str]
) -> None:
    inside = {f"ScheduledProcedureStepSequence[0].{k}": value for k, value in step.items()}
    keys = {
        "PatientName": "",
        "AccessionNumber": "",
        "ScheduledProcedureStepSequence[0].ScheduledProcedureStepID": "",
        **inside,
    }
    found = find(archive.port, "-W", keys=keys, into=tmp_path / "found")
    assert sorted(str(one.PatientName) for one in found) == names
    for one in found:
        (scheduled,) = one.ScheduledProcedureStepSequence
        assert scheduled.ScheduledProcedureStepID == "S1"
        assert all(keyword in scheduled for keyword in step)


def test_what_is_stored_is_found(tmp_path: Path) -> None:
    stored = instance(1, PatientName="Новый^Пациент", SpecificCharacterSet="ISO_IR 144")
    stored.save_as(tmp_path / "new.dcm", enforce_file_format=True)
    with EmbeddedArchive([], ae_title="DEMO") as empty:
        result = run("storescu", "-v", *to(empty.port), tmp_path / "new.dcm")
        assert "Received Store Response (Success)" in result.stdout
        keys = {"QueryRetrieveLevel": "PATIENT", "PatientName": ""}
        (found,) = find(empty.port, "-P", keys=keys, into=tmp_path / "found")
    assert str(found.PatientName) == "Новый^Пациент"


def test_what_is_stored_again_replaces_what_was(tmp_path: Path) -> None:
    corrected = instance(1, PatientName="Doe^Joan")
    corrected.save_as(tmp_path / "corrected.dcm", enforce_file_format=True)
    with EmbeddedArchive([instance(1)], ae_title="DEMO") as holder:
        run("storescu", *to(holder.port), tmp_path / "corrected.dcm")
        keys = {"QueryRetrieveLevel": "IMAGE", "PatientName": "", "SOPInstanceUID": ""}
        (found,) = find(holder.port, "-P", keys=keys, into=tmp_path / "found")
    assert str(found.PatientName) == "Doe^Joan"


def test_get_brings_compressed_images_as_they_are(images: EmbeddedArchive, tmp_path: Path) -> None:
    expected = {str(one.SOPInstanceUID): one.PixelData for one in compressed()}
    received: dict[str, bytes] = {}
    # getscu offers one compressed syntax at a time, in one context with the plain ones.
    for number, option in enumerate(("+xw", "+xv", "+xx", "+xr"), start=1):
        into = tmp_path / option
        into.mkdir()
        keys = {"QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": f"{ROOT}.20.{number}"}
        result = run(
            "getscu", "-v", "-S", "+B", option, "-od", into, *key_options(keys), *to(images.port)
        )
        assert result.returncode == 0, result.stdout
        received |= dict(map(pixels, into.iterdir()))
    assert received == expected


def test_what_cannot_travel_as_it_is_counts_as_failed(
    images: EmbeddedArchive, tmp_path: Path
) -> None:
    keys = key_options({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.20"})
    result = run("getscu", "-v", "-S", "+xr", "-od", tmp_path, *keys, *to(images.port))
    assert len(list(tmp_path.iterdir())) == 1
    assert "Number of Completed Suboperations : 1" in result.stdout, result.stdout
    assert "Number of Failed Suboperations    : 3" in result.stdout, result.stdout


@pytest.mark.parametrize(
    ("option", "keys", "count"),
    [
        ("-P", {"QueryRetrieveLevel": "PATIENT", "PatientID": "007"}, 10),
        ("-S", {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.1"}, 6),
        ("-S", {"QueryRetrieveLevel": "SERIES", "SeriesInstanceUID": f"{ROOT}.1.1"}, 5),
        (
            "-S",
            {"QueryRetrieveLevel": "IMAGE", "SOPInstanceUID": f"{ROOT}.1.1.1\\{ROOT}.1.1.3"},
            2,
        ),
    ],
)
def test_get_brings_what_lies_below_the_entity(
    archive: EmbeddedArchive, tmp_path: Path, option: str, keys: dict[str, str], count: int
) -> None:
    result = run("getscu", "-v", option, "-od", tmp_path, *key_options(keys), *to(archive.port))
    assert result.returncode == 0, result.stdout
    assert len(list(tmp_path.iterdir())) == count


def test_move_sends_images_of_every_syntax_to_a_known_destination(
    images: EmbeddedArchive, tmp_path: Path
) -> None:
    port = free_port()
    images.destinations["THERE"] = ("127.0.0.1", port)
    with storescp(port, tmp_path / "there"):
        keys = {"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.20"}
        result = run("movescu", "-v", "-S", "-aem", "THERE", *key_options(keys), *to(images.port))
    assert "Received Final Move Response (Success)" in result.stdout, result.stdout
    moved = dict(map(pixels, (tmp_path / "there").iterdir()))
    assert moved == {str(one.SOPInstanceUID): one.PixelData for one in compressed()}


def test_an_unknown_move_destination_is_named_as_the_reason(archive: EmbeddedArchive) -> None:
    keys = key_options({"QueryRetrieveLevel": "STUDY", "StudyInstanceUID": f"{ROOT}.1"})
    result = run("movescu", "-v", "-S", "-aem", "NOWHERE", *keys, *to(archive.port))
    assert "MoveDestinationUnknown" in result.stdout


def test_a_cancel_ends_the_answers() -> None:
    # More than the buffers of both sockets hold: the answers cannot all be under way already.
    many = (instance(number, ImageComments="x" * 10_000) for number in range(1, 2001))
    with EmbeddedArchive(many, ae_title="DEMO") as full:
        keys = {"QueryRetrieveLevel": "IMAGE", "SOPInstanceUID": "", "ImageComments": ""}
        result = run("findscu", "-v", "-S", "--cancel", "3", *key_options(keys), *to(full.port))
    assert "Received Final Find Response (Cancel" in result.stdout
    assert "Find Response: 2000" not in result.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
