"""What holds of every answer that any test is given, and of every question that any call asks.

An answer that is not complete says so in a note, and one that is complete has no such note
(docs/answers.md). However a call goes, only a stated number of its queries may bring nothing: here
they are counted where they leave, not where they are allowed.
"""

import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from mcp.types import CallToolResult, TextContent

from dicom_mcp import server
from dicom_mcp.allowance import MOST_FAILED, MOST_IN_VAIN, Allowance
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.standard.query import Answer, Rows
from tests.stdio import Child

# Of several archives each note may begin with the name of its own.
_NOT_COMPLETE = re.compile(r"(?:[^ ]+: )?Not complete[,: (]")

# Queries that are under way, side by side, while the last one that was allowed is counted.
AT_ONCE = 16

# Whether whoever asks now does so while an answer of the same archive is still coming.
_in_hand: ContextVar[frozenset[int]] = ContextVar("_in_hand", default=frozenset())


class Watch:
    """What was found wrong, since it was last taken."""

    def __init__(self) -> None:
        self._wrong: list[str] = []
        self._in_vain: WeakKeyDictionary[Allowance, int] = WeakKeyDictionary()
        self._failed: WeakKeyDictionary[Allowance, int] = WeakKeyDictionary()

    def take(self) -> list[str]:
        wrong, self._wrong = self._wrong, []
        return wrong

    def look_at(self, tool: str, text: str) -> None:
        """An answer as its client reads it."""
        if not text.startswith("{"):  # an error, which is a sentence
            return
        answer: dict[str, Any] = json.loads(text)
        if "complete" not in answer:
            return
        notes = [note for note in answer["notes"] if _NOT_COMPLETE.match(note)]
        if answer["complete"] and notes:
            self._wrong.append(f"{tool} is complete and has the note {notes[0]!r}")
        if not answer["complete"] and not notes:
            self._wrong.append(f"{tool} is not complete and says not why: {answer['notes']}")

    @contextmanager
    def holding(self, exchange: object) -> Generator[None]:
        """An answer is taken while the block runs. Who asks the same archive for more meanwhile
        waits for ever where all its associations are held by such."""
        if id(exchange) in _in_hand.get():
            self._wrong.append("an archive was asked while its answer was being taken")
        token = _in_hand.set(_in_hand.get() | {id(exchange)})
        try:
            yield
        finally:
            _in_hand.reset(token)

    def count(self, allowance: Allowance, *, failed: bool) -> None:
        """A query of this call that brought nothing."""
        self._in_vain[allowance] = self._in_vain.get(allowance, 0) + 1
        self._failed[allowance] = self._failed.get(allowance, 0) + failed
        if self._in_vain[allowance] > MOST_IN_VAIN + AT_ONCE:
            self._wrong.append(f"{self._in_vain[allowance]} queries of one call brought nothing")
        if self._failed[allowance] > MOST_FAILED + AT_ONCE:
            self._wrong.append(f"{self._failed[allowance]} queries of one call failed")


@contextmanager
def watching(patch: pytest.MonkeyPatch) -> Generator[Watch]:
    """Watch every answer and every query while the block runs."""
    watch = Watch()
    run = server._Tool.run  # pyright: ignore[reportPrivateUsage]
    request = Child.call

    async def running(tool: Any, *given: Any, **named: Any) -> Any:
        result = await run(tool, *given, **named)
        if isinstance(result, CallToolResult) and isinstance(result.content[0], TextContent):
            watch.look_at(tool.name, result.content[0].text)
        return result

    def calling(child: Child, tool: str, **arguments: Any) -> dict[str, Any]:
        result = request(child, tool, **arguments)
        watch.look_at(tool, result["content"][0]["text"])
        return result

    def counted(ask: Callable[..., Any]) -> Callable[..., Any]:
        def asking(exchange: Any, query: Any, *, deadline: Deadline) -> Answer:
            def rows() -> Rows:
                count = 0
                try:
                    with ask(exchange, query, deadline=deadline) as answer:
                        for row in answer:
                            count += 1
                            with watch.holding(exchange):
                                yield row
                except GeneratorExit:
                    raise
                except BaseException:
                    watch.count(deadline.allowance, failed=True)
                    raise
                if not count:
                    watch.count(deadline.allowance, failed=False)
                return answer.ending

            return Answer(rows())

        return asking

    patch.setattr(server._Tool, "run", running)  # pyright: ignore[reportPrivateUsage]
    patch.setattr(Child, "call", calling)
    for exchange in (DimseExchange, WebExchange):
        patch.setattr(exchange, "ask", counted(exchange.ask))
    yield watch
