"""One request of a tool, whoever makes it: an assistant over MCP, or a person at the terminal."""

import logging
import traceback
from asyncio import CancelledError
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

from .. import journal
from ..deadline import Deadline
from ..errors import Defect, DicomMcpError, MachineLacks
from ..in_hand import IN_HAND
from ..machine import mistaken_for_a_module
from .answer import Answer, Pictures
from .arguments import CHART, COHORT, NODE, SOURCE, Arguments
from .call import Call
from .house import Session
from .meant import remarks
from .progress import Progress, Report


class Request:
    """A tool's function and what it is asked, checked; `report` is told what has arrived.

    Raises BadArgument for arguments that it does not take, and for a node nobody knows.
    """

    def __init__(
        self,
        function: Callable[..., Answer | Pictures],
        arguments: Arguments,
        given: Mapping[str, Any],
        session: Session,
        report: Report,
    ) -> None:
        self._function = function
        self._session = session
        self._translation = session.house.translation()
        with self._telling_of_nobody():
            if self._translation:
                from .disclosure import check_translated

                check_translated(function.__name__)
                given = self._translation.understood(arguments.named(given), arguments.names)
            self._remarks = remarks(given)
            self._given = arguments.checked(arguments.with_studies(given, self._studies_of))
            if arguments.takes_cohort:
                del self._given[COHORT]
            self._wants_chart: bool = self._given.pop(CHART, False)
            self._source: str = self._given.pop(SOURCE, "")
            self._names = session.names(self._given.pop(NODE, ""))
        self._deadline = Deadline(session.seconds(self._names))
        self._progress = Progress(report)

    def _studies_of(self, cohort: str) -> Sequence[str]:
        """The studies of a list that this session kept."""
        return self._session.house.cohorts.get(self._session.identifier, cohort).studies

    @property
    def seconds(self) -> float:
        """How long the answer may take."""
        return self._deadline.seconds

    @property
    def wants_chart(self) -> bool:
        """Whether a picture of the answer is asked for."""
        return self._wants_chart

    def cancel(self) -> None:
        """Nobody waits for the answer any longer: wake whoever waits for an archive."""
        self._deadline.cancel()

    def answer(self) -> Answer | Pictures:
        """What the tool answers.

        Raises DicomMcpError for what somebody can act on.
        """
        return self.made(lambda answer: answer)

    def made[T](self, make: Callable[[Answer | Pictures], T]) -> T:
        """What is made of the tool's answer, in the same thread. Raises as `answer` does."""
        from ..dicom_api import prepare  # see house

        prepare()
        archive = self._session.archive(self._names)
        call = Call(
            self._session,
            archive,
            self._deadline,
            self._progress,
            _translation=self._translation,
        )
        try:
            with self._telling_of_nobody():
                with call.beside(self._source) as asked:
                    answer = self._function(asked, **self._given)
                said = answer.said if isinstance(answer, Pictures) else answer
                said.notes = [*said.notes, *self._remarks]
                if self._translation:
                    from .disclosure import translated  # with what it takes to clean texts

                    answer = translated(answer, self._translation, call)
                return make(answer)
        except BaseException as error:
            self.cancel()  # nor does anything wait that it left in other threads
            _let_go(error)
            raise
        finally:
            IN_HAND.leave(self._deadline.allowance)

    @contextmanager
    def _telling_of_nobody(self) -> Generator[None]:
        """A failure is told without the people it is about, where they may not be named."""
        try:
            yield
        except DicomMcpError as error:
            if self._translation:
                self._translation.failure(error)
            raise


@contextmanager
def logged(tool: str) -> Generator[None]:
    """The log says how a call of this tool ended. What nobody foresaw is raised as a Defect."""
    started = perf_counter()
    journal.begin_call()

    def log(outcome: str, level: int = logging.INFO) -> None:
        milliseconds = (perf_counter() - started) * 1000
        journal.event(level, "tool", name=tool, outcome=outcome, ms=milliseconds)

    try:
        yield
    except DicomMcpError as error:
        log(type(error).__name__)
        raise
    except (KeyboardInterrupt, SystemExit, CancelledError):
        log("cancelled")
        raise
    except BaseException as error:  # as libraries in Rust raise where they panic
        log(f"crash ({journal.places(error)})", logging.ERROR)
        if mistaken := mistaken_for_a_module():
            place, name = mistaken
            raise MachineLacks(
                f"{tool} failed, as Python takes {place} for the module {name!r} of a library",
                "Rename it, or start dicom-mcp in another folder",
            ) from None
        raise Defect(
            f"{tool} failed inside dicom-mcp itself. This is a defect of the server, not an empty "
            "answer; the server's log says where"
        ) from None
    log("answered")


def _let_go(error: BaseException | None) -> None:
    """Forget what the functions held that an error came through: asyncio keeps an error until
    garbage is collected, and an object of theirs may have 60 MiB."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__
