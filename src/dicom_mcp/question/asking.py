"""One question as a person put it: every key it may mean is asked, and the answers are one."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from ..door.account import Account
from ..door.call import Call
from ..standard.levels import NOUN, Level
from ..standard.query import Match, Matches, Query, texts
from ..standard.record import identity
from ..words.meaning import Meaning
from ..words.modalities import ANY, Modalities
from .lists import Tally, tell_lost_zeros
from .namesakes import in_other_letters, who_is
from .question import MODALITIES, Question, query_of

# What a wider key may bring for comparison here.
_MOST_COMPARED = 500

# Records of an answer where nobody says how many, and at most.
DEFAULT_LIMIT = 50
MOST_RECORDS = 500


def find(call: Call, question: Question, wanted: Sequence[str], *, limit: int) -> Account:
    """At most `limit` matches of whatever the question may mean, each once. A list of values has
    room for one match each where nobody said how many are wanted."""
    found, tally = Account(), Tally()
    if question.modalities != ANY:
        matches: list[Match] = []
        found = _each_of_several(call, question, wanted, matches.append, None, tally)
        found.matches = matches
    else:
        reading: Question | None = question
        while reading is not None:
            before = len(found.matches)
            for ways in reading.ways():
                rank = _Rank(reading.level, found, tally, limit)
                for way in ways:
                    query = query_of(reading.level, way, wanted)
                    most, sent = rank.most(way, query), tuple(query.keys.items())
                    if sent not in rank.asked:
                        rank.asked[sent] = call.find(query, limit=most)
                        found.join(rank.asked[sent])
                    rank.take(way, rank.asked[sent])
                rank.tell()
                if len(found.matches) > before or not found.complete:
                    break
            if question.name:
                known = {who_is(question.level, match) for match in found.matches}
                found.add(in_other_letters(call, reading, wanted, found.matches.append, known))
            reading = tally.reread(reading, found)
    tally.tell(found)
    tell_lost_zeros(call, question.level, found)
    if limit == DEFAULT_LIMIT:
        limit = max(limit, min(tally.longest, MOST_RECORDS))
    if len(found.matches) > limit:
        found.lack(
            f"these are {limit} of {len(found.matches)} {NOUN[question.level][1]} or "
            "more; raise limit (at most 500) or narrow the question."
        )
        del found.matches[limit:]
    return found


def each(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    *,
    patient: Callable[[Match], str] | None = None,
) -> Account:
    """Every match of whatever the question may mean goes to `keep`, once, and none is held.

    Several modalities together are asked of each study or, where `patient` tells whose a match is,
    of each patient.
    """
    tally = Tally()
    if question.modalities != ANY:
        found = _each_of_several(call, question, wanted, keep, patient, tally)
    else:
        found = _each(call, question, wanted, keep, tally)
    tally.tell(found)
    tell_lost_zeros(call, question.level, found)
    return found


def _each(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    tally: Tally,
) -> Account:
    found = Account()
    reading: Question | None = question
    before: set[str] = set()
    while reading is not None:
        before |= _each_reading(call, reading, wanted, keep, tally, found, before)
        reading = tally.reread(reading, found)
    return found


def _each_reading(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    tally: Tally,
    found: Account,
    before: Collection[str],
) -> set[str]:
    """Every match of one reading of the lists, but for those that came `before`; returns which
    came, where another reading may bring them again."""
    count = 0
    now: set[str] = set()
    kept: set[str] = set()
    for rank in question.ways():
        seen: set[str] = set()
        several = len(rank) > 1  # of one answer each match comes once

        def keep_new(
            match: Match, way: Mapping[str, Meaning], seen: set[str], several: bool
        ) -> None:
            nonlocal count
            if not _holds(way, match):
                return
            tally.take(match)
            if several or tally.lists > 1:
                who = identity(question.level, match)
                if who in before or (several and who in seen):
                    return
                seen.add(who)
            count += 1
            if question.name:
                kept.add(who_is(question.level, match))
            keep(match)

        for way in rank:
            query = query_of(question.level, way, wanted)
            tally.ask(query.keys)
            answer = call.each(
                query,
                partial(keep_new, way=way, seen=seen, several=several),
            )
            found.join(answer)
        now |= seen
        if count or not found.complete:
            break
    if question.name:
        found.add(in_other_letters(call, question, wanted, keep, kept))
    return now


def _each_of_several(
    call: Call,
    question: Question,
    wanted: Sequence[str],
    keep: Callable[[Match], None],
    patient: Callable[[Match], str] | None,
    tally: Tally,
) -> Account:
    """Every match of those that have one of each group of modalities, and none of some: each is
    asked for by itself, so that each answer is proved as any other is."""
    asked = question.modalities
    whose = patient or partial(identity, question.level)
    found = Account()

    def those_with(codes: Sequence[str]) -> set[str]:
        those: set[str] = set()
        some = question.by(codes)
        found.add(_each(call, some, wanted, lambda match: those.add(whose(match)), Tally()))
        return those - {""}

    # Of patients all studies of these modalities are given, of studies what the last group brings.
    groups = asked.every if patient else asked.every[:-1]
    have_all: set[str] | None = None
    for group in groups:
        if have_all is None or have_all:
            these = those_with(group)
            have_all = these if have_all is None else have_all & these
    have_none = have_all is not None and not have_all
    unwanted = those_with(asked.none) if asked.none and not have_none else set[str]()
    lacks = Modalities(none=asked.none)
    read = Tally()
    tally.learn(read)

    def keep_those(match: Match) -> None:
        who = whose(match)
        if who in unwanted or (have_all is not None and who not in have_all):
            return
        if patient or lacks.hold(texts(match.get(MODALITIES, ""))):
            tally.take(match)
            keep(match)

    if not have_none:
        last = asked.codes if patient else asked.every[-1] if asked.every else ()
        found.add(_each(call, question.by(last), wanted, keep_those, read))
    else:
        read.ask(query_of(question.level, question.ways()[0][0], wanted).keys)
    found.sent[MODALITIES] = [asked.said]
    noun = NOUN[Level.PATIENT if patient else question.level][1]
    found.note(f"Understood: {noun} with {asked.said}, each looked for by itself.")
    return found


class _Rank:
    """The ways a question may be meant that are asked together, and what came of them."""

    def __init__(self, level: Level, found: Account, tally: Tally, limit: int) -> None:
        self.asked: dict[tuple[tuple[str, str], ...], Matches] = {}
        self._level = level
        self._found = found
        self._tally = tally
        self._limit = limit
        # Those of another reading of lists, and how many were understood in each way.
        self._seen = {identity(level, match) for match in found.matches}
        self._understood: dict[str, int] = {}

    def most(self, way: Mapping[str, Meaning], query: Query) -> int:
        """How many matches this query is asked for."""
        self._tally.ask(query.keys)
        if self._tally.longest:  # which values have a match is told of all that comes
            self._limit = max(self._limit, 2 * self._tally.longest)
        elif not any(meaning.holds for meaning in way.values()):
            return self._limit
        return max(self._limit, _MOST_COMPARED)

    def take(self, way: Mapping[str, Meaning], answer: Matches) -> None:
        """Keep what was meant this way, and is new."""
        said = "; ".join(
            f"{keyword} as {meaning.said}" for keyword, meaning in way.items() if meaning.said
        )
        before = frozenset(self._seen)  # of one answer each match is another one
        for match in answer.matches:
            if not _holds(way, match):
                continue
            self._tally.take(match)
            who = identity(self._level, match)
            if not who or who not in before:
                self._seen.add(who)
                self._found.matches.append(match)
                self._understood[said] = self._understood.get(said, 0) + 1

    def tell(self) -> None:
        """Say what was understood."""
        if set(self._understood) - {""}:
            counts = ", ".join(
                f"{said or 'as written'} ({count})" for said, count in self._understood.items()
            )
            self._found.note(f"Understood: {counts}.")


def _holds(way: Mapping[str, Meaning], match: Match) -> bool:
    """Whether a match is what the wider keys were meant for; what did not come cannot tell."""
    for keyword, meaning in way.items():
        value = match.get(keyword)
        if meaning.holds and isinstance(value, str) and value and not meaning.holds(value):
            return False
    return True
