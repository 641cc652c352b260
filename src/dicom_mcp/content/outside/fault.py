"""How a wish ends."""

from typing import Any

# Facts, and files that come with them.
type Answer = tuple[dict[str, Any], list[bytes]]


class Fault(Exception):
    """Why a wish cannot be fulfilled, in one word."""
