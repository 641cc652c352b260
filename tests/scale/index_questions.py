"""Questions that take an index, each of one call, with the SQL over the source that tells what is
right."""

from typing import Any

_OF = "FROM series JOIN study ON study.uid = series.study"
_FIRST = "FROM study JOIN series ON series.rowid = study.first"
_DAY = "julianday(substr({0}, 1, 4) || '-' || substr({0}, 5, 2) || '-' || substr({0}, 7, 2))"

# In SQL of the index, and of the source.
IN_SQL: dict[str, tuple[str, str]] = {
    "series by modality": (
        "SELECT modality, count(*) FROM series GROUP BY ALL ORDER BY 2 DESC, 1",
        "SELECT modality, count(*) FROM series GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "images by modality": (
        "SELECT modality, sum(image_count) FROM series GROUP BY ALL ORDER BY 2 DESC, 1",
        "SELECT modality, sum(instances) FROM series GROUP BY 1 ORDER BY 2 DESC, 1",
    ),
    "studies by year": (
        "SELECT year(study_date), count(*) FROM studies WHERE study_date IS NOT NULL"
        " GROUP BY ALL ORDER BY ALL",
        "SELECT CAST(substr(date, 1, 4) AS INT), count(*) FROM study WHERE date <> ''"
        " GROUP BY 1 ORDER BY 1",
    ),
    "studies without a date": (
        "SELECT count(*) FROM studies WHERE study_date IS NULL",
        "SELECT count(*) FROM study WHERE date = ''",
    ),
    "patients": (
        "SELECT count(DISTINCT patient_id) FROM studies",
        "SELECT count(DISTINCT patient) FROM study",
    ),
    "studies of CT and SEG": (
        "SELECT count(*) FROM (SELECT study_uid FROM series WHERE modality IN ('CT', 'SEG')"
        " GROUP BY ALL HAVING count(DISTINCT modality) = 2)",
        "SELECT count(*) FROM (SELECT study FROM series WHERE modality IN ('CT', 'SEG')"
        " GROUP BY 1 HAVING count(DISTINCT modality) = 2)",
    ),
    "studies of CT without SEG": (
        "SELECT count(*) FROM studies WHERE study_uid IN (SELECT study_uid FROM series WHERE"
        " modality = 'CT') AND study_uid NOT IN (SELECT study_uid FROM series WHERE"
        " modality = 'SEG')",
        "SELECT count(DISTINCT study) FROM series WHERE modality = 'CT' AND study NOT IN"
        " (SELECT study FROM series WHERE modality = 'SEG')",
    ),
    "the studies of most series": (
        "SELECT study_uid, count(*) FROM series GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 20",
        "SELECT study, count(*) FROM series GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
    ),
    "the series of most images": (
        "SELECT series_uid, image_count FROM series ORDER BY 2 DESC, 1 LIMIT 20",
        "SELECT uid, instances FROM series ORDER BY 2 DESC, 1 LIMIT 20",
    ),
    "the patients of most studies": (
        "SELECT patient_id, count(*) FROM studies GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 20",
        "SELECT patient, count(*) FROM study GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
    ),
    "the fullest days": (
        "SELECT strftime(study_date, '%Y%m%d'), count(*) FROM studies WHERE study_date IS NOT NULL"
        " GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 20",
        "SELECT date, count(*) FROM study WHERE date <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20",
    ),
    "stations, each with its patients": (
        "SELECT station, count(DISTINCT patient_id) FROM series JOIN studies USING (study_uid)"
        " GROUP BY ALL ORDER BY ALL",
        f"SELECT station, count(DISTINCT study.patient) {_OF} GROUP BY 1 ORDER BY 1",
    ),
    "models of CT in 2000": (
        "SELECT model, count(*) FROM series JOIN studies USING (study_uid) WHERE modality = 'CT'"
        " AND year(study_date) = 2000 AND model IS NOT NULL GROUP BY ALL ORDER BY 2 DESC, 1"
        " LIMIT 50",
        f"SELECT model, count(*) {_OF} WHERE modality = 'CT' AND study.date LIKE '2000%'"
        " AND model <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50",
    ),
    "makers as written": (
        "SELECT count(DISTINCT manufacturer_text) FROM series",
        "SELECT count(DISTINCT trim(manufacturer)) FROM series WHERE trim(manufacturer) <> ''",
    ),
    "series with lung in their description": (
        "SELECT count(*) FROM series WHERE series_description ILIKE '%lung%'",
        "SELECT count(*) FROM series WHERE series_description LIKE '%lung%'",
    ),
    "images of MR by year": (
        "SELECT year(study_date), sum(series.image_count) FROM series JOIN studies"
        " USING (study_uid) WHERE modality = 'MR' AND study_date IS NOT NULL GROUP BY ALL"
        " ORDER BY ALL",
        f"SELECT CAST(substr(study.date, 1, 4) AS INT), sum(instances) {_OF}"
        " WHERE modality = 'MR' AND study.date <> '' GROUP BY 1 ORDER BY 1",
    ),
    "days between a patient's first and last study, at most": (
        "SELECT max(n) FROM (SELECT max(study_date) - min(study_date) AS n FROM studies"
        " GROUP BY patient_id)",
        f"SELECT CAST(max(n) AS INT) FROM (SELECT max({_DAY.format('date')}) -"
        f" min({_DAY.format('date')}) AS n FROM study WHERE date <> '' GROUP BY patient)",
    ),
    "patients with studies in three years or more": (
        "SELECT count(*) FROM (SELECT patient_id FROM studies GROUP BY ALL"
        " HAVING count(DISTINCT year(study_date)) >= 3)",
        "SELECT count(*) FROM (SELECT patient FROM study WHERE date <> '' GROUP BY 1"
        " HAVING count(DISTINCT substr(date, 1, 4)) >= 3)",
    ),
    "names that several patients have": (
        "SELECT count(*) FROM (SELECT patient_name FROM studies GROUP BY ALL"
        " HAVING count(DISTINCT patient_id) > 1)",
        "SELECT count(*) FROM (SELECT name FROM series GROUP BY 1"
        " HAVING count(DISTINCT patient) > 1)",
    ),
    "series of patients born before 1930": (
        "SELECT count(*) FROM series JOIN studies USING (study_uid)"
        " WHERE birth_date < DATE '1930-01-01'",
        f"SELECT count(*) {_OF} JOIN series AS first ON first.rowid = study.first"
        " WHERE first.born < '19300101'",
    ),
    "patients with series of three modalities or more": (
        "SELECT count(*) FROM (SELECT patient_id FROM studies JOIN series USING (study_uid)"
        " GROUP BY ALL HAVING count(DISTINCT modality) >= 3)",
        f"SELECT count(*) FROM (SELECT study.patient {_OF} GROUP BY 1"
        " HAVING count(DISTINCT modality) >= 3)",
    ),
    "studies by how many series they have": (
        "SELECT n, count(*) FROM (SELECT count(*) AS n FROM series GROUP BY study_uid)"
        " WHERE n <= 20 GROUP BY ALL ORDER BY ALL",
        "SELECT n, count(*) FROM (SELECT count(*) AS n FROM series GROUP BY study)"
        " WHERE n <= 20 GROUP BY 1 ORDER BY 1",
    ),
    "series without a number": (
        "SELECT count(*) FROM series WHERE series_number IS NULL",
        "SELECT count(*) FROM series WHERE trim(number) = ''",
    ),
    "modalities by sex": (
        "SELECT modality, sex, count(DISTINCT study_uid) FROM series JOIN studies"
        " USING (study_uid) WHERE sex IN ('F', 'M') GROUP BY ALL ORDER BY ALL",
        f"SELECT series.modality, first.sex, count(DISTINCT study.uid) {_OF}"
        " JOIN series AS first ON first.rowid = study.first WHERE first.sex IN ('F', 'M')"
        " GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    "segmentations for each CT series of 2000": (
        "SELECT count(*) FILTER (modality = 'SEG'), count(*) FILTER (modality = 'CT') FROM series"
        " JOIN studies USING (study_uid) WHERE year(study_date) = 2000",
        f"SELECT sum(modality = 'SEG'), sum(modality = 'CT') {_OF} WHERE study.date LIKE '2000%'",
    ),
}

