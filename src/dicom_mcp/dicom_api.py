"""The DICOM side as the tools see it: an archive, and the few verbs it understands.

An exchange puts single queries to an archive in one protocol. Here stands the order in which their
answers are made true: the parent an archive insists on is found, text it compares as bytes is
compared here, lists it cuts are asked in parts, and what it does not keep is found one level down.
"""

import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

from .deadline import Deadline
from .errors import ArchiveError, NoAcceptedContext
from .node import AnyNode, Node, WebNode
from .standard.instance import Reference, Retrieved, TakeInstance
from .standard.levels import Level
from .standard.note import incomplete, remark
from .standard.one_frame import OneFrame
from .standard.query import Match, Matches, Query
from .standard.recheck import Recheck
from .truth.arrival import arrivals
from .truth.asking import Asking
from .truth.descent import MODALITIES, MOST_RECORDS, SECONDS, fill, found_below, lacking
from .truth.exchange import Exchange
from .truth.gathering import Gathering
from .truth.habits import Habits
from .truth.images import Place, images_of
from .truth.instances import instances_of, is_of_series
from .truth.lists import ask_listed
from .truth.modalities import lists_reports
from .truth.parents import Parents
from .truth.roots import MOST_STUDIES, NO_PATIENT_ROOT, patients_of_studies, studies_of_patients
from .truth.series import series_of
from .truth.steps import result_of
from .truth.worklist import ask_worklist
from .words.schedule import Worklist, WorklistQuestion

# For what was not asked for by name: a preset's counts must not make a slow archive slower.
_SECONDS_FOR_COUNTS = 3.0

type OnMatch = Callable[[], None]


def no_progress() -> None:
    """Default progress callback: do nothing."""


_IMPORTING = threading.Lock()


def prepare() -> None:
    """Import what questions need, before the first one: pydicom's modules import each other in a
    circle, and several threads that enter it at different places find them half made."""
    with _IMPORTING:
        from .dimse.negotiation import request_pdu

        request_pdu(Node(), (), (), 0)


def connect(node: AnyNode) -> "Archive":
    """The archive at this node. Nothing is sent before the first question."""
    return Archive(exchange_with(node))


def exchange_with(node: AnyNode) -> Exchange:
    """How questions are put to this node: one for all who ask, since it keeps to what the node may
    be asked at a time."""
    if isinstance(node, WebNode):
        from .dicomweb.exchange import WebExchange  # h11 and TLS, only when asked

        return WebExchange(node)
    from .dimse.exchange import DimseExchange  # pynetdicom and pydicom, only when asked

    return DimseExchange(node)


