"""What it takes objects to know: one of each series is fetched for its header, every report for its
words, and dropped at once.

One series is done at a time, so that whoever asks can go first; what was read is written when a
day is done, or when enough has come that losing it would cost.
"""

import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING
from unicodedata import normalize

from ..budgets import LARGEST_INFLATED, LARGEST_OBJECT
from ..content.error import ContentError
from ..deadline import Deadline
from ..dicom_api import Archive
from ..errors import (
    AskedInVain,
    DeadlinePassed,
    NoAcceptedContext,
    ProtocolViolation,
    StatusFailure,
)
from ..standard.instance import Instance, Reference
from ..standard.levels import Level
from ..standard.query import Match, Query, texts
from ..standard.sop_classes import sop_class
from ..standard.values import whole_number
from .columns import AS_SERIES, FETCHED, OF_OBJECTS, Row, row_of, wanted
from .facts import ALSO
from .ledger import Ledger, Read
from .objects import keep, read_of, unread
from .store import Store

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DAY_SECONDS = 86_400.0

# For one series: its list, and one object, or its reports.
_SECONDS = 120.0

# Objects of a series that is listed, and reports of it that are read.
_MOST_LISTED = 20_000
_MOST_REPORTS = 100

# What was read is written after so many series, or so many seconds.
_MOST_HELD = 300
_HELD_SECONDS = 20.0

_LISTED = ("SOPInstanceUID", "SOPClassUID", "InstanceNumber", "AvailableTransferSyntaxUID")

# Letters that PDFs join, as words are looked for.
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)

# What concerns one object, and not whether its archive can be asked.
_OF_ONE = (ContentError, StatusFailure, NoAcceptedContext, ProtocolViolation, DeadlinePassed,
           AskedInVain)  # fmt: skip


@dataclass(slots=True)
class Deep:
    """Reads the objects of an index that is asked for these `tables`."""

    archive: Archive
    store: Store
    ledger: Ledger
    tables: Collection[str]
    now: Callable[[], float] = time.time
    _left: deque[Row] = field(default_factory=deque[Row])
    _at: tuple[str, str] = ("", "")  # the table and the day of what is left, and of what is held
    _held: list[Row] = field(default_factory=list[Row])
    _held_since: float = 0.0

    def step(self, today: date) -> tuple[str, str] | None:
        """Read of one more series, of the newest day that lacks something: the table and the day;
        None when nothing is due. Raises ArchiveError where the archive cannot be asked."""
        if not self._left:
            self.write()
            if not self._begin(today):
                return None
        at, series = self._at, self._left[0]
        read = _header if at[0] == "headers" else _reports
        place = {name: series[name] for name in ("study_uid", "series_uid")}
        try:
            rows = read(self.archive, series)
        except _OF_ONE as trouble:
            rows = [{"fault": trouble.happened}]
        self._left.popleft()
        blank = dict.fromkeys(column.name for column in OF_OBJECTS[at[0]])
        beside = {AS_SERIES: series[AS_SERIES], FETCHED: self.now()}
        self._held += [{**blank, **row, **place, **beside} for row in rows]
        self._held_since = self._held_since or time.monotonic()
        held_for = time.monotonic() - self._held_since
        if not self._left or len(self._held) >= _MOST_HELD or held_for > _HELD_SECONDS:
            self.write()
        return at

    @property
    def held(self) -> int:
        """Of how many series what was read is not written yet."""
        return len({row["series_uid"] for row in self._held})

    def write(self) -> None:
        """Write what was read. Raises IndexUnavailable."""
        if self._held:
            table, day = self._at
            keep(self.store, table, day, self._held)
            self._held, self._held_since = [], 0.0
            self.ledger.enter_read(read_of(self.store, table, day, self.now()))

    def forget(self) -> None:
        """The days were asked for anew: what is left of them is looked up again."""
        self.write()
        self._left.clear()

    def _begin(self, today: date) -> bool:
        """Look up what is left of the day that is due next, if any."""
        for day, table in self._due(today):
            since = self.now() - _DAY_SECONDS
            self._left = deque(unread(self.store, table, day, since))
            self._at = (table, day)
            if self._left:
                return True
            self.ledger.enter_read(read_of(self.store, table, day, self.now()))
        return False

    def _due(self, today: date) -> list[tuple[str, str]]:
        """Days and tables of which something may be unread, newest first; today's studies are
        still being made."""
        known = self.ledger.days()
        days = [
            (day, table)
            for table in self.tables
            for read in (self.ledger.read_of(table),)
            for day, entry in known.items()
            if entry.series and day != today.isoformat() and self._is_due(read.get(day))
        ]
        return sorted(days, reverse=True)

    def _is_due(self, read: Read | None) -> bool:
        if read is None or not read.read or read.had < read.series:
            return True
        return read.failed > 0 and read.read < self.now() - _DAY_SECONDS


