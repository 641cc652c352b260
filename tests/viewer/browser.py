"""A headless Chromium, driven over WebDriver (W3C) without a library."""

import base64
import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.peers.program import free_port, running

_PATIENCE = 30
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One session; scripts run in the frame that was chosen last."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        self._session = ""

    def start(self, profile: str, *, width: int, height: int) -> None:
        options = {
            "binary": _program("chromium"),
            "args": [
                *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"),
                *("--no-first-run", "--disable-background-networking", "--disable-sync"),
                *("--disable-component-update", f"--user-data-dir={profile}"),
                f"--window-size={width},{height}",
            ],
        }
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
            "browserName": "chrome",
        }
        made = self._ask("POST", "session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"session/{made['sessionId']}/"
        timeouts = {"script": _PATIENCE * 1000, "pageLoad": _PATIENCE * 1000}
        self.do("timeouts", timeouts)

    def do(self, command: str, about: dict[str, Any] | None = None, *, how: str = "POST") -> Any:
        return self._ask(how, self._session + command, about if how == "POST" else None)

    def open(self, url: str) -> None:
        self.do("url", {"url": url})

    def frame(self, selector: str) -> None:
        """Go into a frame of the top page."""
        self.do("frame", {"id": None})
        found = self.do("element", {"using": "css selector", "value": selector})
        self.do("frame", {"id": found})

    def run(self, script: str, *arguments: Any) -> Any:
        return self.do("execute/sync", {"script": script, "args": arguments})

    def until(self, condition: str) -> Any:
        """Wait in the page until the expression is true; its value."""
        # Not requestAnimationFrame: a frame that is not painted has none.
        script = (
            "const done = arguments[0]; const look = () => { const found = (" + condition + ");"
            "if (found) done(found); else setTimeout(look, 20); }; look();"
        )
        return self.do("execute/async", {"script": script, "args": []})

    def click(self, selector: str) -> None:
        found = self.do("element", {"using": "css selector", "value": selector})
        self.do(f"element/{found[_ELEMENT]}/click", {})

    def drag(self, selector: str, x: int, y: int) -> None:
        """Press in the middle of an element, move, and let go."""
        found = self.do("element", {"using": "css selector", "value": selector})
        steps: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": found},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "x": x, "y": y, "origin": found, "duration": 50},
            {"type": "pointerUp", "button": 0},
        ]
        self.do("actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})

    def press(self, selector: str, key: str) -> None:
        found = self.do("element", {"using": "css selector", "value": selector})
        self.do(f"element/{found[_ELEMENT]}/value", {"text": key})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.do("screenshot", how="GET")))

    def console(self) -> list[str]:
        """What the page complained about."""
        told = self.do("se/log", {"type": "browser"})
        return [one["message"] for one in told if one["level"] in ("SEVERE", "WARNING")]

    def close(self) -> None:
        self._ask("DELETE", self._session.rstrip("/"), None)

    def _ask(self, method: str, path: str, about: dict[str, Any] | None) -> Any:
        request = urllib.request.Request(
            f"{self._driver}/{path}",
            data=None if about is None else json.dumps(about).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=2 * _PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            pytest.fail(f"{path}: {json.load(error)['value']['message'][:500]}")


@contextmanager
def browser(*, width: int = 900, height: int = 900) -> Generator[Browser]:
    """A fresh browser with an empty profile."""
    port = free_port()
    with (
        TemporaryDirectory() as profile,
        running([_program("chromedriver"), f"--port={port}"], port),
    ):
        made = Browser(f"http://127.0.0.1:{port}")
        made.start(profile, width=width, height=height)
        try:
            yield made
        finally:
            made.close()


def _program(name: str) -> str:
    found = shutil.which(name)
    if found:
        return found
    if os.environ.get("DICOM_MCP_REQUIRE_PEERS") == "1":
        pytest.fail(f"{name} is not installed")
    pytest.skip(f"{name} is not installed")
