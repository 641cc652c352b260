"""Builds the site into build/site out of README, docs/ and the demo's own answers:

python -m scripts.site
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from .links import broken
from .tools_page import asked, page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SOURCE = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"

# Pages that stand beside docs/, and what they are called in the site.
BESIDE = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def gathered(into: Path) -> None:
    """The pages as the builder wants them: in one folder, with links that stay in it."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(DOCS, into)
    for path in DOCS.rglob("*.md"):
        text = path.read_text(encoding="utf-8")
        (into / path.relative_to(DOCS)).write_text(_inside(text, path), encoding="utf-8")
    for name, called in BESIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        (into / called).write_text(_inside(text, ROOT / name), encoding="utf-8")
    (into / "decisions" / "index.md").write_text(decisions(), encoding="utf-8")


def decisions() -> str:
    """The page that lists what was decided."""
    lines = ["# Decisions", "", "Why things are as they are, half a page each.", ""]
    for path in sorted((DOCS / "decisions").glob("*.md")):
        title = path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        number, _, words = title.partition(". ")
        lines.append(f"- {number.zfill(4)} [{words}]({path.name})")
    return "\n".join(lines) + "\n"


def _inside(text: str, path: Path) -> str:
    """A page's text, its links to other pages as they are in the site; what is not in it is only
    named."""

    def moved(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        file, mark, anchor = target.partition("#")
        if ":" in target or not file:
            return link[0]
        meant = (path.parent / file).resolve()
        if meant == DOCS / "decisions":
            meant /= "index.md"
        if meant.is_relative_to(DOCS):
            place = str(meant.relative_to(DOCS))
        elif meant.parent == ROOT and meant.name in BESIDE:
            place = BESIDE[meant.name]
        else:
            return f"`{words.strip('`')}`"
        up = "../" * len(path.parent.relative_to(DOCS).parts) if path.is_relative_to(DOCS) else ""
        return f"{picture}[{words}]({up}{place}{mark}{anchor})"

    return _LINK.sub(moved, text)


def main() -> int:
    """Build; returns 0, or 1 when a link leads nowhere."""
    gathered(SOURCE)
    (SOURCE / "tools.md").write_text(page(asked()), encoding="utf-8")
    subprocess.run(["zensical", "build", "--clean", "--strict"], cwd=ROOT, check=True)
    faults = broken(SITE)
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
