"""Writes docs/diagnosis.md from real runs: python -m tests.diagnosis_page"""

import re
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.loopback import demo_archives
from dicom_mcp.diagnosis import Step, diagnose
from dicom_mcp.node import AnyNode, Node, WebNode
from dicom_mcp.terminal.doctor import show
from dicom_mcp.truth.habits import Habits
from tests.bounds import in_time
from tests.peers import certificates
from tests.peers.certificates import Certificates
from tests.peers.mistakes import MISTAKES, Mistake, made, page

# Shown as they print.
SHOWN = (
    "nothing listens on the port",
    "called_ae_title is wrong",
    "our title is not registered",
    "the port wants TLS, tls is not configured",
    "DICOMweb: wrong path",
)

_HEAD = """\
# Why does the archive not answer?

`dicom-mcp doctor` tells a person, the tool `diagnose` tells an assistant. Both walk the same
steps and stop at the first one that fails: name, TCP, TLS, association, services (presentation
contexts), C-ECHO, a query; over DICOMweb name, TCP, TLS, a search (QIDO-RS). Where these work
they ask on: which keys are honoured, what is returned, wildcards, UTF-8, whether a series is
found without its study, how many matches come at once, whether one object can be fetched (it is
thrown away), worklist, and what the server says of STOW-RS. Nothing is stored or changed, and
nothing of a patient is shown: counts and keywords only. Each step has its share of the time; the
whole ends after a minute (the tool: the node's `timeout`).

```sh
dicom-mcp doctor                          # every configured node
dicom-mcp doctor main                     # one of them
dicom-mcp doctor PACS@pacs.example.org:104
dicom-mcp doctor https://pacs.example.org/dicom-web --json
```

The exit status is 1 when a step failed. The table of capabilities, with the commands of DCMTK or
curl that repeat it, is what to send to the archive's vendor. What the tool learned is used by the
questions that follow.

This page is written from real runs by `python -m tests.diagnosis_page`; tests compare it with new
ones.
"""

# Short, so that peers that say nothing are not waited for; in the sentences as it is.
SECONDS = 4.0


def printed(node: AnyNode, seconds: float = SECONDS) -> str:
    """What doctor prints of this node."""
    into = StringIO()
    found = diagnose(node, Habits(), deadline=Deadline(seconds))
    show(found, Console(file=into, width=110, highlight=False))
    return "\n".join(line.rstrip() for line in into.getvalue().splitlines()).strip()


def alike(text: str) -> str:
    """The text without what differs from run to run: ports, times, widths."""
    return re.sub(r"[\s─]+", " ", re.sub(r"\d+(\.\d+)?", "#", text))


def shown(what: str, made_certificates: Certificates) -> str:
    """What doctor prints of a node with this mistake."""
    mistake = next(one for one in MISTAKES if one.what == what)
    with made(mistake, made_certificates) as node:
        return printed(node)


def working() -> list[str]:
    """What doctor prints of two archives that work."""
    with demo_archives() as (pacs, vna):
        nodes = (Node(pacs.host, pacs.port, pacs.ae_title), WebNode(vna.url))
        return [printed(node, 60) for node in nodes]


def row_of(mistake: Mistake, certificates: Certificates) -> str:
    """The mistake as a row of the page, its port left out."""
    with made(mistake, certificates) as node:
        found = in_time(lambda: diagnose(node, Habits(), deadline=Deadline(SECONDS)))
    step = next(step for step in found.steps if step.name == mistake.step)
    works = mistake.what.startswith("worklist only")
    assert found.works is works
    if not works:
        assert step == found.failure, found.steps
        assert step.remedy
        after = found.steps[found.steps.index(step) + 1 :]
        assert mistake.step == "C-ECHO" or not any(one.passed for one in after)
    return f"| {mistake.what} | {mistake.step} | {_sentences(step, node.port)} |"


def _sentences(step: Step, port: int) -> str:
    said = " ".join(f"{part.rstrip('.')}." for part in (step.said, step.remedy) if part)
    return said.replace(f"port {port}", "port PORT").replace(f":{port}", ":PORT")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        keys = certificates.make(Path(directory))
        parts = [_HEAD, "## An archive that works\n"]
        parts += [f"```text\n{one}\n```\n" for one in working()]
        parts.append("## Five that do not\n")
        for what in SHOWN:
            parts.append(f"{what[0].upper()}{what[1:]}:\n\n```text\n{shown(what, keys)}\n```\n")
        parts.append("## Mistakes, and what a person is told\n")
        parts.append(f"Measured with {SECONDS:g} seconds for the whole.\n")
        rows = [row_of(one, keys) for one in MISTAKES]
        parts.append("\n".join(("| mistake | step | sentence |", "|---|---|---|", *rows, "")))
    page().write_text("\n".join(parts))


if __name__ == "__main__":
    sys.exit(main())
