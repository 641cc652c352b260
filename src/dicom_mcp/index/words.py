"""Which studies have a report that says a word, which deny it, and of which it cannot be told."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadArgument
from ..standard.counted import counted
from ..words.mentions import Mention, Told, Wanted, mentions
from .objects import REPORTED
from .reader import Reader

# No limit but memory's.
_EVERY = 5_000_000


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

    def states(self) -> dict[str, Told]:
        """What is told of each study that is decided."""
        return {
            **dict.fromkeys(self.absent, Told.ABSENT),
            **dict.fromkeys(self.denied, Told.DENIED),
            **dict.fromkeys(self.said, Told.SAID),
        }


def studies_with_words(
    reader: Reader, words: Sequence[str], studies: Collection[str] | None = None
) -> WithWords:
    """Which of these studies (by UID; None: all of the index) have a report with any of `words`.

    Each of them is one word or several in a row, without regard to case and accents; a word stands
    for all that begin with it, with a * before it for all that have it. Raises BadArgument for what
    has no word, and where the index keeps no reports.
    """
    wanted = _wanted(words)
    reader.need("reports")
    hits, of_reports = _asked(reader, wanted, studies)
    found = WithWords()
    for study in of_reports if studies is None else studies:
        reader.check()
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
    told = reader.ask(f"{REPORTED}{which}", values, most_rows=_EVERY, is_ours=True).rows
    return hits, {study: _why(*counts) for study, *counts in told}


def _why(reports: int, lacking: int, failed: int, unread: int) -> str:
    if unread:
        return f"{counted(unread, 'series')} not read yet"
    if failed:
        return f"{counted(failed, 'series')} could not be read"
    if not reports:
        return "no report"
    return f"{lacking} of {counted(reports, 'report')} could not be read whole" if lacking else ""