class Archive:
    """An archive that can be asked, however it is reached; safe to use from several threads.

    `habits` is what was learned of it, `exchange` how single queries are put to it. Every method
    may raise an ArchiveError that names the archive, both AE titles and what to try.
    """

    def __init__(
        self,
        exchange: Exchange,
        objects_from: Exchange | None = None,
        *,
        habits: Habits | None = None,
        while_asked: Callable[[AnyNode], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`habits` may be shared; `while_asked` surrounds whatever asks a node."""
        self.exchange = exchange
        self._while_asked = while_asked
        self.objects_from = objects_from or exchange
        self.habits = habits or Habits()
        self.habits_of_worklist = Habits()
        self._parents = Parents()

    def __repr__(self) -> str:
        return f"<Archive at {self.node}>"

    @property
    def node(self) -> AnyNode:
        """Where it is and who we say we are."""
        return self.exchange.node

    def verify(self, *, deadline: Deadline) -> float:
        """Ask whether it answers at all; the answer took this many milliseconds."""
        with self._located():
            return self.exchange.verify(deadline)

    def find(
        self, query: Query, *, limit: int, deadline: Deadline, on_match: OnMatch = no_progress
    ) -> Matches:
        """At most `limit` matches of the query; every match is checked against the keys again,
        and an answer that is not whole is marked.

        `on_match` is called for every match the archive sends, in the calling thread.
        """
        asking = Asking(self.exchange, self.habits, deadline, on_match)
        with self._located():
            if is_of_series(query):
                answer = self._of_series(asking, query, limit)
            else:
                answer = self._found(asking, query, limit)
        return replace(answer, queries=asking.cost.queries)

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
        """Hand every match to `keep`, as it comes where that can be; the answer tells the rest.

        Nothing is found one level down, so ModalitiesInStudy can only be a key where the archive
        keeps it, or is known not to. With `as_it_stands` text is asked for as it is written only,
        in the script and with the wildcards it has, whether or not the archive understands these.
        """
        asking = Asking(self.exchange, self.habits, deadline, on_match, as_it_stands=as_it_stands)
        came = False

        def learning(match: Match) -> None:
            nonlocal came
            came = True
            self._parents.learn(query, (match,))
            keep(match)

        with self._located():
            answer = self._gathered(asking, query, limit)
            if answer is None:
                try:
                    gathering = Gathering(query, limit, keep=learning)
                    answer = gathering.close(result_of(ask_listed(asking, query, gathering)))
                except NoAcceptedContext:
                    if query.level is not Level.PATIENT:
                        raise
                    self.habits.no_patient_root = True
                    answer = self._patients(asking, query, limit)
            for match in answer.matches:  # none of what was handed on already
                keep(match)
            grouped = came and query.level is Level.STUDY and MODALITIES in query.wanted
            if grouped and MODALITIES not in (*query.keys, *answer.absent):
                answer = _of_images_only(asking, answer)
        return replace(answer, matches=[], queries=asking.cost.queries)

    def studies_of(
        self, series: str, *, deadline: Deadline, on_match: OnMatch = no_progress
    ) -> Matches:
        """The studies that have a series of this UID: one, unless it was given out twice.

        Raises StatusFailure where the archive has more studies than can be searched for it.
        """
        asking = Asking(self.exchange, self.habits, deadline, on_match)
        with self._located():
            uids = self._parents.studies_of_series(series, asking)
        query = Query(Level.STUDY, wanted=("StudyInstanceUID",))
        found: list[Match] = [{"StudyInstanceUID": uid} for uid in uids]
        return Matches(query, found, queries=asking.cost.queries)

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
        """Hand every series of these studies to `keep`, each with its StudyInstanceUID.

        `query` is a SERIES query that each of them has a series for, and others may have too;
        many, where it is `shared`.
        """
        asking = Asking(self.exchange, self.habits, deadline, on_match)
        with self._located():
            answer = series_of(asking, studies, query, keep, shared=shared)
        return replace(answer, queries=asking.cost.queries)

    def each_image(
        self,
        counts: Mapping[Place, int | None],
        query: Query,
        keep: Callable[[Match], None],
        *,
        deadline: Deadline,
        on_match: OnMatch = no_progress,
    ) -> Matches:
        """Hand the instances of these series to `keep`, as far as they can be asked for together,
        each with its study and series; the series of which not all surely came are `left`.

        `query` is an IMAGE query without these, and `counts` has how many instances it finds in
        each, None where that is not known.
        """
        asking = Asking(self.exchange, self.habits, deadline, on_match)
        with self._located():
            answer = images_of(asking, counts, query, keep)
        return replace(answer, queries=asking.cost.queries)

    def worklist(
        self,
        question: WorklistQuestion,
        *,
        limit: int,
        deadline: Deadline,
        look_up: bool = False,
        on_match: OnMatch = no_progress,
    ) -> Worklist:
        """The first `limit` entries by time of what is scheduled, checked and marked as in `find`.

        With `look_up` what has arrived for them is looked up too. Raises NoAcceptedContext where
        there is no worklist.
        """
        # Another system may stand behind it, with habits of its own.
        asking = Asking(self.exchange, self.habits_of_worklist, deadline, on_match)
        with self._located():
            answer = ask_worklist(asking, question, limit)
            if not look_up:
                return answer
            asking = replace(asking, habits=self.habits)
            found, notes = arrivals(answer.rows, partial(self._found, asking))
        return replace(
            answer,
            arrivals=tuple(found),
            notes=(*answer.notes, *notes),
            queries=asking.cost.queries,
        )

    def objects(
        self,
        references: Sequence[Reference],
        take: TakeInstance,
        *,
        deadline: Deadline,
        headers: bool = False,
    ) -> Retrieved:
        """Fetch these objects; each goes to `take` as it arrives, in the calling thread, until
        that returns False. With `headers` bulk data (pixels) is left out where the archive can.

        What did not come is in the answer; only a failure before any object came is an error.
        """
        with self._located(self.objects_from):
            return self.objects_from.retrieve(references, take, deadline=deadline, headers=headers)

    def frame(self, reference: Reference, number: int, *, deadline: Deadline) -> OneFrame:
        """One frame of an object that cannot be fetched whole: its pixels, or a picture of the
        archive's own making. Raises NoAcceptedContext where it gives neither."""
        with self._located(self.objects_from):
            return self.objects_from.frame(reference, number, deadline=deadline)

    def close(self) -> None:
        """Give back every connection."""
        self.exchange.close()
        self.objects_from.close()

    def _gathered(self, asking: Asking, query: Query, limit: int) -> Matches | None:
        """What is only known when all of it came; None for what comes match by match."""
        if query.level is Level.PATIENT and (query.empty or self.habits.no_patient_root):
            return self._patients(asking, query, limit)
        if is_of_series(query):
            return self._of_series(asking, query, limit)
        if MODALITIES in query.keys and MODALITIES in self.habits.left_out:
            return self._by_modalities_below(asking, query, limit)
        return None

    def _of_series(self, asking: Asking, query: Query, limit: int) -> Matches:
        return instances_of(
            asking, self._parents, query, limit, lambda part: self._found(asking, part, limit)
        )

    def _found(self, asking: Asking, query: Query, limit: int) -> Matches:
        if query.level is Level.PATIENT:
            answer = self._patients(asking, query, limit)
        elif MODALITIES in query.keys and (query.empty or MODALITIES in self.habits.left_out):
            return self._by_modalities_below(asking, query, limit)
        else:
            gathering = Gathering(query, limit)  # a frame less than by _asked
            answer = gathering.close(result_of(ask_listed(asking, query, gathering)))
        self._parents.learn(query, answer.matches)
        return self._filled(asking, query, answer, limit)

    def _patients(self, asking: Asking, query: Query, limit: int) -> Matches:
        why = "Patients without a value are found by their studies."
        if not query.empty:
            why = NO_PATIENT_ROOT
            if not self.habits.no_patient_root:
                try:
                    return _asked(asking, query, limit)
                except NoAcceptedContext:
                    self.habits.no_patient_root = True
        studies = _asked(asking, studies_of_patients(query), MOST_STUDIES)
        return patients_of_studies(query, studies, limit, why)

    def _filled(self, asking: Asking, query: Query, answer: Matches, limit: int) -> Matches:
        """The answer with what the archive left out of every match and a level below can tell;
        what nobody can tell is named."""
        if not answer.matches:
            return answer
        lacks = lacking(query.level, answer.matches, query.wanted)
        notes = list(answer.notes)
        if MODALITIES in lacks:
            self.habits.left_out.add(MODALITIES)
            if MODALITIES in query.keys:
                return self._by_modalities_below(asking, query, limit)
        if lacks:
            seconds = SECONDS if MODALITIES in lacks else _SECONDS_FOR_COUNTS
            filled = fill(asking, query.level, answer.matches, lacks, seconds=seconds)
            notes.append(found_below(query.level, lacks, filled, len(answer.matches)))
        if absent := [keyword for keyword in answer.absent if keyword not in (*lacks, *query.keys)]:
            notes.append(remark(f"The archive does not return {', '.join(absent)}.").about(*absent))
        return replace(answer, notes=tuple(notes))

    def _by_modalities_below(self, asking: Asking, query: Query, limit: int) -> Matches:
        """Studies by modality where the archive does not keep that: found one level down among
        those that match the other keys, and compared here."""
        others = {keyword: key for keyword, key in query.keys.items() if keyword != MODALITIES}
        wider = replace(query, keys=others)
        answer = _asked(asking, wider, MOST_RECORDS)
        self._parents.learn(query, answer.matches)
        lacks = lacking(query.level, answer.matches, query.wanted) if answer.matches else []
        filled = fill(asking, query.level, answer.matches, lacks, seconds=SECONDS)
        recheck = Recheck(query)
        found = [match for match in answer.matches[:filled] if recheck.holds(match)]
        notes = list(answer.notes)
        if lacks:
            told = found_below(query.level, lacks, filled, len(answer.matches))
            notes.append(remark(f"{told} {MODALITIES} was compared here."))
        whole = answer.complete and filled == len(answer.matches)
        if filled < len(answer.matches):
            notes.append(
                incomplete(
                    "there are more studies than could be asked. Narrow the question "
                    "by study_date or patient_id."
                )
            )
        elif len(found) > limit:
            notes.append(incomplete(f"these are {limit} of {len(found)} studies; raise limit."))
        return replace(
            answer,
            query=query,
            matches=found[:limit],
            complete=whole and len(found) <= limit,
            notes=tuple(notes),
        )

    @contextmanager
    def _located(self, asked: Exchange | None = None) -> Generator[None]:
        """Errors say where: at the node that was asked, be it another one for objects."""
        node = (asked or self.exchange).node
        try:
            with self._while_asked(node):
                yield
        except ArchiveError as error:
            error.at = str(node)
            raise


def _asked(asking: Asking, query: Query, limit: int) -> Matches:
    """At most `limit` matches of the query, whatever its keys have."""
    gathering = Gathering(query, limit)
    return gathering.close(result_of(ask_listed(asking, query, gathering)))


def _of_images_only(asking: Asking, answer: Matches) -> Matches:
    """The answer, marked where its modalities of studies leave out what is no image."""
    if not answer.complete or lists_reports(asking):
        return answer
    told = incomplete(
        f"{MODALITIES} of this archive lists images only. How many have reports (SR) "
        "or other objects is counted with that modality."
    )
    return replace(answer, complete=False, notes=(*answer.notes, told))
