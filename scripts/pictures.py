"""Makes docs/pictures from the demo archive, with Chromium (as the tests of the viewer have it):

python -m scripts.pictures
"""

import html
import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio
from mcp.client import Client
from mcp.types import CallToolResult, ImageContent, TextContent
from rich.console import Console

from dicom_mcp.config import Settings
from dicom_mcp.demo.awaited import PACS
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.demo.loopback import demo_archives
from dicom_mcp.node import Node, WebNode
from dicom_mcp.server import create_server
from dicom_mcp.terminal.show import show
from tests.viewer.browser import Browser, browser
from tests.viewer.client import client, shown

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"

_WIDTH = 860

_STYLE = """
::-webkit-scrollbar { display: none }
body { margin: 0; padding: 24px 32px; width: 796px; background: #fff; color: #1f2328 }
body { font: 16px/1.45 sans-serif }
.person { margin: 0 0 18px auto; width: fit-content; padding: 10px 16px }
.person { border-radius: 16px; background: #e8f0fe }
.call { margin: 0 0 10px; border: 1px solid #d8dee4; border-radius: 8px }
.call { font: 12.5px/1.5 monospace; overflow-wrap: anywhere }
.call b { display: block; padding: 6px 12px; background: #f6f8fa; border-radius: 8px 8px 0 0 }
.call span { display: block; padding: 6px 12px; white-space: pre-wrap; color: #57606a }
.call img { display: block; width: 100%; border-radius: 0 0 8px 8px }
p { margin: 16px 0 0 }
"""


