"""A process that fills an index is killed at any moment, and the archive changes meanwhile."""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import IndexUnavailable
from dicom_mcp.index.coverage import Coverage
from dicom_mcp.index.kept import Kept
from dicom_mcp.index.reader import Reader
from dicom_mcp.index.sql import ask
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import Node
from tests.bounds import PATIENCE
from tests.content.documents import report
from tests.index.filled import DAY, Filled, index_in
from tests.index.filling import Filling
from tests.peers.embedded import embedded
from tests.truth.archives import images

KEY = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="
DEEP = ("headers", "reports")
IS_LONG = os.environ.get("DICOM_MCP_SCALE") == "1"


type Row = tuple[str, ...]

ROWS = """SELECT study_uid, patient_id, study_description, coalesce(study_date::VARCHAR, '')
FROM studies"""

# Of series whose object was read, how many are of another version than what was read of it; and
# how many were not read.
OF_OBJECTS = {
    "headers": """SELECT count(*) FILTER (series_description <> 'version ' || kvp::INTEGER),
count(*) FILTER (h.series_uid IS NULL) FROM series LEFT JOIN headers h USING (series_uid)
WHERE modality = 'CT'""",
    "reports": """SELECT count(*) FILTER (NOT contains(text, series_description[9:] || ' mm')),
count(*) FILTER (r.series_uid IS NULL) FROM series LEFT JOIN reports r USING (series_uid)
WHERE modality = 'SR'""",
}


@dataclass(frozen=True, slots=True)
class Study:
    """A study of an archive, as it is now."""

    number: int
    day: int
    patient: str
    version: int

    @property
    def row(self) -> tuple[str, str, str]:
        return (f"1.2.{self.number}", self.patient, f"version {self.version}")

    @property
    def date(self) -> str:
        return f"2026-{self.day // 28 + 2:02}-{self.day % 28 + 1:02}" if self.day else ""

    def objects(self) -> list[Dataset]:
        """A series of images and a report; both tell the version, for the archive and inside."""
        version, patient = self.version, self.patient
        ct = images(1, study=self.number, PatientID=patient, KVP=f"{version}")
        sr = [report(self.number, "", f"A nodule of {version} mm.", patient=patient)]
        for made in (*ct, *sr):
            made.StudyDate = self.date.replace("-", "")
            made.StudyDescription = made.SeriesDescription = f"version {version}"
        return [*ct, *sr] if self.number % 4 else ct  # of one no report was written


type Held = dict[int, Study]
type Change = tuple[str, int, int]

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("arrives", "arrives", "corrected", "moves", "merged", "goes")),
        st.integers(1, 7),
        st.integers(0, 50),
    ),
    min_size=1,
    max_size=12,
)
# What changes, and the moment at which the sync that follows is killed.
ROUNDS = st.lists(st.tuples(CHANGES, st.integers(0, 60)), min_size=2, max_size=4)


def changed(held: Held, changes: Sequence[Change], version: int) -> Held:
    """What an archive holds after these changes."""
    held = {**held}
    for what, number, day in changes:
        study = held.get(number)
        if what == "arrives":
            held.setdefault(number, Study(number, day, f"P{number % 3}", version))
        elif study and what == "corrected":
            held[number] = replace(study, version=version)
        elif study and what == "moves":
            held[number] = replace(study, day=day)
        elif study and what == "merged":  # all that there is of a patient
            for other in [other for other in held.values() if other.patient == study.patient]:
                held[other.number] = replace(other, patient=f"P{day % 3}")
        elif what == "goes":
            held.pop(number, None)
    return held


def reader_of(index: Filled, depth: Sequence[str]) -> Reader:
    polite = IndexSettings(depth=tuple(depth))
    coverage = Coverage.now(index.ledger, polite, UTC)
    return Reader(
        Node(), coverage, Kept(index.store, index.ledger), polite, UTC, Deadline(PATIENCE)
    )


def check_claims(
    index: Filled, history: Sequence[tuple[float, Held]], depth: Sequence[str] = ()
) -> None:
    """Each day that is called whole holds what the archive held when it was asked for; what is kept
    of objects is of the series that are kept; and what lacks is said to."""
    table = ask(
        index.store, index.ledger, ROWS, most_rows=1_000, deadline=Deadline(PATIENCE), is_ours=True
    )
    kept: defaultdict[str, set[Row]] = defaultdict(set)
    for *row, day in table.rows:
        kept[day].add(tuple(row))
    for day, entry in table.days.items():
        if entry.whole and entry.asked:
            then = [held for since, held in history if since <= entry.asked][-1]
            assert kept[day] == {study.row for study in then.values() if study.date == day}, day
    for name in depth:
        reader = reader_of(index, depth)
        (wrong, lacking), *_ = reader.ask(OF_OBJECTS[name], most_rows=1, is_ours=True).rows
        is_told = any(name in note.unnamed and note.lacks for note in reader.notes())
        assert not lacking or is_told or reader.coverage.not_whole, name
        assert not wrong or reader.coverage.not_whole, name


# A history in which all of it happens.
HISTORY = [
    ([("arrives", number, 9 * number) for number in range(7)], 17),
    (
        [("corrected", 1, 0), ("moves", 2, 40), ("merged", 3, 1), ("goes", 5, 0), ("moves", 6, 0)],
        9,
    ),
    ([("arrives", 5, 45), ("corrected", 4, 0), ("moves", 1, 3), ("goes", 2, 0)], 30),
]


@settings(
    max_examples=200,
    phases=[Phase.explicit, Phase.generate] if IS_LONG else [Phase.explicit],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize(
    ("depth", "key"), [((), ""), (DEEP, KEY), *[((), KEY), (DEEP, "")] * IS_LONG]
)
@example(rounds=HISTORY)
@given(rounds=ROUNDS)
def test_killed_at_any_moment_no_more_is_claimed_than_is_true(
    tmp_path_factory: pytest.TempPathFactory,
    depth: Sequence[str],
    key: str,
    rounds: Sequence[tuple[Sequence[Change], int]],
) -> None:
    held: Held = {}
    history: list[tuple[float, Held]] = []
    with index_in(tmp_path_factory.mktemp("index")) as index:
        index.store.key = key
        for version, (changes, moment) in enumerate(rounds, 1):
            held = changed(held, changes, version)
            index.clock.now += 3 * DAY
            history.append((index.clock.now, held))
            with embedded([made for study in held.values() for made in study.objects()]) as peer:
                address = f"EMBEDDED@{peer.node.host}:{peer.node.port}"
                folder, now = str(index.store.folder), index.clock.now
                filling = Filling(folder, address, now, depth, key, moment)
                with filling.process() as process:
                    while process.poll() is None:
                        with suppress(IndexUnavailable):  # where each try met another write
                            check_claims(index, history, depth)
            check_claims(index, history, depth)
        index.store.tidy()
        index.clock.now += 3 * DAY
        history.append((index.clock.now, held))
        index.fill([made for study in held.values() for made in study.objects()], depth=depth)
        check_claims(index, history, depth)
        rows = index.rows(ROWS)
        assert sorted(map(tuple, rows)) == sorted((*s.row, s.date) for s in held.values())
        for name in depth:
            assert index.rows(OF_OBJECTS[name], is_ours=True) == [[0, 0]]
        assert not [*index.store.folder.rglob("*.partial")]
