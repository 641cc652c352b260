"""Why an object cannot be read or shown."""

from ..errors import DicomMcpError


class ContentError(DicomMcpError):
    """The object is not there, holds nothing of the kind, or nothing that can be shown rightly;
    says why and what would be needed."""