@dataclass(slots=True)
class Chat:
    """What a person asked, what the assistant called, and what it was told, as a page."""

    client: Client
    parts: list[str] = field(default_factory=list[str])

    def person(self, words: str) -> None:
        self.parts.append(f'<div class="person">{html.escape(words)}</div>')

    def assistant(self, words: str) -> None:
        self.parts.append(f"<p>{html.escape(words)}</p>")

    async def call(self, tool: str, *excerpts: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool; of its answer the parts that match these patterns are shown."""
        result: CallToolResult = await self.client.call_tool(tool, arguments)
        text = next(block.text for block in result.content if isinstance(block, TextContent))
        if result.is_error:
            sys.exit(text)
        found = [re.search(pattern, text) for pattern in excerpts]
        told = "… " + " … ".join(one[0].replace("\\n", "\n") for one in found if one) + " …"
        given = ", ".join(
            f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items()
        )
        pictures = "".join(
            f'<img src="data:{block.mime_type};base64,{block.data}">'
            for block in result.content
            if isinstance(block, ImageContent)
        )
        self.parts.append(
            f'<div class="call"><b>{html.escape(f"{tool}({given})")}</b>'
            f"<span>{html.escape(told)}</span>{pictures}</div>"
        )
        return json.loads(text)

    def page(self) -> str:
        return f"<!DOCTYPE html><meta charset=utf-8><style>{_STYLE}</style>{''.join(self.parts)}"


async def nodule(settings: Settings) -> tuple[str, list[str]]:
    """The chat about the nodule, and the two series it compares, the newer one first.

    The assistant's last words were written by a language model from these answers; the values in
    them are taken from the answers.
    """
    async with Client(create_server(settings)) as asked:
        chat = Chat(asked)
        chat.person("Has Mr Brückner’s nodule grown? Show me.")
        line = await chat.call(
            "patient_timeline",
            r'"complete":\w+',
            r'"records":\[\{.{0,150}',
            patient_name="Brückner",
        )
        reports = await chat.call(
            "read_report",
            r'"measurements":\[.{0,140}',
            r"The nodule in the right.*?Biopsy recommended\.",
            patient_id=line["patient"]["patient_id"],
        )
        studies = [one["study_instance_uid"] for one in line["records"] if "CT" in one["modality"]]
        listed = await chat.call(
            "query_series", r'"records":\[\{.{0,60}', study_instance_uid=studies, modality="CT"
        )
        fine = {
            one["StudyInstanceUID"]: one["SeriesInstanceUID"]
            for one in listed["records"]
            if "Rundherd" in one["SeriesDescription"]
        }
        series = [fine[study] for study in studies]
        await chat.call(
            "view_series",
            r"The series have different frames.*?may be off\.",
            series_instance_uid=series[0],
            compare_with=series[1],
            window="lung",
        )
        new, old = (
            (one["date"], one["measurements"][0])
            for one in reports["records"]
            if one.get("measurements")
        )
        chat.assistant(
            f"Yes, from {_size(old)} to {_size(new)}. The report of the second CT calls it "
            "suspicious of malignancy and recommends a biopsy. In the picture the newer slice is "
            "on the left. The two scans have different frames of reference, so the slices were "
            "matched by their place in the stack; the anatomy may be slightly off."
        )
        return chat.page(), series


def _size(told: tuple[str, dict[str, Any]]) -> str:
    day, measured = told
    return f"{measured['value']} {measured['unit']} ({day[:4]}-{day[4:6]}-{day[6:]})"


# What is typed into the terminal of its picture, and what that asks.
_TYPED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "studies --patient-name Brückner --attribute-preset minimal",
        "query_studies",
        {"patient_name": "Brückner", "attribute_preset": "minimal"},
    ),
    (
        "count --modality CT --group-by station",
        "count_studies",
        {"modality": "CT", "group_by": ["station"]},
    ),
)


async def terminal(settings: Settings) -> str:
    """A terminal with what is typed and answered, as SVG."""
    console = Console(record=True, width=80, file=StringIO(), force_terminal=True)
    async with Client(create_server(settings)) as asked:
        for typed, tool, arguments in _TYPED:
            console.print(f"$ dicom-mcp query {typed}", highlight=False)
            result = await asked.call_tool(tool, arguments)
            show(result.structured_content or {}, console)
            console.print()
    # No font from a network: what stands in a README loads nothing.
    return re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="dicom-mcp"), flags=re.DOTALL)


def take(page: Browser, path: Path) -> None:
    """A picture of the whole page, with fewer colours than a photograph needs."""
    from PIL import Image

    page.screenshot(path)
    with Image.open(path) as taken:
        taken.convert("RGB").quantize(128).save(path, optimize=True)


def main() -> None:
    """Make every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with (
        demo_archives(hospital(date.today())) as (pacs, vna),  # noqa: DTZ011 - the day it is here
        TemporaryDirectory() as folder,
    ):
        node = Node(port=pacs.port, called_ae_title=PACS, name="pacs")
        settings = Settings(node, others=(WebNode(vna.url, name="vna"),))
        (FOLDER / "terminal.svg").write_text(anyio.run(terminal, settings), encoding="utf-8")
        chat, (new, old) = anyio.run(nodule, settings)
        page = Path(folder, "chat.html")
        page.write_text(chat, encoding="utf-8")
        with browser(width=_WIDTH, height=400) as chromium:
            chromium.open(page.as_uri())
            height = chromium.run("return document.documentElement.scrollHeight")
            chrome = chromium.run("return outerHeight - innerHeight")
            chromium.do("window/rect", {"width": _WIDTH, "height": height + chrome})
            take(chromium, FOLDER / "chat.png")
        with client(settings) as url, browser(width=_WIDTH, height=900) as chromium:
            shown(
                chromium,
                url,
                "view_series",
                series_instance_uid=new,
                compare_with=old,
                window="lung",
            )
            chromium.until("document.getElementById('caption').innerText.includes('Right')")
            chromium.do("frame", {"id": None})
            chromium.run("document.documentElement.style.overflow = 'hidden'")
            take(chromium, FOLDER / "viewer.png")
        with client(settings) as url, browser(width=_WIDTH, height=520) as chromium:
            shown(chromium, url, "count_studies", group_by=["month", "modality"])
            chromium.do("frame", {"id": None})
            chromium.run("document.documentElement.style.overflow = 'hidden'")
            take(chromium, FOLDER / "chart.png")


if __name__ == "__main__":
    if not shutil.which("chromedriver"):
        sys.exit("chromedriver is missing (Debian: chromium-driver)")
    main()
