"""Links of a site that lead nowhere, and what it would load from a network."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """What a page links to, and where in it one can link to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.places |= {of.get("id") or "", (tag == "a" and of.get("name")) or ""}
        if tag in ("a", "img", "link", "script"):
            self.links += [link for link in (of.get("href"), of.get("src")) if link]
        if tag in ("img", "link", "script") and of.get("rel") != "canonical":
            self.loads += [link for link in (of.get("href"), of.get("src")) if link]


def broken(site: Path) -> list[str]:
    """Each link of a page in this folder to a file or a place of one that is not there, and
    whatever a page loads by itself from elsewhere."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    return [
        f"{path.relative_to(site)}: {link}"
        for path, page in pages.items()
        for link in page.links
        if not _leads(link, path, site, pages) or (link in page.loads and urlsplit(link).netloc)
    ]


def _leads(link: str, path: Path, site: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # out of the site: not looked at
    file = unquote(parts.path)
    base = site if file.startswith("/") else path.parent
    meant = (base / file.lstrip("/")).resolve() if file else path
    meant = meant / "index.html" if meant.is_dir() else meant
    if not meant.is_file():
        return False
    place = unquote(parts.fragment)
    return place in pages[meant].places if meant in pages and place else True
