"""What a person would ask the demo archive, and what its objects say the answer is.

Which records are expected is worked out from the data sets themselves, and so is every value in
them (`truth`): nothing here is taken from the server or written down beforehand.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pydicom.dataset import Dataset

from .hospital import DIFFERENCES
from .truth import untrue

type Answer = Mapping[str, Any]
type Arguments = dict[str, Any]


@dataclass(slots=True)
class Walk:
    """What is known on the way: the archive, the server's configuration file, the archive's
    objects, the day, the answers so far."""

    archive: Mapping[str, str | int]
    file: str
    objects: Sequence[Dataset]
    today: date
    answers: list[Answer] = field(default_factory=list[Answer])

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records of the last answer, whole; none when it was an error."""
        last = self.answers[-1]
        return [{**last.get("common", {}), **record} for record in last.get("records", ())]

    def uids(self, keyword: str, holds: Callable[[Dataset], bool]) -> set[str]:
        """The values of this unique key among the objects for which `holds`."""
        return {str(getattr(dataset, keyword)) for dataset in self.objects if holds(dataset)}


@dataclass(frozen=True, slots=True)
class Question:
    """One question: in words, as a tool call, and what must be answered.

    `expected` gives the values of `unique` that the records must have, all of them unless
    `limit` cuts; `shown` are attributes each record must have; `groups` how many there must be in
    each; `facts` stand beside them; `refusal` is what an error must say instead; `nodes` are asked
    instead of the first archive.
    """

    words: str
    tool: str
    arguments: Callable[[Walk], Arguments] = lambda _: {}
    unique: str = ""
    expected: Callable[[Walk], set[str]] = lambda _: set()
    shown: Sequence[str] = ()
    groups: Callable[[Walk], Mapping[str, int]] | None = None
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    refusal: str = ""
    nodes: str = ""

    def fault(self, walk: Walk, answer: Answer, error: str) -> str:
        """What is wrong with this answer; "" when nothing is."""
        if self.refusal or error:
            right = self.refusal and self.refusal in error
            return "" if right else f"unexpected: {error or answer}"
        asked = answer.get("archive", walk.archive)
        if self.nodes:
            if asked != {"nodes": self.nodes}:
                return f"other archives answered: {asked}"
        elif not walk.archive.items() <= asked.items():
            return f"another archive answered: {asked}"
        for name, fact in self.facts.items():
            if answer.get(name) != fact:
                return f"{name} should be {fact}"
        if self.groups and (wrong := self._fault_in_groups(self.groups(walk), answer)):
            return wrong
        return self._fault_in_records(walk, answer) if self.unique else ""

    def _fault_in_groups(self, expected: Mapping[str, int], answer: Answer) -> str:
        """Of an answer grouped by one thing."""
        found: dict[str, int] = {}
        for group in answer["groups"]:
            (name,) = (value for key, value in group.items() if key != "count")
            found[name] = group["count"]
        return "" if found == expected and answer["complete"] else f"{found} should be {expected}"

    def _fault_in_records(self, walk: Walk, answer: Answer) -> str:
        records = walk.records
        found = [str(record[self.unique]) for record in records]
        expected = self.expected(walk)
        if answer["complete"]:
            right = sorted(found) == sorted(expected)
        else:
            right = len(set(found)) == len(found) < len(expected) and set(found) < expected
        if not right:
            return f"{len(found)} records do not agree with the {len(expected)} held"
        for record in records:
            if missing := set(self.shown) - record.keys():
                return f"{', '.join(sorted(missing))} is missing in {record[self.unique]}"
            if not self.unique[0].isupper():
                continue  # not attributes word for word
            if wrong := untrue(record, walk.objects, self.unique):
                return f"{', '.join(wrong)} of {record[self.unique]} is not what the object says"
        return ""


def _in_days(first: date, last: date) -> Callable[[Dataset], bool]:
    return lambda dataset: f"{first:%Y%m%d}" <= dataset.StudyDate <= f"{last:%Y%m%d}"


def _last_month(today: date) -> tuple[date, date]:
    last = today.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def _cts_of_last_month(walk: Walk) -> set[str]:
    """Studies of the previous month with a CT series."""
    inside = _in_days(*_last_month(walk.today))
    return walk.uids(
        "StudyInstanceUID", lambda dataset: inside(dataset) and dataset.Modality == "CT"
    )


def _cts_per_scanner(walk: Walk) -> dict[str, int]:
    """Studies with a CT series of each station."""
    studies = {
        (dataset.StationName, dataset.StudyInstanceUID)
        for dataset in walk.objects
        if dataset.Modality == "CT"
    }
    return dict(Counter(station for station, _ in studies))


def _is_his(dataset: Dataset) -> bool:
    return "Brückner" in str(dataset.PatientName)


def _his_last_ct(walk: Walk) -> str:
    cts = [dataset for dataset in walk.objects if _is_his(dataset) and dataset.Modality == "CT"]
    return str(max(cts, key=lambda dataset: dataset.StudyDate).StudyInstanceUID)


