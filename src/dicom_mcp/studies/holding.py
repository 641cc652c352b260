"""What one of several nodes holds of the studies that are compared.

Not every archive tells how many series and images a study has, or of which modalities: then its
series are asked, of many studies at once, and their images where they are not too many.
What that leaves open is not known, which is no difference.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import batched

from ..door.account import Account
from ..door.call import EVERYTHING, Call
from ..errors import StatusFailure
from ..question.asking import MODALITIES, Question, each
from ..standard.alike import COMPUTED, told
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Match, Matches, Query, texts
from ..standard.record import identity
from ..standard.shapes import shape
from ..standard.values import count_of
from ..words.modalities import Modalities

SERIES_COUNT = "NumberOfStudyRelatedSeries"
IMAGE_COUNT = "NumberOfStudyRelatedInstances"
IMAGES = "NumberOfSeriesRelatedInstances"

# What nodes should say alike of a study and of a series.
OF_STUDY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("AccessionNumber", "StudyDescription", MODALITIES, SERIES_COUNT, IMAGE_COUNT),
)
# What an archive has to count or collect from below is asked for by itself: some cut lists by it.
_WRITTEN = tuple(keyword for keyword in OF_STUDY if keyword not in COMPUTED)
_COUNTED = tuple(keyword for keyword in OF_STUDY if keyword in COMPUTED)
OF_SERIES = ("Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined", IMAGES)

STUDY = UNIQUE_KEY[Level.STUDY]
SERIES = UNIQUE_KEY[Level.SERIES]

# A node's studies are compared as far as one question may bring them.
_MOST_STUDIES = 20_000

# UIDs in one key, and how many are asked alone where it was not shown that lists are read.
BATCH = 50
_MOST_ALONE = 50

# Other studies that are looked at, for what an archive has in none of those that are compared.
_LOOKED_AT = 20

# Rows of a level below that are looked at: images are counted one by one where an archive does not
# count them, in so many series at most. And how long each level may take.
_MOST_BELOW = 20_000
_MOST_SERIES = 2_000
_SECONDS = 8.0


@dataclass(slots=True)
class Holding:
    """What one node gave. Its methods ask it, each by a call to that node."""

    name: str
    found: Account = field(default_factory=Account)
    # By StudyInstanceUID: several where it is that of several patients' studies.
    studies: dict[str, list[Match]] = field(default_factory=dict[str, list[Match]])
    # The series of a study, by UID, where all of them came.
    series: dict[str, dict[str, Match]] = field(default_factory=dict[str, dict[str, Match]])
    # UIDs it could not be asked for, so that nobody knows whether it holds them; and why it, or
    # something below a study, could not be asked.
    unproved: set[str] = field(default_factory=set[str])
    trouble: str = ""
    # Attributes of which it has a value in some study.
    tells: set[str] = field(default_factory=set[str])
    # Studies it gave of which nobody knows whether they have the modality that was asked for.
    _aside: dict[str, list[Match]] = field(default_factory=dict[str, list[Match]])
    _count: int = 0

    def ask(self, call: Call, question: Question) -> None:
        """The studies that the question means. Where the archive does not match modalities, their
        series tell."""
        self.found = each(call, question, _WRITTEN, self._keep)
        meant = MODALITIES in question.keywords
        if meant and self.studies and not any(self._says(uid, MODALITIES) for uid in self.studies):
            self.studies, self._count = {}, 0
            self.found = each(call, question.without(MODALITIES), _WRITTEN, self._keep)
            self._choose(call, question)
        if self._count > _MOST_STUDIES:
            self.found.lack(f"only {_MOST_STUDIES} of its studies were compared.")
        self.tells |= told(self._matches(), OF_STUDY)

    def ask_counts(self, call: Call, question: Question) -> None:
        """What the archive says of what is in the studies it gave."""
        known = {identity(Level.STUDY, match): match for match in self._matches()}

        def keep(match: Match) -> None:
            if study := known.get(identity(Level.STUDY, match)):
                study.update({keyword: match[keyword] for keyword in _COUNTED if keyword in match})

        each(call, question, _COUNTED, keep)

    def look_at_others(self, call: Call) -> None:
        """Whether it has a value in other studies of what is empty in all of these."""
        given = {keyword for match in self._matches() for keyword in match}
        silent = given.intersection(OF_STUDY) - self.tells - COMPUTED
        if silent:
            others: list[Match] = []
            query = Query(Level.STUDY, {}, tuple(sorted(silent)))
            self._each(call, query, others.append, limit=_LOOKED_AT)
            self.trouble = ""  # so few were wanted
            self.tells |= told(others, silent)

    def prove(self, call: Call, uids: Sequence[str]) -> None:
        """Ask by UID for studies that it did not give. What could not be asked is `unproved`."""
        for uid in self._aside.keys() & {*uids}:
            self.studies[uid] = self._aside.pop(uid)
        self.unproved = {*uids} - self.studies.keys()
        for some in batched(sorted(self.unproved), BATCH):
            proved = self._ask_by_uid(call, "\\".join(some)) and _reads_lists(call, len(some))
            self.unproved -= {*some} if proved else self.studies.keys()
        for uid in sorted(self.unproved)[:_MOST_ALONE]:
            if self._ask_by_uid(call, uid):
                self.unproved.discard(uid)

    def ask_series(self, call: Call, uids: Iterable[str]) -> None:
        """The series of these studies, as far as there is time."""
        for some, rows in self._below(call, Level.SERIES, uids, OF_SERIES):
            for uid in some:
                if rows[uid]:
                    self.series[uid] = {str(row.get(SERIES, "")): row for row in rows[uid]}
                    self.tells |= told(rows[uid], OF_SERIES)

    def count_images(self, call: Call) -> None:
        """How many images its series have, where the archive does not say, as far as there is time:
        of many studies at once, or of each series where the archive wants to be asked so."""
        lacking = [uid for uid in self.series if IMAGE_COUNT not in self.counts(uid)]
        with suppress(StatusFailure):
            for some, rows in self._below(call, Level.IMAGE, lacking, (SERIES,)):
                if not any(rows.values()):
                    break
                for uid in some:
                    self._put(uid, Counter(str(row.get(SERIES, "")) for row in rows[uid]))
        left = [
            (uid, series)
            for uid in lacking
            for series, row in self.series[uid].items()
            if not texts(row.get(IMAGES, ""))
        ]
        step = call.within(_SECONDS)
        for uid, series in left if len(left) <= _MOST_SERIES else ():
            self._put(uid, Counter({series: len(self.images(step, uid, series) or ())}))

    def images(self, call: Call, study: str, series: str) -> dict[str, Match] | None:
        """The images of one series, by UID; None where they did not all come."""
        found: dict[str, Match] = {}

        def keep(match: Match) -> None:
            found[str(match.get(UNIQUE_KEY[Level.IMAGE], ""))] = match

        query = Query(Level.IMAGE, {STUDY: study, SERIES: series}, ("InstanceNumber",))
        return found if self._each(call, query, keep, limit=_MOST_BELOW).complete else None

    def counts(self, uid: str) -> Match:
        """What the series of a study say of it; nothing where they are not all known."""
        series = self.series.get(uid)
        if not series:
            return {}
        several = (texts(row.get("Modality", "")) for row in series.values())
        images = [count_of(row.get(IMAGES, "")) for row in series.values()]
        counted: Match = {
            MODALITIES: [*sorted({code for codes in several for code in codes})],
            SERIES_COUNT: len(series),
        }
        known = [number for number in images if number is not None]
        if len(known) == len(images):
            counted[IMAGE_COUNT] = sum(known)
        return counted

    def tells_counts(self, uids: Iterable[str]) -> bool:
        """Whether it says of each of these studies what is in it."""
        return all(
            self._says(uid, keyword) for uid in uids for keyword in (SERIES_COUNT, IMAGE_COUNT)
        )

    def _put(self, study: str, counts: Counter[str]) -> None:
        """Each series' number of images; none at all is not believed."""
        for series, row in self.series[study].items():
            if counts[series] and not texts(row.get(IMAGES, "")):
                row[IMAGES] = counts[series]

    def _ask_by_uid(self, call: Call, key: str) -> bool:
        query = Query(Level.STUDY, {STUDY: key}, _WRITTEN)
        return self._each(call, query, self._keep).complete

    def _choose(self, call: Call, question: Question) -> None:
        """Keep those studies that have the modalities asked for, by their series."""
        self.ask_series(call, self.studies)
        keys = [meaning.key for rank in question.meanings.get(MODALITIES, ()) for meaning in rank]
        meant = Modalities(every=(tuple(keys),)) if keys else question.modalities
        for uid in [*self.studies]:
            modalities = self.counts(uid).get(MODALITIES)
            if modalities is None:
                self._aside[uid] = self.studies.pop(uid)
            elif not meant.hold(texts(modalities)):
                del self.studies[uid]
        self.found.note(f"It does not keep {MODALITIES}: the studies' series were asked.")
        if self._aside:
            self.found.lack(
                f"of {len(self._aside)} of its studies nobody knows whether they "
                f"have that modality. {self.trouble}"
            )

    def _below(
        self, call: Call, level: Level, studies: Iterable[str], wanted: Sequence[str]
    ) -> Iterator[tuple[Sequence[str], dict[str, list[Match]]]]:
        """What is below these studies, of several at a time, by lists of UIDs, and of each alone
        where that does not bring all; as far as there is time, and until it is too much."""
        step = call.within(_SECONDS)
        pending = [*batched(studies, BATCH)]
        left = _MOST_BELOW
        while pending and left > 0:
            some = pending.pop(0)
            rows: dict[str, list[Match]] = {uid: [] for uid in some}

            nameless: list[Match] = []

            def keep(
                match: Match,
                rows: dict[str, list[Match]] = rows,
                nameless: list[Match] = nameless,
            ) -> None:
                rows.get(str(match.get(STUDY, "")), nameless).append(match)

            query = Query(level, {STUDY: "\\".join(some)}, (STUDY, *wanted))
            try:
                whole = self._each(step, query, keep, limit=left).complete
            except StatusFailure:
                whole = False
                if len(some) == 1:
                    raise
            if len(some) == 1:  # it was asked for by that UID, be it returned or not
                rows[some[0]] += nameless
            count = sum(map(len, rows.values()))
            left -= count
            if whole and (count or level is Level.IMAGE):
                yield [uid for uid in some if rows[uid] or level is Level.IMAGE], rows
            if len(some) > 1 and count <= left:
                again = [uid for uid in some if not whole or (count and not rows[uid])]
                again = again or ([*some] if level is Level.SERIES and not count else [])
                pending[:0] = [(uid,) for uid in again]

    def _each(
        self, call: Call, query: Query, keep: Callable[[Match], None], *, limit: int = EVERYTHING
    ) -> Matches:
        answer = call.each(query, keep, limit=limit)
        self._join(answer)
        return answer

    def _join(self, answer: Matches) -> None:
        if not answer.complete:
            self.trouble = " ".join(map(str, answer.notes))

    def _keep(self, match: Match) -> None:
        self._count += 1
        uid = str(match.get(STUDY, ""))
        if uid and self._count <= _MOST_STUDIES:
            self.studies.setdefault(uid, []).append(match)

    def _matches(self) -> Iterator[Match]:
        return (match for several in self.studies.values() for match in several)

    def _says(self, uid: str, keyword: str) -> str:
        return "\\".join(texts(self.studies[uid][0].get(keyword, "")))


def _reads_lists(call: Call, count: int) -> bool:
    """Whether the archive was shown to find a study by a list of so many UIDs."""
    known = call.learned.understands if call.learned else {}
    return known.get((STUDY, shape("UI", "\\" * (count - 1)))) is True
