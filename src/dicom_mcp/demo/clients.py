"""How assistants are told to start dicom-mcp: one table for `dicom-mcp demo` and the README."""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Launch:
    """A command line and its environment, as an assistant starts a server."""

    command: str
    arguments: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Client:
    """An assistant: where its configuration goes and how that is written."""

    name: str
    place: str
    configuration: Callable[[Launch], str]


def from_checkout(checkout: str, *arguments: str, **environment: str) -> Launch:
    """Started by uv from a checkout, whatever directory the assistant is in."""
    return Launch(
        "uv", ("--directory", checkout, "run", "dicom-mcp", *arguments), dict(environment)
    )


def _in(key: str, **more: str) -> Callable[[Launch], str]:
    """JSON with the server called "dicom" under `key`."""

    def write(launch: Launch) -> str:
        server: dict[str, object] = {
            **more,
            "command": launch.command,
            "args": list(launch.arguments),
        }
        if launch.environment:
            server["env"] = dict(launch.environment)
        # A list of words on one line.
        return re.sub(
            r"\[\n[^]]*\]",
            lambda words: json.dumps(json.loads(words[0])),
            json.dumps({key: {"dicom": server}}, indent=2),
        )

    return write


def _claude_code(launch: Launch) -> str:
    """Options before the name, as documented, and --env not the last of them: it takes every word
    up to the next option for a variable (github.com/anthropics/claude-code/issues/62332)."""
    variables = [f"--env {name}={value}" for name, value in launch.environment.items()]
    command = shlex.join([launch.command, *launch.arguments])
    return " ".join(["claude mcp add", *variables, "--transport stdio dicom --", command])


CLIENTS: tuple[Client, ...] = (
    Client("Claude Desktop", "claude_desktop_config.json (Settings, Developer)", _in("mcpServers")),
    Client("Claude Code", "in a terminal", _claude_code),
    Client("Cursor", ".cursor/mcp.json or ~/.cursor/mcp.json", _in("mcpServers")),
    Client("VS Code", ".vscode/mcp.json", _in("servers", type="stdio")),
    Client("Zed", "settings.json", _in("context_servers")),
)
