"""The site's pages lead somewhere, each has its place, and every tool is shown at work."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from dicom_mcp.config import Settings
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.index import Index
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.node import Node, WebNode
from scripts import site, tools_page
from scripts.links import broken
from tests.demo_hospital import TODAY, pacs, vna

ROOT = Path(__file__).parents[1]
PAGES = [*(ROOT / name for name in site.BESIDE), *site.DOCS.rglob("*.md")]
LINK = re.compile(r"\]\(([^)\s:]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(without_code(page)):
        file, _, anchor = link.partition("#")
        meant = page.parent / file if file else page
        assert meant.exists(), link
        assert not anchor or anchor in anchors(meant), link


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """What its headings are called in a link."""
    heads = re.findall(r"^#+ (.*)", without_code(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_what_is_gathered_keeps_to_itself_and_has_its_place(tmp_path: Path) -> None:
    site.gathered(tmp_path)
    for page in tmp_path.rglob("*.md"):
        for link in LINK.findall(without_code(page)):
            file = link.partition("#")[0]
            meant = (page.parent / file).resolve()
            assert meant.exists() or meant.name == "tools.md", f"{page}: {link}"
            assert meant.is_relative_to(tmp_path)
    listed = set(places(tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]))
    assert listed == {path.name for path in tmp_path.glob("*.md")} | {
        "tools.md",
        "decisions/index.md",
    }


def places(chapters: list[dict[str, str | list[dict[str, str]]]]) -> Iterator[str]:
    for chapter in chapters:
        for value in chapter.values():
            if isinstance(value, str):
                yield value
            else:
                yield from (place for one in value for place in one.values())


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text('<h1 id="top"><a href="../b.html#c">')
    (tmp_path / "b.html").write_text(
        '<a href="a/#top"><a href="a/#end"><img src="no.png"><a href="https://x.org"><script src="https://x.org/y.js">'
    )
    assert sorted(broken(tmp_path)) == [
        "a/index.html: ../b.html#c",
        "b.html: a/#end",
        "b.html: https://x.org/y.js",
        "b.html: no.png",
    ]


def test_every_tool_is_shown_with_what_it_answers() -> None:
    index = Index()
    index.add_all(vna())
    worklist = hospital(TODAY).worklist()
    with (
        EmbeddedArchive(pacs(), ae_title="DEMO_PACS", worklist=worklist) as archive,
        EmbeddedWeb(index) as web,
    ):
        node = Node(port=archive.port, called_ae_title="DEMO_PACS", name="pacs")
        told = anyio.run(tools_page.ask, Settings(node, others=(WebNode(web.url, name="vna"),)))
    index.close()
    assert tools_page.EXAMPLES.keys() <= {one.tool.name for one in told}
    for one in told:
        assert one.result is None or not one.result.is_error, one.result
    page = tools_page.page(told)
    for one in told:
        assert f"\n## {one.tool.name}\n" in page
        for name in one.tool.input_schema["properties"]:
            assert f"\n| `{name}` |" in page
    assert "Brückner^Jürgen^^Dr." in page
