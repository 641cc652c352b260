"""One search of the index as an archive with bad habits makes it: what it looks at before it stops.

An archive's limit need not count the rows of its answer. Measured of Orthanc 1.10.1 with findscu
and LimitFindResults 100, over 600 studies of 2,060 series of 400 patients:

- A STUDY query with ModalitiesInStudy looks at the first 101 *series* that match, in an order of
  its own, and answers with their studies: 47 of 50 (184 series), 81 of 184 (650 series), with
  0x0000. A list (`CT\\MR`), a wildcard and further keys change nothing. Only where each of them is
  of another study the answer reaches 101 rows, is cut at 100 and ends with 0xFE00. An empty
  ModalitiesInStudy, and NumberOfStudyRelatedSeries, are no keys and cost nothing.
- Keys that are not in its index (PatientAge of a study, KVP and ManufacturerModelName of a series,
  Rows of an image, AccessionNumber and ModalitiesInStudy of a patient) are compared after the
  limit: the first 100 candidates are looked at, and the answer is what of them matches, often no
  row at all, with 0xFE00.
- Keys of the level and those above, lists of values too, are cut at 100 rows, with 0xFE00.
- Keys of a level below (Modality, StationName, BodyPartExamined or Manufacturer of a study;
  StudyDate of a patient) find nothing, with 0x0000.

orthanc-dicomweb 1.7 gives 101 rows in all, pages and `limit` included, of studies, series or
instances, with 200 and without a Warning; ModalitiesInStudy as above.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from zlib import crc32

from ..standard.levels import HIERARCHY, UNIQUE_KEY, Level
from ..standard.matching import Key, Record
from .comparing import narrowing
from .habits import Habits
from .index import Index

# The level that what is worked out for a match is worked out from.
_BELOW: dict[str, Level] = {
    "ModalitiesInStudy": Level.SERIES,
    "SOPClassesInStudy": Level.IMAGE,
    "NumberOfPatientRelatedStudies": Level.STUDY,
    "NumberOfPatientRelatedSeries": Level.SERIES,
    "NumberOfPatientRelatedInstances": Level.IMAGE,
    "NumberOfStudyRelatedSeries": Level.SERIES,
    "NumberOfStudyRelatedInstances": Level.IMAGE,
    "NumberOfSeriesRelatedInstances": Level.IMAGE,
}

type Match = Callable[[Record], bool]
type Matcher = Callable[[Mapping[str, Key]], Match]


@dataclass(slots=True)
class Search:
    """The records at a level that match all keys, but for what `habits` keep from being seen.

    `matcher` compiles keys. After the last record `cut` says whether candidates were left unseen.
    """

    index: Index
    level: Level
    keys: Mapping[str, Key]
    habits: Habits
    matcher: Matcher
    cut: bool = False

    def __iter__(self) -> Iterator[Record]:
        keys = {keyword: self._listed(key) for keyword, key in self.keys.items()}
        late = {keyword: key for keyword, key in keys.items() if keyword in self.habits.late_keys}
        most = self.habits.most_candidates
        if most is None or not any(map(_asks, late.values())):
            found = self._find(keys)
            return self._below(found, keys)
        early = {**keys, **dict.fromkeys(late, ("", ""))}
        candidates = self._find(early)
        return self._of_candidates(candidates, self.matcher(late), most)

    def _find(self, keys: Mapping[str, Key]) -> Iterator[Record]:
        return self.index.find(self.level, narrowing(keys, self.habits), match=self.matcher(keys))

    def _listed(self, key: Key) -> Key:
        """A list of values with no more of them than are read."""
        most = self.habits.most_values
        if most is None or not isinstance(key, tuple):
            return key
        vr, text = key
        return vr, "\\".join(text.split("\\")[:most])

    def _of_candidates(
        self, candidates: Iterator[Record], match: Match, most: int
    ) -> Iterator[Record]:
        for number, record in enumerate(candidates):
            if number == most:
                self.cut = True
                return
            if match(record):
                yield record

    def _below(self, found: Iterator[Record], keys: Mapping[str, Key]) -> Iterator[Record]:
        """Those of which something is among the first of the level below that are looked at."""
        most, below = self.habits.most_below, self._looked_at(keys)
        if most is None or below is None:
            return found
        records = list(found)
        seen = nsmallest(
            most,
            (
                (crc32(uid.encode()), number)  # in no order that anybody could guess
                for number, record in enumerate(records)
                for uid in self._uids_below(record, keys, below)
            ),
        )
        return (records[number] for number in sorted({number for _, number in seen}))

    def _looked_at(self, keys: Mapping[str, Key]) -> Level | None:
        """The level that is looked at for these keys, or for what is asked for."""
        if self.level is Level.PATIENT and not self.habits.joined:
            return Level.STUDY
        given = self.habits.below_keys & keys.keys()
        if not self.habits.joined:
            given = {
                keyword for keyword in given if self.level is Level.STUDY and _asks(keys[keyword])
            }
        return max((_BELOW[keyword] for keyword in given), key=HIERARCHY.index, default=None)

    def _uids_below(self, record: Record, keys: Mapping[str, Key], below: Level) -> list[str]:
        """What below this record matches: a study's series by their modality, all else of it."""
        own = UNIQUE_KEY[self.level]
        within: dict[str, Key] = {own: ("LO" if own == "PatientID" else "UI", str(record[own][0]))}
        modality = keys.get("ModalitiesInStudy", ("", ""))
        if self.level is Level.STUDY and below is Level.SERIES and _asks(modality):
            within["Modality"] = modality
        unlimited = replace(self, level=below, keys=within)
        rows = self.index.find(below, within, match=unlimited.matcher(within))
        return [str(row[UNIQUE_KEY[below]][0]) for row in rows]


def _asks(key: Key) -> bool:
    return not isinstance(key, tuple) or key[1] not in ("", "*")


def told_with(asked: Mapping[str, Key], level: Level, habits: Habits) -> dict[str, Key]:
    """Those of the attributes asked for that a series is told with though its objects have them."""
    told = habits.told_of_series if level is Level.SERIES else frozenset[str]()
    return {keyword: key for keyword, key in asked.items() if keyword in told and not _asks(key)}


def with_told(index: Index, series: Record, keywords: Sequence[str]) -> Record:
    """A series with what its first object has of these attributes, which are none of a series."""
    if not keywords:
        return series
    uid = str(series[UNIQUE_KEY[Level.SERIES]][0])
    first = next(index.find(Level.IMAGE, {UNIQUE_KEY[Level.SERIES]: ("UI", uid)}))
    return {**{keyword: first.get(keyword, ()) for keyword in keywords}, **series}
