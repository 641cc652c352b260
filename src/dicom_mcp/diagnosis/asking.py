"""Single questions of a diagnosis to one archive, and what is told of their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from ..deadline import Deadline
from ..dicomweb.exchange import WebExchange
from ..dimse.exchange import DimseExchange
from ..errors import ArchiveError
from ..node import WebNode
from ..standard.levels import Level
from ..standard.query import Ending, Match, Query
from . import command
from .step import Capability, Walk

# An archive that gives more at once has no cap that a question of ours would often meet.
MOST = 500
SECONDS = 6.0

WANTED = {
    Level.STUDY: (
        *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
        *("AccessionNumber", "StudyID", "StudyDescription", "ReferringPhysicianName"),
        *("ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    ),
    Level.SERIES: (
        *("Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined"),
        "NumberOfSeriesRelatedInstances",
    ),
    Level.IMAGE: ("SOPClassUID", "InstanceNumber"),
}

# How much of a question is shown in a command: what is asked of a patient is not.
HIDDEN = "…"

UNKNOWN = "not known"


@dataclass(slots=True)
class Got:
    """What came of one query."""

    rows: list[Match]
    ending: Ending | None = None
    error: ArchiveError | None = None

    def has(self, keyword: str, value: str) -> bool:
        return any(str(row.get(keyword, "")) == value for row in self.rows)


@dataclass(slots=True)
class Asker:
    """Asks one archive; what is found of it is told in `capabilities`. `above` are keys that every
    question needs there."""

    exchange: DimseExchange | WebExchange
    walk: Walk
    capabilities: list[Capability] = field(default_factory=list[Capability])
    above: dict[str, str] = field(default_factory=dict[str, str])

    def ask(
        self,
        level: Level,
        keys: Mapping[str, str],
        *,
        wanted: tuple[str, ...] | None = None,
        most: int = MOST,
        step: Deadline | None = None,
        above: bool = True,
    ) -> Got:
        """One query, stopped after so many rows. Raises DeadlinePassed when the whole is over."""
        self.walk.deadline.remaining()
        step = step or self.walk.deadline.at_most(SECONDS)
        got = Got([])

        asked = {**(self.above if above else {}), **keys}
        query = Query(level, asked, WANTED.get(level, ()) if wanted is None else wanted)
        try:
            with self.exchange.ask(query, deadline=step) as answer:
                got.rows += (match for match, _ in islice(answer, most))
            got.ending = answer.ending
        except ArchiveError as error:
            got.error = error
        return got

    def tell(self, name: str, found: str, shown: str = "") -> None:
        self.capabilities.append(Capability(name, found, shown))

    def shown(self, level: Level, keys: Mapping[str, str], wanted: tuple[str, ...]) -> str:
        node = self.exchange.node
        if isinstance(node, WebNode):
            resource = "series" if level is Level.SERIES else "studies"
            if level is Level.SERIES and wanted:
                resource = "studies/UID/series"
            if level is Level.IMAGE:
                resource = "studies/UID/series/UID/instances"
            asked = [
                f"{keyword}={key}"
                for keyword, key in keys.items()
                if keyword != "SpecificCharacterSet"
            ]
            asked += [f"includefield={keyword}" for keyword in wanted]
            return command.fetch(node, f"/{resource}?{'&'.join((*asked, 'limit=5'))}")
        above = dict.fromkeys(self.above, HIDDEN)
        shown = {**above, **keys, **dict.fromkeys(wanted, "")}
        if level is Level.SERIES and wanted:
            shown = {"StudyInstanceUID": "UID", **shown}
        if level is Level.IMAGE:
            shown = {"StudyInstanceUID": "UID", "SeriesInstanceUID": "UID", **shown}
        root = self.exchange.patient_root_only
        return command.find(node, level.value, shown, patient_root=root)
