"""What may be wrong with an archive: one SELECT over its index for each kind of problem.

Each brings the rows that show it. What they ask of is `s`, the studies that are looked at, `one`,
those of one patient each, and `e`, the series of `s`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

_ADMINISTRATOR = "the archive's administrator"
_REGISTRATION = "the registration desk"
_RADIOGRAPHERS = "the radiographers"
_SERVICE = "who services the scanner"
_PRIVACY = "the archive's administrator, with the privacy officer"


@dataclass(frozen=True, slots=True)
class Problem:
    """A kind of problem: what it is, what to do, who does it, and the SELECT that finds it.

    `needs` are columns (`table.column`) without which nobody can tell; an archive may not return
    what they are read from.
    """

    what: str
    do: str
    who: str
    sql: str
    needs: tuple[str, ...] = ()


def words_of(text: str) -> str:
    """The words of a text, in SQL: without case and accents, in the order they stand in."""
    return rf"regexp_extract_all(strip_accents(lower({text})), '[\pL\pN]+')"


_STUDY = (
    "patient_id, patient_name, study_date AS date, accession_number, "
    "study_uid AS study_instance_uid"
)
_PERSON = "patient_id, patient_name, birth_date, other_name, other_birth_date"

# What has numbers, dates and descriptions of its own: made from other series, later, or elsewhere.
_MADE_LATER = (
    "('SR', 'PR', 'KO', 'SEG', 'RTSTRUCT', 'RTPLAN', 'RTDOSE', 'REG', 'DOC', 'OT', 'PLAN')"
)
_IMAGING = "('CT', 'MR', 'US', 'MG', 'CR', 'DX', 'XA', 'RF', 'PT', 'NM')"

_TEST_WORDS = (
    r"(?i)(^|[^\pL])(z*test|testpatient|phantom|fantom|dummy|demo|zzz+|quality ?assurance|"
    r"quality ?control|qualit(ä|ae)tskontrolle|konstanzpr(ü|ue)fung|qa|qc|calibration)([^\pL]|$)"
)
_PHONE = (
    r"(?i)\b(tel|telefon|telephone|phone|mobile|handy|fax|call|cell)\b[^\pL\pN]{0,3}"
    r"[+(]?\d[\d ()/.-]{4,}\d|(^|[^\d.])\+\d[\d ()/.-]{7,}\d|"
    r"(^|[^\d.])\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}([^\d.]|$)|(^|[^\d.])0\d{2,4}[ /-]\d{5,}"
)
_MAIL = r"[\w.+-]+@[\w-]+\.\w"

# UTF-8 read as Latin-1, ISO 2022 read without its escapes, and what stands for the unreadable.
_DAMAGED = (
    r"\x{fffd}|[ÃÂ][\x{80}-\x{bf}œŸžŠ€™]|â€|\$B|\pL\?|\?\pL|\?\?|"
    r"[\x00-\x08\x0e-\x1f\x{7f}-\x{9f}\x{200b}\x{202a}-\x{202e}]"
)
_MIXED = r"\p{Latin}[\p{Cyrillic}\p{Greek}]|[\p{Cyrillic}\p{Greek}]\p{Latin}"

_TEXTS = (
    "(SELECT study_uid, study_description AS description FROM s UNION ALL "
    "SELECT study_uid, series_description FROM e UNION ALL "
    "SELECT study_uid, protocol_name FROM e)"
)


def _described(pattern: str) -> str:
    return (
        f"SELECT DISTINCT {_STUDY}, description FROM {_TEXTS} JOIN s USING (study_uid) "
        f"WHERE regexp_matches(description, '{pattern}')"
    )


def _two_of_one_id(condition: str) -> str:
    return (
        f"SELECT DISTINCT ON (patient_id, issuer) {_PERSON} FROM pairs WHERE {condition} "
        "ORDER BY patient_id, issuer, patient_name, other_name"
    )


# What all statements may use. Of an ID that stands for nobody no more than 50 people are compared.
_VIEWS = f"""
one AS (SELECT * FROM s QUALIFY count(*) OVER (PARTITION BY study_uid) = 1),
people AS (
  SELECT DISTINCT patient_id, coalesce(issuer, '') AS issuer, patient_name, birth_date, sex,
    list_sort(list_distinct({words_of("patient_name")})) AS words
  FROM s WHERE patient_id IS NOT NULL AND patient_name IS NOT NULL),
