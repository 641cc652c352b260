"""Which of a patient's studies are asked for, compared here: no archive knows all of it."""

from dataclasses import dataclass

from ..door.call import Call
from ..errors import BadArgument
from ..standard.matching import Predicate, matcher
from ..standard.query import Match
from ..standard.recheck import has_value
from ..standard.values import shown
from ..words.body_part import body_part as body_parts_in
from ..words.body_part import related
from ..words.days import day_range, is_none
from ..words.modalities import ANY, Modalities, modalities
from .study import Study


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the patient's studies are asked for; all are compared here."""

    days: str
    undated: bool
    modalities: Modalities
    body_part: str
    _is_day: Predicate
    _lacks: Modalities

    @classmethod
    def of(cls, call: Call, study_date: str, modality: str, body_part: str) -> "Wanted":
        """Raises BadArgument for what cannot be compared."""
        undated = is_none(study_date)
        days = ""
        if study_date.strip() and not undated:
            days = day_range(study_date, today=call.today, argument="study_date")
        part = body_parts_in(body_part)
        if body_part.strip() and not part:
            raise BadArgument(
                f"body_part={shown(body_part)} names no body part that is known",
                "Write it as chest, knee, lumbar spine, Thorax, …",
            )
        meant = modalities(modality, argument="modality")
        return cls(days, undated, meant, part, matcher("DA", days), Modalities(none=meant.none))

    @property
    def needs_series(self) -> bool:
        """Whether a study's own attributes cannot tell."""
        return self.modalities != ANY or bool(self.body_part)

    def is_day(self, match: Match) -> bool:
        """Whether the study was made on these days."""
        if self.undated:
            return not has_value(match, "StudyDate")
        return not self.days or self._is_day([str(match.get("StudyDate", ""))])

    def holds(self, study: Study) -> bool:
        """Whether the study is of these modalities and bears on the body part."""
        return self._is_of(study) and (
            not self.body_part or related(study.body_part, self.body_part)
        )

    def cannot_tell(self, study: Study) -> bool:
        """Whether the study may be wanted, but too little is known of it."""
        other_part = study.body_part and not related(study.body_part, self.body_part)
        if (self.body_part and other_part) or not self._lacks.hold(study.modalities):
            return False
        return not self.holds(study) and not (study.whole and not self._is_of(study))

    def said(self) -> str:
        """What is asked for, in words."""
        told = [f"StudyDate {self.days}"] if self.days else []
        told += ["no StudyDate"] if self.undated else []
        told += [f"modality {self.modalities.said}"] if self.modalities != ANY else []
        told += [f"body part {self.body_part} or related"] if self.body_part else []
        return "; ".join(told)

    def _is_of(self, study: Study) -> bool:
        """Whether the study is known to be of these modalities."""
        if self.modalities.none and not study.whole:
            return False
        return self.modalities.hold(study.modalities)
