"""Rules of the workshop that no linter knows, each as a test."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dicom_mcp import budgets

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "dicom_mcp"
MODULES = sorted(SOURCE.rglob("*.py"))

# demo/walk.py passes TZ on to the server it starts; it decides nothing by it.
READS_ENVIRONMENT = {"config.py", "demo/walk.py"}

# Libraries that unfold what strangers wrote.
DECODE = {"zlib", "gzip", "bz2", "lzma", "xml", "pypdfium2", "gdcm", "openjpeg", "rle"}

# What no variable is called.
PRONOUNS = {"one", "each"}

# What the answer to the first tools/list does not need.
LATE = {
    "PIL",
    "dicom_mcp.dicom_api",
    "numpy",
    "pydicom",
    "pynetdicom",
    "rapidfuzz",
    "rich",
    "sqlite3",
}


def test_only_config_reads_the_environment() -> None:
    readers = {
        str(module.relative_to(SOURCE))
        for module in MODULES
        if any(_reads_environment(node) for node in ast.walk(_parsed(module)))
    }
    assert readers == READS_ENVIRONMENT


def test_what_decodes_is_imported_by_the_process_apart_only() -> None:
    """And by the connection, which inflates an answer of HTTP piece by piece and counts it."""
    importers = {
        str(module.relative_to(SOURCE))
        for module in MODULES
        if "demo" not in module.parts
        for name in _imported(module)
        if name.split(".")[0] in DECODE or name in ("xml.parsers", "html.parser")
    }
    inside = {name for name in importers if not name.startswith("content/outside/")}
    assert inside == {"dicomweb/connection.py"}


def test_no_test_sleeps() -> None:
    for module in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(_parsed(module)):
            slept = isinstance(node, ast.Attribute) and node.attr == "sleep"
            assert not slept, f"{module.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_nothing_is_imported_from_a_test_module() -> None:
    """What several tests need is a module of its own, which a change to one test leaves alone."""
    borrowed = {
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for folder in ("tests", "benchmarks", "scripts")
        for module in (ROOT / folder).rglob("*.py")
        for node in ast.walk(_parsed(module))
        if isinstance(node, ast.Import | ast.ImportFrom) and _names_a_test_module(node)
    }
    assert borrowed == set()


def test_starting_the_server_imports_nothing_of_dicom() -> None:
    """Most of the start is importing the SDK; the archive's side comes with the first question."""
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            "from dicom_mcp.config import *; from dicom_mcp.server import create_server;"
            "create_server(Settings(Node())); import sys; print(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    imported = set(said.split())
    assert "mcp" in imported
    assert not imported & LATE


def test_a_variable_is_named_by_what_it_holds() -> None:
    """`for series in …`, not `for one in …` or `for each in …`."""
    nameless = [
        f"{module.relative_to(SOURCE)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(_parsed(module))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in PRONOUNS)
        or (isinstance(node, ast.arg) and node.arg in PRONOUNS)
    ]
    assert not nameless


def test_every_target_of_the_makefile_is_explained_by_make() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, flags=re.MULTILINE)
    assert targets
    for target in targets[1].split():
        if target != "help":
            assert f'@echo "make {target} ' in makefile


def test_contributing_explains_every_contract_of_the_floors() -> None:
    contracts = re.findall(r"^name = (.*)$", (ROOT / ".importlinter").read_text(), flags=re.M)
    contributing = " ".join((ROOT / "CONTRIBUTING.md").read_text().split())
    assert contracts
    for contract in contracts:
        assert contract in contributing, contract


def test_contributing_has_the_floors_in_their_order() -> None:
    contracts = (ROOT / ".importlinter").read_text()
    (floors,) = re.findall(r"^layers =\n((?:    .*\n)+)", contracts, flags=re.M)
    (drawn,) = re.findall(
        r"^```\n(__main__.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S
    )
    rooms = [line.split("  ")[0].split(", ") for line in drawn.splitlines()]
    assert [room for several in rooms for room in several] == [*re.findall(r"\w+", floors), "demo"]


def test_the_workflow_runs_what_anyone_can_run() -> None:
    assert "run: bash .ci/run" in (ROOT / ".github/workflows/ci.yml").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)


@pytest.mark.parametrize("path", [".python-version", ".github/workflows/ci.yml"])
def test_the_oldest_python_supported_is_the_one_tested(path: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    assert oldest in (ROOT / path).read_text()


@cache
def _parsed(module: Path) -> ast.Module:
    return ast.parse(module.read_text(), module)


def _reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "getenv" | "environb"):
            return True
        case ast.ImportFrom(module="os", names=names):
            return any(name.name in ("environ", "getenv") for name in names)
        case _:
            return False


def _names_a_test_module(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        # A name of a package may be a module of it; one of a module is not.
        package = not node.module or (ROOT / node.module.replace(".", "/")).is_dir()
        names = [node.module or "", *(names if package else ())]
    return any(part.startswith("test_") for name in names for part in name.split("."))


def _imported(module: Path) -> Iterator[str]:
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_every_action_of_a_workflow_is_pinned_by_its_commit() -> None:
    """A tag can be moved to other code; the version is said beside it."""
    workflows = (ROOT / ".github" / "workflows").glob("*.yml")
    used = [line for path in workflows for line in path.read_text().split("\n") if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: \S+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$", line), line


def test_every_budget_stands_on_the_page_of_limits_with_its_reason() -> None:
    """The page is written anew where it is not there."""
    page, rows, reason = ROOT / "docs" / "limits.md", list[str](), list[str]()
    for line in (ROOT / "src" / "dicom_mcp" / "budgets.py").read_text().splitlines():
        name, _, _ = line.partition(" = ")
        if line.startswith("#"):
            reason.append(line.removeprefix("# "))
        elif name.isupper():
            value = getattr(budgets, name)
            shown = f"{value >> 20} MiB" if " << 20" in line else f"{value:,}"
            rows.append(f"| `{name}` | {shown} | {' '.join(reason) or 'as above'} |")
            reason = []
    text = "\n".join([*_LIMITS, *rows, ""])
    if not page.exists():
        page.write_text(text)
    assert page.read_text() == text


_LIMITS = (
    "# Limits",
    "",
    "What bounds memory, sizes and answers, as `src/dicom_mcp/budgets.py` has it. What is beyond a",
    "limit is refused, or left out in words; it is never cut in silence.",
    "",
    "| limit | is | why |",
    "|---|---|---|",
)


def test_no_function_is_longer_than_a_screen_and_no_file_but_a_table_than_400_lines() -> None:
    for module in MODULES:
        name = str(module.relative_to(SOURCE))
        assert len(module.read_text().splitlines()) <= 400 or name in TABLES, name
        for node in ast.walk(_parsed(module)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno:
                assert node.end_lineno - node.lineno < 60, f"{name}: {node.name}"


TABLES = {"index/problems.py", "words/body_part.py"}
