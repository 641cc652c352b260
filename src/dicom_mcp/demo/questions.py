"""What a person would ask the demo archive, and what its objects say the answer is.

The expected answers are worked out from the data sets themselves, by plain loops that know neither
the archive's index nor the server, so that a wrong answer of either shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydicom.dataset import Dataset

type Answer = Mapping[str, Any]
type Arguments = dict[str, Any]


@dataclass(slots=True)
class Walk:
    """What is known on the way: the archive's objects, the day, the answers so far."""

    objects: Sequence[Dataset]
    today: date
    answers: list[Answer] = field(default_factory=list[Answer])

    def uids(self, keyword: str, holds: Callable[[Dataset], bool]) -> set[str]:
        """The values of this unique key among the objects for which `holds`."""
        return {str(getattr(one, keyword)) for one in self.objects if holds(one)}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: in words, as a tool call, and what must be answered.

    `expected` gives the values of `unique` that the records must have, all of them unless
    `limit` cuts; `refusal` is what an error must say instead.
    """

    words: str
    tool: str
    arguments: Callable[[Walk], Arguments] = lambda _: {}
    unique: str = ""
    expected: Callable[[Walk], set[str]] = lambda _: set()
    refusal: str = ""

    def fault(self, walk: Walk, answer: Answer, error: str) -> str:
        """What is wrong with this answer; "" when nothing is."""
        if self.refusal or error:
            return (
                "" if self.refusal and self.refusal in error else f"unexpected: {error or answer}"
            )
        if not self.unique:
            return "" if answer.get("works", True) else "the archive did not answer"
        found = [str(record[self.unique]) for record in answer["records"]]
        expected = self.expected(walk)
        if answer["complete"]:
            right = sorted(found) == sorted(expected)
        else:
            right = len(found) < len(expected) and set(found) < expected
        return "" if right else f"{len(found)} records do not agree with the {len(expected)} held"


def _in_days(first: date, last: date) -> Callable[[Dataset], bool]:
    return lambda one: f"{first:%Y%m%d}" <= one.StudyDate <= f"{last:%Y%m%d}"


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _cts_of_last_month(walk: Walk) -> set[str]:
    """Studies of the previous month with a CT series."""
    inside = _in_days(*_last_month(walk.today))
    return walk.uids("StudyInstanceUID", lambda one: inside(one) and one.Modality == "CT")


def _lung_series(walk: Walk) -> str:
    series = walk.answers[-1]["records"]
    return next(str(one["SeriesInstanceUID"]) for one in series if one["Modality"] == "CT")


QUESTIONS: tuple[Question, ...] = (
    Question("Which archive am I talking to, and does it answer?", "verify_connection"),
    Question(
        "Is there a patient called Brückner?",
        "query_patients",
        lambda _: {"name_pattern": "Brückner*"},
        "PatientID",
        lambda walk: walk.uids("PatientID", lambda one: "Brückner" in str(one.PatientName)),
    ),
    Question(
        "And somebody with 太郎 in the name?",
        "query_patients",
        lambda _: {"name_pattern": "*太郎*"},
        "PatientID",
        lambda walk: walk.uids("PatientID", lambda one: "太郎" in str(one.PatientName)),
    ),
    Question(
        "Which CT studies were done last month?",
        "query_studies",
        lambda _: {"modality_in_study": "CT", "study_date": "last month"},
        "StudyInstanceUID",
        _cts_of_last_month,
    ),
    Question(
        "What has been done for Mr Brückner?",
        "query_studies",
        lambda _: {"patient_name": "brückner^jürgen*"},
        "StudyInstanceUID",
        lambda walk: walk.uids("StudyInstanceUID", lambda one: "Brückner" in str(one.PatientName)),
    ),
    Question(
        "What does his last CT consist of, and which scanner was it?",
        "query_series",
        lambda walk: {
            "study_instance_uid": next(
                str(one["StudyInstanceUID"])
                for one in sorted(
                    walk.answers[-1]["records"], key=lambda one: one["StudyDate"], reverse=True
                )
                if "CT" in one["ModalitiesInStudy"]
            ),
            "additional_attributes": ["StationName", "ManufacturerModelName"],
        },
        "SeriesInstanceUID",
        lambda walk: walk.uids(
            "SeriesInstanceUID",
            lambda one: one.StudyInstanceUID == walk.answers[-1]["sent"]["StudyInstanceUID"],
        ),
    ),
    Question(
        "Which images are in its lung series? Five are enough.",
        "query_instances",
        lambda walk: {"series_instance_uid": _lung_series(walk), "limit": 5},
        "SOPInstanceUID",
        lambda walk: walk.uids(
            "SOPInstanceUID",
            lambda one: one.SeriesInstanceUID == walk.answers[-1]["sent"]["SeriesInstanceUID"],
        ),
    ),
    Question(
        "What came in today?",
        "query_studies",
        lambda _: {"study_date": "today"},
        "StudyInstanceUID",
        lambda walk: walk.uids("StudyInstanceUID", _in_days(walk.today, walk.today)),
    ),
    Question("Which attributes can I ask for?", "get_attribute_presets"),
    Question(
        "Has Captain Nemo been here?",
        "query_studies",
        lambda _: {"patient_name": "Nemo*"},
        "StudyInstanceUID",
    ),
    Question(
        "And the studies of the day before yesterday-ish?",
        "query_studies",
        lambda _: {"study_date": "yesterday-ish"},
        refusal="study_date='yesterday-ish' is not a date",
    ),
    Question(
        "A mistyped argument must not list everybody:",
        "query_patients",
        lambda _: {"name_patern": "Brückner*"},
        refusal="Did you mean name_pattern",
    ),
)