# What an assistant copies out of the answer before; ValueError when it isn't there.
def _last_ct_told(walk: Walk) -> str:
    cts = [record for record in walk.records if "CT" in record["ModalitiesInStudy"]]
    return max(cts, key=lambda record: record["StudyDate"])["StudyInstanceUID"]


def _images_told(walk: Walk) -> str:
    cts = [record for record in walk.records if record["Modality"] == "CT"]
    return max(cts, key=lambda record: record["NumberOfSeriesRelatedInstances"])[
        "SeriesInstanceUID"
    ]


def _whole(answer: Answer) -> dict[str, Any]:
    """The first record of an answer, with what all share."""
    return {**answer.get("common", {}), **answer["records"][0]}


_REPORTS = frozenset({"SR", "DOC"})

QUESTIONS: tuple[Question, ...] = (
    Question(
        "Which archive am I talking to, and does it answer?",
        "verify_connection",
        facts={"works": True},
    ),
    Question(
        "Is there a patient called Brückner?",
        "query_patients",
        lambda _: {"name_pattern": "Brückner*"},
        "PatientID",
        lambda walk: walk.uids("PatientID", _is_his),
        shown=("PatientName", "PatientBirthDate"),
    ),
    Question(
        "And somebody with 太郎 in the name?",
        "query_patients",
        lambda _: {"name_pattern": "*太郎*"},
        "PatientID",
        lambda walk: walk.uids("PatientID", lambda dataset: "太郎" in str(dataset.PatientName)),
        shown=("PatientName", "PatientBirthDate"),
    ),
    Question(
        "Which CT studies were done last month?",
        "query_studies",
        lambda _: {"modality_in_study": "CT", "study_date": "last month"},
        "StudyInstanceUID",
        _cts_of_last_month,
        shown=("PatientName", "StudyDate", "ModalitiesInStudy"),
    ),
    Question(
        "What has been done for Mr Brückner?",
        "query_studies",
        lambda _: {"patient_name": "brückner^jürgen*"},
        "StudyInstanceUID",
        lambda walk: walk.uids("StudyInstanceUID", _is_his),
        shown=("StudyDate", "ModalitiesInStudy"),
    ),
    Question(
        "What does his last CT consist of, and which scanner was it?",
        "query_series",
        lambda walk: {
            "study_instance_uid": _last_ct_told(walk),
            "additional_attributes": ["StationName", "ManufacturerModelName"],
        },
        "SeriesInstanceUID",
        lambda walk: walk.uids(
            "SeriesInstanceUID", lambda dataset: dataset.StudyInstanceUID == _his_last_ct(walk)
        ),
        shown=("Modality", "StationName", "ManufacturerModelName"),
    ),
    Question(
        "Which images are in its lung series? Five are enough.",
        "query_instances",
        lambda walk: {"series_instance_uid": _images_told(walk), "limit": 5},
        "SOPInstanceUID",
        lambda walk: walk.uids(
            "SOPInstanceUID",
            lambda dataset: (
                dataset.StudyInstanceUID == _his_last_ct(walk) and dataset.Modality == "CT"
            ),
        ),
        shown=("InstanceNumber", "Rows", "Columns"),
    ),
    Question(
        "What did the reports say?",
        "read_report",
        lambda walk: {"study_instance_uid": _whole(walk.answers[-1])["StudyInstanceUID"]},
        "sop_instance_uid",
        lambda walk: walk.uids(
            "SOPInstanceUID",
            lambda dataset: (
                dataset.StudyInstanceUID == _his_last_ct(walk) and dataset.Modality in _REPORTS
            ),
        ),
        shown=("title", "date", "text"),
    ),
    Question(
        "Let me see the middle of it in the lung window.",
        "view_image",
        lambda walk: {
            "series_instance_uid": _whole(walk.answers[-2])["SeriesInstanceUID"],
            "window": "lung",
        },
        facts={"complete": True},
    ),
    Question(
        "How many CT studies were done on each scanner?",
        "count_studies",
        lambda _: {"modality": "CT", "group_by": ["station"]},
        groups=_cts_per_scanner,
    ),
    Question(
        "And all he ever had, at a glance?",
        "patient_timeline",
        lambda _: {"patient_name": "Jürgen Brückner"},
        "study_instance_uid",
        lambda walk: walk.uids("StudyInstanceUID", _is_his),
        shown=("date", "modality", "body_part", "images", "report"),
    ),
    Question(
        "What came in today?",
        "query_studies",
        lambda _: {"study_date": "today"},
        "StudyInstanceUID",
        lambda walk: walk.uids("StudyInstanceUID", _in_days(walk.today, walk.today)),
    ),
    Question(
        "What does the PACS hold that the second archive does not, or otherwise?",
        "compare_nodes",
        lambda _: {"node": "pacs, vna"},
        facts={"different": len(DIFFERENCES), "complete": True},
        shown=("PatientID", "StudyDate", "StudyDescription", "only_on", "differs"),
        nodes="pacs, vna",
    ),
    Question(
        "Which attributes can I ask for?",
        "get_attribute_presets",
        facts={"default": "standard"},
    ),
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
        "What if the assistant misspells an argument?",
        "query_patients",
        lambda _: {"name_patern": "Brückner*"},
        refusal="Did you mean name_pattern?",
    ),
)