few AS (
  SELECT *, row_number() OVER (
    PARTITION BY patient_id, issuer ORDER BY patient_name, birth_date, sex) AS number
  FROM people QUALIFY number <= 50),
pairs AS (
  SELECT a.patient_id, a.issuer, a.patient_name, a.birth_date, b.patient_name AS other_name,
    b.birth_date AS other_birth_date, a.sex, b.sex AS other_sex,
    a.words = b.words AS same, list_has_any(a.words, b.words) AS alike
  FROM few a JOIN few b
  ON a.patient_id = b.patient_id AND a.issuer = b.issuer AND a.number < b.number)"""

PEOPLE: Mapping[str, Problem] = {
    "same_person_two_ids": Problem(
        "One name and birth date under several Patient IDs",
        "Merge the IDs after comparing addresses or insurance numbers",
        _REGISTRATION,
        f"""SELECT min(patient_name) AS patient_name, birth_date,
          list_sort(list(DISTINCT patient_id))[:10] AS patient_ids, count(*) AS studies
        FROM (SELECT *, list_sort(list_distinct({words_of("patient_name")})) AS words FROM s)
        WHERE birth_date IS NOT NULL AND patient_id IS NOT NULL AND len(words) > 1
        GROUP BY words, birth_date, coalesce(issuer, '')
        HAVING count(DISTINCT patient_id) > 1 AND count(DISTINCT sex) < 2""",
        ("studies.birth_date",),
    ),
    "one_id_two_people": Problem(
        "One Patient ID of people with different names and birth dates",
        "Find out whose each study is, and give one of them another ID",
        _REGISTRATION,
        _two_of_one_id("NOT alike AND birth_date IS DISTINCT FROM other_birth_date"),
    ),
    "contradictory_birth_dates": Problem(
        "One patient with several birth dates",
        "Correct the birth date at its source, and in the studies",
        _REGISTRATION,
        _two_of_one_id("alike AND birth_date <> other_birth_date"),
    ),
    "contradictory_sex": Problem(
        "One patient as a man and as a woman",
        "Correct the sex at its source, and in the studies",
        _REGISTRATION,
        _two_of_one_id(
            "alike AND birth_date IS NOT DISTINCT FROM other_birth_date AND sex <> other_sex"
        ),
    ),
    "names_differ": Problem(
        "One patient with several names",
        "Choose the right name, and have the studies updated",
        _REGISTRATION,
        _two_of_one_id(
            "NOT same AND (alike OR birth_date = other_birth_date) "
            "AND coalesce(birth_date = other_birth_date, true)"
        ),
    ),
    "two_patients_in_study": Problem(
        "One study of several patients",
        "Find out whose each series is, and move those of the other patient into a new study",
        _ADMINISTRATOR,
        """SELECT study_uid AS study_instance_uid, min(study_date) AS date,
          list_sort(list(DISTINCT patient_id)) AS patient_ids,
          list_sort(list(DISTINCT patient_name)) AS patient_names
        FROM s GROUP BY study_uid HAVING count(*) > 1""",
    ),
    "no_patient_id": Problem(
        "No Patient ID",
        "Identify the patient by name, date and order, and enter the ID",
        _ADMINISTRATOR,
        f"SELECT {_STUDY} FROM s WHERE patient_id IS NULL",
    ),
    "test_patient": Problem(
        "Perhaps of a test or a phantom, by the words of name, ID or description",
        "Look whether it is no patient, and move it to an archive for tests",
        _ADMINISTRATOR,
        f"""SELECT {_STUDY}, study_description AS description FROM s WHERE
        regexp_matches(concat_ws(' | ', patient_name, patient_id, study_description),
          '{_TEST_WORDS}')""",
    ),
}

DATES: Mapping[str, Problem] = {
    "no_date": Problem(
        "No study date",
        "Enter the date of its images: lists and prefetching by date miss it",
        _ADMINISTRATOR,
        f"SELECT {_STUDY} FROM s WHERE study_date_text IS NULL",
    ),
    "future_date": Problem(
        "Dated after today",
        "Set the scanner's clock, and correct the date",
        _SERVICE,
        f"SELECT {_STUDY} FROM s WHERE study_date > (SELECT day FROM today)",
    ),
    "impossible_date": Problem(
        "A study date that is none, or before X-rays were known",
        "Correct the date in the archive",
        _ADMINISTRATOR,
        f"""SELECT {_STUDY}, study_date_text FROM s WHERE study_date < DATE '1895-11-08'
        OR (study_date IS NULL AND study_date_text IS NOT NULL)""",
    ),
    "impossible_birth_date": Problem(
        "A birth date that is none",
        "Correct the birth date at its source, and in the studies",
        _REGISTRATION,
        f"""SELECT {_STUDY}, birth_date_text FROM s
        WHERE birth_date IS NULL AND birth_date_text IS NOT NULL""",
    ),
    "born_after_study": Problem(
        "Examined before birth",
        "Find out which date is wrong, or whether it is another patient's study",
        _REGISTRATION,
        f"SELECT {_STUDY}, birth_date FROM s WHERE birth_date > study_date",
    ),
    "older_than_120": Problem(
        "Older than 120 years when examined",
        "Correct the birth date: a placeholder such as 19000101 stands for none",
        _REGISTRATION,
        f"SELECT {_STUDY}, birth_date FROM s WHERE birth_date < study_date - INTERVAL 120 YEAR",
    ),
    "series_of_other_day": Problem(
        "Images of a day that is more than a week from their study's",
        "Look whether they belong to another study, or the scanner's clock was wrong",
        _RADIOGRAPHERS,
        f"""SELECT {_STUDY}, series_date, e.modality, series_uid AS series_instance_uid
        FROM e JOIN one USING (study_uid) WHERE e.modality NOT IN {_MADE_LATER}
        AND abs(series_date - study_date) > 7""",
        ("series.series_date",),
    ),
}

ORDERS: Mapping[str, Problem] = {
    "no_accession_number": Problem(
        "No accession number: neither order nor report can be found by it",
        "Find the order and enter its number; have the scanner take it from the worklist",
        _RADIOGRAPHERS,
        f"SELECT {_STUDY} FROM s WHERE accession_number IS NULL",
        ("studies.accession_number",),
    ),
    "double_accession_number": Problem(
        "One accession number of several patients, or of days that are not neighbours",
        "Find out which study the order was for, and correct the other's number",
        _ADMINISTRATOR,
        """SELECT accession_number, count(DISTINCT study_uid) AS studies,
          list_sort(list(DISTINCT patient_id))[:10] AS patient_ids,
          min(study_date) AS first, max(study_date) AS last,
          list_sort(list(DISTINCT study_uid))[:5] AS study_instance_uids
        FROM one WHERE accession_number IS NOT NULL GROUP BY accession_number
        HAVING count(DISTINCT patient_id) > 1 OR max(study_date) - min(study_date) > 1""",
        ("studies.accession_number",),
    ),
    "series_number_twice": Problem(
        "Two series of one modality with the same number in a study",
        "Look whether one was sent twice, or a number was given again after a restart",
        _RADIOGRAPHERS,
        f"""SELECT {_STUDY}, modality, series_number, series FROM (
          SELECT study_uid, modality, series_number, count(DISTINCT series_uid) AS series FROM e
          WHERE series_number IS NOT NULL AND modality NOT IN {_MADE_LATER}
          GROUP BY ALL HAVING count(*) > 1 AND count(DISTINCT series_uid) > 1)
        JOIN one USING (study_uid)""",
        ("series.series_number",),
    ),
    "series_number_missing": Problem(
        "One or two numbers missing among series that are numbered one after the other",
        "Look at the scanner whether a series was not sent",
        _RADIOGRAPHERS,
        f"""SELECT {_STUDY}, numbers FROM (
          SELECT study_uid, list_sort(list(DISTINCT series_number)) AS numbers FROM e
          GROUP BY study_uid
          HAVING count(DISTINCT series_number) > 3 AND max(series_number) - min(series_number) + 1
            - count(DISTINCT series_number) BETWEEN 1 AND 2)
        JOIN one USING (study_uid)""",
        ("series.series_number",),
    ),
}

CONTENTS: Mapping[str, Problem] = {
    "series_count_differs": Problem(
        "The archive's count of series is not that of the series it lists",
        "Have the archive count again; a series may be hidden, rejected or lost",
        _ADMINISTRATOR,
        f"""SELECT {_STUDY}, series_count AS counted, listed FROM one JOIN (
          SELECT study_uid, count(*) AS listed FROM e GROUP BY study_uid) USING (study_uid)
        WHERE series_count <> listed""",
        ("studies.series_count",),
    ),
    "image_count_differs": Problem(
        "The archive's count of images is not the sum of its series'",
        "Have the archive count again; images may be hidden, rejected or lost",
        _ADMINISTRATOR,
        f"""SELECT {_STUDY}, image_count AS counted, listed FROM one JOIN (
          SELECT study_uid, sum(image_count) AS listed, count(*) AS series FROM e
          GROUP BY study_uid HAVING count(*) = count(image_count)) USING (study_uid)
        WHERE image_count <> listed AND series = coalesce(series_count, series)""",
        ("studies.image_count", "series.image_count"),
    ),
    "study_without_series": Problem(
        "A study without series",
        "Look for its images at the scanner; remove the study if there are none",
        _ADMINISTRATOR,
        f"SELECT {_STUDY}, series_count AS counted FROM s ANTI JOIN e USING (study_uid)",
    ),
    "series_without_study": Problem(
        "A series without a study",
        "Have the archive's database repaired",
        _ADMINISTRATOR,
        """SELECT study_uid AS study_instance_uid, series_uid AS series_instance_uid, modality,
          series_date AS date FROM e ANTI JOIN s USING (study_uid)""",
    ),
    "series_without_images": Problem(
        "A series without images",
        "Send it again from the scanner, or remove it",
        _RADIOGRAPHERS,
        f"""SELECT {_STUDY}, modality, series_uid AS series_instance_uid
        FROM e JOIN one USING (study_uid) WHERE e.image_count = 0""",
        ("series.image_count",),
    ),
    "modality_not_of_series": Problem(
        "The modalities of a study are not those of its series",
        "Have the archive update the study from its series",
        _ADMINISTRATOR,
        f"""SELECT {_STUDY}, modalities, of_series FROM one JOIN (
          SELECT study_uid, list_sort(list(DISTINCT modality)) AS of_series, count(*) AS listed
          FROM e GROUP BY study_uid HAVING count(*) = count(modality)) USING (study_uid)
        WHERE list_sort(list_distinct(modalities)) <> of_series
          AND listed = coalesce(series_count, listed)""",
        ("studies.modalities", "series.modality"),
    ),
    "modality_not_of_scanner": Problem(
        "A modality that hardly anything else of the same scanner has",
        "Look at an image, and correct the modality or the name of the station",
        _SERVICE,
        f"""SELECT {_STUDY}, e.station, e.modality, series_uid AS series_instance_uid
        FROM e JOIN (
          SELECT station, manufacturer, model, modality, count(*) AS n, sum(count(*)) OVER (
            PARTITION BY station, manufacturer, model) AS of_all
          FROM e WHERE modality IN {_IMAGING} AND station IS NOT NULL
          GROUP BY station, manufacturer, model, modality QUALIFY n * 20 <= of_all) rare
        ON e.station = rare.station AND e.modality = rare.modality
          AND e.manufacturer IS NOT DISTINCT FROM rare.manufacturer
          AND e.model IS NOT DISTINCT FROM rare.model
        JOIN one USING (study_uid)""",
        ("series.station",),
    ),
    "station_of_two_makers": Problem(
        "One station name of scanners of several makers",
        "Give each scanner a station name of its own: counts by station mix them",
        _SERVICE,
        """SELECT station, list_sort(list(DISTINCT manufacturer)) AS manufacturers,
          count(*) AS series FROM e WHERE station IS NOT NULL
        GROUP BY station HAVING count(DISTINCT manufacturer) > 1""",
        ("series.station", "series.manufacturer"),
    ),
}

TEXTS: Mapping[str, Problem] = {
    "phone_in_description": Problem(
        "A telephone number in a description",
        "Remove it from the study: descriptions are seen and sent where names are not",
        _PRIVACY,
        _described(_PHONE),
    ),
    "mail_in_description": Problem(
        "An e-mail address in a description",
        "Remove it from the study: descriptions are seen and sent where names are not",
        _PRIVACY,
        _described(_MAIL),
    ),
    "patient_in_description": Problem(
        "The patient's name or ID in a description",
        "Remove it from the study: descriptions are seen and sent where names are not",
        _PRIVACY,
        # A family name that others' descriptions have too is a word: Head, Long.
        f"""WITH t AS (SELECT description, {words_of("description")} AS words FROM (
            SELECT DISTINCT description FROM {_TEXTS} WHERE description IS NOT NULL)),
        d AS NOT MATERIALIZED (SELECT study_uid, description, patient_id,
            {words_of("family_name")}[-1] AS family FROM {_TEXTS} JOIN one USING (study_uid)),
        named AS (SELECT DISTINCT study_uid, description, family FROM d JOIN t USING (description)
          WHERE len(family) > 2 AND list_contains(words, family)),
        common AS (SELECT word FROM (SELECT description, unnest(words) AS word FROM t)
          JOIN d USING (description)
          WHERE word IN (SELECT family FROM named) AND family <> word
          GROUP BY word HAVING count(DISTINCT patient_id) > 1)
        SELECT {_STUDY}, description FROM (
          SELECT study_uid, description FROM named
          WHERE family NOT IN (SELECT word FROM common) UNION
          SELECT study_uid, description FROM d
          WHERE len(patient_id) > 4 AND contains(description, patient_id))
        JOIN one USING (study_uid)""",
    ),
    "damaged_text": Problem(
        "A text in a character set that it was not declared in",
        "Have the sender declare the character set it uses, and correct the text",
        _SERVICE,
        f"""SELECT {_STUDY}, study_description AS description FROM s
        WHERE regexp_matches(patient_name, '{_DAMAGED}')
          OR regexp_matches(study_description, '{_DAMAGED}')""",
    ),
    "mixed_alphabets": Problem(
        "A name with letters of two alphabets in one word: nobody finds it by typing",
        "Write the name in one alphabet",
        _REGISTRATION,
        f"SELECT {_STUDY} FROM s WHERE regexp_matches(patient_name, '{_MIXED}')",
    ),
}

PROBLEMS: Mapping[str, Problem] = {**PEOPLE, **DATES, **ORDERS, **CONTENTS, **TEXTS}

# What an index of studies and series cannot tell, and what can.
NOT_IN_AN_INDEX: Mapping[str, str] = {
    "gaps and doubles in image numbers": "ask study_overview of a study",
    "a modality that contradicts the SOP class": "ask study_overview of a study",
    "unread and unverified reports": "ask read_report of a study",
    "what two archives tell differently": "ask compare_nodes",
}


def statement_of(
    sql: str,
    *,
    today: date,
    first: date | None,
    last: date | None,
    undated: bool = False,
    is_among: bool = False,
) -> str:
    """A SELECT, of the studies between two days or of those without a date; of those in the table
    `cohort` alone, where one is meant."""
    days = [f"study_date >= DATE '{first}'"] * bool(first)
    days += [f"study_date <= DATE '{last}'"] * bool(last)
    days += ["study_date IS NULL"] * undated
    days += ["study_uid IN (FROM cohort)"] * is_among
    some = f" WHERE {' AND '.join(days)}" if days else ""
    theirs = " SEMI JOIN s USING (study_uid)" if days else ""
    return (
        f"WITH today AS (SELECT DATE '{today}' AS day), s AS (SELECT * FROM studies{some}), "
        f"e AS (SELECT * FROM series{theirs}), {_VIEWS} SELECT * FROM ({sql})"
    )
