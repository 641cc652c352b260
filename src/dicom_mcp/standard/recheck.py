"""Every match against its query's keys again: archives ignore keys and still say success."""

from collections import Counter
from collections.abc import Collection

from .dictionary import attribute
from .levels import NOUN
from .lists import predicate
from .matching import Comparison, Predicate
from .note import Note, perhaps, remark
from .query import Match, Query, texts
from .reading import agrees

# An archive may rightly match more loosely than we would (PS3.4 C.2.2.2.1): only what
# contradicts the key in any reading is dropped.
LOOSEST = Comparison(name_case=False, name_accents=False, text_case=False)

# What people mean by a text, and by an identifier: accents tell names apart, case does not.
_MEANT = Comparison(name_case=False, name_accents=True, text_case=False)
EXACT = Comparison(name_case=True, name_accents=False, text_case=True)
IDENTIFIERS = frozenset({"AccessionNumber", "IssuerOfPatientID", "PatientID", "StudyID"})

# Empty in no study that exists: zero length says that the archive does not keep it.
_NEVER_EMPTY = frozenset({"ModalitiesInStudy"})


class Recheck:
    """Checks the matches of one query as they arrive and remembers what was wrong with them.

    Keys in `loosened` are sent wider than they are; what does not match them is no fault then.
    """

    def __init__(self, query: Query) -> None:
        self.loosened: set[str] = set()
        self._unsent: set[str] = set()
        self._query = query
        self._predicates: dict[str, Predicate] = {
            keyword: predicate(keyword, found.vr, key, LOOSEST)
            for keyword, key in query.keys.items()
            if (found := attribute(keyword))
        }
        self._dropped: dict[str, int] = dict.fromkeys(self._predicates, 0)
        self._returned: dict[str, int] = dict.fromkeys(self._predicates, 0)
        self._vrs = {keyword: found.vr for keyword in query.keys if (found := attribute(keyword))}
        self._unread = Counter[str]()
        self._undated = Counter[str]()
        # Of what must be empty: whether it came at all, in one match or more.
        self._told = dict.fromkeys(query.empty, False)
        self._checked = 0

    def holds(self, match: Match, number: int = 1) -> bool:
        """Whether the match, which stands for so many, may be what was asked for: no key it carries
        is contradicted. What cannot be read contradicts none."""
        self._checked += 1
        for keyword in self._told:
            self._told[keyword] = self._told[keyword] or keyword in match
            if has_value(match, keyword):
                for key in self._predicates:
                    self._returned[key] += _is_told(match, key)
                return False
        unread: list[str] = []
        for keyword, is_meant in self._predicates.items():
            if not _is_told(match, keyword):
                if keyword in self._unsent:
                    return False
                continue
            self._returned[keyword] += 1
            values = texts(match[keyword])
            if self._vrs[keyword] == "DA" and not has_value(match, keyword):
                self._undated[keyword] += keyword not in self.loosened
                return False  # what has no date may come with a range that is open: no fault
            if is_meant(values):
                continue
            said = agrees(self._vrs[keyword], keyword, is_meant, values) if values else False
            if said is None:
                unread.append(keyword)
            elif not said:
                if keyword not in self.loosened:
                    self._dropped[keyword] += 1
                return False
        for keyword in unread:
            self._unread[keyword] += number
        return True

    def compare(self, keywords: Collection[str]) -> None:
        """From now on these keys are not sent: a match must have what they mean."""
        self.loosened.update(keywords)
        self._unsent.update(keywords)
        for keyword in keywords:
            if found := attribute(keyword):
                comparison = EXACT if keyword in IDENTIFIERS else _MEANT
                key = self._query.keys[keyword]
                self._predicates[keyword] = predicate(keyword, found.vr, key, comparison)

    @property
    def returned(self) -> frozenset[str]:
        """The keys whose attributes came back, in one match or more."""
        return frozenset(keyword for keyword, count in self._returned.items() if count)

    @property
    def ignored(self) -> frozenset[str]:
        """The keys that the archive did not match by, in one match or more."""
        return frozenset(keyword for keyword, count in self._dropped.items() if count)

    def doubts(self) -> list[Note]:
        """Why it cannot be told whether all that holds is what was asked for."""
        nouns = NOUN[self._query.level]
        return [
            perhaps(
                f"{count} {nouns[count != 1]} of these {'have' * (count > 1)}"
                f"{'has' * (count == 1)} a value as {keyword} that cannot be read, so that nobody "
                "can tell whether it is what was asked for."
            )
            for keyword, count in self._unread.items()
        ] + [
            perhaps(
                f"the archive does not return {keyword}, so that nobody can "
                f"tell which {nouns[1]} have none."
            )
            for keyword, told in self._told.items()
            if self._checked and not told
        ]

    def notes(self) -> list[Note]:
        """What the person asking must know about how the archive treated the keys."""
        nouns = NOUN[self._query.level]
        notes = [
            remark(
                f"The archive ignored {keyword}: {count} {nouns[count != 1]} that did not match "
                f"{'were' if count != 1 else 'was'} left out here."
            ).about(keyword)
            for keyword, count in self._dropped.items()
            if count
        ]
        notes += [
            remark(
                f"The archive does not return {keyword}, so it may have ignored it: records that "
                "do not match it may be among these."
            ).about(keyword)
            for keyword, count in self._returned.items()
            if self._checked and not count
        ]
        notes += [
            remark(
                f"{count} {nouns[count != 1]} that {'have' if count != 1 else 'has'} no {keyword} "
                "came too and is not counted here."
            )
            for keyword, count in self._undated.items()
        ]
        return notes


def _is_told(match: Match, keyword: str) -> bool:
    """Whether the match says what it has, be it nothing."""
    return keyword in match and not (keyword in _NEVER_EMPTY and not match[keyword])


def has_value(match: Match, keyword: str) -> bool:
    """Whether a match has one; zeros in a date are none."""
    return any(value.strip("0 .-/\0") for value in texts(match.get(keyword, "")))