def _header(archive: Archive, series: Row) -> list[Row]:
    """The row of one object of a series, the middle one by number."""
    from ..content.facts import facts
    from ..content.read import without_pixels

    listed = _listed(archive, series, Deadline(_SECONDS))
    if not listed:
        raise ContentError("The archive lists no object of this series")
    reference = _reference(series, listed[len(listed) // 2])
    instance = _fetched(archive, reference, headers=True)
    cut = without_pixels(instance.data_set, instance.transfer_syntax)
    header = replace(instance, data_set=bytearray(cut), without_bulk=True)
    dataset, faults, _ = _opened(header, reference)
    if not dataset.get("SeriesInstanceUID"):
        faults = (*faults, "it does not say which series it is of, which every object does")
    if faults:  # what it lacks now would be told as what it never had
        raise ContentError(f"The object is damaged: {faults[0]}")
    found = facts(dataset, wanted("headers"), ALSO)
    match: Match = {keyword: [*values] for keyword, values in found.items()}
    match |= {
        "SOPInstanceUID": reference.sop_instance_uid,
        "TransferSyntaxUID": instance.came_in or instance.transfer_syntax,
    }
    return [row_of("headers", match)]


def _reports(archive: Archive, series: Row) -> list[Row]:
    """A row for each report of a series; one without an object where it has none."""
    by_modality = series["modality"] in ("SR", "DOC")
    listed = _listed(archive, series, Deadline(_SECONDS))
    reports = [
        _reference(series, match)
        for match in listed
        if (
            (kind := sop_class(str(match.get("SOPClassUID", "")))).report
            and kind.report != "presentation state"
        )
        or (by_modality and not match.get("SOPClassUID"))
    ]
    rows = [_report(archive, reference) for reference in reports[:_MOST_REPORTS]]
    if (left := len(reports) - _MOST_REPORTS) > 0:
        rows.append({"fault": f"{left} more reports of this series are not read"})
    return rows or [{}]


def _report(archive: Archive, reference: Reference) -> Row:
    """The row of one report."""
    from ..content.report import read_report

    deadline = Deadline(_SECONDS)
    row: Row = {"sop_instance_uid": reference.sop_instance_uid}
    try:
        came = _fetched(archive, reference, headers=False)
        dataset, *damage = _opened(came, reference)
        report = read_report(dataset, deadline)
    except _OF_ONE as trouble:
        return {**row, "fault": trouble.happened}
    told: Match = {
        "kind": report.kind,
        "title": report.title,
        "ContentDate": report.content_date,
        "ContentTime": report.content_time,
        "CompletionFlag": report.completion,
        "VerificationFlag": report.verification,
        "PreliminaryFlag": report.preliminary,
        "authors": [*report.authors],
        "conclusion": report.conclusion,
        "text": normalize("NFC", report.text.translate(_LIGATURES)),
        "notes": [*report.notes, *chain(*damage)],
    }
    is_whole = report.whole and not (report.scanned or report.in_pictures or any(damage))
    return {**row_of("reports", told), **row, "is_whole": is_whole}


def _listed(archive: Archive, series: Row, deadline: Deadline) -> list[Match]:
    """The objects of a series in the order of their numbers."""
    keys = {"StudyInstanceUID": series["study_uid"], "SeriesInstanceUID": series["series_uid"]}
    query = Query(Level.IMAGE, keys, _LISTED)
    found = archive.find(query, limit=_MOST_LISTED, deadline=deadline).matches
    found.sort(key=lambda match: whole_number(match.get("InstanceNumber", "")) or 0)
    return found


def _reference(series: Row, match: Match) -> Reference:
    return Reference(
        series["study_uid"],
        series["series_uid"],
        str(match.get("SOPInstanceUID", "")),
        str(match.get("SOPClassUID", "")),
        tuple(texts(match.get("AvailableTransferSyntaxUID", ""))),
    )


def _fetched(archive: Archive, reference: Reference, *, headers: bool) -> Instance:
    """The object. Raises ContentError where it does not come, or another one does."""
    came: list[Instance] = []

    def take(instance: Instance) -> bool:
        came.append(instance)
        return False

    answer = archive.objects([reference], take, deadline=Deadline(_SECONDS), headers=headers)
    if not came:
        told = " ".join(note.unnamed for note in answer.notes)
        raise ContentError(f"The archive did not give the object. {told}".strip())
    (instance,) = came
    if instance.sop_instance_uid != reference.sop_instance_uid:
        raise ContentError("For the object another one came")
    if len(instance.data_set) > LARGEST_OBJECT and not headers:
        raise ContentError(f"The object has {len(instance.data_set):,} bytes, which is too large")
    return instance


def _opened(
    instance: Instance, reference: Reference
) -> "tuple[Dataset, tuple[str, ...], tuple[str, ...]]":
    """An object as a data set, what is damaged of it, and what is doubtful. Raises ContentError for
    one that cannot be read, or is not the one that was asked for."""
    from ..content.inspection import inspected
    from ..content.read import read_inspected

    found = inspected(
        instance.data_set,
        instance.transfer_syntax,
        most=LARGEST_INFLATED,
        without_bulk=instance.without_bulk,
    )
    who = found.identity
    if who.sop_instance_uid != reference.sop_instance_uid:
        raise ContentError("For the object another one came")
    dataset = read_inspected(found.data_set, found.transfer_syntax, came_in=found.came_in)
    return dataset, found.faults, found.doubts
