"""The matches of one answer as they arrive: checked, counted, each once, bounded."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from ..budgets import LARGEST_FOREIGN, LARGEST_REPEATED, MOST_HELD
from ..standard.charset import UTF_8
from ..standard.counted import these_are_the_first
from ..standard.dictionary import attribute
from ..standard.levels import ABOVE, NOUN, UNIQUE_KEY, Level
from ..standard.lists import normal
from ..standard.matching import Predicate, matcher
from ..standard.note import Named, Note, each_named, incomplete, joined, remark
from ..standard.person import Person, several_people
from ..standard.query import Match, Matches, Query, is_one, texts
from ..standard.recheck import EXACT, Recheck
from ..standard.record import parent, unique
from ..standard.shapes import SEPARATOR
from ..standard.values import whole_number

# Repeated matches in a row, and such as do not match the question; their bytes are in `budgets`.
_MOST_REPEATED = 20_000
_MOST_FOREIGN = 50_000

# Of what comes for a list: an archive that compares otherwise lets some slip, not so many.
_MOST_STRANGERS = 100

# Clashes that are told one by one, and what may be told of who has one Patient ID.
_MOST_TOLD = 3
_MOST_PEOPLE = 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What asking came to: whether the archive gave all there is, and what to know.

    `doubt` is the note that alone keeps it from being whole: what has no value of some attribute of
    a study, if there is any, may be missing.
    """

    whole: bool
    notes: list[Note]
    doubt: Note | None = None


