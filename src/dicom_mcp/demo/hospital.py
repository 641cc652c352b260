"""The demo hospital: everything its two archives and its worklist hold on a given day.

All is invented and the same every day but for the dates, which move along with `today`.
docs/demo.md tells the story; PLANTED and DIFFERENCES say what was put in on purpose.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from . import objects, reports, therapy, waveform
from .anatomy import CHEST, MASSES, NODULE_CENTRE, SCAR, TUMOUR, nodule
from .findings import FINDINGS
from .objects import Plane, Series, accession, study_uid, uid
from .patients import PATIENTS, STUDIES, Part, Study
from .phantom import Ellipsoid


@dataclass(frozen=True, slots=True)
class Planted:
    """Something put in on purpose, to be found: a sentence, and the study that shows it."""

    sentence: str
    study: str

    @property
    def study_instance_uid(self) -> str:
        return study_uid(self.study)

    @property
    def patient_id(self) -> str:
        held = next(study for study in (*STUDIES, OUTSIDE) if study.key == self.study)
        return PATIENTS[held.patient].id


PLANTED: tuple[Planted, ...] = (
    Planted("The nodule in the right lung grows from 6 mm to 9 mm.", "nodule ct follow-up"),
    Planted("Tonight's trauma CT has no accession number.", "trauma ct"),
    Planted("Patient ID 00420036 has two birth dates, 19640312 and 19641203.", "klaus x-ray"),
    Planted("Two patients are called Schmidt^Anna.", "anna younger mr"),
    Planted("The first series of a spine MR lacks the images 5 and 6.", "back mr"),
    Planted("Before today only the knee ultrasound has no report.", "knee ultrasound"),
    Planted("The planning CT is one study of CT, RTSTRUCT, RTPLAN and RTDOSE.", "therapy ct"),
    Planted("IDs begin with zeros: 00104217 and 104217 are two patients.", "child x-ray"),
)  # fmt: skip

DIFFERENCES: tuple[Planted, ...] = (
    Planted("The VNA lacks the ECG of the heart patient's second visit.", "heart ecg second"),
    Planted("The VNA lacks the dose report of the nodule's follow-up CT.", "nodule ct follow-up"),
    Planted("The VNA holds 22 of the 24 images of the elder Anna Schmidt's CT.", "anna elder ct"),
    Planted("The VNA calls last year's screening CT Thorax low dose.", "smoker ct last year"),
    Planted("The VNA has Klaus Weber's leg with his right birth date.", "klaus x-ray"),
    Planted("Only the VNA holds an old leg X-ray of the trauma patient.", "trauma x-ray outside"),
)  # fmt: skip

# The nodule at each visit: diameter in mm.
_NODULE: Mapping[str, float] = {"nodule ct first": 6.0, "nodule ct follow-up": 9.0}

# What the CTs of a study show besides a healthy chest.
_FOUND: Mapping[str, tuple[Ellipsoid, ...]] = {
    **{study: (nodule(diameter),) for study, diameter in _NODULE.items()},
    "therapy ct": (TUMOUR,),
    "therapy follow-up": (SCAR,),
    "smoker ct today": MASSES,
}

_CHEST = Plane(128, 2.8, 10.0, (0.0, 0.0, 8.0))
_TARGET = Plane(128, 0.75, 1.25, NODULE_CENTRE)
_BRAIN = Plane(256, 0.859375, 6.9)
_KNEE = Plane(128, 1.2, 5.0, orientation="1 0 0 0 0 -1", towards="LF", through=1)
_SPINE = Plane(128, 2.0, 4.4, orientation="0 1 0 0 0 -1", towards="PF", through=0)

_CHEST_X_RAY: Mapping[str, str] = {
    "nodule x-ray": "chest_nodule.j2k",
    "smoker x-ray": "chest_masses.j2k",
}


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
        for study in (*STUDIES, OUTSIDE):
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
        entries = [
            self._scheduled(number, *entry) for number, entry in enumerate(_WORKLIST, start=1)
        ]
        for study in STUDIES:
            if (number := _ARRIVED.get(study.key)) is not None:
                entries[number - 1].AccessionNumber = accession(study)
                entries[number - 1].StudyInstanceUID = study_uid(study.key)
        return entries

    def study(self, study: Study) -> Iterator[Dataset]:
        """The objects of one study, series by series."""
        day = study.day(self.today)
        before: dict[str, list[Dataset]] = {}
        for number, part in enumerate(study.parts, start=1):
            made = _MAKERS[part.kind](Series(study, part, number, day), before)
            before.setdefault(part.kind, made)
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
        entry.ReferringPhysicianName = person.referrer
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


type _Made = Mapping[str, list[Dataset]]


def _ct(series: Series, plane: Plane) -> list[Dataset]:
    return objects.ct(series, (*CHEST, *_FOUND.get(series.study.key, ())), plane)


def _brain(series: Series) -> list[Dataset]:
    first = 1 + (20 - series.part.count) // 2
    return objects.mr(series, "brain_{:02}.j2k", _BRAIN, first=first)


def _letter(series: Series) -> list[Dataset]:
    findings, impression = FINDINGS[series.study.key]
    head = f"{objects.INSTITUTION}, Radiology", f"Patient ID {series.patient.id}", ""
    return [reports.letter(series, (*head, findings, "", impression, "", "Dr. Karin Lund"))]


def _dose(series: Series, ct: list[Dataset]) -> list[Dataset]:
    return [reports.dose(series, ct, 38.0 + 4 * len(ct))]


# What makes the objects of each kind of part, given those of the study's parts before it.
_MAKERS: Mapping[str, Callable[[Series, _Made], list[Dataset]]] = {
    "ct": lambda series, _: _ct(series, _CHEST),
    "nodule": lambda series, _: _ct(series, _TARGET),
    "brain": lambda series, _: _brain(series),
    "knee": lambda series, _: objects.mr(series, "knee_{:02}.rle", _KNEE),
    "spine": lambda series, _: objects.mr(series, "spine_{:02}.rle", _SPINE),
    "x-ray": lambda series, _: objects.x_ray(series, "leg.j2k"),
    "chest x-ray": lambda series, _: objects.x_ray(series, _CHEST_X_RAY[series.study.key]),
    "ultrasound": lambda series, _: objects.ultrasound(series),
    "heart": lambda series, _: objects.heart(series),
    "ecg": lambda series, _: waveform.ecg(series),
    "report": lambda series, _: [reports.report(series, *FINDINGS[series.study.key])],
    "pdf": lambda series, _: _letter(series),
    "dose": lambda series, made: _dose(series, made["ct"]),
    "measurement": lambda series, made: [
        reports.measurement(series, made["nodule"], _NODULE[series.study.key])
    ],
    "structures": lambda series, made: [therapy.structures(series, made["ct"])],
    "plan": lambda series, made: [therapy.plan(series, made["structures"][0])],
    "rt dose": lambda series, made: [therapy.rt_dose(series, made["ct"], made["plan"][0])],
}

# What the trauma patient brought along, held by the VNA only.
OUTSIDE = Study(
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
    ("smoker", "091500", "CT", "CT1", "CT Chest with contrast"),
    ("knee", "093000", "MR", "MR1", "MR Knee right"),
    ("child", "100000", "US", "US1", "US Abdomen"),
    ("heart", "103000", "ECG", "ECG1", "ECG 12 leads"),
    ("anna elder", "110000", "CT", "CT2", "CT Chest"),
    ("anna younger", "113000", "CR", "XR1", "XR Lower leg left"),
    ("klaus", "130000", "CT", "CT2", "CT Thorax"),
    ("back", "140000", "MR", "MR1", "MR Lumbar spine"),
)

# Of whom on it has arrived: today's study, and the number of the entry.
_ARRIVED = {"smoker ct today": 3}
