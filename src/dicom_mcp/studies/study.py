"""What a study and its series say of it, and how an earlier one bears on it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..door.rows import filled, text
from ..standard import reading
from ..standard.query import Match, texts
from ..standard.record import NODES
from ..standard.sop_classes import DOSE
from ..standard.values import count_of
from ..words.body_part import body_part, related
from .kind import ACCOMPANYING, UNTOLD, is_image, kind

# The attributes of a patient that may differ between studies of one ID.
PERSON = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")

# What a study as a record may say, in this order.
ROW = (
    "StudyDate", "StudyTime", "StudyDescription", "Modality", "also", "body_part", "series",
    "images", "instances", "report", "dose_report", "AccessionNumber", "StudyInstanceUID",
)  # fmt: skip

# What is examined wherever such images are made (PS3.3 C.7.3.1.1.1).
_BODY_PART_OF: Mapping[str, str] = {
    "ECG": "HEART",
    "IO": "JAW",
    "IVOCT": "HEART",
    "KER": "EYE",
    "MG": "BREAST",
    "OP": "EYE",
    "OPM": "EYE",
    "OPT": "EYE",
    "OPV": "EYE",
    "PX": "JAW",
}


@dataclass(frozen=True, slots=True)
class Study:
    """What is known of a study; `whole` says that these are all its series, `kinds` what those
    (by UID) are that had to be looked into."""

    match: Match
    series: Sequence[Match]
    whole: bool
    images: int | None
    kinds: Mapping[str, str]

    @property
    def uid(self) -> str:
        return str(self.match.get("StudyInstanceUID", ""))

    @property
    def modalities(self) -> list[str]:
        """Its modalities: those of images first."""
        own = {str(series.get("Modality", "")) for series in self.series}
        if not self.whole:
            own.update(texts(self.match.get("ModalitiesInStudy", "")))
        return sorted(own - {""}, key=lambda modality: (not is_image(modality), modality))

    @property
    def main(self) -> list[str]:
        """The modalities it was made with."""
        return [modality for modality in self.modalities if modality not in ACCOMPANYING]

    @property
    def body_part(self) -> str:
        """What was examined: what its description says, else what its series say."""
        if found := body_part(text(self.match, "StudyDescription")):
            return found
        series = [match for match in self.series if is_image(str(match.get("Modality", "")))]
        said = ("SeriesDescription", "ProtocolName", "BodyPartExamined")
        if found := body_part(*(text(match, name) for match in series for name in said)):
            return found
        implied = {_BODY_PART_OF.get(modality, "") for modality in self.main}
        return implied.pop() if len(implied) == 1 else ""

    @property
    def day(self) -> date | None:
        return _day(text(self.match, "StudyDate"))

    @property
    def when(self) -> tuple[str, str]:
        """Date and time such that text compares as they do; "" is before all."""
        time = text(self.match, "StudyTime").replace(":", "").split(".")[0]
        return f"{self.day or ''}", time.ljust(6, "0") if time else ""

    def is_before(self, other: "Study") -> bool:
        """Whether it is an earlier one, as far as dates and times tell."""
        if self.day != other.day or not self.when[1] or not other.when[1]:
            return self.day is None or other.day is None or self.day <= other.day
        return self.when <= other.when

    def untold(self) -> int:
        """Structured reports of which nothing says whether they are on findings or on dose."""
        return sum(self._kind(series) == UNTOLD for series in self.series)

    def row(self, *differing: str) -> dict[str, Any]:
        """The study as a record, with the `differing` keywords of its patient."""
        instances = count_of(text(self.match, "NumberOfStudyRelatedInstances"))
        row: dict[str, Any] = {
            "StudyDate": text(self.match, "StudyDate"),
            "StudyTime": text(self.match, "StudyTime"),
            "StudyDescription": text(self.match, "StudyDescription"),
            "Modality": self.main,
            "also": [modality for modality in self.modalities if modality in ACCOMPANYING],
            "body_part": self.body_part,
            "series": len(self.series) if self.whole else "",
            "images": self.images,
            "instances": "" if instances is None or self.images is not None else instances,
            "report": self._reports(dose=False) or ("none" if self.whole else "unknown"),
            "dose_report": self._reports(dose=True),
            "AccessionNumber": text(self.match, "AccessionNumber"),
            "StudyInstanceUID": self.uid,
            NODES: self.match.get(NODES, ""),
            **{keyword: text(self.match, keyword) for keyword in differing},
        }
        return filled(row)

    def _kind(self, series: Match) -> str:
        known = self.kinds.get(text(series, "SeriesInstanceUID"))
        return known or kind(text(series, "Modality"), text(series, "SeriesDescription"))

    def _reports(self, *, dose: bool) -> str:
        """Its reports by modality: "SR 1, DOC 1"; or those on dose."""
        counts: Counter[str] = Counter()
        for series in self.series:
            modality, what = text(series, "Modality"), self._kind(series)
            if modality in ("SR", "DOC") and what != UNTOLD:
                counts[modality] += (what == DOSE) is dose
        told = [f"{name} {counts[name]}" for name in ("SR", "DOC") if counts[name]]
        if not dose and self.untold():
            told.append(f"SR {self.untold()} of unknown kind")
        return ", ".join(told)


def relevance(current: Study, earlier: Study) -> tuple[int, str]:
    """How much an earlier study bears on the current one, 0 most, and why."""
    same = bool({*current.main} & {*earlier.main})
    if related(current.body_part, earlier.body_part):
        part = "body part" if current.body_part == earlier.body_part else "related body part"
        return (0, f"same modality, {part}") if same else (1, part)
    if not current.body_part or not earlier.body_part:
        return 2, "same modality, body part unknown" if same else "body part unknown"
    return 2, "same modality" if same else "other"


def _day(text: str) -> date | None:
    found = reading.day(text)
    return date(int(found[:4]), int(found[4:6]), int(found[6:])) if found else None
