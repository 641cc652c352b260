"""What one archive was found to do; remembered as long as it is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

# Answers this long are asked again in parts to see whether there are more (a cap nobody mentions):
# round numbers and powers of two, which is what people configure.
_ROUND = frozenset({10, 20, 25, 30, 40, 64, 128, 256, 512, 1024, 2048, 4096, 8192})
_ROUND_STEP = 50

# Of so few rows no limit that anybody sets has left anything out; nobody's is larger and not
# round, and to ask twice for so many takes longer than anybody waits.
_FEW = 4
_MANY = 20_000

# More values than are ever sent in one key, and the fewest that are a list.
_MOST_LISTED = 10_000
_PAIR = 2

# What happens less often than one time in 10,000.
_HARDLY = log(1e-4)

# Lists that are proved before size alone tells.
_OFTEN = 3

# Questions choose the keys.
_MOST_SHAPES = 1000


@dataclass(slots=True)
class Lists:
    """How many values of one attribute an archive reads in one key."""

    # The longest list that was shown to be read, and the shortest that was not.
    read: int = 0
    unread: int | None = None

    @property
    def most(self) -> int:
        """The longest list that is worth trying."""
        return _MOST_LISTED if self.unread is None else max(self.read, self.unread // 2)

    def reads(self, length: int) -> None:
        """A list of this length was read."""
        self.read = max(self.read, length)
        if self.unread is not None and length >= self.unread:
            self.unread = None

    def leaves(self, length: int) -> None:
        """A list of this length was refused, or not read to its end."""
        self.unread = min(length, self.unread or length)
        self.read = min(self.read, length - 1)


@dataclass(slots=True)
class Proved:
    """How much an archive looks at below what it gives, at the least, by the lists that it gave
    whole; for each count that of all of the largest such list too, and its keys."""

    least: dict[str, float] = field(default_factory=dict[str, float])
    # How many lists were proved, none of which lacked anything.
    count: int = 0
    largest: dict[str, tuple[int, Mapping[str, str]]] = field(
        default_factory=dict[str, tuple[int, Mapping[str, str]]]
    )

    def covers(self, keys: Mapping[str, str], counts: Mapping[str, Sequence[int] | None]) -> bool:
        """Whether a list of which so much was counted cannot have been cut: of one that was, no
        less than what is looked at stands in what came. After some lists that lacked nothing one
        that is no larger than the largest is not doubted."""

        def is_covered(keyword: str, total: int) -> bool:
            largest, its_keys = self.largest.get(keyword, (0, {}))
            is_no_larger = self.count >= _OFTEN and total <= largest
            same = (total, keys) == (largest, its_keys)
            return total < self.least.get(keyword, 0) or is_no_larger or same

        return bool(counts) and all(
            below is not None and is_covered(keyword, sum(below))
            for keyword, below in counts.items()
        )

    def learn(self, keys: Mapping[str, str], counts: Mapping[str, Sequence[int] | None]) -> None:
        """A list with these keys, and so much below each match of it, is whole."""
        self.count += 1
        for keyword, below in counts.items():
            if not below:
                continue
            self.least[keyword] = max(self.least.get(keyword, 0), _looked_at(below))
            if sum(below) > self.largest.get(keyword, (0, {}))[0]:
                self.largest[keyword] = sum(below), dict(keys)


def _looked_at(below: Sequence[int]) -> float:
    """How much must have been looked at for none of these to be missed, who have so much each.

    In any order all would hardly show (one time in 10,000) if it were less; and in the order of
    what they belong to only the last may have been looked at in part.
    """
    total, most = sum(below), max(below)
    sizes = Counter(below)
    low, high = 0.0, 1.0
    for _ in range(20):
        share = (low + high) / 2
        chance = sum(
            count * log(max(1 - (1 - share) ** size, 1e-300)) for size, count in sizes.items()
        )
        low, high = (share, high) if chance < _HARDLY else (low, share)
    return min(low * total, total - most)


@dataclass(slots=True)
class Habits:
    """Lessons of one archive. Each is a plain value that a later answer may correct; several
    threads may write, and the worst that can come of it is a lesson learned twice."""

    # It found text beyond ASCII that was sent in UTF-8.
    reads_utf_8: bool = False
    # Attributes it never returns.
    left_out: set[str] = field(default_factory=set[str])
    # It gives at most so many matches at once; None as long as no cap was met.
    cap: int | None = None
    # The same where it calls what it cut whole.
    silent_cap: int | None = None
    # It refuses what is more than it gives at once, and gives nothing of it.
    refuses: bool = False
    # Levels at which it answers no question without a key.
    refuses_all: set[str] = field(default_factory=set[str])
    # Keys (or PATIENT, for lists of patients) whose answers it cuts by something else than their
    # rows, without a word: series below them, or candidates before they are compared.
    cut_unseen: set[str] = field(default_factory=set[str])
    # Keys by which studies were found wherever in the archive they are.
    finds_all: set[str] = field(default_factory=set[str])
    # It leaves out matches where it is asked for what it must work out from the levels below, or
    # works that out whether it is asked or not; what it gave whole all the same.
    cuts_told: bool = False
    always_tells: bool = False
    proved: Proved = field(default_factory=Proved)
    # A range of dates that is open to the past brings what has no date.
    brings_undated: bool | None = None
    # What such a range lacks was looked for by other keys too.
    undated_seen: bool = False
    # The longest answer it gave at each level, or of its worklist: a cap there is no smaller.
    longest: dict[str, int] = field(default_factory=dict[str, int])
    # The last of its longest answers at each level that was shown to be whole, and its keys.
    whole: dict[str, tuple[int, Mapping[str, str]]] = field(
        default_factory=dict[str, tuple[int, Mapping[str, str]]]
    )
    # A SERIES query without its study is answered (PS3.4 C.4.1.3.2.1).
    relational: bool | None = None
    # So is an IMAGE query that names a series, or several, without their study.
    relational_images: bool | None = None
    # Attributes of objects that it told of their series, or did not though the object has a value.
    tells_of_series: dict[str, bool] = field(default_factory=dict[str, bool])
    # It has Patient Root only and refuses questions about studies without their patient.
    needs_patient: bool = False
    # The patients of each study such an archive was asked about: one, if its UID is its own.
    patients_of: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    # It has no Patient Root, so that patients are collected from their studies.
    no_patient_root: bool = False
    # Attributes, by level, for which it refuses a question that asks for them.
    refused: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    # And by which it refuses to be searched, with the shape of the key: who refuses wildcards may
    # take a plain value.
    refused_keys: dict[str, frozenset[tuple[str, str]]] = field(
        default_factory=dict[str, frozenset[tuple[str, str]]]
    )
    # ModalitiesInStudy names reports and the like too; one of several finds a study.
    lists_reports: bool | None = None
    splits_modalities: bool | None = None
    # The letters of these attributes are compared without regard to case.
    ignores_case: dict[str, bool] = field(default_factory=dict[str, bool])
    # By level and attribute, how lists are read.
    lists: dict[tuple[str, str], Lists] = field(default_factory=dict[tuple[str, str], Lists])
    # Whether keys of an attribute that have a shape (`standard.shapes`) find what they mean.
    understands: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])

    def told(self) -> list[str]:
        """What was learned, as sentences; nothing of what goes as the standard says."""
        sentences = (
            (self.cap is not None, f"Gives at most {self.cap} matches at once."),
            (
                bool(self.cut_unseen),
                f"Cuts lists by {', '.join(sorted(self.cut_unseen))} without a word.",
            ),
            (self.cuts_told, "Leaves out matches where it is asked for counts or modalities."),
            (bool(self.left_out), f"Does not return {', '.join(sorted(self.left_out))}."),
            (self.relational is False, "Wants the study's UID in questions about series."),
            (self.needs_patient, "Wants the patient's ID in questions about studies."),
            (self.no_patient_root, "Has no list of patients: they are collected from studies."),
            (
                False in self.ignores_case.values(),
                "Tells capital and small letters apart; every spelling is asked for.",
            ),
        )
        unlisted = sorted(
            {keyword for (_, keyword), lists in self.lists.items() if lists.most < _PAIR}
        )
        if unlisted:
            sentences += ((True, f"Does not read lists of {', '.join(unlisted)}."),)
        if self.lists_reports is False:
            sentences += ((True, "Lists modalities of images only as those of a study."),)
        refused = sorted({keyword for several in self.refused.values() for keyword in several})
        if refused:
            sentences += ((True, f"Refuses questions that ask for {', '.join(refused)}."),)
        unkeyed = sorted(
            {keyword for several in self.refused_keys.values() for keyword, _ in several}
        )
        if unkeyed:
            sentences += ((True, f"Refuses to be searched by {', '.join(unkeyed)}."),)
        unread = sorted({keyword for (keyword, _), read in self.understands.items() if not read})
        if unread:
            sentences += ((True, f"Takes wildcards or ranges literally in {', '.join(unread)}."),)
        return [sentence for holds, sentence in sentences if holds]

    def lists_of(self, level: str, keyword: str) -> Lists:
        """How lists of this attribute are read at this level, as far as is known."""
        return self.lists.setdefault((level, keyword), Lists())

    def learn(self, keyword: str, shape: str, *, understood: bool) -> None:
        """A key of this shape found, or did not find, what was known to be there."""
        if len(self.understands) < _MOST_SHAPES:
            self.understands[keyword, shape] = understood

    def is_cut(self, level: str, rows: int) -> bool:
        """Whether an answer of so many rows that calls itself whole may have been cut."""
        if self.cap is not None and rows == self.cap:
            return True
        if rows < self.longest.get(level, 0):
            return False
        # orthanc-dicomweb 1.7 gives one more than its limit.
        one_more = rows > _ROUND_STEP and rows % _ROUND_STEP == 1
        return one_more or rows in _ROUND or (rows > 0 and rows % _ROUND_STEP == 0)

    def is_doubted(self, level: str, rows: int, keys: Mapping[str, str]) -> bool:
        """Whether an answer to these keys that calls itself whole may have been cut at any length:
        it is no shorter than all that came before, or that was shown to be whole."""
        if self.whole.get(level) == (rows, keys) and rows != self.cap:
            return False
        longest = self.longest.get(level, 0)
        return self.is_cut(level, rows) or (_FEW < rows <= _MANY and rows >= longest)

    def proved_whole(self, level: str, rows: int, keys: Mapping[str, str]) -> None:
        """So many matches were shown to be all."""
        self.whole[level] = rows, dict(keys)

    def gave(self, level: str, rows: int) -> None:
        """It gave so many matches and said that this was all, or was stopped by us."""
        self.longest[level] = max(self.longest.get(level, 0), rows)
        if self.cap is not None and rows > self.cap:
            self.cap = self.silent_cap = None
