"""The demo hospital: everything its two archives and its worklist hold on a given day.

All is invented and the same every day but for the dates, which move along with `today`.
docs/demo.md tells the story; PLANTED and DIFFERENCES say what was put in on purpose.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from . import objects, phantom, reports, therapy
from .objects import Series, uid
from .patients import PATIENTS, STUDIES, Part, Study


@dataclass(frozen=True, slots=True)
class Planted:
    """Something put in on purpose, to be found: a sentence, and the study that shows it."""

    sentence: str
    study: str


PLANTED: tuple[Planted, ...] = (
    Planted("The nodule in the right lung grows from 8 mm to 14 mm.", "nodule ct follow-up"),
    Planted("Tonight's trauma CT has no accession number.", "trauma ct"),
    Planted("Patient ID 00420036 has two birth dates, 19640312 and 19641203.", "klaus x-ray"),
    Planted("Two patients are called Schmidt^Anna.", "anna younger mr"),
    Planted("The first series of a spine MR lacks the images 5 and 6.", "back mr"),
    Planted("The knee ultrasound has no report.", "knee ultrasound"),
    Planted("The planning CT is one study of CT, RTSTRUCT and RTDOSE.", "therapy ct"),
    Planted("Every patient ID begins with zeros.", "brain mr first"),
)  # fmt: skip

DIFFERENCES: tuple[Planted, ...] = (
    Planted("The VNA lacks the ECG of the heart patient's second visit.", "heart ecg second"),
    Planted("The VNA lacks the dose report of the nodule's follow-up CT.", "nodule ct follow-up"),
    Planted("The VNA holds 22 of the 24 images of the elder Anna Schmidt's CT.", "anna elder ct"),
    Planted("The VNA calls last year's screening CT Thorax low dose.", "smoker ct last year"),
    Planted("The VNA has Klaus Weber's leg with his right birth date.", "klaus x-ray"),
    Planted("Only the VNA holds an old leg X-ray of the trauma patient.", "trauma x-ray outside"),
)  # fmt: skip

# The nodule at each visit: diameter in mm, and what is written about it.
_NODULE: Mapping[str, float] = {"nodule ct first": 8.0, "nodule ct follow-up": 14.0}

# Findings and impression of each report.
_REPORTS: Mapping[str, tuple[str, str]] = {
    "nodule ct first": (
        "Solid nodule of 8 mm in the right upper lobe. No enlarged lymph nodes. Normal heart.",
        "Solitary pulmonary nodule, 8 mm. CT control in 3 to 6 months recommended.",
    ),
    "nodule ct follow-up": (
        "The nodule in the right upper lobe has grown from 8 mm to 14 mm. No effusion.",
        "Growing pulmonary nodule, suspicious of malignancy. Biopsy recommended.",
    ),
    "brain mr first": ("No mass, no bleeding, no acute ischaemia.", "Normal MR of the brain."),
    "brain mr second": ("Unchanged. No new lesion.", "No change since the previous MR."),
}
_NORMAL = ("No pathological finding.", "Normal examination.")


@dataclass(frozen=True, slots=True)
class Hospital:
    """The hospital on one day. Each method builds its objects anew."""

    today: date

    def pacs(self) -> Iterator[Dataset]:
        """Every object of the PACS: 30 studies of 12 patients."""
        for study in STUDIES:
            yield from self.study(study)

    def vna(self) -> Iterator[Dataset]:
        """Every object of the second archive: the PACS with DIFFERENCES."""
        first_ct = {"anna elder ct": 22}
        for study in (*STUDIES, _OUTSIDE):
            if study.key == "heart ecg second":
                continue
            images = 0
            for made in self.study(study):
                images += made.Modality == "CT"
                if (
                    study.key == "nodule ct follow-up"
                    and made.SOPClassUID == reports.RADIATION_DOSE_SR
                ):
                    continue
                if made.Modality == "CT" and images > first_ct.get(study.key, images):
                    continue
                if study.key == "smoker ct last year":
                    made.StudyDescription = "CT Thorax low dose"
                if study.key == "klaus x-ray":
                    made.PatientBirthDate = PATIENTS["klaus"].birth_date
                yield made

    def worklist(self) -> list[Dataset]:
        """Today's scheduled procedures as a Modality Worklist holds them (PS3.4 K.6.1.2)."""
        return [self._scheduled(number, *entry) for number, entry in enumerate(_WORKLIST, start=1)]

    def study(self, study: Study) -> Iterator[Dataset]:
        """The objects of one study, series by series."""
        day = study.day(self.today)
        images: list[Dataset] = []
        for number, part in enumerate(study.parts, start=1):
            made = _MAKERS[part.kind](Series(study, part, number, day), images)
            images += made
            yield from made

    def _scheduled(
        self, number: int, patient: str, time: str, modality: str, station: str, what: str
    ) -> Dataset:
        person = PATIENTS[patient]
        step = Dataset()
        step.Modality = modality
        step.ScheduledStationAETitle = f"DEMO_{station}"
        step.ScheduledStationName = station
        step.ScheduledProcedureStepStartDate = f"{self.today:%Y%m%d}"
        step.ScheduledProcedureStepStartTime = time
        step.ScheduledPerformingPhysicianName = "Lund^Karin"
        step.ScheduledProcedureStepDescription = what
        step.ScheduledProcedureStepID = f"SPS{number}"
        entry = Dataset()
        charset = person.charset.split("\\")
        entry.SpecificCharacterSet = charset if len(charset) > 1 else charset[0]
        entry.AccessionNumber = f"W{self.today:%y%m%d}{number:02}"
        entry.ReferringPhysicianName = "Hansen^Ove"
        entry.PatientName = person.name
        entry.PatientID = person.id
        entry.PatientBirthDate = person.birth_date
        entry.PatientSex = person.sex
        entry.StudyInstanceUID = uid(f"scheduled {self.today} {number}")
        entry.RequestedProcedureDescription = what
        entry.RequestedProcedureID = f"RP{number}"
        entry.RequestedProcedurePriority = "ROUTINE"
        entry.ScheduledProcedureStepSequence = Sequence([step])
        return entry


