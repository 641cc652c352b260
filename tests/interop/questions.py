"""Questions with their true answers, which are worked out from the objects by plain loops.

The table knows neither an archive nor the server: what it says is true of the demo hospital on
31 March 2026, whoever is asked.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydicom.dataset import Dataset

from dicom_mcp.demo.objects import study_uid, uid

PATIENT, STUDY, SERIES, IMAGE = (
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SOPInstanceUID",
)

type Holds = Callable[[Dataset], bool]


class Ask(Protocol):
    """How a row of the table is written: what holds, what it needs, the tool's arguments."""

    def __call__(self, holds: Holds, needs: str = "", /, **arguments: Any) -> "Question": ...


@dataclass(frozen=True, slots=True)
class Question:
    """A question, the objects whose unique keys are its answer, and what it takes to answer."""

    tool: str
    unique: str
    arguments: dict[str, Any]
    holds: Holds
    # What some archives rightly do otherwise (PS3.4 C.2.2.2.1); their answer must say so.
    needs: str = ""


def _of(tool: str, unique: str) -> Ask:
    def question(holds: Holds, needs: str = "", /, **arguments: Any) -> Question:
        return Question(tool, unique, arguments, holds, needs)

    return question


_patients = _of("query_patients", PATIENT)
_studies = _of("query_studies", STUDY)
_series = _of("query_series", SERIES)
_instances = _of("query_instances", IMAGE)


def _any(_: Dataset) -> bool:
    return True


def _none(_: Dataset) -> bool:
    return False


def _called(part: str) -> Holds:
    return lambda one: part in str(one.PatientName)


def _of_modality(modality: str) -> Holds:
    return lambda one: one.Modality == modality


def _on(first: str, last: str) -> Holds:
    return lambda one: first <= one.StudyDate <= last


def _born(first: str, last: str) -> Holds:
    return lambda one: first <= one.PatientBirthDate <= last


def _described(part: str) -> Holds:
    return lambda one: part in one.StudyDescription


def _of_patient(patient_id: str) -> Holds:
    return lambda one: one.PatientID == patient_id


def _of_study(study: str) -> Holds:
    return lambda one: one.StudyInstanceUID == study


def _of_series(series: str) -> Holds:
    return lambda one: one.SeriesInstanceUID == series


def _both(*conditions: Holds) -> Holds:
    return lambda one: all(holds(one) for holds in conditions)


NODULE_CT = study_uid("nodule ct follow-up")
THERAPY_CT = study_uid("therapy ct")
BACK_MR = study_uid("back mr")
HEART_ECHO = study_uid("heart echo")
LUNG = uid("nodule ct follow-up/1/series")
NODULE = uid("nodule ct follow-up/4/series")
SPINE = uid("back mr/1/series")
NOBODYS = "1.2.3.4"

