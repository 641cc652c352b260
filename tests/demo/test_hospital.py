"""What the demo hospital holds, on any day, and whether it is DICOM."""

import subprocess
import sys
from array import array
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from math import pi
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp.demo import anatomy, phantom
from dicom_mcp.demo.findings import FINDINGS
from dicom_mcp.demo.hospital import DIFFERENCES, PLANTED, hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.demo.patients import PATIENTS, STUDIES

TODAY = date(2026, 3, 31)
DOCS = Path(__file__).parents[2] / "docs" / "demo.md"

# What a structure set calls the study it belongs to; no object of an archive.
DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"

# dciodvfy errors that are accepted, by SOP class and error line, with the reason. None so far.
EXCEPTIONS: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module")
def pacs() -> list[Dataset]:
    return list(hospital(TODAY).pacs())


@pytest.fixture(scope="module")
def vna() -> list[Dataset]:
    return list(hospital(TODAY).vna())


def test_it_holds_what_the_documentation_says(pacs: list[Dataset]) -> None:
    counts = {
        "patients": len({one.PatientID for one in pacs}),
        "studies": len({one.StudyInstanceUID for one in pacs}),
        "objects": len({one.SOPInstanceUID for one in pacs}),
    }
    assert counts == {"patients": 12, "studies": 30, "objects": 369}
    text = DOCS.read_text()
    assert "12 patients, 30 studies and 369 objects" in text
    for patient in PATIENTS.values():
        assert f"| {patient.id} | {patient.name} |" in text
    for planted in (*PLANTED, *DIFFERENCES):
        assert f"- {planted.sentence}\n" in text


def test_every_planted_thing_names_a_study_there_is(vna: list[Dataset]) -> None:
    held = {one.StudyInstanceUID for one in vna}
    keys = {study.key for study in STUDIES}
    assert {planted.study for planted in PLANTED} <= keys
    assert {difference.study for difference in DIFFERENCES} <= keys | {"trauma x-ray outside"}
    for planted in (*PLANTED, *DIFFERENCES):
        assert planted.patient_id in {patient.id for patient in PATIENTS.values()}
        if planted.study != "heart ecg second":
            assert planted.study_instance_uid in held
    assert study_uid("trauma x-ray outside") in held


def test_what_is_planted_is_there(pacs: list[Dataset]) -> None:
    by_study = _by(pacs, lambda one: one.StudyInstanceUID)
    trauma = by_study[study_uid("trauma ct")]
    assert {one.AccessionNumber for one in trauma} == {""}
    assert all(one.AccessionNumber for one in pacs if one not in trauma)
    assert {one.PatientBirthDate for one in pacs if one.PatientID == "00420036"} == {
        "19640312",
        "19641203",
    }
    assert len({one.PatientID for one in pacs if one.PatientName == "Schmidt^Anna"}) == 2
    gap = _by(by_study[study_uid("back mr")], lambda one: one.SeriesNumber)[1]
    assert [one.InstanceNumber for one in gap] == [1, 2, 3, 4, 7, 8, 9, 10]
    reported = {one.StudyInstanceUID for one in pacs if _is_a_report(one)}
    before_today = {one.StudyInstanceUID for one in pacs if one.StudyDate < f"{TODAY:%Y%m%d}"}
    assert before_today - reported == {study_uid("knee ultrasound")}
    assert {one.Modality for one in by_study[study_uid("therapy ct")]} == {
        "CT",
        "RTSTRUCT",
        "RTPLAN",
        "RTDOSE",
        "SR",
    }
    assert {str(one.PatientName) for one in pacs if one.PatientID.lstrip("0") == "104217"} == {
        PATIENTS["nodule"].name,
        PATIENTS["child"].name,
    }


def test_the_nodule_can_be_measured_and_grows(pacs: list[Dataset]) -> None:
    for study, diameter in (("nodule ct first", 6), ("nodule ct follow-up", 9)):
        assert _nodule_diameter(pacs, study) == pytest.approx(diameter, abs=0.75)
        (length,) = [
            item.MeasuredValueSequence[0].NumericValue
            for one in pacs
            if _study_key(one) == study and "Measurement" in one.SeriesDescription
            for group in one.ContentSequence[-1].ContentSequence
            for item in group.ContentSequence
            if item.ValueType == "NUM"
        ]
        assert length == diameter
        assert f"{diameter} mm" in FINDINGS[study][0]


@pytest.mark.parametrize(
    ("what", "where", "hounsfield"),
    [
        ("air", (-170, -110), -1000),
        ("lung", (100, -30), -850),
        ("soft tissue", (0, -72), 40),
        ("bone marrow", (0, 72), 200),
    ],
)
def test_the_phantom_is_in_hounsfield_units(
    pacs: list[Dataset], what: str, where: tuple[float, float], hounsfield: int
) -> None:
    image = next(
        one for one in pacs if _study_key(one) == "nodule ct first" and one.Modality == "CT"
    )
    left, top, _ = (float(value) for value in image.ImagePositionPatient)
    spacing = float(image.PixelSpacing[0])
    column, row = round((where[0] - left) / spacing), round((where[1] - top) / spacing)
    values: list[int] = [
        _pixels(image)[r * image.Columns + c] + phantom.INTERCEPT
        for r in range(row - 2, row + 3)
        for c in range(column - 2, column + 3)
    ]
    assert sum(values) / len(values) == pytest.approx(hounsfield, abs=5), what


def test_what_is_referred_to_is_there(pacs: list[Dataset]) -> None:
    held = {one.SOPInstanceUID: one.SOPClassUID for one in pacs}
    references = [reference for one in pacs for reference in _references(one)]
    assert len(references) > 200
    for reference in references:
        if reference.ReferencedSOPClassUID != DETACHED_STUDY:
            assert held[reference.ReferencedSOPInstanceUID] == reference.ReferencedSOPClassUID


