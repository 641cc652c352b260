"""Writes what package indexes and desktops read of dicom-mcp, from what the project says of itself:

python -m scripts.packages            # packaging/manifest.json, server.json, docs/dicom-mcp.1
python -m scripts.packages dist       # and dist/dicom-mcp.mcpb, the desktop bundle
"""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from dicom_mcp.config import VARIABLES
from dicom_mcp.node import Node
from dicom_mcp.tools import TOOLS

from . import manual

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "packaging" / "manifest.json"
SERVER = ROOT / "server.json"

# The newest form the registry publishes.
_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"

# A file of a bundle has the same date in every build of it.
_DATE = (1980, 1, 1, 0, 0, 0)

_NODE = Node()

# What a person is asked in the settings of a desktop: variable, title, kind, and what holds where
# nothing is said.
_ASKED: tuple[tuple[str, str, str, Any], ...] = (
    ("DICOM_HOST", "Archive: host name or address", "string", _NODE.host),
    ("DICOM_PORT", "Archive: DICOM port", "number", _NODE.port),
    ("DICOM_CALLED_AE_TITLE", "Archive: its AE title", "string", _NODE.called_ae_title),
    ("DICOM_AE_TITLE", "Our own AE title", "string", _NODE.calling_ae_title),
    ("DICOM_MCP_DEMO", "Demo: invented patients instead of an archive", "boolean", False),
)


def project() -> dict[str, Any]:
    """The project's own description."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def manifest() -> dict[str, Any]:
    """Of the desktop bundle, version 0.4: the desktop brings uv, which brings Python."""
    about = project()
    command = ["run", "--directory", "${__dirname}", "--no-dev", "--frozen", "dicom-mcp"]
    return {
        "manifest_version": "0.4",
        "name": about["name"],
        "display_name": "DICOM archive",
        "version": about["version"],
        "description": about["description"],
        "author": {"name": about["authors"][0]["name"]},
        "license": about["license"],
        "keywords": about["keywords"],
        "server": {
            "type": "uv",
            "entry_point": "src/dicom_mcp/__main__.py",
            "mcp_config": {
                "command": "uv",
                "args": command,
                "env": {name: f"${{user_config.{name.lower()}}}" for name, *_ in _ASKED},
            },
        },
        "tools": [{"name": entry.function.__name__, "description": entry.title} for entry in TOOLS],
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": about["requires-python"]},
        },
        "user_config": {
            name.lower(): {
                "type": kind,
                "title": title,
                "description": _meaning(name),
                "required": False,
                "default": default,
            }
            for name, title, kind, default in _ASKED
        },
    }


def server() -> dict[str, Any]:
    """Of the MCP registry. Its name belongs to whoever publishes it (docs/release.md)."""
    about = project()
    return {
        "$schema": _SCHEMA,
        "name": "io.github.dicom-archive-mcp/dicom-archive-mcp",
        "title": "DICOM archive",
        "description": "Question a DICOM archive (PACS); reads only, says when not whole",
        "version": about["version"],
        "packages": [
            {
                "registryType": "pypi",
                "registryBaseUrl": "https://pypi.org",
                "identifier": about["name"],
                "version": about["version"],
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "environmentVariables": [
                    {
                        "name": name,
                        "description": _meaning(name),
                        "isRequired": False,
                        "format": kind,
                        "default": str(default).lower() if kind == "boolean" else str(default),
                    }
                    for name, _, kind, default in _ASKED
                ],
            }
        ],
    }


def _meaning(name: str) -> str:
    """What a variable means; its default here stands in a field of its own."""
    return re.sub(r" \(default [^)]*\)", "", VARIABLES[name])


def bundle(into: Path) -> None:
    """The desktop bundle: the same bytes from the same commit."""
    kept = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "src/", "docs/dicom-mcp.1")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    into.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        content = {name: (ROOT / name).read_bytes() for name in tracked if name.startswith(kept)}
        content["manifest.json"] = MANIFEST.read_bytes()
        for name in sorted(content):
            packed.writestr(zipfile.ZipInfo(name, _DATE), content[name], zipfile.ZIP_DEFLATED)


def text(facts: dict[str, Any]) -> str:
    """As it is written."""
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    MANIFEST.parent.mkdir(exist_ok=True)
    MANIFEST.write_text(text(manifest()), encoding="utf-8")
    SERVER.write_text(text(server()), encoding="utf-8")
    manual.PAGE.write_text(manual.page(), encoding="utf-8")
    if "dist" in sys.argv[1:]:
        bundle(ROOT / "dist" / "dicom-mcp.mcpb")
