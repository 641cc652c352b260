"""Who is in the demo hospital and what was done, as tables. All of it is invented."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

# The day of a study, seen from today: the archive's story moves along with the calendar.
type Day = Callable[[date], date]


def days_ago(count: int) -> Day:
    """So many days before today."""
    return lambda today: today - timedelta(days=count)


def last_month(from_its_end: int) -> Day:
    """A day of the previous calendar month, counted from its last."""
    return lambda today: today.replace(day=1) - timedelta(days=1 + from_its_end)


def last_week(weekday: int) -> Day:
    """A day of the previous week, 0 for Monday."""
    return lambda today: today - timedelta(days=today.weekday() + 7 - weekday)


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient as every object of theirs says; `charset` is the Specific Character Set."""

    id: str
    name: str
    birth_date: str
    sex: str
    charset: str = "ISO_IR 100"
    referrer: str = "Hansen^Ove"


@dataclass(frozen=True, slots=True)
class Scanner:
    """A device as its objects name it."""

    station: str
    manufacturer: str
    model: str
    software: str


@dataclass(frozen=True, slots=True)
class Part:
    """One series: `kind` names the maker of its objects, `count` how many there are."""

    kind: str
    description: str
    count: int = 1
    scanner: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """One study; `patient` is a key of PATIENTS, `key` names it in tables and tests."""

    key: str
    patient: str
    day: Day
    time: str
    description: str
    body_part: str
    parts: tuple[Part, ...]
    accession: bool = True


PATIENTS: dict[str, Patient] = {
    "nodule": Patient("00104217", "Brückner^Jürgen^^Dr.", "19580314", "M"),
    "brain": Patient(
        "00231960",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "19710522",
        "M",
        "ISO 2022 IR 6\\ISO 2022 IR 87",
    ),
    "knee": Patient("00318805", "Соколова^Ирина^Павловна", "19830930", "F", "ISO_IR 144"),
    "klaus": Patient("00420036", "Weber^Klaus", "19640312", "M"),
    "klaus typo": Patient("00420036", "Weber^Klaus", "19641203", "M"),
    "anna elder": Patient("00500417", "Schmidt^Anna", "19490801", "F"),
    "anna younger": Patient("00500983", "Schmidt^Anna", "19921117", "F"),
    "therapy": Patient("00617204", "Lindqvist^Märta", "19551005", "F", referrer="Castellano^Bruno"),
    "heart": Patient("00700150", "García López^María José", "19681224", "F"),
    "trauma": Patient("00811902", "Okafor^Chidi", "20010615", "M"),
    "child": Patient("104217", "Petit^Zoé^Léa", "20190227", "F", referrer="Demir^Leyla"),
    "back": Patient("01003344", "Öztürk^Ayşe", "19770419", "F", "ISO_IR 192"),
    "smoker": Patient("01100910", "O'Brien^Siobhán", "19601111", "F", referrer="Demir^Leyla"),
}

SCANNERS: dict[str, Scanner] = {
    "CT1": Scanner("CT1", "Siemens Healthineers", "SOMATOM X.cite", "VA50A"),
    "CT2": Scanner("CT2", "GE MEDICAL SYSTEMS", "Revolution Apex", "revo_ct_22"),
    "MR1": Scanner("MR1", "Philips", "Ingenia Ambition X", "5.7.1"),
    "XR1": Scanner("XR1", "Agfa", "DX-D 600", "NX 23"),
    "US1": Scanner("US1", "Canon Medical Systems", "Aplio i800", "V6.5"),
    "ECG1": Scanner("ECG1", "GE HealthCare", "MAC VU360", "1.02"),
    "RT1": Scanner("RT1", "Varian Medical Systems", "Eclipse", "16.1"),
    "RIS": Scanner("RIS", "Demo Hospital IT", "Reporting", "4"),
}

_LUNG = Part("ct", "Lung 10.0", 24, "CT1")
_ECG = Part("ecg", "Resting ECG", 1, "ECG1")
_REPORT = Part("report", "Report")
_DOSE = Part("dose", "Dose Report")

