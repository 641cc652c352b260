"""Questions to `count_studies`, each with the SQL of its groups over the source."""

from typing import Any

OF_SERIES = "FROM series JOIN study ON study.uid = series.study"
EMPTY = "(empty)"

# A question, and the SQL of its groups: the group's values and its number.
COUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "studies by modality in a year": (
        {"group_by": ["modality"], "study_date": "20200101-20201231"},
        f"SELECT modality, count(DISTINCT study.uid) {OF_SERIES} "
        "WHERE study.date BETWEEN '20200101' AND '20201231' GROUP BY 1",
    ),
    "studies by month": (
        {"group_by": ["month"], "study_date": "20100101-20111231"},
        "SELECT substr(date, 1, 4) || '-' || substr(date, 5, 2), count(*) FROM study "
        "WHERE date BETWEEN '20100101' AND '20111231' GROUP BY 1",
    ),
    "CT studies by manufacturer and year": (
        {
            "group_by": ["Manufacturer", "year"],
            "modality": "CT",
            "study_date": "20040101-20151231",
        },
        f"SELECT coalesce(nullif(trim(manufacturer), ''), '{EMPTY}'), substr(study.date, 1, 4), "
        f"count(DISTINCT study.uid) {OF_SERIES} WHERE modality = 'CT' "
        "AND study.date BETWEEN '20040101' AND '20151231' GROUP BY 1, 2",
    ),
    "patients by sex": (
        {"group_by": ["PatientSex"], "count": "patients", "study_date": "20120101-20121231"},
        f"SELECT coalesce(nullif(first.sex, ''), '{EMPTY}'), count(DISTINCT study.patient) "
        "FROM study JOIN series AS first ON first.rowid = study.first "
        "WHERE study.date BETWEEN '20120101' AND '20121231' GROUP BY 1",
    ),
    "MR series by body part": (
        {
            "group_by": ["BodyPartExamined"],
            "count": "series",
            "modality": "MR",
            "study_date": "20120101-20121231",
        },
        f"SELECT coalesce(nullif(trim(body_part), ''), '{EMPTY}'), count(*) {OF_SERIES} "
        "WHERE modality = 'MR' AND study.date BETWEEN '20120101' AND '20121231' GROUP BY 1",
    ),
    "PET images by year": (
        {
            "group_by": ["year"],
            "count": "images",
            "modality": "PT",
            "study_date": "20050101-20091231",
        },
        f"SELECT substr(study.date, 1, 4), sum(instances) {OF_SERIES} WHERE modality = 'PT' "
        "AND study.date BETWEEN '20050101' AND '20091231' GROUP BY 1",
    ),
    "studies of a day of 25,951": (
        {"group_by": ["hour"], "study_date": "19990102"},
        "",  # the hours are ours; the total is what counts
    ),
}


def agrees(answer: dict[str, Any], by: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Every group of the answer is a true one, with its number; all are there but what is said
    to be missing."""
    true = {tuple(map(str, group)): number for *group, number in rows}
    told = {tuple(str(one[name]) for name in by): one["count"] for one in answer["groups"]}
    if answer["complete"]:
        assert told.items() <= true.items()
        assert len(told) == min(len(true), 200)
        return
    assert answer["notes"]
    assert all(number <= true[group] for group, number in told.items())
