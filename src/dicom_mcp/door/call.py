"""What a tool is given besides its arguments: the verbs it may use, and what they cost."""

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any

from ..content.apart import Apart, get_ready
from ..deadline import Deadline
from ..errors import ArchiveError, BadArgument, DicomMcpError
from ..in_hand import IN_HAND
from ..node import AnyNode
from ..privacy.treatment import PEOPLE
from ..standard.counted import counted
from ..standard.instance import Instance, Reference, Retrieved
from ..standard.levels import Level
from ..standard.one_frame import OneFrame
from ..standard.query import Match, Matches, Query
from ..standard.shapes import SEPARATOR
from ..standard.values import shown
from ..words.schedule import Worklist, WorklistQuestion
from .account import Account
from .answer import Answer, Findings, named
from .house import House, Session
from .people import learning, of_what_was_asked, with_people
from .progress import Cost, Progress

if TYPE_CHECKING:  # see house
    from ..archives import Archives
    from ..diagnosis import Diagnosis
    from ..dicom_api import Archive
    from ..index.alike import Alike
    from ..index.reader import Reader
    from ..index.source import Source
    from ..privacy.translation import Translation
    from ..truth.habits import Habits
    from ..truth.images import Place

# No limit but the deadline's.
EVERYTHING = 5_000_000

# Studies whose people are asked for, in all and at once.
_MOST_LOOKED_UP, _MOST_AT_ONCE = 500, 100

