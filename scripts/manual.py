"""Writes docs/dicom-mcp.1, the manual page, from the command line's own words:

python -m scripts.manual
"""

import argparse
import re
from pathlib import Path
from typing import Any, cast

from dicom_mcp.cli import command_line

PAGE = Path(__file__).parents[1] / "docs" / "dicom-mcp.1"


def page() -> str:
    """The manual page as roff (man 7)."""
    parser = command_line()
    lines = [
        '.TH DICOM-MCP 1 "" "dicom-mcp" "User commands"',
        ".SH NAME",
        "dicom-mcp \\- " + _roff((parser.description or "").rstrip(".")),
        ".SH SYNOPSIS",
        ".B dicom-mcp",
        "[--config FILE] [--debug] COMMAND …",
        ".SH OPTIONS",
        *_options(parser),
        ".SH COMMANDS",
    ]
    for words, command in _commands(parser, ()):
        lines += [f".SS {_roff(' '.join(words))}", _roff(command.description or "")]
        lines += _options(command)
    lines += [".SH ENVIRONMENT"]
    for line in (parser.epilog or "").splitlines()[1:]:
        name, meaning = line.split(maxsplit=1)
        lines += [".TP", f".B {name}", _roff(meaning)]
    lines += [
        ".SH EXIT STATUS",
        "0 for a complete answer, 3 for one that is not, 1 when it failed, 2 for a wrong command "
        "line, 130 after Ctrl-C.",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _commands(
    parser: argparse.ArgumentParser, above: tuple[str, ...]
) -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    found: list[tuple[tuple[str, ...], argparse.ArgumentParser]] = []
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        if isinstance(action, argparse._SubParsersAction):  # pyright: ignore[reportPrivateUsage]
            several: Any = cast("Any", action)
            helps = {one.dest: one.help or "" for one in several._choices_actions}
            choices: dict[str, argparse.ArgumentParser] = several.choices
            for name, command in choices.items():
                command.description = command.description or helps.get(name, "")
                found += [((*above, name), command), *_commands(command, (*above, name))]
    return found


def _options(parser: argparse.ArgumentParser) -> list[str]:
    lines: list[str] = []
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        if isinstance(action, argparse._SubParsersAction | argparse._HelpAction):  # pyright: ignore
            continue
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        names = ", ".join(action.option_strings) or metavar or action.dest
        value = f" {metavar}" if metavar and action.option_strings else ""
        lines += [
            ".TP",
            f".B {_roff(names + value)}",
            _roff((action.help or "").replace("%%", "%")),
        ]
    return lines


def _roff(text: str) -> str:
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", plain)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
