"""What several archives say of the same patients, studies, series or objects, as one."""

from array import array
from collections.abc import Sequence

from .levels import UNIQUE_KEY, Level
from .note import Note, each_named, remark
from .person import Person
from .query import Match, Query, Value
from .record import NODES, identity, parent, unique

# What says where and how a copy is kept, not what it is (PS3.4 C.4.1.1.3, C.6).
_OF_THE_COPY = frozenset(
    {
        *("RetrieveAETitle", "RetrieveURL", "InstanceAvailability", "StorageMediaFileSetID"),
        *("StorageMediaFileSetUID", "QueryRetrieveLevel", "SpecificCharacterSet", NODES),
        *("AvailableTransferSyntaxUID",),
    }
)
_COUNTS_OF_PATIENT = frozenset(
    f"NumberOfPatientRelated{level}" for level in ("Studies", "Series", "Instances")
)


_MOST_TOLD = 3


class Union:
    """Matches of several nodes, each entity once; with `holding` they are kept in `matches`, and
    what differs is known attribute by attribute."""

    def __init__(self, query: Query, nodes: Sequence[str], *, holding: bool = True) -> None:
        self.matches: dict[str, Match] = {}
        self._level = query.level
        self._wanted = [keyword for keyword in query.wanted if keyword not in _OF_THE_COPY]
        self._order = nodes
        self._holding = holding
        self._nodes: dict[str, list[Value]] = {}
        self._said: dict[str, bytes] = {}
        self._different: dict[str, set[str]] = {}
        # Of each unique key what it stands for: by what it is known, what it is below, whose it is.
        self._known: dict[str, list[tuple[str, str, Person | None]]] = {}

    def add(self, name: str, match: Match) -> Match | None:
        """Take a match; the one to show when it is new, with a list of its nodes that grows."""
        who = self._who(match)
        nodes = self._nodes.get(who) if who else None
        if nodes is None:
            new: Match = {**match, NODES: (nodes := [name])}
            key = who or f"{name} {len(self._nodes)}"  # without a UID it cannot be told from others
            self._nodes[key] = nodes
            if self._holding:
                self.matches[key] = new
            else:
                self._said[key] = self._fingerprint(match)
            return new
        if name not in nodes:
            first = nodes[0]
            nodes.append(name)
            nodes.sort(key=lambda node: self._order.index(str(node)))
            if not self._holding:
                if different := self._differing(self._said[who], self._fingerprint(match)):
                    self._different.setdefault(who, set()).update(different)
            elif different := _unite(self.matches[who], match, first, name):
                self._different.setdefault(who, set()).update(different)
        return None

    def notes(self) -> list[Note]:
        """What differs between the copies, and what has one UID and is none."""
        clashing = [key for key, known in self._known.items() if len(known) > 1]
        told = [
            remark(
                f"{len(clashing)} {UNIQUE_KEY[self._level]}{'s' * (len(clashing) > 1)} of "
                f"different {'patients' if self._level is Level.STUDY else 'parents'} (",
                *each_named(UNIQUE_KEY[self._level], clashing[:_MOST_TOLD]),
                "): each is here as a record of its own. An administrator should look at it.",
            )
        ] * bool(clashing)
        return told + self._differences()

    def _differences(self) -> list[Note]:
        if not self._different:
            return []
        count = len(self._different)
        keywords = sorted({keyword for many in self._different.values() for keyword in many})
        said = f" in {', '.join(keywords)}" if keywords else ""
        return [
            remark(
                f"{count} of the records differ{'' if count > 1 else 's'} between nodes{said}; "
                "what is shown is the first node's, except numbers, which are shown with their "
                "node. compare_nodes tells more."
                if self._holding
                else f"{count} of what several nodes hold differ{'' if count > 1 else 's'} between "
                f"them{said}; what the first to answer said was used. compare_nodes tells more."
            )
        ]

    def _fingerprint(self, match: Match) -> bytes:
        """Four bytes of every wanted attribute, 0 where it was not told: a match is not held."""
        said = (match.get(keyword, "") for keyword in self._wanted)
        return array(
            "I", (_short(value) if value not in ("", []) else 0 for value in said)
        ).tobytes()

    def _differing(self, fingerprint: bytes, other: bytes) -> list[str]:
        pairs = zip(
            self._wanted,
            memoryview(fingerprint).cast("I"),
            memoryview(other).cast("I"),
            strict=True,
        )
        return [keyword for keyword, a, b in pairs if a and b and a != b]

    def _who(self, match: Match) -> str:
        """What this match is known by: a copy of one that is known has its parent too. A study may
        be kept under another ID of the same person."""
        if self._level is not Level.PATIENT:
            key, above = unique(self._level, match), parent(self._level, match)
            if not key:
                return ""
            known = self._known.setdefault(key, [])
            person = Person.of(match) if self._level is Level.STUDY else None
            for who, other, whose in known:
                alike = not above or not other or above == other
                if whose and person:
                    alike = person.is_the_same(whose)
                if alike:
                    return who
            who = f"{key} {above}" if known else key
            known.append((who, above, person))
            return who
        of_person = {
            keyword: value
            for keyword, value in match.items()
            if keyword not in _OF_THE_COPY and keyword not in _COUNTS_OF_PATIENT
        }
        return identity(Level.PATIENT, of_person)


def _short(value: Value) -> int:
    told = "\\".join(sorted(map(str, value))) if isinstance(value, list) else str(value)
    return hash(told) & 0xFFFF_FFFF or 1


def _unite(shown: Match, other: Match, first: Value, name: str) -> list[str]:
    """Complete a match by what another node says of the same; the keywords that differ.

    What is a number at both and not the same is shown as both say it.
    """
    different: list[str] = []
    for keyword, value in other.items():
        known = shown.get(keyword, "")
        if keyword in _OF_THE_COPY or value in ("", known):
            continue
        if known == "":
            shown[keyword] = value
        elif isinstance(known, list) and isinstance(value, list):
            more = [text for text in value if text not in known]
            if more:
                shown[keyword] = [*known, *more]
                different.append(keyword)
        else:
            different.append(keyword)
            if isinstance(value, int | float):
                written = known if isinstance(known, str) else f"{known} ({first})"
                shown[keyword] = f"{written}, {value} ({name})"
    return different
