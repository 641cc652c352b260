"""Studies by modality, where ModalitiesInStudy does not say all it should.

Some archives list images only, so that no study has a report; some compare the whole of several
values with the key (PS3.4 C.2.2.1.3 lets them). A study that is known to have both kinds, or
several modalities, shows how it is with this one; else the series tell.
"""

from collections.abc import Iterable

from ..errors import ArchiveError, StatusFailure
from ..standard.levels import Level
from ..standard.modality import NOT_IMAGES
from ..standard.note import incomplete, perhaps, remark
from ..standard.query import Match, Query, Value, is_one, texts
from ..standard.reading import read
from ..standard.status import NO_RESOURCES
from .asking import Asking
from .gathering import Gathering, Outcome
from .parents import uid_in
from .proof import ask_proved, ask_without
from .steps import Step, result_of
from .whole import matches

MODALITIES = "ModalitiesInStudy"

# Studies that are looked at, and of how many of them the series are.
_LOOKED_AT = 20
_LOOKED_INTO = 5
_SECONDS = 6.0

# Studies whose series may all have to be asked for, and more series than there are.
_MOST_STUDIES = 300
_MOST = 2_000_000

# Keys of a study by which its series can be asked for in a relational archive.
_NARROWING = ("AccessionNumber", "PatientID", "StudyDate")


