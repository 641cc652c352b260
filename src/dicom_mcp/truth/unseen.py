"""Lists that an archive cuts by something else than their rows.

A limit may count what is looked at: the series of which an archive shows the studies, or the
studies of patients. Such a list has any length and calls itself whole (Orthanc 1.10.1 with
LimitFindResults gave 417 of 1,338 CT studies with status 0x0000). So a key that is answered from
below, and any list of patients, is proved: two halves of its time must not have more than the
whole had. An archive that is found out is asked without that key from then on, which its own rows
limit, and what it gives is compared here; patients are asked for in parts.
"""

from ..errors import ArchiveError
from ..standard.levels import NOUN, Level
from ..standard.note import incomplete, perhaps, remark
from ..standard.query import Match, Query
from .asking import Asking
from .candidates import compared_late
from .gathering import Gathering, Outcome
from .halves import DAY_OF, halves
from .modalities import ask_by_modality
from .proof import ask_proved
from .steps import Step

# Keys of a study that its series answer (PS3.4 C.3.4).
_BELOW = frozenset({"ModalitiesInStudy", "SOPClassesInStudy"})

# What is compared here where a key is left out; a slow archive's deadline passes before.
_MOST_COMPARED = 100_000

# Lists of these are proved here; what is below a study is counted.
_LISTS = frozenset({Level.STUDY, Level.PATIENT})

# Of so few no limit that anybody sets has left anything out.
_FEW = 3


def ask_seen(asking: Asking, query: Query, gathering: Gathering) -> Step[Outcome]:
    """Ask so that what comes is all there is, whatever the archive's limit counts."""
    if query.level not in _LISTS or query.keys.get("StudyInstanceUID"):
        return (yield ask_by_modality(asking, query, gathering))
    below = [keyword for keyword, key in query.keys.items() if keyword in _BELOW and key]
    if gathering.empty:
        if below:
            gathering.loosen(below, most_examined=_MOST_COMPARED)
        rest = {keyword: key for keyword, key in query.keys.items() if keyword not in below}
        wider = Query(query.level, rest, (*query.wanted, *below))
        return (yield ask_proved(asking, wider, gathering))
    cut = [keyword for keyword in query.keys if keyword in asking.habits.cut_unseen]
    # Where it lists images only, the series are asked for anyway, and their rows are what is cut.
    if cut and asking.habits.lists_reports is not False:
        late = compared_late(asking, query)
        asking.habits.cut_unseen.update(late)
        return (yield _ask_without(asking, query, gathering, [*cut, *late]))
    day = DAY_OF[query.level]
    gathering.date_by(day)
    dated = Query(query.level, query.keys, (*query.wanted, day))
    outcome: Outcome = yield ask_by_modality(asking, dated, gathering)
    if outcome.whole and not gathering.full and (late := compared_late(asking, query)):
        asking.habits.cut_unseen.update(late)
        return (yield _ask_without(asking, query, gathering, late))
    doubted = [keyword for keyword in below if keyword in gathering.answered]
    is_list = query.level is Level.PATIENT or doubted
    if not is_list or not outcome.whole or gathering.full or gathering.count < _FEW:
        return outcome
    if gathering.halved:
        return outcome
    try:
        return (yield _prove(asking, dated, gathering, outcome, doubted))
    except ArchiveError as error:
        return _unproved(outcome, str(error))


def _prove(
    asking: Asking, query: Query, gathering: Gathering, outcome: Outcome, doubted: list[str]
) -> Step[Outcome]:
    """What `outcome` is worth: two halves of the time bring nothing that the whole lacked, or what
    cannot be halved has nothing more without the `doubted` keys. Of an archive that is known to cut
    lists the halves came in parts as the whole did, which prove nothing."""

    def keep(match: Match) -> None:
        gathering.take(match, 0)

    before = gathering.count
    day = DAY_OF[query.level]
    in_parts = bool(doubted) and asking.habits.cap is not None
    spans = [] if in_parts else halves(query.keys.get(day, ""), gathering.dates)
    whole = True
    for span in spans:
        half = Query(query.level, {**query.keys, day: span}, query.wanted)
        part = Gathering(half, _MOST_COMPARED, keep=keep)
        gathering.begin()
        answer = part.close((yield ask_proved(asking, half, part)))
        whole = whole and answer.complete
        if gathering.count > before:
            break
    if gathering.count == before and spans:
        return outcome if whole else _unproved(outcome, "parts of it were not whole either")
    if gathering.full:
        return outcome
    proof = _cut(query)
    if doubted:
        proof = yield _ask_without(asking, query, gathering, doubted)
    if gathering.count == before:
        return outcome if proof.whole or not doubted else _unproved(outcome, "not all came")
    asking.habits.cut_unseen.update(doubted or [Level.PATIENT])
    return proof


def _ask_without(
    asking: Asking, query: Query, gathering: Gathering, cut: list[str]
) -> Step[Outcome]:
    """Ask without the keys by which this archive cuts unseen, and compare here."""
    gathering.compare(cut, most_examined=_MOST_COMPARED)
    rest = {keyword: key for keyword, key in query.keys.items() if keyword not in cut}
    wider = Query(query.level, rest, (*query.wanted, *cut))
    outcome: Outcome = yield ask_proved(asking, wider, gathering)
    told = remark(
        f"This archive cuts lists by {', '.join(cut)} without a word; it was asked without, and "
        "what it gave was compared here."
    )
    return Outcome(outcome.whole, [told, *outcome.notes])


def _unproved(outcome: Outcome, why: str) -> Outcome:
    told = perhaps(f"whether this is all could not be proved: {why.rstrip('.')}.")
    return Outcome(False, [*outcome.notes, told])


def _cut(query: Query) -> Outcome:
    told = incomplete(
        f"this archive cuts lists of {NOUN[query.level][1]} without a word; parts of "
        "the time had more. Narrow the question by dates, a name or an ID."
    )
    return Outcome(False, [told])
