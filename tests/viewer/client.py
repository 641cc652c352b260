"""A page that plays a client with MCP Apps, before the real server."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from dicom_mcp import viewer
from dicom_mcp.config import Settings
from dicom_mcp.tools import TOOLS
from tests.asking import call
from tests.viewer.browser import Browser

# Tools whose answers the chart shows, not the viewer.
DRAWN = tuple(entry.function.__name__ for entry in TOOLS if entry.chart)


@contextmanager
def client(settings: Settings) -> Generator[str]:
    """A client's page: the URL of a server that has it, the app, and calls of the real tools."""
    page = Path(__file__).with_name("host.html").read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            app = viewer.chart_page() if self.path.endswith(DRAWN) else viewer.page()
            self._say(page if self.path.startswith("/host") else app.encode())

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            result = call(settings, asked["name"], **asked["arguments"])
            self._say(result.model_dump_json(by_alias=True, exclude_none=True).encode())

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object, **__: object) -> None:
            """Nothing: the output belongs to the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/host"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def shown(
    chromium: Browser, page: str, tool: str, context: dict[str, Any] | None = None, **arguments: Any
) -> None:
    """The viewer with the answer to a call, in a client of this context."""
    told = {
        "tool": tool,
        "arguments": json.dumps(arguments),
        "context": json.dumps({"theme": "light", **(context or {})}),
    }
    chromium.open(f"{page}?{urlencode(told)}")
    chromium.until("window.initialized")  # before that the frame still changes its document
    chromium.frame("#app")
    ready = "document.getElementById('picture')?.naturalWidth > 0"
    if tool in DRAWN:
        ready = "document.getElementById('title')?.textContent"
    chromium.until(f"{ready} || document.querySelector('.failed')")