def ask_by_modality(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask, and where it is about a modality make sure that ModalitiesInStudy could tell."""
    key = query.keys.get(MODALITIES, "")
    habits = asking.habits
    if query.level is not Level.STUDY or MODALITIES in habits.left_out:
        return (yield ask_proved(asking, query, gathering))
    if key in NOT_IMAGES and habits.lists_reports is False:
        return _by_series(asking, query, gathering, key)
    seen = _Seen(key)
    gathering.look = None if habits.lists_reports and habits.splits_modalities else seen.look
    outcome: Outcome = yield ask_proved(asking, query, gathering)
    gathering.look = None
    if seen.both:
        habits.lists_reports = True
    if seen.several:
        habits.splits_modalities = True
    if not is_one(key) or not outcome.whole or gathering.full:
        return outcome
    step = asking.within(_SECONDS)
    try:
        if habits.splits_modalities is None:
            habits.splits_modalities = _splits(step, query)
        if habits.splits_modalities is False:
            outcome = yield ask_without(asking, query, gathering, [MODALITIES])
        if key not in NOT_IMAGES or habits.lists_reports:
            return outcome
        habits.lists_reports = _lists(step, key)
    except ArchiveError as error:
        return _unproved(outcome, f" ({error})")
    if habits.lists_reports is None:
        return _unproved(outcome)
    return outcome if habits.lists_reports else _by_series(asking, query, gathering, key)


def lists_reports(asking: Asking) -> bool:
    """Whether ModalitiesInStudy names what is no image too, as far as can be told."""
    habits = asking.habits
    if habits.lists_reports is None:
        try:
            habits.lists_reports = _lists(asking.within(_SECONDS), "SR")
        except ArchiveError:
            return True
    return habits.lists_reports is not False


class _Seen:
    """What the rows of an answer show: several modalities, and images beside what is none."""

    def __init__(self, key: str) -> None:
        self.several = False
        self.both = False
        self._key = key

    def look(self, match: Match) -> None:
        if isinstance(match.get(MODALITIES), list):
            listed = _listed(match)
            self.several = self.several or self._key in listed
            self.both = self.both or (bool(listed & NOT_IMAGES) and bool(listed - NOT_IMAGES))


def _listed(match: Match) -> set[str]:
    values = texts(match.get(MODALITIES, ""))
    return {code for text in values for code in read("CS", MODALITIES, text) or [text]}


def _splits(asking: Asking, query: Query) -> bool | None:
    """Whether a study of several modalities is found by one of them; None where there is none."""
    others = {keyword: key for keyword, key in query.keys.items() if keyword != MODALITIES}
    wanted = (MODALITIES, "StudyDate", "PatientID")
    for keys in (others, {}):
        for match in matches(asking, Query(Level.STUDY, keys, wanted), _LOOKED_AT).matches:
            if not isinstance(match.get(MODALITIES), list):
                continue
            modality = texts(match[MODALITIES])[-1]
            about = {k: str(match.get(k, "")) for k in ("StudyDate", "PatientID")}
            narrow = {k: text for k, text in about.items() if is_one(text)}
            tried = Query(Level.STUDY, {**narrow, MODALITIES: modality}, wanted)
            found = matches(asking, tried, _LOOKED_AT)
            uid = uid_in(match, "StudyInstanceUID")
            if any(uid_in(other, "StudyInstanceUID") == uid for other in found.matches):
                return True
            return False if found.complete else None
    return None


def _lists(asking: Asking, key: str) -> bool | None:
    """Whether studies with series of this modality, which is none of images, name it."""
    studies = _studies_with(asking, key)
    if studies is None:
        return _lists_by_looking(asking)
    uids, whole = studies
    for uid in uids[:_LOOKED_INTO]:
        about = Query(Level.STUDY, {"StudyInstanceUID": uid}, (MODALITIES,))
        for match in matches(asking, about, 1).matches:
            listed = _listed(match)
            if not listed:
                return None
            if key not in listed:
                return False
            if listed - NOT_IMAGES:
                return True
    return True if whole and len(uids) <= _LOOKED_INTO else None


def _studies_with(asking: Asking, key: str) -> tuple[list[str], bool] | None:
    """Some studies that have such a series, and whether they are all; None where the archive cannot
    be asked."""
    if asking.habits.relational is False:
        return None
    query = Query(Level.SERIES, {"Modality": key}, ("StudyInstanceUID",))
    try:
        answer = matches(asking, query, _LOOKED_AT)
    except StatusFailure as failure:
        if failure.status in NO_RESOURCES:
            raise
        asking.habits.relational = False
        return None
    if answer.matches:
        asking.habits.relational = True
    if not asking.habits.relational:
        return None
    uids = dict.fromkeys(uid_in(match, "StudyInstanceUID") for match in answer.matches)
    return [uid for uid in uids if uid], answer.complete


def _lists_by_looking(asking: Asking) -> bool | None:
    """The same, of studies that are looked into one by one."""
    some = matches(asking, Query(Level.STUDY, {}, (MODALITIES,)), _LOOKED_AT)
    for match in some.matches[:_LOOKED_INTO]:
        inside = _modalities_of(asking, uid_in(match, "StudyInstanceUID"))
        if not inside & NOT_IMAGES or not inside - NOT_IMAGES:
            continue
        return inside <= _listed(match)
    return None


def _modalities_of(asking: Asking, study: str) -> set[str]:
    if not study:
        return set()
    query = Query(Level.SERIES, {"StudyInstanceUID": study}, ("Modality",))
    found = matches(asking, query, _MOST_STUDIES)
    return {str(series.get("Modality", "")) for series in found.matches} - {""}


def _by_series(asking: Asking, query: Query, gathering: Gathering, key: str) -> Outcome:
    """The studies that have a series of this modality."""
    others = {keyword: text for keyword, text in query.keys.items() if keyword != MODALITIES}
    told = remark(
        f"{MODALITIES} of this archive lists images only; studies with {key} were found by their "
        "series."
    )
    with_it: set[str] | None = None
    whole, notes = True, [told]
    if asking.habits.relational:
        narrowing = {keyword: text for keyword, text in others.items() if keyword in _NARROWING}
        by_series = Query(Level.SERIES, {**narrowing, "Modality": key}, ("StudyInstanceUID",))
        with_it = set()
        series = Gathering(
            by_series, _MOST, keep=lambda match: with_it.add(uid_in(match, "StudyInstanceUID"))
        )
        answer = series.close(result_of(ask_proved(asking, by_series, series)))
        whole, notes = answer.complete, [told, *answer.notes]
    rows: list[Match] = []
    wider = Query(query.level, others, (*query.wanted, MODALITIES))
    for narrower in _narrowed(wider, with_it):
        studies = Gathering(narrower, _MOST, keep=rows.append)
        answer = studies.close(result_of(ask_proved(asking, narrower, studies)))
        whole = whole and answer.complete
        notes += [note for note in answer.notes if note not in notes]
    for number, match in enumerate(rows):
        uid = uid_in(match, "StudyInstanceUID")
        if with_it is None and number >= _MOST_STUDIES:
            notes.append(incomplete("there are more studies than could be looked into."))
            return Outcome(False, notes)
        if uid in with_it if with_it is not None else key in _modalities_of(asking, uid):
            listed: list[Value] = [*sorted({*_listed(match), key})]
            gathering.take({**match, MODALITIES: listed if len(listed) > 1 else key}, 0)
    return Outcome(whole, notes)


def _narrowed(query: Query, uids: set[str] | None) -> Iterable[Query]:
    """The query, or where only few studies can be meant one for each of them."""
    if uids is None or len(uids) > _LOOKED_AT or "StudyInstanceUID" in query.keys:
        return [query]
    return [
        Query(query.level, {**query.keys, "StudyInstanceUID": uid}, query.wanted)
        for uid in sorted(uids - {""})
    ]


def _unproved(outcome: Outcome, why: str = "") -> Outcome:
    told = perhaps(
        f"whether {MODALITIES} of this archive names what is no image (SR, "
        f"PR, KO …) could not be shown{why}. Ask for the series of the studies in question."
    )
    return Outcome(False, [*outcome.notes, told])
