"""Several archives asked at the same time, as if they were one.

Every node is asked in a thread of its own; what arrives is handled in the caller's, one match at a
time. A study that several nodes hold is one record that names them; a node that fails is a note
and an answer that is not complete, unless all of them fail.
"""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from queue import Queue

from .answers import Answers, Ended, one_of
from .deadline import Deadline
from .dicom_api import Archive, OnMatch, no_progress
from .errors import ArchiveError, NoAcceptedContext
from .node import AnyNode
from .standard.instance import Instance, Reference, Retrieved, TakeInstance
from .standard.levels import UNIQUE_KEY, Level
from .standard.note import Note, incomplete, remark
from .standard.one_frame import OneFrame
from .standard.query import Match, Matches, Query
from .standard.record import NODES
from .standard.union import Union
from .truth.arrival import arrivals
from .truth.images import Place
from .words.schedule import Worklist, WorklistQuestion

# Matches that may wait for the caller: an archive that is faster is slowed down by its socket.
_MOST_WAITING = 1000

type _Ask[T] = Callable[[str, Deadline, Callable[[Match | None], None]], T]


class Archives:
    """The verbs of an Archive over several of them; for one call."""

    def __init__(self, archives: Mapping[str, Archive]) -> None:
        self._archives = archives
        # The nodes, by name, on which each study was seen in this call.
        self._holders: dict[str, list[str]] = {}

    def __repr__(self) -> str:
        return f"<Archives {', '.join(self.names)}>"

    @property
    def node(self) -> tuple[AnyNode, ...]:
        """All of them, in the order they were named."""
        return tuple(archive.node for archive in self._archives.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, in order."""
        return tuple(self._archives)

    def at_each_node[T](
        self, ask: Callable[[str, Archive, Deadline], T], *, deadline: Deadline
    ) -> dict[str, T | ArchiveError]:
        """Ask each by itself, at the same time: what each answered, or why it did not."""

        def ask_one(name: str, step: Deadline, put: Callable[[Match | None], None]) -> T:  # noqa: ARG001 - one shape
            return ask(name, self._archives[name], step)

        answers = self._together(ask_one, deadline, lambda _, __: None)
        return {**dict(answers.given), **dict(answers.failed)}

    def find(
        self, query: Query, *, limit: int, deadline: Deadline, on_match: OnMatch = no_progress
    ) -> Matches:
        """At most `limit` matches, each once, with the nodes it was found on as `nodes`."""
        merged = Union(query, self.names)

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Matches:
            return self._archives[name].find(
                query, limit=limit, deadline=step, on_match=lambda: put(None)
            )

        answers = self._together(ask, deadline, lambda _, __: on_match())
        for name, answer in answers.given:
            for match in answer.matches:
                merged.add(name, match)
                self._learn(name, match)
        found = list(merged.matches.values())
        joined = answers.joined(query, [*merged.notes()])
        if len(found) > limit:
            told = incomplete(f"these are {limit} of {len(found)} or more; raise limit.")
            joined = replace(joined, complete=False, notes=(told, *joined.notes))
        return replace(joined, matches=found[:limit])

    def each(
        self,
        query: Query,
        keep: Callable[[Match], None],
        *,
        limit: int,
        deadline: Deadline,
        on_match: OnMatch = no_progress,
        as_it_stands: bool = False,
    ) -> Matches:
        """Hand every match to `keep` as it comes, once, as the first node to answer tells it."""

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Matches:
            return self._archives[name].each(
                query, put, limit=limit, deadline=step, as_it_stands=as_it_stands
            )

        return self._each(query, ask, keep, deadline, on_match)

    def studies_of(
        self, series: str, *, deadline: Deadline, on_match: OnMatch = no_progress
    ) -> Matches:
        """The studies that have a series of this UID at any of them."""

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Matches:
            return self._archives[name].studies_of(
                series, deadline=step, on_match=lambda: put(None)
            )

        answers = self._together(ask, deadline, lambda _, __: on_match())
        found: dict[str, Match] = {}
        for name, answer in answers.given:
            for match in answer.matches:
                found[str(match["StudyInstanceUID"])] = match
                self._learn(name, match)
        joined = answers.joined(Query(Level.STUDY, wanted=("StudyInstanceUID",)), [])
        return replace(joined, matches=[*found.values()])

    def each_series(
        self,
        studies: Collection[str],
        query: Query,
        keep: Callable[[Match], None],
        *,
        deadline: Deadline,
        on_match: OnMatch = no_progress,
        shared: bool = False,
    ) -> Matches:
        """Hand every series of these studies to `keep`, once; each node is asked for those it was
        seen to hold."""

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Matches:
            held = [study for study in studies if name in self._holders.get(study, self._archives)]
            if not held:
                return Matches(query, [])
            archive = self._archives[name]
            return archive.each_series(held, query, put, deadline=step, shared=shared)

        return self._each(query, ask, keep, deadline, on_match)

    def each_image(
        self,
        counts: Mapping[Place, int | None],
        query: Query,
        keep: Callable[[Match], None],
        *,
        deadline: Deadline,
        on_match: OnMatch = no_progress,
    ) -> Matches:
        """Hand the instances of these series to `keep`, once, as far as every node that was seen
        to hold their study gives them together; the others are `left` of the answer."""

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Matches:
            held = {
                series: count
                for series, count in counts.items()
                if name in self._holders.get(series[0], self._archives)
            }
            return self._archives[name].each_image(held, query, put, deadline=step)

        answer = self._each(query, ask, keep, deadline, on_match)
        return answer if answer.complete else replace(answer, left=frozenset(counts))

    def worklist(
        self,
        question: WorklistQuestion,
        *,
        limit: int,
        deadline: Deadline,
        look_up: bool = False,
        on_match: OnMatch = no_progress,
    ) -> Worklist:
        """What is scheduled at any of them; what has arrived is looked up at all of them.

        Raises NoAcceptedContext where none has a worklist.
        """

        def ask(name: str, step: Deadline, put: Callable[[Match | None], None]) -> Worklist:
            return self._archives[name].worklist(
                question, limit=limit, deadline=step, on_match=lambda: put(None)
            )

        answers = self._together(ask, deadline, lambda _, __: on_match())
        without = [
            failure for failure in answers.failed if isinstance(failure[1], NoAcceptedContext)
        ]
        if answers.given and without:  # elsewhere there is none: that is no failure
            names = ", ".join(name for name, _ in without)
            answers.notes.append(remark(f"No worklist at {names}."))
            answers.failed = [failure for failure in answers.failed if failure not in without]
        rows: list[Match] = [
            {**row, NODES: [name]} for name, answer in answers.given for row in answer.rows
        ]
        rows.sort(
            key=lambda row: tuple(
                str(row.get(f"ScheduledProcedureStepStart{half}", "")) for half in ("Date", "Time")
            )
        )
        joined = answers.joined(Query(Level.STUDY), [])
        whole = Worklist(question, rows[:limit], joined.complete, joined.notes, joined.queries)
        if len(rows) > limit:
            told = incomplete(f"the first {limit} of {len(rows)} entries by time; raise limit.")
            whole = replace(whole, complete=False, notes=(told, *whole.notes))
        if not look_up:
            return whole
        queries = whole.queries

        def find(query: Query, most: int) -> Matches:
            nonlocal queries
            found = self.find(query, limit=most, deadline=deadline)
            queries += found.queries
            return found

        found, notes = arrivals(whole.rows, find)
        return replace(whole, arrivals=tuple(found), notes=(*whole.notes, *notes), queries=queries)

    def objects(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects, each from the first node that gives it."""
        left = list(references)
        count, stopped = 0, False
        services: list[str] = []
        notes: list[Note] = []
        failures: list[ArchiveError] = []

        def counted(instance: Instance) -> bool:
            nonlocal count, stopped
            count += 1
            stopped = not take(instance)
            return not stopped

        for name, archive in self._archives.items():
            here = [
                reference
                for reference in left
                if name in self._holders.get(reference.study_instance_uid, self._archives)
            ]
            if not here or stopped:
                continue
            try:
                answer = archive.objects(here, counted, deadline=deadline, headers=headers)
            except ArchiveError as error:
                failures.append(error)
                notes.append(remark(str(error)))
                continue
            missing = set(answer.missing)
            left = [
                reference for reference in left if reference not in here or reference in missing
            ]
            services.append(answer.service)
            notes += [note.within(name) for note in answer.notes]
        if failures and not count:
            raise one_of(failures)
        return Retrieved(
            ", ".join(dict.fromkeys(services)), count, () if stopped else tuple(left), tuple(notes)
        )

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
        """One frame of an object, from the first node that gives it."""
        failures: list[ArchiveError] = []
        for name, archive in self._archives.items():
            if name not in self._holders.get(reference.study_instance_uid, self._archives):
                continue
            try:
                return archive.frame(reference, number, deadline=deadline)
            except ArchiveError as error:
                failures.append(error)
        raise one_of(failures)

    def _each(
        self,
        query: Query,
        ask: _Ask[Matches],
        keep: Callable[[Match], None],
        deadline: Deadline,
        on_match: OnMatch,
    ) -> Matches:
        merged = Union(query, self.names, holding=False)

        def take(name: str, match: Match | None) -> None:
            if match is not None:
                on_match()
                self._learn(name, match)
                if (new := merged.add(name, match)) is not None:
                    keep(new)

        answers = self._together(ask, deadline, take)
        return answers.joined(query, [*merged.notes()])

    def _learn(self, name: str, match: Match) -> None:
        study = match.get(UNIQUE_KEY[Level.STUDY])
        if isinstance(study, str) and study:
            holders = self._holders.setdefault(study, [])
            if name not in holders:
                holders.append(name)

    def _together[T](
        self,
        ask: _Ask[T],
        deadline: Deadline,
        take: Callable[[str, Match | None], None],
    ) -> "Answers[T]":
        """Ask each in a thread of its own; what arrives goes to `take`, here, one at a time."""
        events: Queue[tuple[str, Match | Ended[T] | None]] = Queue(_MOST_WAITING)
        steps = {
            name: deadline.at_most(archive.node.timeout) for name, archive in self._archives.items()
        }

        def run(name: str) -> None:
            ended = Ended[T]()
            try:
                ended.answer = ask(name, steps[name], lambda match: events.put((name, match)))
            except BaseException as error:
                ended.error = error
            events.put((name, ended))

        for name in self._archives:
            # With the context of this thread: its log lines belong to the same call.
            with_context = partial(copy_context().run, run, name)
            threading.Thread(target=with_context, name=f"ask {name}", daemon=True).start()
        ends: dict[str, Ended[T]] = {}
        counts = Counter[str]()
        trouble: BaseException | None = None
        while len(ends) < len(self._archives):
            name, event = events.get()
            if isinstance(event, Ended):
                ends[name] = event
            elif trouble is None:
                counts[name] += 1
                try:
                    take(name, event)
                except BaseException as error:
                    trouble = error
                    for step in steps.values():
                        step.cancel()
        if trouble is not None:
            raise trouble
        answers = Answers[T](counts)
        for name in self._archives:
            answers.add(name, ends[name])
        return answers
