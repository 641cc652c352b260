"""Reports are read in full: everything DCMTK's dsrdump prints of one stands in ours."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.data import get_testdata_file
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from dicom_mcp.content.error import ContentError
from dicom_mcp.content.report import Report, is_report, read_report
from dicom_mcp.content.tree import DEEPEST
from dicom_mcp.demo.hospital import hospital
from tests.content import documents as made
from tests.content import dose_templates
from tests.content.dumps import assert_complete
from tests.notes import the_note

_FILES = ("test-SR.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm")


@pytest.mark.dcmtk
@pytest.mark.parametrize("name", _FILES)
def test_all_that_dsrdump_prints_of_a_sample_is_in_our_text(name: str) -> None:
    path = Path(str(get_testdata_file(name)))
    assert_complete(dcmread(path), path)


@pytest.mark.dcmtk
def test_all_that_dsrdump_prints_of_the_demo_hospital_is_in_our_text(tmp_path: Path) -> None:
    documents = [each for each in hospital(date(2026, 3, 4)).pacs() if each.Modality == "SR"]
    assert len(documents) > 20
    for number, document in enumerate(documents):
        path = made.saved(document, tmp_path, f"{number}.dcm")
        assert_complete(dcmread(path), path)
        assert read_report(document) == read_report(dcmread(path))


@pytest.mark.dcmtk
@pytest.mark.parametrize("seed", range(40))
def test_all_that_dsrdump_prints_of_a_random_report_is_in_our_text(
    seed: int, tmp_path: Path
) -> None:
    random = Random(seed)
    document = made.document(*(made.anything(random) for _ in range(6)))
    path = made.saved(document, tmp_path)
    assert_complete(dcmread(path), path)


def test_a_report_says_who_wrote_and_who_verified_it_and_when() -> None:
    report = read_report(dcmread(str(get_testdata_file("test-SR.dcm"))))
    assert report.title == "Diagnosis"
    assert (report.content_date, report.content_time) == ("20010213", "184746")
    assert (report.completion, report.verification) == ("COMPLETE", "VERIFIED")
    assert report.completion_description == "This document is completed!"
    assert report.verified_by == (
        "Riesmeier^Jörg, JR (1705, 99_OFFIS_DCMTK), OFFIS e.V., on 20010213184746",
        "Observer^Verifying, Organisation, on 20010213184746",
    )
    assert len(report.predecessors) == 1


def test_the_observer_of_the_content_is_the_author_where_no_author_is_named() -> None:
    document = made.document()
    observer = made.item("PNAME", made.code("Person Observer Name", "121008", "DCM"))
    observer.PersonName = "Lund^Karin"
    document.ContentSequence = Sequence([observer])
    assert read_report(document).authors == ("Lund^Karin",)
    author = Dataset()
    author.PersonName, author.InstitutionName = "Okafor^Ada", "Demo Hospital"
    document.AuthorObserverSequence = Sequence([author])
    document.PreliminaryFlag = "PRELIMINARY"
    report = read_report(document)
    assert report.authors == ("Okafor^Ada, Demo Hospital",)
    assert report.preliminary == "PRELIMINARY"


def test_measurements_are_a_table_too() -> None:
    found = [
        report.measurements[0]
        for report in _demo_reports()
        if report.sop_class == "Comprehensive 3D SR Storage"
    ]
    assert [row["value"] for row in found] == ["6", "9"]
    assert found[0] | {"Source of Measurement": ""} == {
        "measurement": "Long Axis",
        "value": "6",
        "unit": "mm",
        "group": "Nodule 1",
        "Tracking Identifier": "Nodule 1",
        "Tracking Unique Identifier": found[0]["Tracking Unique Identifier"],
        "Finding": "Solitary nodule of lung",
        "Finding Site": "Upper lobe of right lung",
        "Source of Measurement": "",
    }


def test_dose_is_a_table_too_and_no_measurement() -> None:
    report = next(one for one in _demo_reports() if one.kind == "radiation dose report")
    assert report.measurements == ()
    total, acquisition = report.dose
    assert total["CT Dose Length Product Total"] == "134 mGy.cm"
    assert acquisition["table"] == "CT Acquisition"
    assert acquisition["Mean CTDIvol"] == "7.05 mGy"
    assert acquisition["Target Region"] == "Chest"


def test_dose_of_projection_x_rays_and_of_tracers_has_its_rows() -> None:
    event = made.container(
        made.code("Irradiation Event X-Ray Data", "113706", "DCM"),
        made.number("0.0000123", "Gy.m2", made.code("Dose Area Product")),
        made.container(
            made.code("X-Ray Filters"), made.text("Copper", "Filter"), made.text("Flat", "Filter")
        ),
    )
    tracer = made.container(
        made.code("Radiopharmaceutical Administration", "113502", "DCM"),
        made.number("370", "MBq", made.code("Administered activity")),
    )
    found = read_report(made.document(event, tracer))
    assert found.measurements == ()
    assert found.dose == (
        {
            "table": "Irradiation Event X-Ray Data",
            "Dose Area Product": "0.0000123 Gy.m2",
            "Filter": "Copper; Flat",
        },
        {"table": "Radiopharmaceutical Administration", "Administered activity": "370 MBq"},
    )


@pytest.mark.dcmtk
@pytest.mark.parametrize("template", dose_templates.OUTLINES)
def test_every_item_of_a_dose_template_is_in_the_text_and_its_numbers_in_a_table(
    template: str, tmp_path: Path
) -> None:
    document = dose_templates.report(template, copies=3)
    path = made.saved(document, tmp_path)
    if document.SOPClassUID != dose_templates.PATIENT:  # which dsrdump 3.6.7 does not know
        assert_complete(dcmread(path), path)
    report = read_report(dcmread(path))
    assert report.whole
    assert report.kind == "radiation dose report"
    wanted = [*dose_templates.numbers(document)]
    if report.dose:
        assert len(report.dose) == 3
        assert not report.measurements
        for place, row in enumerate(report.dose):
            some = len(wanted) // 3
            for name, value, unit in wanted[place * some : (place + 1) * some]:
                assert f"{value} {unit}" in row[name].split("; ")
    else:
        found = [(row["measurement"], row["value"], row["unit"]) for row in report.measurements]
        assert found == wanted


def test_points_in_space_moments_and_tables_are_written_out() -> None:
    point = made.item("SCOORD3D", made.code("Tip"))
    point.GraphicType, point.GraphicData = "POINT", [1.5, -2.25, 300.1]
    point.ReferencedFrameOfReferenceUID = "2.25.55"
    moment = made.item("TCOORD", made.code("Peak"))
    moment.TemporalRangeType, moment.ReferencedDateTime = "POINT", "20260304050607"
    table = made.item("TABLE", made.code("Values"))
    row, column, cell = Dataset(), Dataset(), Dataset()
    table.NumberOfTableRows, table.NumberOfTableColumns = 1, 1
    row.ConceptNameCodeSequence = Sequence([made.code("Rest")])
    column.ConceptNameCodeSequence = Sequence([made.code("Pressure")])
    table.TableRowDefinitionSequence = Sequence([row])
    table.TableColumnDefinitionSequence = Sequence([column])
    cell.TableRowNumber = cell.TableColumnNumber = 1
    cell.ValueType, cell.TextValue = "TEXT", "120 over 80"
    table.CellValuesSequence = Sequence([cell])
    text = read_report(made.document(point, moment, table)).text
    assert "POINT 1.5/-2.25/300.1 in frame of reference 2.25.55" in text
    assert "POINT at 20260304050607" in text
    assert "row 1, column 1: 120 over 80" in text
    assert "1 columns: Pressure (T-1, 99TEST)" in text


def test_long_and_urn_codes_are_codes() -> None:
    long, urn = made.text("a"), made.text("b")
    del long.ConceptNameCodeSequence[0].CodeValue, urn.ConceptNameCodeSequence[0].CodeValue
    long.ConceptNameCodeSequence[0].LongCodeValue = "621566751000087104"
    urn.ConceptNameCodeSequence[0].URNCodeValue = "urn:lex:us:federal:codified.regulation"
    text = read_report(made.document(long, urn)).text
    assert "Finding (621566751000087104, 99TEST): a" in text
    assert "Finding (urn:lex:us:federal:codified.regulation, 99TEST): b" in text


def test_what_qualifies_a_finding_or_a_section_is_in_the_row_too() -> None:
    site = made.item("CODE", made.code("Finding Site"))
    site.ConceptCodeSequence = Sequence([made.code("Kidney")])
    side = made.item("CODE", made.code("Laterality"), "HAS CONCEPT MOD")
    side.ConceptCodeSequence = Sequence([made.code("Left")])
    site.ContentSequence = Sequence([side])
    length = made.number("104", "mm", made.code("Length"))
    mode = made.text("2D mode", "Image Mode", "HAS ACQ CONTEXT")
    section = made.container(
        made.code("Section"), mode, made.container(made.code("Group"), site, length)
    )
    (row,) = read_report(made.document(section)).measurements
    assert row == {
        "measurement": "Length",
        "value": "104",
        "unit": "mm",
        "group": "Group",
        "Finding Site": "Kidney",
        "Laterality": "Left",
        "Image Mode": "2D mode",
    }


def test_a_concept_called_value_does_not_take_the_place_of_the_value() -> None:
    group = made.container(
        made.code("Group"), made.text("no", "value"), made.number("4.2", "mm", made.code("Width"))
    )
    (row,) = read_report(made.document(group)).measurements
    assert (row["value"], row["unit"], row["value (content)"]) == ("4.2", "mm", "no")


def test_a_number_that_is_missing_says_why() -> None:
    missing = made.item("NUM", made.code("Width"))
    missing.MeasuredValueSequence = Sequence()
    missing.NumericValueQualifierCodeSequence = Sequence(
        [made.code("Measurement failure", "114006", "DCM")]
    )
    report = read_report(made.document(missing))
    assert "Width (T-1, 99TEST): [Measurement failure (114006, DCM)]" in report.text


def test_a_key_object_selection_names_its_images() -> None:
    note = made.item("TEXT", made.code("Key Object Description", "113012", "DCM"))
    note.TextValue = "Please show at the tumour board"
    image = made.item("IMAGE", made.code("Image"))
    image.ReferencedSOPSequence = Sequence([made.referenced(made.CT_IMAGE, "2.25.99")])
    report = read_report(made.document(note, image, sop_class=made.KEY_OBJECTS))
    assert report.kind == "key object selection"
    assert "Please show at the tumour board" in report.text
    assert "CT Image Storage (1.2.840.10008.5.1.4.1.1.2) 2.25.99" in report.text


def test_lines_of_a_value_cannot_pose_as_items_of_the_tree() -> None:
    forged = "Normal.\nImpression (121073, DCM): malignant"
    text = read_report(made.document(made.text(forged))).text
    assert "\n      Impression (121073, DCM): malignant" in text
    assert "\n  Impression" not in text


@pytest.mark.parametrize("depth", [DEEPEST - 2, DEEPEST + 1, 10_000])
def test_a_tree_is_read_to_a_depth_and_what_is_deeper_is_mentioned(depth: int) -> None:
    report = read_report(made.nested(depth))
    assert ("the bottom" in report.text) == (depth < DEEPEST - 1)
    assert ("left out" in report.text) == (depth >= DEEPEST - 1)
    assert bool(report.notes) == (depth >= DEEPEST - 1)
    assert len(report.text) < 20_000


def test_a_text_beyond_all_bounds_is_cut_with_a_mark_and_not_whole() -> None:
    report = read_report(made.document(made.text("x" * 8_200_000)))
    assert len(report.text) < 8_000_100
    assert re.search(r"… \[200,\d\d\d more characters left out\]$", report.text)
    assert not report.whole
    assert the_note(report.notes, "of the text are left out")


def test_a_tree_of_very_many_items_is_cut_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicom_mcp.content.tree.MOST_CONTENT_ITEMS", 300)
    report = read_report(made.document(*(made.text("x") for _ in range(310))))
    assert "at least" in report.text[-200:] or "left out" in report.text[-200:]
    assert report.notes == ("Part of the content tree is left out",)


def test_dose_has_a_column_for_each_of_its_numbers_and_a_row_for_each_event() -> None:
    report = read_report(made.irradiations(events=30, numbers=55))
    assert report.whole
    assert len(report.dose) == 30
    for event, row in enumerate(report.dose):
        assert [row[f"Measure {place}"] for place in range(55)] == [
            f"{event}.{place} mGy" for place in range(55)
        ]
        assert row["Comment"] == "long words " * 40 + "end"
        assert all(
            f"Measure {place} (M{place}, 99TEST): {event}.{place} mGy" in report.text
            for place in range(55)
        )


def test_a_contour_of_thousands_of_points_has_all_of_them() -> None:
    contour = made.item("SCOORD", made.code("Outline"))
    contour.GraphicType, contour.GraphicData = "POLYLINE", [float(n) for n in range(6000)]
    report = read_report(made.document(contour))
    assert all(f"{n}/{n + 1}" in report.text for n in range(0, 6000, 2))


@pytest.mark.parametrize("value", [None, ""])
def test_a_measurement_without_a_value_is_not_its_unit(value: str | None) -> None:
    missing = made.number("7", "1", made.code("Index"))
    missing.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = Sequence(
        [made.code("no units", "1", "UCUM")]
    )
    if value is None:
        del missing.MeasuredValueSequence[0].NumericValue
    else:
        missing.MeasuredValueSequence[0].NumericValue = value
    event = made.container(made.code("Event", "113706", "DCM"), missing)
    report = read_report(made.document(missing, event))
    assert "Index (T-1, 99TEST): (no value; unit no units (1, UCUM))" in report.text
    (row,) = report.measurements
    assert (row["value"], row["unit"]) == ("(no value; unit no units (1, UCUM))", "")
    assert report.dose[0]["Index"].startswith("(no value")


def test_what_qualifies_thousands_of_numbers_is_not_repeated_in_full() -> None:
    group = made.container(
        made.code("Group"),
        *(made.text("y" * 5000, f"Remark {number}") for number in range(100)),
        *(made.number("1", "mm", made.code("Length")) for _ in range(2100)),
    )
    report = read_report(made.document(group))
    assert len(report.measurements) == 2100
    assert max(len(row) for row in report.measurements) <= 41
    assert report.measurements[0]["(more in the text)"] == "yes"
    assert report.measurements[0]["Remark 1"].endswith("… [4,744 more characters left out]")


def test_a_title_and_a_list_of_names_are_bounded() -> None:
    document = made.document()
    document.ConceptNameCodeSequence[0].CodeMeaning = "t" * 60
    author = made.code("x")
    author.PersonName = "Lund^Karin"
    document.AuthorObserverSequence = Sequence([author] * 300)
    report = read_report(document)
    assert len(report.authors) == 101
    assert report.authors[-1] == "[200 more left out]"


def test_characters_that_hide_or_turn_are_shown() -> None:
    hidden = "no\u202eevil\u200b\x1b[31m\u2066 nodule\U000e0041"
    document = made.document(made.text(hidden))
    document.ConceptNameCodeSequence[0].CodeMeaning = "Title\nFinding: forged"
    report = read_report(document)
    assert "no\\u{202E}evil\\u{200B}\\u{1B}[31m\\u{2066} nodule\\u{E0041}" in report.text
    assert report.title == "Title\\u{A}Finding: forged"


def test_a_damaged_branch_is_named_and_the_rest_is_read() -> None:
    below = BaseTag(0x0040A730)
    items = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + made.nested_bytes(5000)
    raw = RawDataElement(below, "SQ", len(items), items, 0, False, True)
    broken = Dataset({below: raw})
    broken.RelationshipType, broken.ValueType = "CONTAINS", "CONTAINER"
    text = read_report(made.document(made.text("before"), broken, made.text("after"))).text
    assert "before" in text
    assert "[unreadable: (0040,A730) is damaged and cannot be read]" in text
    assert "after" in text


@pytest.mark.dcmtk
def test_a_dump_with_a_word_more_would_be_noticed(tmp_path: Path) -> None:
    document = made.document(made.text("a nodule of 9 mm"))
    path = made.saved(document, tmp_path)
    document.ContentSequence[0].TextValue = "a nodule of 6 mm"
    with pytest.raises(AssertionError, match="9 mm"):
        assert_complete(document, path)


def test_an_image_is_no_report_and_says_so() -> None:
    with pytest.raises(ContentError, match=r"CT Image Storage.*is no report"):
        read_report(made.instance(made.CT_IMAGE))
    assert not is_report(made.CT_IMAGE)


def test_a_presentation_state_gives_its_label_and_the_words_on_its_images() -> None:
    report = read_report(made.presentation_state())
    assert (report.kind, report.title) == ("presentation state", "NODULE")
    assert report.authors == ("Lund^Karin",)
    assert "text: grows:\n    6 mm, now 9 mm" in report.text
    assert "2.25.77" in report.text
    assert "1 drawn: CIRCLE" in report.text


def test_reading_a_report_changes_nothing_in_it() -> None:
    document = dcmread(str(get_testdata_file("test-SR.dcm")))
    before = document.to_json()
    read_report(document)
    assert document.to_json() == before


def _demo_reports() -> Iterator[Report]:
    for each in hospital(date(2026, 3, 4)).pacs():
        if each.Modality == "SR":
            yield read_report(each)