class Gathering:
    """Takes the matches of `query` until there are more than `limit`.

    With `keep` the matches go there, one by one, and none is held.
    """

    def __init__(
        self,
        query: Query,
        limit: int,
        *,
        keep: Callable[[Match], None] | None = None,
    ) -> None:
        self.matches: list[Match] = []
        self.count = 0
        # Somebody who wants to see every match that came, meant or not.
        self.look: Callable[[Match], None] | None = None
        self.examined = 0
        # A non-ASCII key matched a record whose declared character set is not UTF-8.
        self.translated = False
        # What a match must have no value for.
        self.empty = query.empty
        # All that came was one answer, and two halves of the time had no more.
        self.halved = False
        # What each match has for the attribute it is dated by.
        self.dates: list[str] = []
        self._dated_by = ""
        self._beyond_ascii = [keyword for keyword, key in query.keys.items() if not key.isascii()]
        # Watched keys that matched text differing in case.
        self.case_insensitive: set[str] = set()
        self._query = query
        self._limit = limit
        self._keep = keep
        self._recheck = Recheck(query)
        self._above: Gathering | None = None
        # Matches that came for a list without one of its values, as if it had not been sent.
        self.strangers = 0
        self._most_examined: int | None = None
        self._watched: dict[str, Predicate] = {}
        # Of what was asked for by a list the values that came, by what `normal` makes of them.
        self._listed: dict[str, dict[str, str]] = {
            keyword: {} for keyword, key in query.keys.items() if SEPARATOR in key
        }
        self._absent = set(query.wanted)
        # What each unique key that came is below, and those that came below several.
        self._seen: dict[str, str] = {}
        self._clashing: dict[str, set[str]] = {}
        # The number of each object, and all of those whose UID stands for several.
        self._numbers: dict[str, int] = {}
        self._twins: dict[str, set[int]] = {}
        # Who is behind the Patient ID that was asked for.
        self._people: dict[Person, None] = {}
        self._of_one = query.level is Level.STUDY and is_one(query.keys.get("PatientID", ""))
        self._unnamed = 0
        self._held = 0
        self._repeated = 0
        self._repeated_bytes = 0
        # How many matches in a row were not what was asked for.
        self.foreign = 0
        self._foreign_bytes = 0

    def begin(self) -> None:
        """Another query's answer comes now: what parts have in common is no repetition of one."""
        if not self._endless:
            self._repeated = self._repeated_bytes = 0

    def part(self, query: Query) -> "Gathering":
        """The answer to one of several queries whose matches are all taken here too."""
        self.begin()
        part = Gathering(query, self._limit)
        part._above = self
        return part

    def take(self, match: Match, size: int) -> bool:
        """Look at a match that came in `size` bytes; False when no more are wanted."""
        self.examined += 1
        if self.look:
            self.look(match)
        if not self._recheck.holds(match):
            self.strangers += not self._listed.keys().isdisjoint(self._recheck.ignored)
            self.foreign += 1
            self._foreign_bytes += size
            return not self.full
        self.foreign = self._foreign_bytes = 0
        if self._absent:
            self._absent -= match.keys()
        for keyword, came in self._listed.items():
            came.update((normal(value), value) for value in texts(match.get(keyword, "")))
        if self._watched:
            self._watch(match)
        if self._beyond_ascii and not self.translated:
            foreign = match.get("SpecificCharacterSet", UTF_8) != UTF_8
            self.translated = foreign and any(match.get(keyword) for keyword in self._beyond_ascii)
        dated = texts(match.get(self._dated_by, ""))[:1] if self._dated_by else ()
        if self._query.level is Level.PATIENT:
            # A patient is told from another by all that is said: a part may have asked for more.
            match = {
                keyword: match[keyword] for keyword in self._query.returned if keyword in match
            }
        if self._is_new(match, size):
            if self._of_one and len(self._people) < _MOST_PEOPLE:
                self._people[Person.of(match)] = None
            self.count += 1
            self.dates += dated
            if self._above:
                self._above.take(match, size)
            elif self.count > self._limit:
                pass  # one too many is only counted
            elif self._keep:
                self._keep(match)
            else:
                self.matches.append(match)
                self._held += size
        return not self.full

    def date_by(self, keyword: str) -> None:
        """From now on keep what each match has for this attribute in `dates`."""
        self._dated_by = keyword

    def loosen(self, keywords: Iterable[str], *, most_examined: int) -> None:
        """From now on these keys are sent wider than `query` has them: what they let through is
        compared here and no fault, and of it at most so many matches are looked at."""
        self._recheck.loosened.update(keywords)
        self._look_at(most_examined)

    def compare(self, keywords: Collection[str], *, most_examined: int) -> None:
        """From now on these keys are not sent, and compared here."""
        self._recheck.compare(keywords)
        self._look_at(most_examined)

    def _look_at(self, more: int) -> None:
        """So many more may be looked at, or as many as there is leave for already."""
        self._most_examined = max(self._most_examined or 0, self.examined + more)

    def missing(self, keyword: str, key: str) -> list[str]:
        """The values that this key lists and no match had, in order."""
        came = self.came(keyword)
        return [value for value in key.split(SEPARATOR) if normal(value) not in came]

    def came(self, keyword: str) -> dict[str, str]:
        """The values that matches had of an attribute asked for by a list, as `normal` and as the
        archive has them."""
        return self._listed.get(keyword, {})

    def watch(self, keys: Mapping[str, str]) -> None:
        """From now on note which of these keys find text in other case than their own."""
        self._watched = {
            keyword: matcher(found.vr, key, comparison=EXACT)
            for keyword, key in keys.items()
            if (found := attribute(keyword))
        }

    @property
    def answered(self) -> frozenset[str]:
        """The keys whose attributes came back."""
        return self._recheck.returned

    @property
    def absent(self) -> list[str]:
        """What was wanted and came with no match at all, not even empty."""
        return (
            [keyword for keyword in self._query.wanted if keyword in self._absent]
            if self.count
            else []
        )

    @property
    def ignored(self) -> frozenset[str]:
        """The keys that the archive did not match by."""
        return self._recheck.ignored

    @property
    def full(self) -> bool:
        """Whether no more are wanted."""
        if self._above and self._above.full:
            return True
        return (
            self._over_limit
            or self._too_big
            or self._too_many
            or self._endless
            or self._is_foreign
            or self.strangers > _MOST_STRANGERS
        )

    def close(self, outcome: Outcome) -> Matches:
        """The answer, given how asking for it ended."""
        cut = self._cut() + self._recheck.doubts()
        return Matches(
            self._query,
            self.matches,
            outcome.whole and not cut,
            (*dict.fromkeys((*outcome.notes, *cut, *self._recheck.notes(), *self._clashes())),),
            tuple(self.absent),
        )

    def _cut(self) -> list[Note]:
        """Why something that arrived is not here."""
        nouns = NOUN[self._query.level]
        if self._over_limit:
            return [
                incomplete(
                    f"{these_are_the_first(self._limit, nouns[0])} the archive gave; there are "
                    "more. Narrow the question, or raise limit (at most 500)."
                )
            ]
        if self._too_big:
            return [
                incomplete(
                    f"the answer grew beyond {MOST_HELD >> 20} MiB and was cut "
                    "here. Ask for fewer attributes (attribute_preset=minimal) or narrow the "
                    "question."
                )
            ]
        if self._too_many:
            return [
                incomplete(
                    f"only the first {self.examined} {nouns[1]} the archive gave "
                    "were compared. Narrow the question by a date, an ID or a plain ASCII part."
                )
            ]
        if self._endless:
            return [
                incomplete(
                    f"the archive kept repeating {nouns[1]} it had given before, and was stopped."
                )
            ]
        if self._is_foreign:
            return [
                incomplete(
                    f"the archive gave {self.foreign:,} {nouns[1]} in a row that are not what was "
                    "asked for, and was stopped: it ignores what it is asked by. Narrow the "
                    "question by an ID or a date."
                )
            ]
        if self._unnamed:
            return [
                incomplete(
                    f"{self._unnamed} {nouns[self._unnamed != 1]} came without "
                    f"{UNIQUE_KEY[self._query.level]}, so that it cannot be told which they are."
                )
            ]
        return []

    def _watch(self, match: Match) -> None:
        for keyword, predicate in self._watched.items():
            value = match.get(keyword, "")
            if value and isinstance(value, str) and not predicate([value]):
                self.case_insensitive.add(keyword)

    def _is_new(self, match: Match, size: int) -> bool:
        """Whether it was not given before: archives repeat rows, and parts may overlap."""
        level = self._query.level
        key, above = unique(level, match), parent(level, match)
        if not key:
            self._unnamed += 1
            return True
        known = self._seen.get(key)
        if known is None or not known:
            self._seen[key] = above
        if known and above and known != above:
            clashing = self._clashing.setdefault(key, {known})
            new = above not in clashing
            clashing.add(above)
        else:
            new = known is None
        if level is Level.IMAGE and "InstanceNumber" in self._query.wanted:
            new |= self._is_twin(key, whole_number(match.get("InstanceNumber", "")))
        if new:
            self._repeated = self._repeated_bytes = 0
            return True
        self._repeated += 1
        self._repeated_bytes += size
        return False

    def _is_twin(self, key: str, number: int | None) -> bool:
        """Whether an object of this UID came that has another number."""
        if number is None or self._numbers.setdefault(key, number) == number:
            return False
        twins = self._twins.setdefault(key, {self._numbers[key]})
        new = number not in twins
        twins.add(number)
        return new

    def _clashes(self) -> list[Note]:
        """What an administrator looks for: one UID of several things, one ID of several people."""
        several = several_people(self._people)
        notes = [several] if several else []
        notes += [
            _of_several_objects(uid, numbers)
            for uid, numbers in list(self._twins.items())[:_MOST_TOLD]
            if uid not in self._clashing
        ]
        if not self._clashing:
            return notes
        level = self._query.level
        above = ABOVE[level][-1] if level is not Level.STUDY else "PatientID"
        unique = UNIQUE_KEY[level]
        shown = joined(
            "; ",
            (
                [Named(unique, key), f" ({above} ", *each_named(above, sorted(parents)), ")"]
                for key, parents in list(self._clashing.items())[:_MOST_TOLD]
            ),
        )
        count = len(self._clashing)
        told = remark(
            f"{count} {unique}{'s are' if count > 1 else ' is'} that of several "
            f"{NOUN[level][1]}, which all are here: ",
            *shown,
            ". A UID must be that of one only; an administrator should look at it.",
        )
        return [told, *notes]

    @property
    def _over_limit(self) -> bool:
        return self._above is None and self.count > self._limit

    @property
    def _too_big(self) -> bool:
        return self._held > MOST_HELD

    @property
    def _endless(self) -> bool:
        return self._repeated > _MOST_REPEATED or self._repeated_bytes > LARGEST_REPEATED

    @property
    def _is_foreign(self) -> bool:
        if self.empty or self._most_examined is not None:  # most of what comes is not meant then
            return False
        return self.foreign > _MOST_FOREIGN or self._foreign_bytes > LARGEST_FOREIGN

    @property
    def _too_many(self) -> bool:
        return self._most_examined is not None and self.examined > self._most_examined


def _of_several_objects(uid: str, numbers: Collection[int]) -> Note:
    return remark(
        "SOPInstanceUID ",
        Named("SOPInstanceUID", uid),
        f" is that of {len(numbers)} instances of one series (numbers "
        f"{', '.join(map(str, sorted(numbers)[:_MOST_NUMBERS]))}), which all are here. A UID must "
        "be that of one only; an administrator should look at it.",
    )


_MOST_NUMBERS = 10
