"""Row types and cell text shared by the tools whose answers are not plain records."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from ..standard.query import Match, texts

# A schema that says no more than a model can use.
Row = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
Rows = Annotated[list[dict[str, Any]], WithJsonSchema({"type": "array"})]

# PS3.5 6.2 allows 64 characters in the texts shown here.
_LONGEST = 200


def text(match: Match, keyword: str) -> str:
    """The value as text, cut, visibly, where it is longer than the standard allows."""
    value = " ".join(texts(match.get(keyword, "")))
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def filled(row: dict[str, Any]) -> dict[str, Any]:
    """The row without what is empty; a zero is not."""
    return {name: value for name, value in row.items() if value not in ("", [], None)}
