"""What one archive holds and another one does not, or holds otherwise.

A study that one node did not give may lie there under another patient or date; so it is asked for
by its UID before it is called missing. What a node does not tell is no difference: it is found
below, or said not to be known.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from pydantic import Field

from ..door.account import Account
from ..door.answer import Findings, fitting
from ..door.call import Call
from ..errors import ArchiveError, BadArgument
from ..question.asking import MODALITIES, Question
from ..standard.alike import COMPUTED
from ..standard.levels import Level
from ..standard.note import remark
from ..standard.query import Match
from ..studies.difference import Difference, numbers, series, things
from ..studies.holding import BATCH, IMAGES, SERIES, SERIES_COUNT, STUDY, Holding
from .query import Days, Ids, Modality, Name, Uids

# Studies whose series are compared one by one; of more the numbers of series and images.
_MOST_BY_SERIES = 1000

# Differing series of an answer whose images are looked at, and images of one of them.
_MOST_SERIES = 10
_MOST_IMAGES = 2000


class Compared(Findings):
    """What `compare_nodes` answers."""

    sent: dict[str, str] = Field(description="Level and keys as sent to each node")
    compared: dict[str, int] = Field(description="Studies found at each node")
    studies: int = Field(description="In all; same + different + undecided")
    same: int = Field(description="Studies that all nodes hold alike")
    different: int
    undecided: int = Field(description="Studies of which a node doesn't tell enough")
    only_on: dict[str, int] = Field(description="How many only these nodes hold")
    differs_in: dict[str, int] = Field(description="How many of the others differ in what")
    records: list[dict[str, Any]] = Field(
        description="Different ones: only_on, not_known_on or differs, and the series behind it"
    )


def compare_nodes(
    call: Call,
    patient_id: Ids = "",
    patient_name: Name = "",
    study_date: Days = "",
    study_instance_uid: Uids = "",
    modality_in_study: Modality = "",
    limit: Annotated[int, Field(ge=1, le=200, description="Most differences to return")] = 50,
    first: Annotated[int, Field(ge=1, description="Go on from this difference")] = 1,
) -> Compared:
    """Compare what two or more archives (node; all if not given) hold of a patient, study or date
    range: studies only one has, counts and attributes that differ, with the series behind it."""
    if len(call.nodes) < 2:
        names = list(call.session.nodes)
        if len(names) < 2:
            raise BadArgument(
                "there is only one node to compare",
                "The operator names more in the configuration file (dicom-mcp init)",
            )
        call = call.at(names)
    question = Question.of(
        call,
        Level.STUDY,
        {
            "patient_id": ("PatientID", patient_id),
            "patient_name": ("PatientName", patient_name),
            "study_date": ("StudyDate", study_date),
            "study_instance_uid": (STUDY, study_instance_uid),
            "modality_in_study": (MODALITIES, modality_in_study),
        },
    )
    return _Comparison(call, question).answer(first, limit)


class _Comparison:
    def __init__(self, call: Call, question: Question) -> None:
        self._call = call
        self._question = question
        self._account = Account(doubt="more may differ than was compared.")
        self._holdings = {name: Holding(name) for name in call.names}

    def answer(self, first: int, limit: int) -> Compared:
        """The differences between what the nodes answer to the question, `limit` of them from the
        `first`.

        Raises the error of a node when fewer than two answered.
        """
        self._ask()
        compared = {name: len(holding.studies) for name, holding in self._holdings.items()}
        self._prove_missing()
        self._ask_below()
        every = [
            Difference.of(uid, held, self._holdings)
            for uid in self._uids()
            for held in things(uid, self._holdings)
        ]
        found = [difference for difference in every if difference.differs or difference.not_known]
        found.sort(key=lambda difference: difference.study)
        found.sort(key=lambda difference: difference.day, reverse=True)
        found.sort(key=lambda difference: difference.rank)
        shown = found[first - 1 : first - 1 + limit]
        self._look_into(shown)
        records = fitting([difference.row for difference in shown])
        if not every and self._account.complete:
            told = "No study at these nodes matches these keys: nothing was compared."
            self._account.notes.insert(0, remark(told))
        self._note_untold(every)
        self._note_rest(first, len(records), len(found))
        different = sum(difference.differs and not difference.not_known for difference in found)
        undecided = sum(
            difference.not_known or (not difference.differs and bool(difference.untold))
            for difference in every
        )
        return self._call.answer(
            Compared,
            self._account,
            sent={"QueryRetrieveLevel": Level.STUDY.value, **self._sent()},
            compared=compared,
            studies=len(every),
            same=len(every) - different - undecided,
            different=different,
            undecided=undecided,
            only_on=Counter(
                ", ".join(difference.row["only_on"]) for difference in found if not difference.rank
            ),
            differs_in=Counter(
                what
                for difference in found
                if difference.rank > 1
                for what in difference.row.get("differs", ("series",))
            ),
            records=records,
        )

    def _ask(self) -> None:
        failures = self._at_each_node(lambda holding, call: holding.ask(call, self._question))
        for name, error in failures.items():
            del self._holdings[name]
            self._account.lack(f"{name} did not answer. {error}")
        if len(self._holdings) < 2:
            raise next(iter(failures.values()))
        for name, holding in self._holdings.items():
            self._account.complete = self._account.complete and holding.found.complete
            self._account.note(*(note.within(name) for note in holding.found.notes))
        self._at_each_node(lambda holding, call: holding.look_at_others(call))
        tells = {name: holding.tells for name, holding in self._holdings.items()}
        for name in tells:
            others = set[str]().union(*(tells[other] for other in tells if other != name))
            untold = sorted(others - tells[name] - COMPUTED)
            if untold and self._holdings[name].studies:
                self._account.note(f"{name} does not tell {', '.join(untold)}: not compared.")

    def _prove_missing(self) -> None:
        """Ask each node by UID for the studies it did not give but another one did, unless what it
        gave is all it has."""
        every = self._uids()
        missing = {
            name: [*(every - holding.studies.keys())] for name, holding in self._holdings.items()
        }
        for_all = not {*self._question.keywords} - {STUDY}

        def prove(holding: Holding, call: Call) -> None:
            mine = missing[holding.name]
            if for_all and holding.found.complete:  # unless a few show that it was not all
                holding.prove(call, mine[:BATCH])
                if not holding.studies.keys() & {*mine}:
                    return
                holding.found.complete = False
            holding.prove(call, mine)

        failures = self._at_each_node(prove)
        for name in [
            n for n, holding in self._holdings.items() if for_all and not holding.found.complete
        ]:
            self._account.lack(f"the list of {name} is not all that it holds.")
        for name, holding in self._holdings.items():
            if found := len(holding.studies.keys() & {*missing[name]}):
                self._account.note(
                    f"{name} did not list {found} of these studies, but holds them: its list "
                    "was cut, or they have other values there, which their records say."
                )
            if holding.unproved:
                self._account.lack(
                    f"whether {name} holds {len(holding.unproved)} of these studies "
                    f"could not be asked (not_known_on). {failures.get(name) or holding.trouble}"
                )

    def _ask_below(self) -> None:
        """The series of studies that several hold: of all nodes if they are not too many, else of
        those that do not tell what is in a study."""
        several = (things(uid, self._holdings) for uid in self._uids())
        shared = [
            str(next(iter(held.values()))[STUDY])
            for held, *others in several
            if len(held) > 1 and not others
        ]
        if len(shared) > _MOST_BY_SERIES:
            self._account.note(
                f"Of {len(shared)} studies that several nodes hold, the numbers of series and "
                "images were compared, not series by series; narrow the question for that."
            )

        clash = any(
            len(several) > 1
            for holding in self._holdings.values()
            for several in holding.studies.values()
        )

        def ask(holding: Holding, call: Call) -> None:
            mine = [uid for uid in shared if uid in holding.studies]
            if clash or len(shared) > _MOST_BY_SERIES:
                holding.ask_counts(call, self._question)
            if len(shared) <= _MOST_BY_SERIES or not holding.tells_counts(mine):
                holding.ask_series(call, mine)
                holding.count_images(call)

        self._ask_of_each(ask)

    def _look_into(self, differences: Sequence[Difference]) -> None:
        """Add the series behind counts that differ, where they were not compared before, and which
        images of a series only one of the nodes holds."""
        pending = [
            difference
            for difference in differences
            if difference.counts_differ and "series" not in difference.row
        ]
        pending = [
            difference
            for difference in pending
            if len(things(difference.study, self._holdings)) == 1
        ]

        def ask(holding: Holding, call: Call) -> None:
            left = [difference.study for difference in pending if holding.name in difference.held]
            holding.ask_series(call, [uid for uid in left if uid not in holding.series])

        if pending:
            self._ask_of_each(ask)
        for difference in pending:
            lacking = [
                name
                for name in difference.held
                if difference.study not in self._holdings[name].series
            ]
            if lacking:
                self._account.lack(
                    f"series could not be compared at {', '.join(lacking)}. "
                    f"{self._holdings[lacking[0]].trouble}"
                )
            else:
                difference.row["series"] = series(
                    difference.study, [*difference.held], self._holdings
                )
        below = [
            (difference.study, row)
            for difference in differences
            for row in difference.row.get("series", ())
        ]
        counted = [(study, row) for study, row in below if IMAGES in row.get("differs", {})]
        for study, row in counted[:_MOST_SERIES]:
            if sum(map(_count, row["differs"][IMAGES].values())) <= _MOST_IMAGES:
                self._add_images_of(study, row)

    def _add_images_of(self, study: str, row: dict[str, Any]) -> None:
        found: dict[str, dict[str, Match] | None] = {}

        def ask(holding: Holding, call: Call) -> None:
            if holding.name in row["differs"][IMAGES]:
                found[holding.name] = holding.images(call, study, row[SERIES])

        self._at_each_node(ask)
        held = {name: images for name, images in found.items() if images is not None}
        if len(held) < len(row["differs"][IMAGES]):
            return
        everywhere = set[str].intersection(*(set(images) for images in held.values()))
        row["images_only_on"] = {
            name: numbers(images[uid] for uid in images if uid not in everywhere)
            for name, images in held.items()
            if set(images) - everywhere
        }

    def _note_untold(self, every: Iterable[Difference]) -> None:
        untold = Counter(keyword for difference in every for keyword in difference.untold)
        for (name, what), count in untold.items():
            noun = "series" if what == SERIES_COUNT else "images"
            self._account.lack(
                f"{name} does not tell how many {noun} {count} of these studies "
                f"have, and they could not all be counted: those that are else alike are undecided."
                f" {self._holdings[name].trouble or 'Narrow the question.'}"
            )

    def _note_rest(self, first: int, count: int, found: int) -> None:
        if first > 1:
            self._account.note(f"Those before number {first} are left out, as asked.")
        if first - 1 + count < found:
            self._account.lack(
                f"these are numbers {first} to {first - 1 + count} of {found} "
                f"differences; go on with first={first + count}."
            )

    def _ask_of_each(self, ask: Callable[[Holding, Call], None]) -> None:
        for name, error in self._at_each_node(ask).items():
            self._holdings[name].trouble = str(error)

    def _at_each_node(self, ask: Callable[[Holding, Call], None]) -> dict[str, ArchiveError]:
        """Let each holding ask its node, at the same time; why some could not. They run in other
        threads, which report no progress."""

        def ask_one(name: str, call: Call) -> None:
            if name in self._holdings:
                ask(self._holdings[name], call)

        answers = self._call.at_each_node(ask_one)
        return {n: error for n, error in answers.items() if isinstance(error, ArchiveError)}

    def _uids(self) -> set[str]:
        return {uid for holding in self._holdings.values() for uid in holding.studies}

    def _sent(self) -> dict[str, str]:
        """The keys of every node, each once."""
        several = [holding.found.keys() for holding in self._holdings.values()]
        return {
            keyword: " | ".join(dict.fromkeys(keys[keyword] for keys in several if keyword in keys))
            for keyword in dict.fromkeys(keyword for keys in several for keyword in keys)
        }

    def _lacks(self, note: str) -> None:
        self._complete = False
        self._account.note(note)


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
