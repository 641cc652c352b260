"""What clients with MCP Apps (SEP-1865) show beside an answer: an image viewer, which asks the same
tools as the assistant, and a chart. Each is one HTML page that fetches nothing from elsewhere."""

from importlib.resources import files

URI = "ui://dicom-mcp/viewer.html"
NAME = "DICOM viewer"

CHART_URI = "ui://dicom-mcp/chart.html"
CHART_NAME = "DICOM chart"


def page() -> str:
    """The viewer's page."""
    return _whole("viewer.html")


def chart_page() -> str:
    """The chart's page."""
    return _whole("chart.html")


def _whole(name: str) -> str:
    """A page with what both pages say to their host."""
    folder = files(__package__)
    host = folder.joinpath("host.js").read_text(encoding="utf-8")
    page = folder.joinpath(name).read_text(encoding="utf-8")
    return page.replace("/* host.js */\n", host)
