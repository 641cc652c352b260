"""The steps of a diagnosis: taken in order, each in its share of the time, until one fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from ..deadline import Deadline
from ..errors import ArchiveError, BadRequest, DeadlinePassed, DicomMcpError
from ..node import AnyNode


@dataclass(frozen=True, slots=True)
class Step:
    """One step: whether it worked, None when it was not tried; what happened, what to try, the
    command that repeats it, how long it took."""

    name: str
    passed: bool | None
    said: str
    remedy: str = ""
    command: str = ""
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing an archive can do: "yes", "no", "not known" or in words, and how to see it."""

    name: str
    found: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found at a node."""

    node: AnyNode
    steps: tuple[Step, ...]
    capabilities: tuple[Capability, ...] = ()

    @property
    def works(self) -> bool:
        """Whether every step that was tried worked."""
        return all(step.passed is not False for step in self.steps)

    @property
    def failure(self) -> Step | None:
        """The first step that failed."""
        return next((step for step in self.steps if step.passed is False), None)


type Watch = Callable[[Step], None]


def unwatched(_: Step) -> None:
    """Nobody looks while the steps are taken."""


@dataclass(slots=True)
class Walk:
    """Takes the steps; after one that fails the next are not tried. Who watches is told of each as
    it was taken, and of one that is amended again."""

    deadline: Deadline
    steps: list[Step] = field(default_factory=list[Step])
    stopped_by: str = ""
    failure: DicomMcpError | None = None
    watch: Watch = unwatched

    def take[T](
        self,
        name: str,
        work: Callable[[Deadline], tuple[str, T]],
        *,
        seconds: float,
        command: str = "",
        ends: bool = True,
    ) -> T | None:
        """One step: what `work` returns beside its words, or None when it failed. `ends` is False
        for a step whose failure does not keep the others from being tried."""
        if self.stopped_by:
            self.skip(name, f"not tried, because of {self.stopped_by!r}", command=command)
            return None
        start = perf_counter()
        try:
            said, found = work(self.deadline.at_most(seconds))
        except (ArchiveError, BadRequest) as error:
            took = (perf_counter() - start) * 1000
            self.failure = error
            self.add(Step(name, False, *words_of(error), command, took))
            if ends:
                self.stopped_by = name
            return None
        took = (perf_counter() - start) * 1000
        self.add(Step(name, True, said, "", command, took))
        return found

    def skip(self, name: str, said: str, *, command: str = "") -> None:
        """A step that is not tried, and why."""
        self.add(Step(name, None, said, "", command))

    def add(self, step: Step) -> None:
        """A step that was taken."""
        self.steps.append(step)
        self.watch(step)

    def amend(self, said: str, remedy: str) -> None:
        """Say more exactly why the last step failed."""
        last = self.steps[-1]
        self.steps.pop()
        self.add(Step(last.name, False, said, remedy, last.command, last.milliseconds))


def words_of(error: DicomMcpError) -> tuple[str, str]:
    """What happened and what to try. An archive is not narrowed to be diagnosed."""
    if isinstance(error, DeadlinePassed) and error.seconds:
        return (
            f"it took the connection and said nothing within {error.seconds:g} seconds",
            "Check that the port is the right one and that the archive is not stuck; restarting "
            "its DICOM service may help",
        )
    return error.happened, error.remedy
