"""Steps by which a question is made true. A step yields another one whose result it needs, and is
sent that; while it waits it stands on no stack, however many steps a question takes."""

from collections.abc import Generator
from typing import Any

type Step[T] = Generator["Step[Any]", Any, T]


def result_of[T](step: Step[T]) -> T:
    """Take this step, and those it needs, one at a time.

    Raises what the step raises; what a step that it needs raises is raised where that was yielded.
    """
    waiting: list[Step[Any]] = []
    now: Step[Any] = step
    result: Any = None
    failure: BaseException | None = None
    try:
        while True:
            try:
                needed = now.send(result) if failure is None else now.throw(failure)
            except StopIteration as end:
                result, failure = end.value, None
            except BaseException as error:
                result, failure = None, error
            else:
                waiting.append(now)
                now, result, failure = needed, None, None
                continue
            if not waiting:
                break
            now = waiting.pop()
        if failure is not None:
            raise failure
        return result
    finally:
        del failure  # which holds this frame