def test_the_second_archive_differs_only_as_the_table_says(
    pacs: list[Dataset], vna: list[Dataset]
) -> None:
    here = {one.SOPInstanceUID: one for one in pacs}
    there = {one.SOPInstanceUID: one for one in vna}
    only_here = sorted(_study_key(here[uid]) for uid in here.keys() - there.keys())
    only_there = [_study_key(there[uid]) for uid in there.keys() - here.keys()]
    changed = sorted(
        {_study_key(here[uid]) for uid in here.keys() & there.keys() if here[uid] != there[uid]}
    )
    assert only_here == [
        *["anna elder ct"] * 2,
        *["heart ecg second"] * 2,
        "nodule ct follow-up",
    ]
    assert only_there == ["trauma x-ray outside"]
    assert changed == ["klaus x-ray", "smoker ct last year"]
    named = {*only_here, *only_there, *changed}
    assert named == {difference.study for difference in DIFFERENCES}


def test_uids_stay_when_the_day_changes(pacs: list[Dataset]) -> None:
    later = hospital(TODAY + timedelta(days=1)).pacs()
    assert [one.SOPInstanceUID for one in later] == [one.SOPInstanceUID for one in pacs]


@settings(max_examples=200)
@given(st.dates(min_value=date(2024, 1, 1), max_value=date(2040, 12, 31)))
def test_recent_days_always_have_an_answer(today: date) -> None:
    days = {study.day(today) for study in STUDIES}
    monday = today - timedelta(days=today.weekday() + 7)
    last = today.replace(day=1) - timedelta(days=1)
    assert today in days
    assert any(monday <= day <= monday + timedelta(days=6) for day in days)
    assert any((day.year, day.month) == (last.year, last.month) for day in days)
    assert any(today - timedelta(days=30) <= day < today for day in days)
    assert max(days) == today


def test_the_documents_follow_the_calendar_to_its_ends() -> None:
    for today in (date(2026, 1, 1), date(2028, 2, 29), date(2027, 12, 31)):
        made = [next(hospital(today).study(study)) for study in STUDIES]
        for one in made:
            written = date.fromisoformat(one.StudyDate)
            assert written.day <= monthrange(written.year, written.month)[1]


def test_the_worklist_is_todays() -> None:
    entries = hospital(TODAY).worklist()
    assert len(entries) == 10
    steps = [entry.ScheduledProcedureStepSequence[0] for entry in entries]
    assert {step.ScheduledProcedureStepStartDate for step in steps} == {"20260331"}
    assert len({entry.StudyInstanceUID for entry in entries}) == 10


def test_dciodvfy_finds_no_error_in_anything(
    pacs: list[Dataset], vna: list[Dataset], tmp_path: Path
) -> None:
    objects = {one.SOPInstanceUID: one for one in (*pacs, *vna)}
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(partial(_errors, directory=tmp_path), objects.values()))
    errors = {error for one in found for error in one}
    assert errors - EXCEPTIONS.keys() == set()
    assert EXCEPTIONS.keys() - errors == set(), "an exception no longer occurs: remove it"


def _errors(one: Dataset, directory: Path) -> list[tuple[str, str]]:
    path = directory / f"{one.SOPInstanceUID}.dcm"
    one.save_as(path, enforce_file_format=True)
    dciodvfy = Path(sys.executable).parent / "dciodvfy"
    said = subprocess.run(
        [dciodvfy, path], capture_output=True, text=True, timeout=60, check=False, errors="replace"
    )
    lines = (said.stderr + said.stdout).splitlines()
    assert any(line and not line.startswith(("Error", "Warning")) for line in lines), lines
    return [(str(one.SOPClassUID), line) for line in lines if line.startswith("Error")]


def _nodule_diameter(objects: Iterable[Dataset], key: str) -> float:
    """Of the circle that has as many pixels as are denser than lung around the nodule, in mm."""
    x, y, z = anatomy.NODULE_CENTRE
    images = [one for one in objects if _study_key(one) == key and one.Modality == "CT"]
    finest = min(float(one.PixelSpacing[0]) for one in images)
    image = next(one for one in images if one.PixelSpacing[0] == finest and one.SliceLocation == z)
    left, top, _ = (float(value) for value in image.ImagePositionPatient)
    spacing = float(image.PixelSpacing[0])
    column, row = round((x - left) / spacing), round((y - top) / spacing)
    pixels = _pixels(image)
    inside = [
        (r, c)
        for r in range(row - 9, row + 10)
        for c in range(column - 9, column + 10)
        if pixels[r * image.Columns + c] + phantom.INTERCEPT > -400
    ]
    return 2 * (len(inside) / pi) ** 0.5 * spacing


def _pixels(image: Dataset) -> Sequence[int]:
    pixels = array("H")
    pixels.frombytes(image.PixelData)
    return pixels


def _is_a_report(one: Dataset) -> bool:
    return one.SeriesDescription == "Report"


def _references(one: Dataset) -> Iterable[Dataset]:
    """Every reference to an object, at any depth."""
    for element in one:
        if element.VR == "SQ":
            for item in element.value:
                if "ReferencedSOPInstanceUID" in item:
                    yield item
                yield from _references(item)


def _study_key(one: Dataset) -> str:
    keys = {study_uid(study.key): study.key for study in STUDIES}
    return keys.get(str(one.StudyInstanceUID), "trauma x-ray outside")


def _by[K](objects: Iterable[Dataset], key: Callable[[Dataset], K]) -> dict[K, list[Dataset]]:
    found: dict[K, list[Dataset]] = defaultdict(list)
    for one in objects:
        found[key(one)].append(one)
    return found
