"""Which patients have the examinations of a cohort: one statement over the index.

Every condition has three results. A patient is in a cohort when all are true, out when one is
false, and otherwise undecided, which is counted by itself at each step. What is asked for so many
days from the first examination is asked of the same first one throughout.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadArgument
from .columns import TABLES
from .criterion import BOTH, OF_WORDS, column_of
from .examination import Examination
from .objects import REPORTED
from .words import WithWords

# Whose a study is; one without a patient ID is nobody else's.
_PATIENT = "coalesce(patient_id || chr(31) || coalesce(issuer, ''), study_uid)"

# The parts of a statement, by the names under which those after them read them.
type _Parts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Funnel:
    """What is asked, step by step, and the statement. It brings one row: how many patients there
    are, a list of how many are left after each step, a list of how many more are undecided there,
    the studies that are meant of those who are left, each patient's together, and how many of them
    have no patient ID."""

    steps: tuple[str, ...]
    sql: str
    values: Sequence[object]


def funnel(
    examinations: Sequence[Examination],
    without: Sequence[Examination] = (),
    among: Collection[str] | None = None,
    told: Mapping[str, WithWords] | None = None,
) -> Funnel:
    """Of the patients who have all of these examinations and none of `without`; of the patients of
    these studies alone, where some are given. `told` has what reports say of each word that is
    asked for. Raises BadArgument."""
    if not examinations:
        raise BadArgument("has is empty", 'Give one, such as [{"modality": "CT"}]')
    if examinations[0].days:
        raise BadArgument("days counts from the first examination", "Give it with another one")
    asked_for = [*examinations, *without]
    parts, values = _beginning(asked_for, among, told)
    steps: list[tuple[str, str]] = []
    anchors, first, others = "a0", "", list[str]()
    for number, asked in enumerate(asked_for):
        is_without = number >= len(examinations)
        size = len(asked.said)
        parts[f"e{number}"] = _studies(number, asked)
        if number == 0:
            parts["a0"] = f"SELECT patient, study_uid, study_date, p{size} AS q FROM e0"
            parts["a0"] += f" WHERE coalesce(p{size}, true)"
        if asked.days:
            parts |= _near(number, asked, anchors, is_without=is_without)
            anchors = f"a{number}"
        source = anchors if asked.days else f"e{number}"
        least = examinations[0].at_least if asked.days else asked.at_least
        said = [f"without {' and '.join(asked.said)}"] if is_without else asked.said
        if is_without:
            states = [_at_least("q" if asked.days else f"p{size}", least)]
        else:
            states = [_at_least(f"p{at}", least) for at in range(1, size + 1)]
        named = ", ".join(f"{state} AS w{number}_{at}" for at, state in enumerate(states))
        parts[f"w{number}"] = f"SELECT patient, {named} FROM {source} GROUP BY patient"
        is_excluded = is_without and not asked.days
        state = f"CASE WHEN w{number}.patient IS NULL THEN false ELSE w{number}_{{}} END"
        columns = [f"{'NOT ' * is_excluded}({state.format(at)})" for at in range(len(states))]
        before = [] if asked.days or number == 0 else [first]
        steps += [
            (text, " AND ".join([*before, *others, column]))
            for text, column in zip(said, columns, strict=True)
        ]
        if asked.days or number == 0:
            first = columns[-1]
        else:
            others.append(columns[-1])
    others_of = "".join(
        f" LEFT JOIN w{at} ON w{at}.patient = w0.patient" for at in range(1, len(asked_for))
    )
    named = ", ".join(f"{state} AS q{at}" for at, (_, state) in enumerate(steps))
    parts["states"] = f"SELECT w0.patient, {named} FROM w0{others_of}"
    parts["meant"] = _meant(examinations, anchors, f"q{len(steps) - 1}")
    written = ", ".join(
        f"{name} AS {'NOT ' * (name == 'people')}MATERIALIZED ({sql})"
        for name, sql in parts.items()
    )
    said = tuple(text for text, _ in steps)
    return Funnel(said, f"WITH {written} {_counts(len(steps))}", values)


def _beginning(
    examinations: Sequence[Examination],
    among: Collection[str] | None,
    told: Mapping[str, WithWords] | None,
) -> tuple[_Parts, list[object]]:
    """What every examination is told by, with the values of the statement."""
    parts: _Parts = {"people": _people(is_among=among is not None)}
    values: list[object] = [] if among is None else [[*among]]
    if told is not None:
        parts["told"], of_words = _told(told)
        values += of_words
    return parts | _seen(examinations), values


def _people(*, is_among: bool) -> str:
    every = f"SELECT *, {_PATIENT} AS patient FROM studies"
    if not is_among:
        return every
    chosen = f"SELECT patient FROM ({every}) WHERE study_uid IN (SELECT unnest(?::VARCHAR[]))"
    return f"SELECT * FROM ({every}) WHERE patient IN ({chosen})"


def _seen(examinations: Sequence[Examination]) -> _Parts:
    """`seen`: of every study whether it fulfils each criterion of each examination (`xN_1` and so
    on). The rows of a table are gone through once for all examinations."""
    parts: _Parts = {}
    own: list[str] = []
    # What is told of each study, by the rows that tell it.
    states: dict[str, list[str]] = {}
    for number, asked in enumerate(examinations):
        for rows, state, column in _criteria(number, asked):
            if rows:
                states.setdefault(rows, []).append(state)
            own.append(column)
    source = "people"
    for number, (rows, several) in enumerate(states.items()):
        parts[f"g{number}"] = f"SELECT study_uid, {', '.join(several)} FROM {rows} GROUP BY ALL"
        source += f" LEFT JOIN g{number} USING (study_uid)"
    tables = {criterion.table for asked in examinations for criterion in asked.criteria}
    if tables & {OF_WORDS, "reports"}:
        source += " LEFT JOIN told USING (study_uid)"
    columns = ", ".join(["patient", "study_uid", "study_date", *own])
    return {**parts, "seen": f"SELECT {columns} FROM {source}"}


def _criteria(number: int, asked: Examination) -> Iterator[tuple[str, str, str]]:
    """For each criterion the rows that it groups by study, if any, what it tells of a group, and
    what it makes of that."""
    of_series = _rows_of_series({criterion.table for criterion in asked.criteria})
    # What one series fulfils together, and what one report does.
    series: list[str] = []
    reports: list[str] = []
    for at, asked_for in enumerate(asked.criteria, 1):
        if at == asked.narrowing + 1:
            series.clear()
            reports.clear()
        named, of_report = f"x{number}_{at}", f"r{number}_{at}"
        if asked_for.table in ("studies", OF_WORDS):
            yield "", "", f"{asked_for.sql} AS {named}"
        elif asked_for.table == "reports":
            reports.append(f"(CASE WHEN fault IS NULL THEN {asked_for.sql} END)")
            state = f"{_at_least(' AND '.join(reports), 1)} AS {of_report}"
            yield "reports", state, f"{_WHETHER_REPORTED.format(of_report)} AS {named}"
        else:
            is_read = asked_for.table == "headers"
            series.append(f"(CASE WHEN is_read THEN {asked_for.sql} END)" if is_read
                          else asked_for.sql)  # fmt: skip
            yield of_series, f"{_at_least(' AND '.join(series), 1)} AS {named}", named


def _studies(number: int, asked: Examination) -> str:
    """`eN`: of every study whether it fulfils what is asked, after each step (`p1` and so on)."""
    columns = [f"x{number}_{at} AS x{at}" for at in range(1, len(asked.criteria) + 1)]
    own = ", ".join(["patient", "study_uid", "study_date", *columns])
    return _stepped(f"SELECT {own} FROM seen", asked)


# A study has no such report where each of its series was looked into, and none in vain.
_REPORTED = "CASE WHEN reports > 0 THEN true WHEN unread + failed = 0 THEN false END"
_WHETHER_REPORTED = (
    "(CASE WHEN {0} THEN true WHEN unread = 0 THEN"
    " CASE WHEN study_uid IN (SELECT study_uid FROM reports) THEN {0} ELSE false END END)"
)


def _rows_of_series(tables: Collection[str]) -> str:
    rows = "series"
    if BOTH in tables:
        rows += " JOIN (SELECT study_uid, study_description FROM studies) USING (study_uid)"
    if "headers" in tables:
        of_series = {column.name for column in TABLES["series"]}
        own = [column.name for column in TABLES["headers"] if column.name not in of_series]
        header = f"SELECT study_uid, series_uid, {', '.join(own)}, fault IS NULL AS is_read"
        rows += f" LEFT JOIN ({header} FROM headers) USING (study_uid, series_uid)"
    return rows


def _told(told: Mapping[str, WithWords]) -> tuple[str, list[object]]:
    """`told`: of every study whether it has reports, how many of its series were not looked into,
    and what the reports tell of each word; with the values of the statement."""
    sql = f"SELECT *, {_REPORTED} AS reported FROM ({REPORTED})"
    values: list[object] = []
    for word, found in told.items():
        states = found.states()
        sql += (
            " LEFT JOIN (SELECT unnest(?::VARCHAR[]) AS study_uid,"
            f" unnest(?::VARCHAR[]) AS {column_of(word)}) USING (study_uid)"
        )
        values += [[*states], [*states.values()]]
    return sql, values


def _stepped(sql: str, asked: Examination) -> str:
    """With what each study fulfils after each step."""
    before, narrowing = "true", asked.narrowing
    step = 0
    if asked.which:
        of = [f"x{at}" for at in range(1, narrowing + 1)]
        later = "max" if asked.is_last else "min"
        sign = "<" if asked.is_last else ">"
        sql = f"SELECT *, {' AND '.join(['true', *of])} AS among FROM ({sql})"
        sql = (
            f"SELECT *, {later}(study_date) FILTER (among) OVER mine AS found,"
            f" {later}(study_date) FILTER (among IS NULL) OVER mine AS perhaps,"
            f" bool_or(study_date IS NULL AND coalesce(among, true)) OVER mine AS undated"
            f" FROM ({sql}) WINDOW mine AS (PARTITION BY patient)"
        )
        sql = (
            f"SELECT *, CASE WHEN NOT among OR study_date {sign} found THEN false"
            f" WHEN study_date {sign} perhaps OR undated OR study_date IS NULL THEN NULL"
            f" ELSE among END AS p1 FROM ({sql})"
        )
        before, step = "p1", 1
    for at in range(narrowing + 1, len(asked.criteria) + 1):
        step += 1
        sql = f"SELECT *, {before} AND x{at} AS p{step} FROM ({sql})"
        before = f"p{step}"
    steps = ", ".join(f"p{at}" for at in range(1, step + 1))
    # Whoever has none of these is not in the cohort, and is not looked at any further.
    return f"SELECT patient, study_uid, study_date, {steps} FROM ({sql}) WHERE coalesce(p1, true)"


def _near(number: int, asked: Examination, anchors: str, *, is_without: bool) -> _Parts:
    """`aN`: of every first examination whether the other one is so many days from it too."""
    assert asked.days
    size = len(asked.said)
    near = f"(datediff('day', first.study_date, other.study_date) {_between(asked.days)})"
    pairs = ", ".join(
        f"{_at_least(f'other.p{at} AND {near}', asked.at_least)} AS y{at}"
        for at in range(1, size + 1)
    )
    found = (
        f"SELECT first.study_uid AS study_uid, {pairs} FROM {anchors} first JOIN e{number} other"
        f" USING (patient) WHERE coalesce(first.q, true) AND coalesce(other.p1, true)"
        f" AND coalesce({near}, true) GROUP BY ALL"
    )
    state = "CASE WHEN y1 IS NULL AND NOT is_there THEN false ELSE {} END"
    has = [state.format(f"y{at}") for at in range(1, size + 1)]
    columns = [f"q AND {sql} AS p{at}" for at, sql in enumerate(has, 1)]
    columns.append(f"q AND {'NOT ' * is_without}{has[-1]} AS q")
    return {
        f"l{number}": found,
        f"a{number}": "SELECT patient, study_uid, study_date, "
        + ", ".join(columns)
        + f" FROM (SELECT *, other IS NOT NULL AS is_there FROM {anchors} LEFT JOIN"
        + f" (SELECT *, study_uid AS other FROM l{number}) USING (study_uid))",
    }


def _between(days: tuple[float, float]) -> str:
    return f"BETWEEN {days[0]:.0f} AND {days[1]:.0f}"


def _at_least(condition: str, count: int) -> str:
    """Whether so many rows of a group fulfil it; neither, where it hangs on those that cannot be
    decided."""
    return (
        f"CASE WHEN count(*) FILTER ({condition}) >= {count} THEN true"
        f" WHEN count(*) FILTER (coalesce({condition}, true)) >= {count} THEN NULL ELSE false END"
    )


def _meant(examinations: Sequence[Examination], anchors: str, left: str) -> str:
    """The studies that fulfil one of the examinations, of the patients who are left."""
    found = [f"SELECT patient, study_uid, study_date FROM {anchors} WHERE q"]
    for number, asked in enumerate(examinations[1:], 1):
        state = f"other.p{len(asked.said)}"
        sql = f"SELECT other.patient, other.study_uid, other.study_date FROM e{number} other"
        if asked.days:
            near = f"datediff('day', first.study_date, other.study_date) {_between(asked.days)}"
            sql += f" JOIN {anchors} first ON other.patient = first.patient AND first.q AND {near}"
        found.append(f"{sql} WHERE {state}")
    every = " UNION ".join(found)
    who = f"SELECT patient FROM states WHERE {left}"
    return f"SELECT * FROM ({every}) SEMI JOIN ({who}) USING (patient)"


def _counts(steps: int) -> str:
    left = ", ".join(f"count(*) FILTER (q{at})" for at in range(steps))
    undecided = ", ".join(f"count(*) FILTER (q{at} IS NULL)" for at in range(steps))
    meant = "(SELECT list(study_uid ORDER BY patient, study_date, study_uid) FROM meant)"
    every = "(SELECT count(DISTINCT patient) FROM seen)"
    nobody = "(SELECT count(*) FROM meant WHERE patient = study_uid)"
    return f"SELECT {every}, [{left}], [{undecided}], {meant}, {nobody} FROM states"
