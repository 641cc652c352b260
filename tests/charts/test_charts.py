"""What is drawn of which answer."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from dicom_mcp.charts.chart import Chart, Line, Point
from dicom_mcp.charts.counts import chart_of_counts
from dicom_mcp.charts.patient import chart_of_timeline
from dicom_mcp.charts.picture import draw
from dicom_mcp.charts.scheduled import chart_of_worklist
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.node import Node
from dicom_mcp.terminal.bars import bars
from tests.asking import ask, call, listed


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    house = hospital(date(2026, 3, 31))
    with EmbeddedArchive(house.pacs(), ae_title="CHARTS", worklist=house.worklist()) as archive:
        yield Node(port=archive.port, called_ae_title="CHARTS")


def counts(*groups: tuple[dict[str, str], int], complete: bool = True) -> dict[str, Any]:
    """An answer of count_studies with these groups."""
    rows = [{**by, "count": count} for by, count in groups]
    total = sum(count for _, count in groups)
    return {
        "counted": "studies",
        "total": total,
        "groups_in_all": len(rows),
        "groups": rows,
        "complete": complete,
    }


def test_groups_are_bars_and_periods_a_line_without_holes() -> None:
    chart = chart_of_counts(counts(({"modality": "CT"}, 3), ({"modality": "MR"}, 1)))
    assert (chart.kind, chart.title) == ("bars", "Studies by modality")
    assert (chart.places, chart.lines) == (["CT", "MR"], [Line("", [3, 1])])
    chart = chart_of_counts(counts(({"month": "2025-11"}, 3), ({"month": "2026-02"}, 1)))
    assert chart.kind == "lines"
    assert chart.places == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert chart.lines == [Line("", [3, 0, 0, 1])]


@pytest.mark.parametrize(
    ("name", "first", "between", "last"),
    [
        ("year", "2024", ["2025"], "2026"),
        ("quarter", "2025-Q4", ["2026-Q1"], "2026-Q2"),
        ("week", "2020-W53", ["2021-W01"], "2021-W02"),
        ("day", "2024-02-28", ["2024-02-29"], "2024-03-01"),
    ],
)
def test_between_two_periods_are_all_the_others(
    name: str, first: str, between: list[str], last: str
) -> None:
    chart = chart_of_counts(counts(({name: first}, 1), ({name: last}, 1)))
    assert chart.places == [first, *between, last]


def test_what_has_no_date_or_is_too_much_to_draw_is_told_beside_it() -> None:
    chart = chart_of_counts(
        counts(({"year": "2024"}, 3), ({"year": "2025"}, 1), ({"year": "(empty)"}, 2))
    )
    assert chart.places == ["2024", "2025"]
    assert chart.summary == "6 in all; 2 without a year are not drawn"
    many = [({"station": f"S{number}"}, 100 - number) for number in range(50)]
    chart = chart_of_counts(counts(*many))
    assert len(chart.places) == 40
    assert chart.summary.endswith("; 10 smaller or later groups with 555 are not drawn")
    eight = [
        ({"year": year, "modality": f"M{n}"}, 9 - n) for year in ("2024", "2025") for n in range(9)
    ]
    chart = chart_of_counts(counts(*eight))
    assert [line.name for line in chart.lines] == [*(f"M{n}" for n in range(6)), "3 others"]
    assert chart.lines[-1].values == [6, 6]


def test_a_page_of_the_groups_draws_no_period_of_another_page_as_nothing() -> None:
    page = counts(({"month": "2025-11"}, 3), ({"month": "2026-02"}, 1)) | {"groups_in_all": 40}
    chart = chart_of_counts(page)
    assert (chart.kind, chart.places) == ("bars", ["2025-11", "2026-02"])
    assert chart.summary == "4 in all; these are 2 of 40 groups"


def test_days_of_a_thousand_years_are_no_line() -> None:
    chart = chart_of_counts(counts(({"day": "1024-01-01"}, 1), ({"day": "2025-01-01"}, 1)))
    assert (chart.kind, chart.places) == ("bars", ["1024-01-01", "2025-01-01"])


def test_an_answer_that_is_not_whole_says_so_in_the_drawing() -> None:
    whole = chart_of_counts(counts(({"modality": "CT"}, 3)))
    part = chart_of_counts(counts(({"modality": "CT"}, 3), complete=False))
    assert (whole.doubt, part.doubt[:12]) == ("", "NOT COMPLETE")
    red = (0xA3, 0x15, 0x15)
    assert red not in pixels(draw(whole))
    assert red in pixels(draw(part))


def pixels(png: bytes) -> set[Any]:
    with Image.open(BytesIO(png)) as image:
        colours = image.convert("RGB").getcolors(image.width * image.height)
    return {colour for _, colour in colours or ()}


def test_a_picture_comes_with_the_answer_only_when_it_is_asked_for(node: Node) -> None:
    for tool, arguments in (
        ("count_studies", {"group_by": ["month", "modality"]}),
        ("patient_timeline", {"patient_name": "Brückner"}),
        ("query_worklist", {"date": "20260331", "arrived": True}),
    ):
        plain = call(node, tool, **arguments)
        drawn = call(node, tool, chart=True, **arguments)
        assert [one.type for one in plain.content] == ["text"]
        assert [one.type for one in drawn.content] == ["text", "image"]
        assert drawn.structured_content
        assert plain.structured_content
        assert drawn.structured_content.keys() == plain.structured_content.keys()
    schemas = {tool.name: tool.input_schema["properties"] for tool in listed()}
    assert {name for name, known in schemas.items() if "chart" in known} == {
        "count_studies",
        "patient_timeline",
        "query_worklist",
    }
    answer = ask(node, "count_studies", chart=True)
    assert answer["notes"] == ["There is nothing to draw in this answer."]


def test_names_of_any_script_are_drawn_in_letters_the_font_has(node: Node) -> None:
    answer = ask(node, "query_worklist", date="20260331")
    chart = chart_of_worklist(answer)
    assert "Соколова, Ирина: MR Knee right" in [point.words for point in chart.points]
    sokolova = [Point("09:30", "MR1", "Соколова, Ирина")]
    latin = [Point("09:30", "MR1", "Sokolova, Irina")]
    assert draw(Chart("day", "", "", points=sokolova)) == draw(Chart("day", "", "", points=latin))


def test_a_patient_of_two_modalities_has_two_lanes(node: Node) -> None:
    chart = chart_of_timeline(ask(node, "patient_timeline", patient_name="Brückner"))
    assert [(point.at, point.lane) for point in chart.points] == [
        ("2025-03-24", "CT"),
        ("2026-02-22", "CT"),
        ("2025-03-17", "CR"),
    ]


def test_a_terminal_has_bars_as_wide_as_it_is() -> None:
    chart = chart_of_counts(counts(({"modality": "CT"}, 30), ({"modality": "MR"}, 15)))
    lines = bars(chart, 40)
    assert lines[0] == "Studies by modality: 45 in all"
    assert [len(line) for line in lines[1:]] == [39, 22]
    assert [line.count("█") for line in lines[1:]] == [33, 16]
