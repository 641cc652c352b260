"""The chart in a real browser, behind a page that is its client, before the real server: what is
drawn, what is read to those who do not see it, and what is gone through by the keyboard."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.types import Tool
from pydicom.dataset import Dataset

from dicom_mcp import viewer
from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from tests.asking import ask
from tests.viewer.browser import Browser, browser
from tests.viewer.client import DRAWN, client, shown

TODAY = date(2026, 3, 31)
MARKUP = "<img src=x onerror=document.title=1>"
RIGHT, END, HOME = "\ue014", "\ue010", "\ue011"


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    house = hospital(TODAY)
    held = list(house.pacs())
    worklist = house.worklist()
    for entry in worklist[:4]:  # these have arrived
        entry.StudyInstanceUID = _a_study_of(entry, held).StudyInstanceUID
    worklist[0].RequestedProcedureDescription = MARKUP
    worklist[0].ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription = MARKUP
    with EmbeddedArchive(held, ae_title="CHARTS", worklist=worklist) as archive:
        yield Settings(Node(port=archive.port, called_ae_title="CHARTS"))


def _a_study_of(entry: Dataset, held: list[Dataset]) -> Dataset:
    return next(one for one in held if one.PatientID == entry.PatientID)


@pytest.fixture(scope="module")
def page(settings: Settings) -> Iterator[str]:
    with client(settings) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser(width=640) as made:
        yield made


def text(chromium: Browser, selector: str) -> str:
    return chromium.run(f"return document.querySelector({selector!r}).innerText")


def rows(chromium: Browser, selector: str) -> list[list[str]]:
    """A table's cells, as whoever does not see the drawing is read them."""
    return chromium.run(
        "return [...document.querySelectorAll(arguments[0] + ' tbody tr')].map((row) => "
        "[...row.cells].filter((cell) => !cell.ariaHidden).map((cell) => cell.textContent))",
        selector,
    )


def test_the_tools_that_are_drawn_name_their_page(settings: Settings) -> None:
    async def work() -> tuple[list[Tool], Any]:
        async with Client(create_server(settings)) as asking:
            read = await asking.read_resource(viewer.CHART_URI)
            return (await asking.list_tools()).tools, read

    tools, read = anyio.run(work)
    named = {one.name: (one.meta or {}).get("ui", {}).get("resourceUri") for one in tools}
    assert {name for name, uri in named.items() if uri == viewer.CHART_URI} == {*DRAWN}
    assert {*DRAWN} == {"count_studies", "patient_timeline", "query_worklist"}
    (content,) = read.contents
    assert content.text == viewer.chart_page()
    assert "http" not in content.text.replace("http://www.w3.org/2000/svg", "")


def test_groups_are_bars_that_are_a_table(chromium: Browser, page: str, settings: Settings) -> None:
    shown(chromium, page, "count_studies", group_by=["modality"])
    answer = ask(settings, "count_studies", group_by=["modality"])
    groups = [[group["modality"], str(group["count"])] for group in answer["groups"]]
    assert rows(chromium, "#figure") == groups
    assert text(chromium, "#title") == "Studies by modality"
    assert text(chromium, "#summary") == "30 in all"
    widths = chromium.run(
        "return [...document.querySelectorAll('.bar')].map((bar) => "
        "bar.getBoundingClientRect().width)"
    )
    most = answer["groups"][0]["count"]
    for width, group in zip(widths, answer["groups"], strict=True):
        assert width == pytest.approx(widths[0] * group["count"] / most, abs=1.5)
    assert chromium.console() == []


def test_months_are_a_line_which_the_keyboard_goes_along(chromium: Browser, page: str) -> None:
    shown(chromium, page, "count_studies", group_by=["month", "modality"], modality="CT")
    chromium.press("#figure", HOME)
    assert text(chromium, "#said") == "2024-03: CT 1"
    chromium.press("#figure", RIGHT)
    assert text(chromium, "#said") == "2024-04: CT 0"  # a month with nothing is one too
    chromium.press("#figure", END)
    assert text(chromium, "#said").startswith("2026-0")
    assert chromium.run("return document.querySelector('svg').getAttribute('aria-label')") == (
        "Studies by month and modality: 10 in all"
    )
    table = rows(chromium, "#table")
    assert table[0] == ["2024-03", "1"]
    assert sum(int(count) for _, count in table) == 10
    assert text(chromium, "#legend") == "CT: 10"
    assert chromium.console() == []


def test_a_patients_studies_are_points_in_lanes(chromium: Browser, page: str) -> None:
    shown(chromium, page, "patient_timeline", patient_name="Brückner")
    assert text(chromium, "#title") == "Studies of Brückner, Jürgen"
    lanes = chromium.run(
        "return [...document.querySelectorAll('.lane')].map((one) => one.textContent)"
    )
    assert lanes == ["CT", "CR"]
    assert [row[:2] for row in rows(chromium, "#table")] == [
        ["2026-02-22", "CT"],
        ["2025-03-24", "CT"],
        ["2025-03-17", "CR"],
    ]
    chromium.press("#figure", END)
    assert text(chromium, "#said") == (
        "2026-02-22, CT: CT Thorax Verlaufskontrolle, 40 images, with a report"
    )
    assert chromium.console() == []


def test_a_worklist_says_who_has_arrived_and_shows_no_markup(chromium: Browser, page: str) -> None:
    shown(chromium, page, "query_worklist", date="20260331", arrived=True)
    assert text(chromium, "#title") == "Scheduled on 2026-03-31"
    assert text(chromium, "#summary") == "10 entries, 4 arrived, 6 waiting"
    (first, *others) = rows(chromium, "#figure")
    assert first == ["08:00", "CT1", f"Brückner, Jürgen: {MARKUP}", "arrived"]
    assert [row[3] for row in others] == ["arrived"] * 3 + ["waiting"] * 6
    assert chromium.run("return document.title") == "Scheduled on 2026-03-31"
    assert chromium.console() == []


def test_what_is_not_complete_is_marked_in_the_drawing(chromium: Browser, page: str) -> None:
    shown(chromium, page, "patient_timeline", patient_name="Brückner", limit=2)
    assert text(chromium, "#doubt").startswith("NOT COMPLETE")
    assert "doubted" in chromium.run("return document.body.className")
    assert "these are 2 of 3 studies" in text(chromium, "#notes")
    with client(Settings(Node(port=1))) as url:
        shown(chromium, url, "count_studies", group_by=["modality"])
        assert "connect" in text(chromium, ".failed")


@pytest.mark.parametrize(("theme", "back"), [("light", "255, 255, 255"), ("dark", "27, 27, 27")])
def test_it_is_light_or_dark_as_the_client_is(
    chromium: Browser, page: str, theme: str, back: str
) -> None:
    shown(chromium, page, "count_studies", {"theme": theme}, group_by=["year"])
    got = chromium.run("return getComputedStyle(document.body).backgroundColor")
    assert got == f"rgb({back})"
    stroke = chromium.run("return getComputedStyle(document.querySelector('.graph')).stroke")
    assert stroke == ("rgb(0, 114, 178)" if theme == "light" else "rgb(88, 180, 232)")