type Examination = dict[str, Any]


def _patients(condition: str) -> str:
    return f"SELECT study.patient {_OF} WHERE {condition}"


def _near(first: str, other: str, low: int, high: int) -> str:
    """Patients of whom one series is so many days from another one."""
    between = f"{_DAY.format('b.date')} - {_DAY.format('a.date')}"
    return (
        f"WITH s AS (SELECT DISTINCT study.patient AS patient, study.date AS date, modality {_OF}"
        " WHERE study.date <> '') SELECT count(DISTINCT a.patient) FROM s a JOIN s b"
        f" USING (patient) WHERE a.modality = '{first}' AND b.modality = '{other}'"
        f" AND {between} BETWEEN {low} AND {high}"
    )


# Examinations that patients have, those they do not have, and the SQL of how many patients.
COHORTS: dict[str, tuple[list[Examination], list[Examination], str]] = {
    "CT": ([{"modality": "CT"}], [], f"SELECT count(*) FROM ({_patients("modality = 'CT'")}"
           " GROUP BY 1)"),
    "CT and MR within 30 days": (
        [{"modality": "CT"}, {"modality": "MR", "days": 30}], [], _near("CT", "MR", -30, 30)),
    "MR up to a year after CT": (
        [{"modality": "CT"}, {"modality": "MR", "days": "0..365"}], [], _near("CT", "MR", 0, 365)),
    "CT a week or more before PT": (
        [{"modality": "PT"}, {"modality": "CT", "days": "-3000..-7"}], [],
        _near("PT", "CT", -3000, -7)),
    "MR and SEG on one day": (
        [{"modality": "MR"}, {"modality": "SEG", "days": "0..0"}], [], _near("MR", "SEG", 0, 0)),
    "CT and PT at any time": (
        [{"modality": "CT"}, {"modality": "PT"}], [],
        f"SELECT count(*) FROM ({_patients("modality = 'CT'")} INTERSECT"
        f" {_patients("modality = 'PT'")})"),
    "CT without MR": (
        [{"modality": "CT"}], [{"modality": "MR"}],
        f"SELECT count(*) FROM ({_patients("modality = 'CT'")} EXCEPT"
        f" {_patients("modality = 'MR'")})"),
    "MR without CT and PT": (
        [{"modality": "MR"}], [{"modality": "CT"}, {"modality": "PT"}],
        f"SELECT count(*) FROM ({_patients("modality = 'MR'")} EXCEPT"
        f" {_patients("modality IN ('CT', 'PT')")})"),
    "three CT studies or more": (
        [{"modality": "CT", "at_least": 3}], [],
        f"SELECT count(*) FROM ({_patients("modality = 'CT'")} GROUP BY 1"
        " HAVING count(DISTINCT study.uid) >= 3)"),
    "MR of 2005": (
        [{"modality": "MR", "study_date": "2005"}], [],
        f"SELECT count(*) FROM ({_patients("modality = 'MR' AND study.date LIKE '2005%'")}"
        " GROUP BY 1)"),
    "women with MG": (
        [{"modality": "MG", "sex": "female"}], [],
        f"SELECT count(DISTINCT study.patient) {_FIRST} WHERE sex = 'F' AND study.uid IN"
        " (SELECT study FROM series WHERE modality = 'MG')"),
    "a series of 1,000 images or more": (
        [{"modality": "CT", "image_count": ">=1000"}], [],
        f"SELECT count(*) FROM ({_patients("modality = 'CT' AND study.uid IN"
        " (SELECT study FROM series GROUP BY 1 HAVING sum(instances) >= 1000)")} GROUP BY 1)"),
    "CT at station CT1": (
        [{"modality": "CT", "station": "CT1"}], [],
        f"SELECT count(*) FROM ({_patients("modality = 'CT' AND station = 'CT1'")} GROUP BY 1)"),
    "born in 1950 with CT": (
        [{"modality": "CT", "birth_date": "1950"}], [],
        f"SELECT count(DISTINCT study.patient) {_FIRST} WHERE born LIKE '1950%' AND study.uid IN"
        " (SELECT study FROM series WHERE modality = 'CT')"),
    "named Berger": (
        [{"family_name": "=Berger"}], [],
        f"SELECT count(DISTINCT study.patient) {_FIRST} WHERE name LIKE 'Berger^%'"),
}  # fmt: skip
