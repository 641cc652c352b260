"""Studies that are alike: where all that a count reads of several is the same, one of them stands
for all, and the engine says how many they are. A count by maker and year reads a thousand then, of
160,000."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Match, Query
from .alike import Alike, UnlikeError
from .columns import AS_GIVEN, match_of, shown_as
from .keys import span_of
from .reader import Reader
from .resident import KEY, SINGLE

_STUDY, _SERIES = UNIQUE_KEY[Level.STUDY], UNIQUE_KEY[Level.SERIES]
_MODALITIES = "ModalitiesInStudy"

# What is summed where images are counted.
_IMAGES = {"studies": "NumberOfStudyRelatedInstances", "series": "NumberOfSeriesRelatedInstances"}

# What is the same of two days, or times of day, that are in one period.
_PERIODS = {
    **{name: f"date_trunc('{name}', study_date)" for name in ("year", "quarter", "month", "week")},
    **dict.fromkeys(("day", "date"), "study_date"),
    "weekday": "isodow(study_date)",
    "weekend": "isodow(study_date) > 5",
}

# Kinds of series that a word has a bit for, and words; more are told as lists.
_BITS, _MOST_WORDS = 126, 4

# No limit but memory's.
_EVERY = 5_000_000


@dataclass(slots=True)
class Kinds:
    """The studies of an index, one of each kind, for one count."""

    reader: Reader
    alike: Alike
    # What is read of series, and of which of these kinds each study has some.
    _series: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _had: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    # The study of each kind, by its row; and how they were asked for.
    _studies: dict[str, str] = field(default_factory=dict[str, str])
    _asked: "_Studies | None" = None

    def studies(self, query: Query, where: str, values: Sequence[Any]) -> list[Match]:
        """One study of each kind among those that a condition chooses. Raises UnlikeError."""
        if not self._ask(f"SELECT is_single FROM {SINGLE}")[0][0]:
            raise UnlikeError
        self._had, self._studies = {}, {}
        asked = self._asked = _Studies(query, self.alike, where, values)
        if asked.of_series is not None:
            of_series = _Series(asked.of_series)
            self._series = of_series.records(self._ask(of_series.every))
            asked.sets = of_series.sets(len(self._series))
        return [
            self._study(asked, row)
            for row in self._ask(
                f"{asked.source} SELECT min({KEY}), count(*), sum(images), min(day),"
                f" {', '.join(asked.by)} FROM asked GROUP BY ALL",
                values,
            )
        ]

    def _study(self, asked: "_Studies", row: Sequence[Any]) -> Match:
        key, number, images, day, *by = row
        study = str(key)
        self.alike.numbers[study] = number
        self._studies[repr(by)] = study
        record = asked.record(by, images, day)
        match = match_of("studies", asked.told, record)
        if asked.of_series is not None:
            kinds = self._had[study] = _numbers(by[len(asked.columns) :])
            found = {self._series[kind].get("modality") for kind in kinds} - {None}
            # The archive's own list may lack some.
            if _MODALITIES in asked.told and not found <= {*(record["modalities"] or ())}:
                several = sorted(map(str, found))
                match[_MODALITIES] = several[0] if len(several) == 1 else [*several]
        match[_STUDY] = study
        return match

    def series(self, studies: Collection[str], query: Query) -> list[Match]:
        """The series of these studies, one of each kind. Raises UnlikeError."""
        if self._asked is None or self._asked.of_series is None:
            raise UnlikeError
        read = {*self.alike.series, *self._asked.of_series}
        if {*query.returned} - read - {_STUDY, _SERIES, "PatientID"}:
            raise UnlikeError
        wanted = {*query.returned} - {_STUDY, _SERIES}
        if self.alike.each_series:
            return self._each(self._asked, {*studies}, wanted)
        several = [match_of("series", wanted, record) for record in self._series]
        return [
            {**several[kind], _STUDY: study, _SERIES: str(kind)}
            for study in studies
            for kind in self._had[study]
        ]

    def number(self, match: Match) -> int:
        """How many a match stands for."""
        name = " ".join(str(match[key]) for key in (_STUDY, _SERIES) if key in match)
        return self.alike.numbers.get(name, 1)

    def _each(self, asked: "_Studies", studies: set[str], wanted: set[str]) -> list[Match]:
        """Series by themselves: how many there are of each kind in the studies of each kind."""
        summed = {_IMAGES["series"]} if self.alike.images else set[str]()
        of_series = _Series({*self.alike.series} - summed, "counted")
        several = of_series.records(self._ask(of_series.every))
        rows = self._ask(
            f"{asked.source}, {of_series.kinds} SELECT kind, count(*), sum(image_count),"
            f" count(*) - count(image_count), {', '.join(asked.by)} FROM all_series"
            f" {of_series.joined} JOIN asked USING ({KEY}) GROUP BY ALL",
            asked.values,
        )
        found: list[Match] = []
        for kind, number, images, uncounted, *by in rows:
            study = self._studies[repr(by)]
            if study not in studies:
                continue
            if self.alike.images and uncounted:
                raise UnlikeError
            record: dict[str, Any] = {**several[kind]}
            if summed:
                record["image_count"] = images
            match = match_of("series", wanted, record)
            self.alike.numbers[f"{study} {kind}"] = number
            found.append({**match, _STUDY: study, _SERIES: str(kind)})
        return found

    def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[list[Any]]:
        return self.reader.ask(statement, values, most_rows=_EVERY, is_ours=True).rows


class _Studies:
    """How the studies that a query is about are asked for, by what makes them alike."""

    def __init__(self, query: Query, alike: Alike, where: str, values: Sequence[Any]) -> None:
        self.told = {*query.wanted} - {_STUDY}
        self.values = [*values]
        # By what of their series studies are told apart, if by any.
        self.of_series: list[str] | None = None
        if alike.series or alike.each_series or _MODALITIES in self.told:
            read = set(alike.series) if not alike.each_series else set[str]()
            known = {"Modality"} & {*alike.series} if alike.each_series else set[str]()
            by_modality = {"Modality"} if _MODALITIES in self.told else set[str]()
            self.of_series = sorted(read | known | by_modality)
        self.sets: tuple[str, list[str]] = ("", [])
        self._where = where
        self._sums = alike.images
        self.columns = self._columns(alike, query)

    def _columns(self, alike: Alike, query: Query) -> dict[str, str]:
        told = self.told - ({_IMAGES["studies"]} if self._sums else set[str]())
        columns = {name: name for name in shown_as("studies", told)}
        if self._sums:
            columns["uncounted"] = "image_count IS NULL"
        key = query.keys.get("StudyDate", "")
        ends = span_of(key) if key else (None, None)
        self._day = "NULL::DATE"
        if alike.periods is not None and "StudyDate" in told and ends:
            del columns["study_date_text"]
            # Where a text is another one than the day it is read as, it is told as it is.
            plain = "year(study_date) * 10000 + month(study_date) * 100 + day(study_date)"
            given = f"coalesce(contains({AS_GIVEN}, '\"StudyDate\":'), false)"
            self._day = (
                f"CASE WHEN len(study_date_text) = 8 AND NOT {given}"
                f" AND {plain} = TRY_CAST(study_date_text AS INTEGER) THEN study_date END"
            )
            columns["written"] = f"CASE WHEN ({self._day}) IS NULL THEN study_date_text END"
            for number, period in enumerate(sorted(alike.periods)):
                same = _PERIODS[period]
                columns[f"period_{number}"] = f"CASE WHEN ({self._day}) IS NOT NULL THEN {same} END"
            for name, end in zip((">=", "<="), ends, strict=True):
                if end:
                    columns[f"is_in {name}"] = f"({self._day}) {name} DATE '{end}'"
        columns[AS_GIVEN] = _given(told)
        return columns

    @property
    def by(self) -> list[str]:
        """What makes them alike."""
        return [*(f'"{name}"' for name in _prefixed(self.columns)), *self.sets[1]]

    @property
    def source(self) -> str:
        """The beginning of a statement that has them as `asked`."""
        columns = ", ".join(
            f'{expression} AS "{name}"'
            for name, expression in zip(_prefixed(self.columns), self.columns.values(), strict=True)
        )
        chosen = (
            f"SELECT {KEY}, image_count AS images, {self._day} AS day, {columns} FROM all_studies"
            f" WHERE {self._where}"
        )
        if not self.sets[0]:
            return f"WITH asked AS ({chosen})"
        return (
            f"WITH {self.sets[0]}, chosen AS ({chosen}),"
            f" asked AS (FROM chosen LEFT JOIN sets USING ({KEY}))"
        )

    def record(self, by: Sequence[Any], images: int | None, day: str | None) -> dict[str, Any]:
        """The record of a study of this kind."""
        record: dict[str, Any] = dict(zip(self.columns, by, strict=False))
        if "written" in record:
            record["study_date_text"] = day.replace("-", "") if day else record["written"]
        if self._sums:
            record["image_count"] = None if record["uncounted"] else images
        return {**record, AS_GIVEN: _cleared(record[AS_GIVEN])}


class _Series:
    """The kinds of series there are, by some keywords, each with a number from 0."""

    def __init__(self, keywords: Collection[str], name: str = "kinds") -> None:
        self._columns = {
            **{name: name for name in shown_as("series", keywords)},
            AS_GIVEN: _given(keywords),
        }
        names = [f"{name}_{column}" for column in self._columns]
        several = ", ".join(
            f"{expression} AS {name}"
            for name, expression in zip(names, self._columns.values(), strict=True)
        )
        order = ", ".join(names)
        self.kinds = (
            f"{name} AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY {order}) - 1 AS kind"
            f" FROM (SELECT DISTINCT {several} FROM all_series))"
        )
        same = " AND ".join(
            f"({expression}) IS NOT DISTINCT FROM {name}"
            for name, expression in zip(names, self._columns.values(), strict=True)
        )
        self.joined = f"JOIN {name} ON {same}"
        self.every = f"WITH {self.kinds} SELECT {order} FROM {name} ORDER BY kind"

    def records(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """The record of each kind, by its number."""
        records = [dict(zip(self._columns, row, strict=True)) for row in rows]
        return [{**record, AS_GIVEN: _cleared(record[AS_GIVEN])} for record in records]

    def sets(self, count: int) -> tuple[str, list[str]]:
        """What has of which of so many kinds each study has some, and the columns of that."""
        words = -(-count // _BITS)
        if words > _MOST_WORDS:
            several = ["list_sort(list(DISTINCT kind)) AS kinds_had"]
            names = ["kinds_had"]
        else:
            names = [f"word_{word}" for word in range(max(words, 1))]
            several = [
                f"bit_or(CASE WHEN kind // {_BITS} = {word} THEN 1::HUGEINT << (kind % {_BITS})"
                f" ELSE 0::HUGEINT END) AS {name}"
                for word, name in enumerate(names)
            ]
        made = (
            f"{self.kinds}, sets AS (SELECT {KEY}, {', '.join(several)} FROM all_series"
            f" {self.joined} GROUP BY {KEY})"
        )
        return made, names


def _prefixed(names: Collection[str]) -> list[str]:
    """Names that no column of a table has."""
    return [f"its_{name}" for name in names]


def _numbers(words: Sequence[Any]) -> list[int]:
    """The numbers that bits, or a list, stand for."""
    if not words or words[0] is None:
        return []
    if isinstance(words[0], list):
        return words[0]  # pyright: ignore[reportUnknownVariableType]
    return [
        word * _BITS + bit
        for word, bits in enumerate(words)
        for bit in range(int(bits).bit_length())
        if bits >> bit & 1
    ]


def _given(keywords: Collection[str]) -> str:
    """What was given otherwise than the columns tell it, as far as these are concerned."""
    if not keywords:
        return "NULL"
    several = sorted(keywords)
    any_of = " OR ".join(f"contains({AS_GIVEN}, '\"{keyword}\":')" for keyword in several)
    parts = ", ".join(f"'{keyword}', {AS_GIVEN} -> '$.{keyword}'" for keyword in several)
    return f"CASE WHEN {any_of} THEN json_object({parts})::VARCHAR END"


def _cleared(given: str | None) -> str | None:
    """The same, without what was not."""
    if given is None:
        return None
    read: Mapping[str, Any] = json.loads(given)
    return json.dumps({name: value for name, value in read.items() if value is not None})