def hospital(today: date) -> Hospital:
    """The demo hospital as it is on this day."""
    return Hospital(today)


def _report(series: Series, _: list[Dataset]) -> list[Dataset]:
    return [reports.report(series, *_REPORTS.get(series.study.key, _NORMAL))]


def _letter(series: Series, _: list[Dataset]) -> list[Dataset]:
    findings, impression = _REPORTS[series.study.key]
    head = f"{objects.INSTITUTION}, Radiology", f"Patient ID {series.patient.id}", ""
    return [reports.letter(series, (*head, findings, "", impression, "", "Dr. Karin Lund"))]


def _ct(series: Series, _: list[Dataset]) -> list[Dataset]:
    diameter = _NODULE.get(series.study.key)
    return objects.ct(series, phantom.Nodule(diameter) if diameter else None)


# What makes the objects of each kind of part, given the study's objects so far.
_MAKERS: Mapping[str, Callable[[Series, list[Dataset]], list[Dataset]]] = {
    "ct": _ct,
    "brain": lambda series, _: objects.brain(series),
    "knee": lambda series, _: objects.knee(series),
    "x-ray": lambda series, _: objects.x_ray(series),
    "ultrasound": lambda series, _: objects.ultrasound(series),
    "heart": lambda series, _: objects.heart(series),
    "ecg": lambda series, _: objects.ecg(series),
    "report": _report,
    "pdf": _letter,
    "dose": lambda series, images: [reports.dose(series, images, 38.0 + 4 * len(images))],
    "measurement": lambda series, images: [
        reports.measurement(series, images, _NODULE[series.study.key])
    ],
    "structures": lambda series, images: [therapy.structures(series, images)],
    "rt dose": lambda series, images: [therapy.rt_dose(series, images)],
}

# What the trauma patient brought along, held by the VNA only.
_OUTSIDE = Study(
    "trauma x-ray outside",
    "trauma",
    lambda today: date(today.year - 2, 5, 17),
    "101500",
    "XR Lower leg right (outside)",
    "LEG",
    (Part("x-ray", "Lower leg a.p.", 1, "XR1"),),
)

# Today's worklist: patient, time, modality, station, procedure.
_WORKLIST = (
    ("nodule", "080000", "CT", "CT1", "CT-guided lung biopsy"),
    ("brain", "083000", "MR", "MR1", "MR Brain with contrast"),
    ("smoker", "091500", "CT", "CT1", "CT Chest low dose"),
    ("knee", "093000", "MR", "MR1", "MR Knee right"),
    ("child", "100000", "US", "US1", "US Abdomen"),
    ("heart", "103000", "ECG", "ECG1", "ECG 12 leads"),
    ("anna elder", "110000", "CT", "CT2", "CT Chest"),
    ("anna younger", "113000", "CR", "XR1", "XR Lower leg left"),
    ("klaus", "130000", "CT", "CT2", "CT Thorax"),
    ("back", "140000", "MR", "MR1", "MR Lumbar spine"),
)
