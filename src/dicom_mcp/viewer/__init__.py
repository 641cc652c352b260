"""The image viewer that clients with MCP Apps (SEP-1865) show beside an answer: one HTML page that
asks the same tools as the assistant and fetches nothing from anywhere else."""

from importlib.resources import files

URI = "ui://dicom-mcp/viewer.html"
NAME = "DICOM viewer"


def page() -> str:
    """The page."""
    return files(__package__).joinpath("viewer.html").read_text(encoding="utf-8")
