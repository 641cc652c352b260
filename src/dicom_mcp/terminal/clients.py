"""Assistants: where each keeps which servers it starts, and how that is written.

One table for `dicom-mcp connect`, the end of `dicom-mcp demo` and the README.
"""

import json
import re
import shlex
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from ..config import folders_of_programs
from ..machine import at_home

# What the server is called there.
NAME = "dicom"

# What the package indexes call dicom-mcp, whose name is another project's there.
DISTRIBUTION = "dicom-archive-mcp"

# Folders of uv's cache in which uvx starts programs, and which it may clear away.
_UVX = re.compile(r"(?:archive|builds|environments)-v\d+")


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line and its environment, as an assistant starts a server."""

    command: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """An assistant: its name, where its configuration is in words, and as a path below one of the
    folders that programs keep settings in (`~` is the home); the member that holds servers."""

    name: str
    place: str
    files: tuple[str, ...]
    servers: str
    more: Mapping[str, str]

    def entry(self, launch: Launch) -> dict[str, Any]:
        """The server as this assistant writes it."""
        server: dict[str, Any] = {
            **self.more,
            "command": launch.command,
            "args": list(launch.arguments),
        }
        if launch.environment:
            server["env"] = dict(launch.environment)
        return server

    def configuration(self, launch: Launch) -> str:
        """What to put where, by hand."""
        if self.name == "Claude Code":
            return _claude_code(launch)
        whole = {self.servers: {NAME: self.entry(launch)}}
        # A list of words on one line.
        return re.sub(
            r"\[\n[^]]*\]",
            lambda words: json.dumps(json.loads(words[0])),
            json.dumps(whole, indent=2, ensure_ascii=False),
        )

    def paths(self) -> Iterator[Path]:
        """Where its configuration may be on this machine, the likeliest first."""
        folders = folders_of_programs()
        for file in self.files:
            if file.startswith("~"):
                yield at_home(file)
            else:
                yield from (folder / file for folder in folders)

    def path(self) -> Path | None:
        """Its configuration, which may still have to be written; None where it is not found."""
        paths = list(self.paths())
        there = [path for path in paths if _is_there(path)]
        return next((path for path in there if path.exists()), next(iter(there), None))


def from_checkout(checkout: str, *arguments: str, **environment: str) -> Launch:
    """Started by uv from a checkout, whatever directory the assistant is in; without the tools of
    its development, and nothing looked up."""
    command = ("--directory", checkout, "run", "--no-dev", "--frozen", "dicom-mcp", *arguments)
    return Launch("uv", command, dict(environment))


def from_index(*arguments: str) -> Launch:
    """Started by uv from the package index."""
    return Launch("uvx", (DISTRIBUTION, *arguments), {})


def from_here(*arguments: str, **environment: str) -> Launch:
    """Started as this program was, by its whole path: a desktop knows no PATH of a shell."""
    if any(_UVX.fullmatch(part) for part in Path(sys.prefix).parts):
        return _by_uvx(arguments, environment)
    folder = Path(sys.executable).parent
    for name in ("dicom-mcp", "dicom-mcp.exe"):
        if (folder / name).is_file():
            return Launch(str(folder / name), arguments, environment)
    return Launch(sys.executable, ("-m", "dicom_mcp", *arguments), environment)


def _by_uvx(arguments: Sequence[str], environment: Mapping[str, str]) -> Launch:
    """Started by uvx, with what uvx was told to take, unless that was the package index."""
    origin = json.loads(distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")  # PEP 610
    source: tuple[str, ...] = (DISTRIBUTION,)
    if url := origin.get("url"):
        version = origin.get("vcs_info")
        where = f"{version['vcs']}+{url}@{version['commit_id']}" if version else url
        source = ("--from", f"{DISTRIBUTION} @ {where}", DISTRIBUTION)
    # uv looks at the index again, in a hospital's network behind an authority of its own.
    told = {**environment, "UV_SYSTEM_CERTS": "true"}
    return Launch(shutil.which("uvx") or "uvx", (*source, *arguments), told)


def starts_us(entry: Any) -> bool:
    """Whether an entry, whoever wrote it, starts dicom-mcp in one of the ways above."""
    held = cast("dict[str, Any]", entry) if isinstance(entry, dict) else {}
    words = [held.get("command"), *(held.get("args") or ())]
    names = {re.split(r"[\\/]", word)[-1] for word in words if isinstance(word, str)}
    return bool(names & {"dicom-mcp", "dicom-mcp.exe", "dicom_mcp", DISTRIBUTION})


def links(launch: Launch) -> dict[str, str]:
    """What installs the server by one click, by the name of the assistant."""
    entry = {"command": launch.command, "args": list(launch.arguments)}
    told = json.dumps(entry, separators=(",", ":"))
    return {
        "VS Code": "https://vscode.dev/redirect/mcp/install?"
        + urlencode({"name": NAME, "config": told}, quote_via=quote),
        "Cursor": "https://cursor.com/en/install-mcp?"
        + urlencode({"name": NAME, "config": b64encode(told.encode()).decode()}, quote_via=quote),
    }


def _is_there(path: Path) -> bool:
    """Whether the assistant has been on this machine: it keeps other things in that folder, or, of
    a file at home, the file itself."""
    try:
        return path.is_file() or (path.parent.is_dir() and path.parent != at_home("~"))
    except OSError:
        return False


def _claude_code(launch: Launch) -> str:
    """Options before the name, as documented, and --env not the last of them: it takes every word
    up to the next option for a variable (github.com/anthropics/claude-code/issues/62332)."""
    variables = [f"--env {name}={value}" for name, value in launch.environment.items()]
    command = shlex.join([launch.command, *launch.arguments])
    return " ".join(["claude mcp add", *variables, "--transport stdio dicom --", command])


_STDIO = {"type": "stdio"}

CLIENTS: tuple[Client, ...] = (
    Client(
        "Claude Desktop",
        "claude_desktop_config.json (Settings, Developer)",
        ("Claude/claude_desktop_config.json",),
        "mcpServers",
        {},
    ),
    Client("Claude Code", "in a terminal", ("~/.claude.json",), "mcpServers", _STDIO),
    Client(
        "Cursor",
        ".cursor/mcp.json or ~/.cursor/mcp.json",
        ("~/.cursor/mcp.json",),
        "mcpServers",
        {},
    ),
    Client("VS Code", ".vscode/mcp.json", ("Code/User/mcp.json",), "servers", _STDIO),
    Client(
        "Zed",
        "settings.json",
        ("zed/settings.json", "Zed/settings.json", "~/.config/zed/settings.json"),
        "context_servers",
        {},
    ),
    Client(
        "Windsurf",
        "~/.codeium/windsurf/mcp_config.json",
        ("~/.codeium/windsurf/mcp_config.json",),
        "mcpServers",
        {},
    ),
)
