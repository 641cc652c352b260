"""Which studies have a report that says a word, which deny it, and of which it cannot be told."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ..errors import BadArgument
from ..standard.counted import counted
from ..words.mentions import Mention, Wanted, mentions
from .objects import AS_NOW, MAY_HOLD
from .reader import Reader

# No limit but memory's.
_EVERY = 5_000_000

# What tells of dose, of images or of a procedure, and does not say what was seen.
_OF_OTHER_THINGS = ("radiation dose report", "key object selection", "procedure log")


class Told(StrEnum):
    """What the reports of a study tell of words."""

    SAID = "said"  # one says it, not negated
    DENIED = "denied"  # every mention is negated, and the reports are whole
    ABSENT = "absent"  # the reports are whole, and have none of the words
    OPEN = "open"  # not to be decided: no report, a text not whole, asked about only


@dataclass(frozen=True, slots=True)
class WithWords:
    """What was found of words, by study: those that say and deny them by the object that does
    (SOP Instance UID), those that have reports without them, and why others cannot be decided."""

    said: dict[str, str] = field(default_factory=dict[str, str])
    denied: dict[str, str] = field(default_factory=dict[str, str])
    absent: set[str] = field(default_factory=set[str])
    open: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, study: str) -> Told:
        """What is told of this study."""
        if study in self.said:
            return Told.SAID
        if study in self.denied:
            return Told.DENIED
        return Told.ABSENT if study in self.absent else Told.OPEN


def studies_with_words(
    reader: Reader, words: Sequence[str], studies: Collection[str] | None = None
) -> WithWords:
    """Which of these studies (by UID; None: all of the index) have a report with any of `words`.

    Each of them is one word or several in a row, without regard to case and accents; a word stands
    for all that begin with it, with a * before it for all that have it. Raises BadArgument for what
    has no word, and where the index keeps no reports.
    """
    wanted = _wanted(words)
    if not reader.keeps("reports"):
        raise BadArgument(
            "the index keeps no reports",
            'The operator adds them with depth = "reports" in [index] of the configuration',
        )
    hits, of_reports = _asked(reader, wanted, studies)
    found = WithWords()
    for study in of_reports if studies is None else studies:
        says: dict[Mention, str] = {}
        for instance, text in hits.get(study, ()):
            for mention in mentions(text, wanted):
                says.setdefault(mention, instance)
        why = of_reports.get(study, "not in the index")
        if Mention.SAID in says:
            found.said[study] = says[Mention.SAID]
        elif why:
            found.open[study] = why
        elif Mention.OPEN in says:
            found.open[study] = "asked about, not excluded, or only of another one is told"
        elif Mention.DENIED in says:
            found.denied[study] = says[Mention.DENIED]
        else:
            found.absent.add(study)
    return found


def _wanted(words: Sequence[str]) -> list[Wanted]:
    try:
        wanted = [Wanted.of(part) for part in words]
    except ValueError:
        wanted = []
    if not wanted:
        raise BadArgument("no word is named that reports can have", "Name one, such as nodule")
    return wanted


def _asked(
    reader: Reader, wanted: Sequence[Wanted], studies: Collection[str] | None
) -> tuple[dict[str, list[tuple[str, str]]], dict[str, str]]:
    """Of each study the texts that may have a word; and why its reports are not all there to be
    read, "" where they are."""
    which, values = "", list[Any]()
    if studies is not None:
        which, values = " SEMI JOIN (SELECT unnest(?) AS study_uid) USING (study_uid)", [[*studies]]
    pattern = "|".join(f"(?:{part.in_sql})" for part in wanted)
    hits: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for study, instance, text in reader.ask(
        f"SELECT study_uid, sop_instance_uid, text FROM reports{which}"
        " WHERE regexp_matches(text, ?)",
        [*values, pattern],
        most_rows=_EVERY,
        is_ours=True,
    ).rows:
        hits[study].append((instance, text))
    told = reader.ask(_STATE.format(which=which), values, most_rows=_EVERY, is_ours=True).rows
    return hits, {study: _why(*counts) for study, *counts in told}


def _why(reports: int | None, lacking: int | None, unread: int | None) -> str:
    if unread:
        return f"{counted(unread, 'series')} not read yet"
    if not reports:
        return "no report"
    return f"{lacking} of {counted(reports, 'report')} could not be read whole" if lacking else ""


# Of each study: its reports, those that could not be read whole, and series not looked into yet.
_STATE = f"""
SELECT study_uid, reports, lacking, unread
FROM (SELECT DISTINCT study_uid FROM studies{{which}})
LEFT JOIN (
  SELECT study_uid, count(*) AS reports, count(*) FILTER (NOT coalesce(is_whole, false)) AS lacking
  FROM reports WHERE coalesce(kind NOT IN {_OF_OTHER_THINGS}, true) GROUP BY ALL) USING (study_uid)
LEFT JOIN (
  SELECT study_uid, count(*) AS unread
  FROM (SELECT study_uid, series_uid, {AS_NOW} AS as_series FROM series WHERE {MAY_HOLD["reports"]})
  ANTI JOIN all_reports USING (study_uid, series_uid, as_series) GROUP BY ALL) USING (study_uid)
"""
