"""A window as people write it."""

import re
from typing import TYPE_CHECKING

from ..content.error import ContentError
from ..errors import BadArgument
from ..standard.values import shown

if TYPE_CHECKING:
    from ..content.window import Window


def window_of(words: str) -> "Window | str":
    """A window by centre and width, else the words as the renderer takes them.

    Raises BadArgument for one that shows nothing.
    """
    words = words.strip()
    found = _CENTRE_WIDTH.fullmatch(words)
    if lettered := _WIDTH_LEVEL.fullmatch(words):
        width, centre = lettered.groups()
    elif found:
        centre, width = found.groups()
    else:
        return words
    from ..content.window import Window

    try:
        return Window(float(centre), float(width))
    except ContentError as trouble:
        raise BadArgument(
            f"window={shown(words)}: {trouble.happened}", 'Write "centre/width", such as "40/400"'
        ) from None


_NUMBER = r"([+-]?\d{1,6}(?:\.\d{1,6})?)"
_CENTRE_WIDTH = re.compile(rf"{_NUMBER} ?[/,; ] ?{_NUMBER}")
_WIDTH_LEVEL = re.compile(rf"w ?[=:]? ?{_NUMBER} ?[/,; ]? ?[lc] ?[=:]? ?{_NUMBER}", re.IGNORECASE)
