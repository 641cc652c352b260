"""The viewer in a real browser, behind a page that is its client, before the real server."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.types import TextContent
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicom_mcp import viewer
from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.objects import study_uid
from dicom_mcp.node import Node
from dicom_mcp.server import create_server
from tests.asking import call
from tests.viewer.browser import Browser, browser
from tests.viewer.client import client, shown

TODAY = date(2026, 3, 31)
STUDY = study_uid("nodule ct follow-up")
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
FILMS = "2.25.1102"
INERT = "<img src=x onerror=document.title=3>"
ARROW_DOWN, END = "\ue015", "\ue010"


@pytest.fixture(scope="module")
def held() -> list[Dataset]:
    objects = [one for one in hospital(TODAY).pacs() if one.StudyInstanceUID == STUDY]
    for one in objects:
        if one.Modality == "CT":
            one.SeriesDescription = INERT
        if one.Modality == "SR" and one.get("ContentSequence"):
            one.SeriesDescription = "<b>bold</b>"
            text = Dataset()
            text.RelationshipType, text.ValueType, text.TextValue = "CONTAINS", "TEXT", MARKUP
            name = Dataset()
            name.CodeValue, name.CodingSchemeDesignator = "121071", "DCM"
            name.CodeMeaning = "Finding"
            text.ConceptNameCodeSequence = [name]
            one.ContentSequence.append(text)
    return [*objects, *clips()]


def clips() -> list[Dataset]:
    """A series of an ultrasound: a picture, and two films."""
    film = next(one for one in hospital(TODAY).pacs() if int(one.get("NumberOfFrames", 1)) > 1)
    still = deepcopy(film)
    still.NumberOfFrames = 1
    still.PixelData = film.PixelData[: len(film.PixelData) // int(film.NumberOfFrames)]
    made = [still, film, deepcopy(film)]
    for number, one in enumerate(made, start=1):
        one.SeriesInstanceUID = FILMS
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = UID(f"{FILMS}.{number}")
        one.InstanceNumber = number
    return made


@pytest.fixture(scope="module")
def series(held: list[Dataset]) -> str:
    return next(str(one.SeriesInstanceUID) for one in held if one.Modality == "CT")


@pytest.fixture(scope="module")
def settings(held: list[Dataset]) -> Iterator[Settings]:
    with EmbeddedArchive(held, ae_title="VIEW") as archive:
        yield Settings(Node(port=archive.port, called_ae_title="VIEW"))


@pytest.fixture(scope="module")
def page(settings: Settings) -> Iterator[str]:
    with client(settings) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


def caption(chromium: Browser) -> str:
    return chromium.run("return document.getElementById('caption').innerText")


def calls(chromium: Browser) -> list[dict[str, Any]]:
    chromium.do("frame", {"id": None})
    found = chromium.run("return window.calls")
    chromium.frame("#app")
    return found


def place(chromium: Browser, words: str) -> None:
    """Until this place is shown, and its picture is there."""
    chromium.until(
        f"document.getElementById('place').textContent === {json.dumps(words)}"
        " && document.getElementById('state').textContent === ''"
    )


def test_the_tools_with_pictures_name_a_resource_that_is_there() -> None:
    async def session() -> tuple[dict[str, Any], Any, Any]:
        async with Client(create_server(Settings(Node()))) as asking:
            tools = (await asking.list_tools()).tools
            named = {tool.name: tool.meta["ui"]["resourceUri"] for tool in tools if tool.meta}
            read = await asking.read_resource(viewer.URI)
            return named, read.contents[0], asking

    named, content, _ = anyio.run(session)
    shown_in = {name for name, uri in named.items() if uri == viewer.URI}
    assert shown_in == {"view_image", "view_series"}
    assert content.mime_type == "text/html;profile=mcp-app"
    assert content.text == viewer.page()
    assert content.meta == {
        "ui": {"csp": {"connectDomains": [], "resourceDomains": []}, "prefersBorder": True}
    }


def test_the_page_needs_nothing_from_anywhere() -> None:
    html = viewer.page()
    assert not re.search(
        r"https?://|\bsrc=|\bhref=|@import|url\((?!#)|fetch\(|innerHTML|eval\(", html
    )
    assert len(html) < 20_000


def test_an_image_is_shown_with_its_caption_and_place(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series, at="first")
    place(chromium, "1 / 24")
    assert "instance 1" in caption(chromium)
    assert INERT in caption(chromium)
    assert chromium.run("return document.title") == "DICOM viewer"
    assert chromium.run("return document.getElementById('picture').naturalWidth") > 100
    assert chromium.run(
        "const box = (id) => document.getElementById(id).getBoundingClientRect();"
        "return box('picture').bottom <= box('stage').bottom"
        " && box('picture').right <= box('stage').right"
    ), "the picture is cut"
    assert chromium.console() == []


def test_scrolling_asks_for_the_next_image_and_keeps_what_came(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series, at="first")
    place(chromium, "1 / 24")
    before = chromium.run("return document.getElementById('picture').src")
    chromium.press("#stage", ARROW_DOWN)
    place(chromium, "2 / 24")
    chromium.until("document.getElementById('caption').innerText.includes('instance 2,')")
    assert chromium.run("return document.getElementById('picture').src") != before
    chromium.press("#stage", END)
    place(chromium, "24 / 24")
    asked = len(calls(chromium))
    chromium.run("want({ index: 2 })")
    place(chromium, "2 / 24")
    assert "instance 2," in caption(chromium)
    assert len(calls(chromium)) == asked == 2  # the third came from memory


def test_dragging_and_presets_ask_for_another_window(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series)
    chromium.click("button[value='bone']")
    chromium.until("/BONE|bone/.test(document.getElementById('caption').innerText)")
    assert calls(chromium)[-1]["arguments"]["window"] == "bone"
    chromium.drag("#stage", 40, 30)
    chromium.until("document.getElementById('state').textContent === ''")
    window = calls(chromium)[-1]["arguments"]["window"]
    centre, width = map(int, window.split("/"))
    assert f"centre {centre}" in caption(chromium)
    assert width > 1
    assert not chromium.run("return document.querySelector('#tools [aria-pressed=true]')")
    assert chromium.run("return document.getElementById('picture').style.filter") == ""


def test_while_dragging_the_contrast_is_what_the_window_will_be(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series, window="-400/2000")
    place(chromium, "13 / 24")
    chromium.run("approximate(facts.window, [-200, 1500])")
    line = "document.querySelector('feFuncR').getAttribute"
    slope, intercept = (
        float(chromium.run(f"return {line}('{name}')")) for name in ("slope", "intercept")
    )
    for value in (-900, -200, 400):
        before = (value + 400) / 2000 + 0.5
        assert before * slope + intercept == pytest.approx((value + 200) / 1500 + 0.5)
    assert chromium.run("return getComputedStyle(picture).filter") == 'url("#level")'


def test_a_contact_sheet_stays_until_one_scrolls_and_comes_back(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_series", series_instance_uid=series, images=4)
    place(chromium, "overview of 24")
    sheet = chromium.run("return document.getElementById('picture').src")
    assert calls(chromium) == []
    chromium.press("#stage", ARROW_DOWN)
    place(chromium, "13 / 24")
    assert [one["name"] for one in calls(chromium)] == ["view_image"]
    chromium.click("button[name='overview']")
    place(chromium, "overview of 24")
    assert chromium.run("return document.getElementById('picture').src") == sheet
    chromium.click("button[value='bone']")
    chromium.until("document.getElementById('caption').innerText.includes('window bone')")
    assert calls(chromium)[-1]["name"] == "view_series"


def test_films_and_pictures_are_scrolled_frame_by_frame(chromium: Browser, page: str) -> None:
    shown(chromium, page, "view_image", series_instance_uid=FILMS, at="first")
    chromium.until("count > 3")
    frames = (chromium.run("return count") - 1) // 2
    for at, instance, frame in ((2, 2, 1), (1 + frames, 2, frames), (2 + frames, 3, 1)):
        chromium.run(f"want({{ index: {at} }})")
        place(chromium, f"{at} / {1 + 2 * frames}")
        told = chromium.run("return facts.image")
        assert (told["instance_number"], told["frame"]) == (instance, frame)


def test_two_series_scroll_together(chromium: Browser, page: str, series: str) -> None:
    shown(
        chromium, page, "view_series", series_instance_uid=series, compare_with=series, at="first"
    )
    place(chromium, "1 / 24")
    assert chromium.run("return document.querySelectorAll('button[value=lung]').length") == 1
    chromium.press("#stage", END)
    place(chromium, "24 / 24")
    chromium.until("/left.*instance 24/i.test(document.getElementById('caption').innerText)")
    (asked,) = calls(chromium)
    assert (asked["name"], asked["arguments"]["compare_with"]) == ("view_series", series)


def test_nothing_leaves_the_page_and_what_it_does_not_know_is_refused(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series)
    place(chromium, "13 / 24")
    assert (
        chromium.run(
            "return performance.getEntriesByType('resource')"
            ".map((one) => one.name).filter((one) => !one.startsWith('data:'))"
        )
        == []
    )
    chromium.do("frame", {"id": None})
    chromium.run(
        "post({ id: 7, method: 'ping' }); post({ id: 8, method: 'sampling/createMessage' })"
    )
    answers = {one["id"]: one for one in chromium.until("answers.length === 2 && answers")}
    assert answers[7]["result"] == {}
    assert answers[8]["error"]["code"] == -32601


def test_the_report_stands_beside_it_and_its_markup_is_text(
    chromium: Browser, page: str, series: str
) -> None:
    shown(chromium, page, "view_image", series_instance_uid=series)
    chromium.until("document.querySelector('#tools button:last-child')")
    chromium.click("#tools button:last-child")
    chromium.until("document.querySelector('#report pre')")
    told = chromium.run("return document.getElementById('report').innerText")
    assert MARKUP in told
    assert "<<text-" not in told
    assert chromium.run("return document.title") == "DICOM viewer"
    assert (
        chromium.run("return document.querySelectorAll('#report img, #report script').length") == 0
    )


def test_what_failed_is_the_sentence_of_the_tool(
    chromium: Browser, page: str, settings: Settings
) -> None:
    shown(chromium, page, "view_image", series_instance_uid="1.2.3")
    said = chromium.run("return document.getElementById('state').textContent")
    (sentence,) = call(settings, "view_image", series_instance_uid="1.2.3").content
    assert isinstance(sentence, TextContent)
    assert said == sentence.text


def test_it_tells_its_size_and_follows_the_theme(chromium: Browser, page: str, series: str) -> None:
    shown(
        chromium,
        page,
        "view_image",
        {"theme": "dark", "containerDimensions": {"maxHeight": 500}},
        series_instance_uid=series,
    )
    assert chromium.run("return document.documentElement.style.colorScheme") == "dark"
    assert chromium.run("return document.getElementById('stage').offsetHeight") == 300
    chromium.do("frame", {"id": None})
    assert chromium.until("window.sizes.at(-1)?.height > 200")
    assert chromium.run("return window.opening.protocolVersion") == "2026-01-26"


def test_it_fills_the_screen_where_the_client_can(
    chromium: Browser, page: str, series: str
) -> None:
    modes = {"displayMode": "inline", "availableDisplayModes": ["inline", "fullscreen"]}
    shown(chromium, page, "view_image", modes, series_instance_uid=series)
    place(chromium, "13 / 24")
    chromium.click("button[name='larger']")
    chromium.until("document.querySelector('[name=larger][aria-pressed=true]')")


def test_a_viewer_is_told_which_picture_of_how_many_it_has(settings: Settings, series: str) -> None:
    def rank(tool: str, uid: str, **arguments: Any) -> dict[str, int]:
        meta = call(settings, tool, series_instance_uid=uid, **arguments).meta
        assert meta
        return meta["dicom-mcp/place"]

    assert rank("view_image", series, at="last") == {"index": 24, "count": 24}
    assert rank("view_series", series) == {"index": 0, "count": 24}
    assert rank("view_series", series, compare_with=series, at="first")["index"] == 1
