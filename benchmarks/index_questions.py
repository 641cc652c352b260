"""Questions in SQL to our index, each with the same for the flat table of `idc-index-data`, which
has a row for each series."""

# The goal's two: grouped counts, and a cohort with an interval between two modalities.
GROUPED = (
    "SELECT manufacturer_text AS maker, year(study_date) AS year, count(*) AS n FROM series"
    " JOIN studies USING (study_uid) GROUP BY ALL ORDER BY ALL",
    "SELECT Manufacturer AS maker, year(TRY_CAST(StudyDate AS DATE)) AS year, count(*) AS n"
    " FROM idc GROUP BY ALL ORDER BY ALL",
)
COHORT = {"has": [{"modality": "CT"}, {"modality": "MR", "days": 30}], "limit": 1}
COHORT_IN_SQL = (
    "WITH s AS (SELECT DISTINCT PatientID, Modality, TRY_CAST(StudyDate AS DATE) AS d FROM idc"
    " WHERE Modality IN ('CT', 'MR')) SELECT count(DISTINCT a.PatientID) FROM s a JOIN s b"
    " USING (PatientID) WHERE a.Modality = 'CT' AND b.Modality = 'MR' AND abs(a.d - b.d) <= 30"
)

# By what they are about.
TYPICAL: dict[str, tuple[str, str]] = {
    "series": ("SELECT count(*) FROM series", "SELECT count(*) FROM idc"),
    "patients": (
        "SELECT count(DISTINCT patient_id) FROM studies",
        "SELECT count(DISTINCT PatientID) FROM idc",
    ),
    "studies": (
        "SELECT count(*) FROM studies",
        "SELECT count(DISTINCT StudyInstanceUID) FROM idc",
    ),
    "series of a modality": (
        "SELECT modality, count(*) FROM series GROUP BY ALL ORDER BY ALL",
        "SELECT Modality, count(*) FROM idc GROUP BY ALL ORDER BY ALL",
    ),
    "images of a modality": (
        "SELECT modality, sum(image_count) FROM series GROUP BY ALL ORDER BY ALL",
        "SELECT Modality, sum(instanceCount) FROM idc GROUP BY ALL ORDER BY ALL",
    ),
    "body parts of CT": (
        "SELECT body_part_text, count(*) FROM series WHERE modality = 'CT' GROUP BY ALL"
        " ORDER BY ALL LIMIT 100",
        "SELECT BodyPartExamined, count(*) FROM idc WHERE Modality = 'CT' GROUP BY ALL"
        " ORDER BY ALL LIMIT 100",
    ),
    "models of a maker": (
        "SELECT model, count(*) FROM series WHERE manufacturer_text = 'SIEMENS' GROUP BY ALL"
        " ORDER BY 2 DESC, 1 LIMIT 100",
        "SELECT ManufacturerModelName, count(*) FROM idc WHERE Manufacturer = 'SIEMENS'"
        " GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 100",
    ),
    "makers of MR": (
        "SELECT manufacturer_text, count(*) FROM series WHERE modality = 'MR' GROUP BY ALL"
        " ORDER BY ALL LIMIT 100",
        "SELECT Manufacturer, count(*) FROM idc WHERE Modality = 'MR' GROUP BY ALL"
        " ORDER BY ALL LIMIT 100",
    ),
    "studies with CT": (
        "SELECT count(DISTINCT study_uid) FROM series WHERE modality = 'CT'",
        "SELECT count(DISTINCT StudyInstanceUID) FROM idc WHERE Modality = 'CT'",
    ),
    "the largest studies": (
        "SELECT study_uid, series_count FROM studies ORDER BY 2 DESC, 1 LIMIT 10",
        "SELECT StudyInstanceUID, count(*) FROM idc GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 10",
    ),
    "the largest series": (
        "SELECT series_uid, image_count FROM series ORDER BY 2 DESC, 1 LIMIT 10",
        "SELECT SeriesInstanceUID, instanceCount FROM idc ORDER BY 2 DESC, 1 LIMIT 10",
    ),
    "descriptions with lung": (
        "SELECT count(*) FROM series WHERE series_description ILIKE '%lung%'",
        "SELECT count(*) FROM idc WHERE SeriesDescription ILIKE '%lung%'",
    ),
    "studies of a day": (
        "SELECT count(*) FROM studies WHERE study_date = DATE '2000-01-02'",
        "SELECT count(DISTINCT StudyInstanceUID) FROM idc WHERE StudyDate = '2000-01-02'",
    ),
    "studies of a decade": (
        "SELECT year(study_date), count(*) FROM studies WHERE study_date BETWEEN"
        " DATE '2000-01-01' AND DATE '2009-12-31' GROUP BY ALL ORDER BY ALL",
        "SELECT year(StudyDate::DATE), count(DISTINCT StudyInstanceUID) FROM idc WHERE StudyDate"
        " BETWEEN '2000-01-01' AND '2009-12-31' GROUP BY ALL ORDER BY ALL",
    ),
    "a patient's studies": (
        "SELECT study_uid, series_count FROM studies WHERE patient_id = 'LIDC-IDRI-0001'"
        " ORDER BY ALL",
        "SELECT StudyInstanceUID, count(*) FROM idc WHERE PatientID = 'LIDC-IDRI-0001'"
        " GROUP BY ALL ORDER BY ALL",
    ),
    "patients of a sex": (
        "SELECT sex, count(DISTINCT patient_id) FROM studies GROUP BY ALL ORDER BY ALL",
        "SELECT PatientSex, count(DISTINCT PatientID) FROM idc GROUP BY ALL ORDER BY ALL",
    ),
    "patients with most studies": (
        "SELECT patient_id, count(*) FROM studies GROUP BY ALL ORDER BY 2 DESC, 1 LIMIT 10",
        "SELECT PatientID, count(DISTINCT StudyInstanceUID) FROM idc GROUP BY ALL"
        " ORDER BY 2 DESC, 1 LIMIT 10",
    ),
    "series without description": (
        "SELECT modality, count(*) FROM series WHERE series_description IS NULL GROUP BY ALL"
        " ORDER BY ALL",
        "SELECT Modality, count(*) FROM idc WHERE SeriesDescription IS NULL GROUP BY ALL"
        " ORDER BY ALL",
    ),
    "series of chests of women": (
        "SELECT count(*) FROM series JOIN studies USING (study_uid)"
        " WHERE body_part_text = 'CHEST' AND sex = 'F'",
        "SELECT count(*) FROM idc WHERE BodyPartExamined = 'CHEST' AND PatientSex = 'F'",
    ),
    "patients with SEG and PT": (
        "SELECT count(*) FROM (SELECT patient_id FROM studies JOIN series USING (study_uid)"
        " WHERE modality IN ('SEG', 'PT') GROUP BY ALL HAVING count(DISTINCT modality) = 2)",
        "SELECT count(*) FROM (SELECT PatientID FROM idc WHERE Modality IN ('SEG', 'PT')"
        " GROUP BY ALL HAVING count(DISTINCT Modality) = 2)",
    ),
}
