"""Where a question goes: the argument that every tool which asks an archive has."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Annotated, Any

from pydantic import Field

NODE = "node"

_Node = Annotated[
    str,
    Field(description="Of list_dicom_nodes; several with commas, or all"),
]


def with_node(function: Callable[..., Any]) -> Callable[..., Any]:
    """The tool with a last argument `node`, as a client sees it. Whoever calls it makes the call's
    archive of that; the tool itself asks `call.archive` and need not know how many it is."""

    @wraps(function)
    def shown(*given: Any, **named: Any) -> Any:
        return function(*given, **named)

    found = signature(function, eval_str=True)
    node = Parameter(NODE, Parameter.KEYWORD_ONLY, default="", annotation=_Node)
    shown.__signature__ = found.replace(parameters=[*found.parameters.values(), node])  # type: ignore[attr-defined]
    return shown