# A modality is a condition on one object of a study; whatever else is asked of that study holds of
# all of its objects.
QUESTIONS: dict[str, Question] = {
    # patients by ID
    "all patients": _patients(_any),
    "a patient by ID": _patients(_of_patient("00700150"), patient_id="00700150"),
    "patients by the start of the ID": _patients(
        lambda one: one.PatientID.startswith("005"), patient_id="005*"
    ),
    "patients by any four figures in the ID": _patients(
        lambda one: one.PatientID.startswith("0050") and len(one.PatientID) == 8,
        patient_id="0050????",
    ),
    "an ID without leading zeros": _patients(_of_patient("104217"), patient_id="104217"),
    "an ID with leading zeros": _patients(_of_patient("00104217"), patient_id="00104217"),
    "an ID with any zeros": _patients(
        lambda one: one.PatientID.endswith("104217"), patient_id="*104217"
    ),
    "half an ID": _patients(_none, patient_id="0070"),
    "nobody's ID": _patients(_none, patient_id="99999999"),
    # patients by name
    "two patients of one name": _patients(_called("Schmidt^Anna"), name_pattern="Schmidt^Anna"),
    "a name with a wildcard": _patients(_called("Weber"), name_pattern="Weber*"),
    "a given name": _patients(_called("^Anna"), name_pattern="*^Anna"),
    "a family name alone": _patients(_called("Weber"), name_pattern="Weber"),
    "a name as people write it": _patients(_called("Brückner"), name_pattern="Jürgen Brückner"),
    "half a family name": _patients(_none, name_pattern="Schmi^Anna"),
    "a name in capitals": _patients(_called("Schmidt^Anna"), "case", name_pattern="SCHMIDT^ANNA"),
    "a name in small letters": _patients(_called("Okafor"), "case", name_pattern="okafor*"),
    "a name with an umlaut": _patients(_called("Brückner"), name_pattern="Brückner*"),
    "an umlaut in capitals": _patients(_called("Brückner"), "case", name_pattern="BRÜCKNER*"),
    "a letter in names of two character sets": _patients(_called("ü"), name_pattern="*ü*k*"),
    "a name with a title": _patients(_called("^Dr."), name_pattern="*Dr."),
    "a name in kanji": _patients(_called("太郎"), name_pattern="*太郎*"),
    "a name in kana": _patients(_called("やまだ"), name_pattern="*やまだ*"),
    "a name in three scripts by its Latin one": _patients(
        _called("Yamada^Tarou"), name_pattern="Yamada^Tarou*"
    ),
    "a name in Cyrillic": _patients(_called("Соколова"), name_pattern="Соколова*"),
    "a patronymic": _patients(_called("Павловна"), name_pattern="*Павловна"),
    "a Turkish name as a whole": _patients(_called("Öztürk"), name_pattern="Öztürk^Ayşe"),
    "a name of two words": _patients(_called("García López"), name_pattern="García López^*"),
    "a name with an apostrophe": _patients(_called("O'Brien"), name_pattern="O'Brien^*"),
    "a name with any letter for an accented one": _patients(
        _called("Petit^Zoé"), "letters", name_pattern="Petit^Zo?^L*"
    ),
    "a name without its accents": _patients(
        _called("García López"), "accents", name_pattern="Garcia Lopez*"
    ),
    "nobody": _patients(_none, name_pattern="Nemo*"),
    "nobody in Greek": _patients(_none, name_pattern="*Ωμέγα*"),
    # patients by birth date
    "patients by birth date": _patients(_born("19681224", "19681224"), birth_date="19681224"),
    "patients born since": _patients(_born("19900101", "99991231"), birth_date="19900101-"),
    "patients born until": _patients(_born("00010101", "19551231"), birth_date="-19551231"),
    "patients born in some years": _patients(
        _born("19700101", "19791231"), birth_date="19700101-19791231"
    ),
    "a patient by name and birth date": _patients(
        _born("19921117", "19921117"), name_pattern="Schmidt*", birth_date="19921117"
    ),
    "nobody born on this day": _patients(_none, birth_date="18991231"),
    "patients with all their counts": _patients(
        lambda one: one.PatientID.startswith("00"),
        patient_id="00*",
        additional_attributes=["NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances"],
    ),
    "the first five patients": _patients(_any, limit=5),
    # studies by patient
    "all studies": _studies(_any),
    "studies of a patient": _studies(_of_patient("00104217"), patient_id="00104217"),
    "studies of the ID without zeros": _studies(_of_patient("104217"), patient_id="104217"),
    "studies of two patients of one name": _studies(_called("Schmidt"), patient_name="Schmidt*"),
    "studies by a name in kanji": _studies(_called("山田"), patient_name="*山田*"),
    "studies by a name in capitals": _studies(
        _called("Öztürk"), "case", patient_name="ÖZTÜRK^AYŞE"
    ),
    "studies of nobody": _studies(_none, patient_name="Nemo^*"),
    # studies by date
    "studies of one day": _studies(_on("20260331", "20260331"), study_date="20260331"),
    "studies of a month": _studies(_on("20260201", "20260228"), study_date="20260201-20260228"),
    "studies of a month in words": _studies(
        _on("20260201", "20260228"), study_date="February 2026"
    ),
    "studies of a year": _studies(_on("20250101", "20251231"), study_date="20250101-20251231"),
    "studies since": _studies(_on("20260320", "99991231"), study_date="20260320-"),
    "studies until": _studies(_on("00010101", "20250401"), study_date="-20250401"),
    "studies of a patient and a year": _studies(
        _both(_of_patient("00104217"), _on("20250101", "20251231")),
        patient_id="00104217",
        study_date="20250101-20251231",
    ),
    "studies of a day without any": _studies(_none, study_date="20260329"),
    # studies by description
    "studies by the start of the description": _studies(
        _described("CT Chest"), study_description="CT Chest*"
    ),
    "studies by a word in the description": _studies(
        _described("Knee"), study_description="*Knee*"
    ),
    "studies by words in the description": _studies(
        _described("CT Thorax"), study_description="CT Thorax"
    ),
    "studies by a whole description": _studies(
        lambda one: one.StudyDescription == "CT Thorax", study_description="=CT Thorax"
    ),
    "studies by a description with any four letters": _studies(
        _described("MR Knee left"), study_description="MR Knee ????"
    ),
    "studies by a description with an accent": _studies(
        _described("Ecocardiografía"), study_description="*grafía"
    ),
    "studies by a description in small letters": _studies(
        _described("Knee"), "case of text", study_description="*knee*"
    ),
    "studies by a description with any letter for an accented one": _studies(
        _described("Ecocardiografía"), "letters", study_description="Ecocardiograf?a"
    ),
    "a word no description has": _studies(_none, study_description="*PET*"),
    # studies by modality
    "MR studies": _studies(_of_modality("MR"), modality_in_study="MR"),
    "studies with a report": _studies(_of_modality("SR"), modality_in_study="SR"),
    "studies with a treatment plan": _studies(_of_modality("RTPLAN"), modality_in_study="RTPLAN"),
    "CT studies of a month": _studies(
        _both(_of_modality("CT"), _on("20260201", "20260228")),
        modality_in_study="CT",
        study_date="20260201-20260228",
    ),
    "CT studies of a patient": _studies(
        _both(_of_modality("CT"), _of_patient("01100910")),
        modality_in_study="ct",
        patient_id="01100910",
    ),
    "CT studies by a name with an umlaut": _studies(
        _both(_of_modality("CT"), _called("Brückner")),
        modality_in_study="CT",
        patient_name="Brückner*",
    ),
    "ultrasound by description": _studies(
        _both(_of_modality("US"), _described("Neck")),
        modality_in_study="US",
        study_description="US Neck",
    ),
    "studies by the word for a modality": _studies(
        _of_modality("US"), modality_in_study="ultrasound"
    ),
    "studies of two modalities": _studies(
        lambda one: one.Modality in ("CT", "MR"), modality_in_study="CT or MR"
    ),
    "a modality somebody never had": _studies(
        _none, modality_in_study="XA", patient_name="Соколова*"
    ),
    "a modality nobody had": _studies(_none, modality_in_study="PT"),
    # one study, counts, limits
    "a study by accession number": _studies(
        lambda one: one.AccessionNumber == "A55630279", accession_number="A55630279"
    ),
    "studies by the start of the accession number": _studies(
        lambda one: one.AccessionNumber.startswith("A0"), accession_number="A0*"
    ),
    "an accession number nobody gave": _studies(_none, accession_number="A99999999"),
    "a study by UID": _studies(_of_study(NODULE_CT), study_instance_uid=NODULE_CT),
    "a study by UID and its patient": _studies(
        _of_study(NODULE_CT), study_instance_uid=NODULE_CT, patient_id="00104217"
    ),
    "a study of another patient": _studies(
        _none, study_instance_uid=NODULE_CT, patient_id="104217"
    ),
    "nobody's study": _studies(_none, study_instance_uid=NOBODYS),
    "studies with all their counts": _studies(
        _on("20260326", "20260331"),
        study_date="20260326-20260331",
        additional_attributes=["NumberOfStudyRelatedSeries"],
    ),
    "studies with every attribute": _studies(
        _of_patient("00617204"), patient_id="00617204", attribute_preset="extended"
    ),
    "the first study": _studies(_any, limit=1),
    "the first twelve studies": _studies(_any, limit=12),
    "the first three MR studies": _studies(_of_modality("MR"), modality_in_study="MR", limit=3),
    # series
    "series of a study": _series(_of_study(NODULE_CT), study_instance_uid=NODULE_CT),
    "series of a radiotherapy study": _series(
        _of_study(THERAPY_CT), study_instance_uid=THERAPY_CT, attribute_preset="extended"
    ),
    "reports of a study": _series(
        _both(_of_study(NODULE_CT), _of_modality("SR")),
        study_instance_uid=NODULE_CT,
        modality="SR",
    ),
    "a series by number": _series(
        _both(_of_study(NODULE_CT), lambda one: one.SeriesNumber == 3),
        study_instance_uid=NODULE_CT,
        series_number=3,
    ),
    "series by the start of the description": _series(
        _both(_of_study(NODULE_CT), lambda one: one.SeriesDescription.startswith("Lunge")),
        study_instance_uid=NODULE_CT,
        series_description="Lunge*",
    ),
    "a series by its whole description": _series(
        _both(_of_study(BACK_MR), lambda one: one.SeriesDescription == "t2_tse_sag"),
        study_instance_uid=BACK_MR,
        series_description="=t2_tse_sag",
    ),
    "a series by UID": _series(
        _of_series(NODULE), study_instance_uid=NODULE_CT, series_instance_uid=NODULE
    ),
    "a series of another study": _series(
        _none, study_instance_uid=BACK_MR, series_instance_uid=NODULE
    ),
    "a modality the study lacks": _series(_none, study_instance_uid=BACK_MR, modality="CT"),
    "a series number the study lacks": _series(_none, study_instance_uid=BACK_MR, series_number=77),
    "series of no study": _series(_none, study_instance_uid=NOBODYS),
    "the first two series": _series(_of_study(NODULE_CT), study_instance_uid=NODULE_CT, limit=2),
    # instances
    "instances of a series": _instances(
        _of_series(SPINE), series_instance_uid=SPINE, study_instance_uid=BACK_MR
    ),
    "instances of a series alone": _instances(_of_series(LUNG), series_instance_uid=LUNG),
    "an instance by number": _instances(
        _both(_of_series(NODULE), lambda one: one.InstanceNumber == 7),
        series_instance_uid=NODULE,
        instance_number=7,
    ),
    "an instance by number with zeros": _instances(
        _both(_of_series(NODULE), lambda one: one.InstanceNumber == 7),
        series_instance_uid=NODULE,
        instance_number="007",
    ),
    "an instance by UID": _instances(
        lambda one: one.SOPInstanceUID == uid("back mr/1/instance 4"),
        series_instance_uid=SPINE,
        sop_instance_uid=uid("back mr/1/instance 4"),
    ),
    "an image that never arrived": _instances(_none, series_instance_uid=SPINE, instance_number=5),
    "instances of a series in another study": _instances(
        _none, series_instance_uid=SPINE, study_instance_uid=HEART_ECHO
    ),
    "instances of no series": _instances(_none, series_instance_uid=NOBODYS),
    "the first three instances": _instances(_of_series(LUNG), series_instance_uid=LUNG, limit=3),
}


class Truth:
    """What is true of the objects an archive holds."""

    def __init__(self, held: Sequence[Dataset]) -> None:
        self._held = held
        self._whole: dict[int, frozenset[str]] = {}
        self._about: dict[tuple[str, str], list[Dataset]] = {}
        for unique in (PATIENT, STUDY, SERIES, IMAGE):
            for one in held:
                self._about.setdefault((unique, str(one[unique].value)), []).append(one)

    def about(self, unique: str, key: str) -> Sequence[Dataset]:
        """The objects of the entity with this unique key."""
        return self._about.get((unique, key), ())

    def whole(self, question: Question) -> frozenset[str]:
        """The unique keys of the whole answer."""
        if id(question) not in self._whole:
            self._whole[id(question)] = frozenset(
                str(one[question.unique].value) for one in self._held if question.holds(one)
            )
        return self._whole[id(question)]
