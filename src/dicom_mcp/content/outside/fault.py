"""How a request ends."""

from typing import Any

# Facts, and files that come with them.
type Answer = tuple[dict[str, Any], list[bytes | bytearray]]


class Fault(Exception):
    """Why a request failed, as a one-word code."""
