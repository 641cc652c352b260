"""What is below the studies that are counted: their series, each with the study it is of."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..door.account import Account
from ..door.call import Call
from ..standard.levels import Level
from ..standard.note import Named, incomplete
from ..standard.query import Match, Matches, Query, is_one
from ..standard.values import is_uid
from .things import SERIES, STUDY
from .together import Place, together

_NARROWING = ("AccessionNumber", "PatientID", "StudyDate")


def narrowing(found: Account) -> dict[str, str]:
    """Keys of these studies by which their series can be asked for in a relational archive."""
    return {keyword: key for keyword, key in found.alone().items() if keyword in _NARROWING}


@dataclass(frozen=True, slots=True)
class Below:
    """Asks below studies; what the answers say of themselves is added to `found`."""

    call: Call
    found: Account

    def each(self, query: Query, keep: Callable[[Match], None]) -> Matches:
        """Every match of a query goes to `keep`."""
        call = self.call
        answer = call.each(query, keep)
        self._join(answer)
        return answer

    def series(
        self,
        studies: Collection[str],
        keys: Mapping[str, str],
        wanted: Sequence[str],
        keep: Callable[[str, Match], None],
        *,
        shared: bool,
    ) -> frozenset[str]:
        """Every series of these studies goes to `keep`, after its study. A study is called by its
        UID, or where several have it by that and its patient's ID.

        `keys` are those by which they can be asked for, with others where these are `shared`.
        Returns the UIDs of studies that were not asked for, and that series with these keys are of
        all the same.
        """
        by_uid: dict[str, list[str]] = defaultdict(list)
        for study in studies:
            by_uid[study.partition(" ")[0]].append(study)
        alone = {uid: several[0] for uid, several in by_uid.items() if len(several) == 1}
        answer = self.call.each_series(
            alone,
            Query(Level.SERIES, keys, tuple(wanted)),
            lambda match: keep(alone[str(match[STUDY])], match),
            shared=shared,
        )
        self._join(answer)
        for uid, several in by_uid.items():
            if len(several) > 1:
                self._series_of_clashing(uid, several, wanted, keep)
        return answer.beside - by_uid.keys()

    def images(
        self, counts: Mapping[Place, int | None], wanted: Sequence[str]
    ) -> Iterator[tuple[Place, list[Match]]]:
        """The instances of each of these series, of which `counts` are known to be there."""
        for some in together(self.call, counts, wanted):
            self._join(some.answer)
            for place in some.asked:
                found: list[Match] = [*some.instances.get(place, ())]
                if place not in some.instances:
                    keys = dict(zip((STUDY, SERIES), place, strict=True))
                    self.each(Query(Level.IMAGE, keys, tuple(wanted)), found.append)
                yield place, found

    def _series_of_clashing(
        self,
        uid: str,
        studies: Sequence[str],
        wanted: Sequence[str],
        keep: Callable[[str, Match], None],
    ) -> None:
        """The series of studies with one UID: of each patient by its ID."""
        rows: dict[str, dict[str, Match]] = {}
        for study in studies:
            patient = study.partition(" ")[2]
            keys = {STUDY: uid, "PatientID": patient}
            if not is_uid(uid) or not is_one(patient):
                break
            series = rows[study] = {}

            def keep_own(match: Match, series: dict[str, Match] = series) -> None:
                series[str(match.get(SERIES, ""))] = match

            self.each(Query(Level.SERIES, keys, ("PatientID", *wanted)), keep_own)
        told = [series for several in rows.values() for series in several]
        if len(rows) < len(studies) or len(set(told)) < len(told):
            self.found.lack(
                incomplete(
                    f"{len(studies)} studies have the StudyInstanceUID ",
                    Named("StudyInstanceUID", uid),
                    ", and their series cannot be told apart: none of these was counted.",
                )
            )
            return
        for study, several in rows.items():
            for match in several.values():
                keep(study, match)

    def _join(self, answer: Matches) -> None:
        """Add what an answer says of itself, but not its keys."""
        self.found.absent.update(answer.absent)
        self.found.complete &= answer.complete
        self.found.note(*answer.notes)