# What arrives in answer to a query of this level.
_FOUND = {
    Level.PATIENT: "Patients found",
    Level.STUDY: "Studies found",
    Level.SERIES: "Series found",
    Level.IMAGE: "Objects found",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool: whose it is, and every question it may put to its archive or archives.

    Tools see neither these nor the deadline: each verb keeps to the time there is, reports what
    arrives, counts its queries, and may raise an ArchiveError.
    """

    session: Session
    _archive: "Archive | Archives"
    _deadline: Deadline
    _progress: Progress
    _cost: Cost = field(default_factory=Cost)
    # Who asks: one anonymous caller as long as nobody signs in.
    who: str = ""
    # What answers beside the archive.
    _beside: "Source | None" = None
    # Between real values and those that whoever asks may know.
    _translation: "Translation | None" = None

    def within(self, seconds: float) -> "Call":
        """The same call, limited to so many seconds for one step of it."""
        return replace(self, _deadline=self._deadline.at_most(seconds))

    def check(self) -> None:
        """Raise DeadlinePassed or Cancelled when the call has to end."""
        self._deadline.remaining()

    @property
    def house(self) -> House:
        """What is shared with every other call."""
        return self.session.house

    @property
    def nodes(self) -> tuple[AnyNode, ...]:
        """Every node that is asked, in the order they were named."""
        node = self._archive.node
        return node if isinstance(node, tuple) else (node,)

    @property
    def names(self) -> tuple[str, ...]:
        """What these nodes are called."""
        from ..archives import Archives

        archives = self._archive
        return archives.names if isinstance(archives, Archives) else (archives.node.name,)

    @property
    def queries(self) -> int:
        """How many queries it took so far."""
        return self._cost.queries

    @property
    def source(self) -> str:
        """What tells objects and lists of these nodes from those of others, where they are kept."""
        return str(self._archive.node)

    @property
    def today(self) -> date:
        """Which day it is where the archive's users are."""
        zone = self.nodes[0].time_zone or self.house.settings.time_zone
        return datetime.now(zone).date()

    @property
    def learned(self) -> "Habits | None":
        """What was learned of the archive; of several together nothing is known."""
        from ..dicom_api import Archive

        return self._archive.habits if isinstance(self._archive, Archive) else None

    def find(self, query: Query, *, limit: int) -> Matches:
        """At most `limit` matches of the query (see Archive.find)."""
        asked, query = query, with_people(query, self._translation)
        if self._beside and self._beside.is_alone:
            found = self._beside.find(query, limit)
        else:
            found = self._counted(
                self._archive.find(
                    query,
                    limit=limit,
                    deadline=self._deadline,
                    on_match=self._progress.step(_FOUND[query.level]),
                )
            )
        learn = learning(lambda _: None, self._translation)
        for match in found.matches:
            learn(match)
        return of_what_was_asked(found, asked, self._translation)

    def each(
        self,
        query: Query,
        keep: Callable[[Match], None],
        *,
        limit: int = EVERYTHING,
        as_it_stands: bool = False,
    ) -> Matches:
        """Every match goes to `keep` and none is held (see Archive.each)."""
        asked, query, keep = (
            query,
            with_people(query, self._translation),
            learning(keep, self._translation),
        )
        ask = partial(
            self._archive.each,
            limit=limit,
            deadline=self._deadline,
            on_match=self._progress.step(_FOUND[query.level]),
            as_it_stands=as_it_stands,
        )
        if self._beside and (limit == EVERYTHING or self._beside.is_alone):
            found = self._beside.each(query, keep, ask)
        else:
            found = ask(query, keep)
        return of_what_was_asked(self._counted(found), asked, self._translation)

    def numbered(self, keyword: str, numbers: Collection[str]) -> set[str] | None:
        """The values of this attribute that are one of these numbers, with any zeros before it, by
        the index; None where there is none that covers the archive."""
        return self._beside.numbered(keyword, numbers) if self._beside else None

    def studies_of(self, series: str) -> Matches:
        """The studies that have a series of this UID (see Archive.studies_of)."""
        return self._counted(
            self._archive.studies_of(
                series,
                deadline=self._deadline,
                on_match=self._progress.step(_FOUND[Level.STUDY]),
            )
        )

    def learn_people(self, studies: Sequence[str]) -> None:
        """Ask whose these studies are, as far as that is to be taken out of texts."""
        for some in batched(studies[:_MOST_LOOKED_UP], _MOST_AT_ONCE):
            keys = {"StudyInstanceUID": SEPARATOR.join(some)}
            self.find(Query(Level.STUDY, keys, PEOPLE), limit=EVERYTHING)

    def saw(self, instance: Instance) -> None:
        """What is answered is made of this object too."""
        if self._translation:
            from ..content.people import people_in

            self._translation.learn(people_in(instance, self._translation.settings.retain))

    def each_series(
        self,
        studies: Collection[str],
        query: Query,
        keep: Callable[[Match], None],
        *,
        shared: bool = False,
    ) -> Matches:
        """Every series of these studies goes to `keep` (see Archive.each_series)."""
        keep = learning(keep, self._translation)
        ask = partial(
            self._archive.each_series,
            query=query,
            keep=keep,
            deadline=self._deadline,
            on_match=self._progress.step(f"Series of {counted(len(studies), 'study')}"),
            shared=shared,
        )
        if self._beside:
            return self._counted(self._beside.each_series(studies, query, keep, ask))
        return self._counted(ask(studies))

    def each_image(
        self, counts: "Mapping[Place, int | None]", query: Query, keep: Callable[[Match], None]
    ) -> Matches:
        """The instances of these series go to `keep` (see Archive.each_image)."""
        return self._counted(
            self._archive.each_image(
                counts,
                query,
                keep,
                deadline=self._deadline,
                on_match=self._progress.step(f"Objects of {len(counts):,} series"),
            )
        )

    def worklist(self, question: WorklistQuestion, *, limit: int, look_up: bool) -> Worklist:
        """What is scheduled (see Archive.worklist)."""
        answer = self._archive.worklist(
            question,
            limit=limit,
            deadline=self._deadline,
            look_up=look_up,
            on_match=self._progress.step("Entries of the worklist, and what has arrived for them"),
        )
        self._cost.add(answer.queries)
        return answer

    def fetch(
        self,
        references: Sequence[Reference],
        take: Callable[[Instance], bool],
        *,
        headers: bool = False,
    ) -> Retrieved:
        """These objects go to `take` until that returns False (see Archive.objects)."""

        advance = self._progress.step("Objects fetched", len(references))

        def advancing(instance: Instance) -> bool:
            advance()
            return take(instance)

        if not headers:
            get_ready()
        return self._archive.objects(
            references, advancing, deadline=self._deadline, headers=headers
        )

    def frame(self, reference: Reference, number: int) -> OneFrame:
        """One frame of an object that cannot be fetched whole (see Archive.frame)."""
        return self._archive.frame(reference, number, deadline=self._deadline)

    def hold(self, size: int) -> None:
        """Wait until the call may hold an object of so many bytes that is here already."""
        IN_HAND.need(size, self._deadline)

    def decoder(self) -> AbstractContextManager[Apart]:
        """The processes apart that decode for this call."""
        return Apart(self._deadline)

    def read[T](self, reader: Callable[..., T], *given: object, **named: object) -> T:
        """What a reader of objects makes of this, in the time there is."""
        return reader(*given, **named, deadline=self._deadline)

    def index(self) -> "AbstractContextManager[Reader]":
        """The index of the archive that is asked (see reader.reading)."""
        from ..index.reader import reading  # SQLite, only when asked

        return reading(self.house.settings, self.nodes, self._deadline)

    def cohort(self, name: str) -> tuple[str, ...]:
        """The studies of a list that was kept. Raises BadArgument for a name nobody kept."""
        kept = self.house.cohorts.get(self.session.identifier, name)
        return kept.studies

    def keep_cohort(self, name: str, studies: Sequence[str]) -> tuple[str, list[str], bool]:
        """Keep these studies to go on with (see Cohorts.keep)."""
        return self.house.cohorts.keep(self.session.identifier, name, studies)

    @contextmanager
    def beside(self, source: str) -> "Generator[Call]":
        """The same call, answered from the index too, or from it alone, as `source` says ("" where
        there is no choice). Raises BadRequest where that cannot be."""
        settings = self.house.settings.index
        if not source or source == "live" or (source == "auto" and settings is None):
            yield self
            return
        from ..index.source import Mode, Source

        if source not in Mode:
            raise BadArgument(f"source {shown(source)} is none", f"It is {', '.join(Mode)}")
        with ExitStack() as opened:
            try:
                reader = opened.enter_context(self.index())
            except DicomMcpError:
                if source != Mode.AUTO:
                    raise
                yield self  # which has no index, or not yet
                return
            assert settings
            yield replace(self, _beside=Source(reader, Mode(source), settings.fresh))

    @property
    def is_indexed(self) -> bool:
        """Whether an index answers beside the archive, or alone, and no study by its people."""
        return self._beside is not None and self._translation is None

    def alike(self, alike: "Alike") -> "Call":
        """The same call, in which one study of the index stands for all of which the same is
        read."""
        assert self._beside
        return replace(self, _beside=self._beside.for_count(alike))

    def verify(self) -> float:
        """How many milliseconds the archive took to answer at all."""
        from ..dicom_api import Archive

        assert isinstance(self._archive, Archive)
        return self._archive.verify(deadline=self._deadline)

    def diagnose(self) -> "Diagnosis":
        """Why the archive does not answer, or what it can do."""
        from ..diagnosis import diagnose
        from ..dicom_api import Archive

        archive = self._archive
        assert isinstance(archive, Archive)
        return diagnose(
            archive.node, archive.habits, deadline=self._deadline, exchange=archive.exchange
        )

    def at_each_node[T](self, ask: Callable[[str, "Call"], T]) -> dict[str, T | ArchiveError]:
        """Let each node be asked by itself, several at the same time: what each answered, by its
        name, or why it did not. They run in threads of their own, which report no progress."""
        from ..dicom_api import Archive

        archives = self._archive
        if isinstance(archives, Archive):
            return {"": ask("", self)}
        quiet = Progress()

        def ask_one(name: str, archive: "Archive", step: Deadline) -> T:
            alone = replace(self, _beside=None)
            return ask(name, replace(alone, _archive=archive, _deadline=step, _progress=quiet))

        return archives.at_each_node(ask_one, deadline=self._deadline)

    def at(self, names: Sequence[str]) -> "Call":
        """The same call to other nodes."""
        return replace(self, _archive=self.session.archive(names), _beside=None)

    def answer[T: Answer](self, model: type[T], account: Account, **fields: Any) -> T:
        """The answer: what it tells, and what it has to say of itself."""
        say = self._translation.note if self._translation else str
        told: dict[str, Any] = {"notes": [say(note) for note in account.told()]}
        if issubclass(model, Findings):
            told |= {
                "complete": account.complete,
                "archive": named(self.nodes),
                "queries": self.queries,
            }
        if "sent" in model.model_fields:
            told["sent"] = account.keys()
        if "missing" in model.model_fields:
            told["missing"] = account.missing
        return model(**{**told, **fields})

    def _counted(self, answer: Matches) -> Matches:
        self._cost.add(answer.queries)
        return answer