STUDIES: tuple[Study, ...] = (
    # The story of the growing nodule.
    Study(
        "nodule x-ray", "nodule", days_ago(379), "141000", "XR Thorax p.a.", "CHEST",
        (Part("chest x-ray", "Thorax p.a.", 1, "XR1"), _REPORT),
    ),
    Study(
        "nodule ct first", "nodule", days_ago(372), "091500", "CT Thorax nativ", "CHEST",
        (
            Part("ct", "Lunge 10.0", 24, "CT1"),
            _DOSE,
            _REPORT,
            Part("nodule", "Lunge Rundherd 1.25", 16, "CT1"),
            Part("measurement", "Measurements"),
        ),
    ),
    Study(
        "nodule ct follow-up", "nodule", last_month(6), "103000", "CT Thorax Verlaufskontrolle",
        "CHEST",
        (
            Part("ct", "Lunge 10.0", 24, "CT2"),
            _DOSE,
            _REPORT,
            Part("nodule", "Lunge Rundherd 1.25", 16, "CT2"),
            Part("measurement", "Measurements"),
            Part("pdf", "Befundbrief"),
        ),
    ),
    # Headache, two visits, and an ECG.
    Study(
        "brain mr first", "brain", days_ago(251), "083000", "MR Brain", "BRAIN",
        (Part("brain", "pd_tse_tra", 10, "MR1"), _REPORT),
    ),
    Study(
        "brain mr second", "brain", last_week(3), "110500", "MR Brain follow-up", "BRAIN",
        (Part("brain", "pd_tse_tra", 20, "MR1"), _REPORT),
    ),
    Study(
        "brain ecg", "brain", days_ago(251), "101500", "ECG 12 leads", "HEART",
        (_ECG, _REPORT),
    ),
    # A knee, and what was seen before.
    Study(
        "knee mr", "knee", days_ago(5), "153000", "MR Knee right", "KNEE",
        (Part("knee", "pd_fs_cor", 12, "MR1"), _REPORT),
    ),
    Study(
        "knee x-ray", "knee", days_ago(64), "124500", "XR Lower leg right", "LEG",
        (Part("x-ray", "Lower leg a.p.", 1, "XR1"), _REPORT),
    ),
    Study(
        "knee ultrasound", "knee", days_ago(33), "091000", "US Knee right", "KNEE",
        (Part("ultrasound", "Knee", 2, "US1"),),
    ),
    # One patient ID, two birth dates.
    Study(
        "klaus ct", "klaus", days_ago(140), "134000", "CT Thorax", "CHEST",
        (Part("ct", "Lung 10.0", 12, "CT1"), _DOSE, _REPORT),
    ),
    Study(
        "klaus x-ray", "klaus typo", days_ago(20), "081500", "XR Lower leg right", "LEG",
        (Part("x-ray", "Lower leg a.p.", 1, "XR1"), _REPORT),
    ),
    # Two patients of one name.
    Study(
        "anna elder ct", "anna elder", last_month(12), "094500", "CT Chest", "CHEST",
        (_LUNG, _DOSE, _REPORT),
    ),
    Study(
        "anna elder ecg", "anna elder", last_month(13), "093000", "ECG 12 leads", "HEART",
        (_ECG, _REPORT),
    ),
    Study(
        "anna younger mr", "anna younger", days_ago(9), "160000", "MR Knee left", "KNEE",
        (Part("knee", "pd_fs_cor", 8, "MR1"), _REPORT),
    ),
    Study(
        "anna younger ultrasound", "anna younger", days_ago(90), "111500", "US Neck", "NECK",
        (Part("ultrasound", "Neck", 2, "US1"), _REPORT),
    ),
    # Planned and irradiated.
    Study(
        "therapy ct", "therapy", days_ago(48), "100000", "CT Thorax Planung", "CHEST",
        (
            Part("ct", "Planning 10.0", 16, "CT2"),
            Part("structures", "Structures", 1, "RT1"),
            Part("plan", "Plan", 1, "RT1"),
            Part("rt dose", "Dose", 1, "RT1"),
            _REPORT,
        ),
    ),
    Study(
        "therapy follow-up", "therapy", last_month(2), "113000", "CT Thorax Nachsorge", "CHEST",
        (Part("ct", "Lung 10.0", 16, "CT2"), _DOSE, _REPORT),
    ),
    # A heart.
    Study(
        "heart echo", "heart", days_ago(12), "143000", "Ecocardiografía", "HEART",
        (Part("heart", "Apical 4 chamber", 1, "US1"), _REPORT),
    ),
    Study(
        "heart ecg first", "heart", days_ago(180), "120000", "ECG 12 leads", "HEART",
        (_ECG, _REPORT),
    ),
    Study(
        "heart ecg second", "heart", days_ago(12), "131500", "ECG 12 leads", "HEART",
        (_ECG, _REPORT),
    ),
    # Tonight's emergency, not yet registered properly.
    Study(
        "trauma ct", "trauma", days_ago(0), "013000", "CT Trauma Chest", "CHEST",
        (Part("ct", "Lung 10.0", 24, "CT2"), _DOSE), accession=False,
    ),
    Study(
        "trauma x-ray", "trauma", days_ago(0), "020500", "XR Lower leg right", "LEG",
        (Part("x-ray", "Lower leg a.p.", 1, "XR1"),),
    ),
    # A child.
    Study(
        "child ultrasound", "child", days_ago(1), "101000", "US Neck", "NECK",
        (Part("ultrasound", "Neck", 4, "US1"), _REPORT),
    ),
    Study(
        "child x-ray", "child", days_ago(75), "154500", "XR Lower leg right", "LEG",
        (Part("x-ray", "Lower leg a.p.", 1, "XR1"), _REPORT),
    ),
    # A back; two images of the first series never arrived.
    Study(
        "back mr", "back", last_month(20), "140000", "MR Lumbar spine", "LSPINE",
        (
            Part("spine", "t2_tse_sag", 8, "MR1", numbers=(1, 2, 3, 4, 7, 8, 9, 10)),
            Part("spine", "t2_tse_sag repeated", 10, "MR1"),
            _REPORT,
        ),
    ),
    Study(
        "back mr first", "back", days_ago(420), "133000", "MR Lumbar spine", "LSPINE",
        (Part("spine", "t2_tse_sag", 10, "MR1"), _REPORT),
    ),
    # Screening, and what it could not prevent.
    Study(
        "smoker ct today", "smoker", days_ago(0), "074500", "CT Chest", "CHEST",
        (_LUNG, _DOSE),
    ),
    Study(
        "smoker ct last year", "smoker", days_ago(365), "081000", "CT Chest low dose", "CHEST",
        (_LUNG, _DOSE, _REPORT),
    ),
    Study(
        "smoker ct before", "smoker", days_ago(731), "080500", "CT Chest low dose", "CHEST",
        (Part("ct", "Lung 10.0", 12, "CT1"), _REPORT),
    ),
    Study(
        "smoker x-ray", "smoker", last_week(4), "093000", "XR Chest p.a.", "CHEST",
        (Part("chest x-ray", "Chest p.a.", 1, "XR1"), _REPORT),
    ),
)  # fmt: skip
