"""What a client may show beside a name: small drawings, as data."""

from base64 import b64encode
from collections.abc import Mapping
from importlib.resources import files

# Strokes on a field of 24 by 24, by toolset (`setting.TOOLSETS`).
_STROKES: Mapping[str, str] = {
    "connection": "M8 3v5M16 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
    "queries": "M10 4a6 6 0 1 0 .1 0zM15 15l6 6",
    "counts": "M4 21V11M10 21V4M16 21v-7M21 21H3",
    "worklist": "M4 5h16v16H4zM4 10h16M8 3v4M16 3v4",
    "history": "M3 12h18M7 9v6M13 9v6M18 9v6",
    "comparison": "M4 4h6v16H4zM14 4h6v16h-6z",
    "reports": "M6 3h9l4 4v14H6zM9 11h7M9 15h7",
    "headers": "M4 5h16M4 12h16M4 19h10",
    "archive": "M4 4h16v4H4zM5 8v12h14V8M9 12h6",
    "images": "M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4",
}

# Seen on white and on black.
_DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2f7dd1" '
    'stroke-width="2"><path d="{}"/></svg>'
)


def icon_of(toolset: str) -> str:
    """The drawing for the tools of a toolset, as a data URI of SVG."""
    return _as_data("image/svg+xml", _DRAWING.format(_STROKES[toolset]).encode())


def server_icon() -> str:
    """The server's own, as a data URI of PNG, 48 by 48, which every client with icons shows."""
    return _as_data("image/png", files(__package__).joinpath("icon.png").read_bytes())


def _as_data(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{b64encode(content).decode()}"
