"""Find the studies a question means, and load their series in as few queries as possible."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from ..door.account import Account
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..question.asking import Question, each
from ..standard.levels import Level
from ..standard.note import Note, remark
from ..standard.query import Match, Matches, Query
from ..standard.values import count_of
from .kind import UNTOLD, is_image, kind
from .listing import Listing, listings
from .study import Study
from .together import Place

# Most studies kept while it is open which patient is meant.
_MOST_STUDIES = 5_000

# Studies whose series are looked into, newest first.
_MOST_LOOKED_INTO = 500

# Studies that are not asked for themselves, and whose series are wanted all the same.
_MOST_BESIDE = 100

# Series whose images are counted one by one where the archive keeps no counts.
_MOST_COUNTED = 100

# Of the call's time; the images are counted in what is left of it.
_SECONDS_FOR_SERIES = 15.0
_SECONDS_AT_ONCE = 8.0
_SECONDS_FOR_IMAGES = 5.0

_OF_SERIES = (
    *("SeriesInstanceUID", "Modality", "SeriesDescription", "ProtocolName", "BodyPartExamined"),
    "NumberOfSeriesRelatedInstances",
)


def studies_meant(
    call: Call, question: Question, wanted: Sequence[str]
) -> tuple[Account, list[Match]]:
    """The studies that are asked for, as they are known at their own level: nothing that the
    archive does not keep is found below."""
    studies: list[Match] = []
    count = 0

    def keep(match: Match) -> None:
        nonlocal count
        count += 1
        if count <= _MOST_STUDIES:
            studies.append(match)

    found = each(call, question, wanted, keep)
    if count > _MOST_STUDIES:
        found.lack(f"these are {_MOST_STUDIES} of {count} studies; narrow the question.")
    return found, studies


def contents(
    call: Call,
    found: Account,
    patient: str,
    matches: Sequence[Match],
    *,
    also: Sequence[Match] = (),
) -> list[Study]:
    """These studies of the patient with this ID ("" for none), each with its series and the number
    of its images; `found` is told the cost, and what could not be looked into. After them come
    those of `also`, with their series as far as these come."""
    return _Looking(call, found, patient).looked_into(matches, also[:_MOST_BESIDE])


def series_of_studies(
    call: Call, found: Account, patient: str, studies: Mapping[str, Match], wanted: tuple[str, ...]
) -> tuple[dict[str, list[Match]], set[str]]:
    """The series of these studies (by UID) of one patient, and of which of them all are there."""
    return _Looking(call, found, patient, wanted).series(studies)


class _Looking:
    def __init__(
        self, call: Call, found: Account, patient: str, wanted: tuple[str, ...] = _OF_SERIES
    ) -> None:
        self._wanted = wanted
        self._call = call
        self._found = found
        self._patient = patient

    def looked_into(self, matches: Sequence[Match], also: Sequence[Match]) -> list[Study]:
        """These studies with what their series say."""
        wanted = {text(match, "StudyInstanceUID"): match for match in matches[:_MOST_LOOKED_INTO]}
        beside = {text(match, "StudyInstanceUID"): match for match in also}
        every, whole = self.series({**wanted, **beside})
        series = {uid: several for uid, several in every.items() if uid in wanted}
        kinds = self._kinds(series)
        images = self._images(series, whole & wanted.keys())
        studies = [
            Study(match, series.get(uid, ()), uid in whole, images.get(uid), kinds)
            for uid, match in ((text(match, "StudyInstanceUID"), match) for match in matches)
        ]
        if unknown := sum(not study.whole for study in studies):
            self._found.lack(
                f"the series of {unknown} of {len(studies)} studies could not all be "
                "looked into, so that series, images and reports of theirs are not (all) here; "
                "narrow the question by study_date."
            )
        if untold := sum(study.untold() for study in studies):
            self._found.note(
                f"{untold} structured reports (SR) may be on findings or on dose: the archive "
                "tells neither a description that says so nor their SOP class."
            )
        return studies + [
            Study(match, every.get(uid, ()), uid in whole, None, {})
            for uid, match in beside.items()
        ]

    def series(self, studies: Mapping[str, Match]) -> tuple[dict[str, list[Match]], set[str]]:
        """The series of these studies, and of which all are there."""
        series: dict[str, list[Match]] = {}
        whole = self._call.within(_SECONDS_FOR_SERIES)
        known: set[str] = set()

        def keep(match: Match) -> None:
            series.setdefault(str(match.get("StudyInstanceUID", "")), []).append(match)

        def ask(these: Iterable[str], keys: Mapping[str, str], seconds: float) -> Matches:
            step = whole.within(seconds)
            return step.each_series(list(these), Query(Level.SERIES, keys, self._wanted), keep)

        def agrees(study: str) -> bool:
            said = _said(studies[study], "NumberOfStudyRelatedSeries")
            return len(series.get(study, ())) >= (said or 1)

        def at_once(these: Collection[str], keys: Mapping[str, str]) -> None:
            """Ask for several; of an answer that is not whole count those with their number."""
            for study in these:
                series.pop(study, None)
            try:
                answer = ask(these, keys, _SECONDS_AT_ONCE)
            except ArchiveError:
                sure = counted
            else:
                notes.extend(answer.notes if answer.complete else ())
                sure = {*these} if answer.complete else counted
            known.update(uid for uid in sure.intersection(these) if agrees(uid))

        def left() -> list[str]:
            return [study for study in studies if study not in known]

        notes: list[Note] = []
        counted = {uid for uid in studies if _said(studies[uid], "NumberOfStudyRelatedSeries")}
        if self._patient:
            at_once(studies.keys(), {"PatientID": self._patient})
        if len(left()) > 1:
            at_once(left(), {})
        try:
            for study in left():
                series.pop(study, None)
                answer = ask([study], {}, _SECONDS_FOR_SERIES)
                notes += answer.notes
                if answer.complete and agrees(study):
                    known.add(study)
        except ArchiveError as error:
            notes.append(remark(f"Looking into the series ended early: {error}"))
        self._found.note(*notes)
        return series, known

    def _kinds(self, series: Mapping[str, Sequence[Match]]) -> dict[str, str]:
        """What the structured reports are whose description doesn't say: their SOP class does."""
        step = self._call.within(_SECONDS_FOR_IMAGES)
        kinds: dict[str, str] = {}
        untold = {
            (study, text(match, "SeriesInstanceUID")): match
            for study, several in series.items()
            for match in several
            if kind(text(match, "Modality"), text(match, "SeriesDescription")) == UNTOLD
        }
        for place, listed in self._listings(step, untold):
            classes = [text(instance, "SOPClassUID") for instance in listed.instances]
            if not any(classes):
                break  # nor will it tell of the next
            description = text(untold[place], "SeriesDescription")
            kinds[place[1]] = kind("SR", description, sop_classes=classes)
        return kinds

    def _images(self, series: Mapping[str, Sequence[Match]], whole: set[str]) -> dict[str, int]:
        """How many images the studies have whose series are all known."""
        step = self._call.within(_SECONDS_FOR_IMAGES)
        images = {
            (study, text(match, "SeriesInstanceUID")): match
            for study in series
            if study in whole
            for match in series[study]
            if is_image(str(match.get("Modality", "")))
        }
        counts: dict[Place, int] = {
            place: said
            for place, match in images.items()
            if (said := _said(match, "NumberOfSeriesRelatedInstances")) is not None
        }
        counted = {place: match for place, match in images.items() if place not in counts}
        for place, listed in self._listings(step, counted):
            if listed.whole:
                counts[place] = len(listed.instances)
        unknown = {study for study, series in images if (study, series) not in counts}
        of_studies = {study: 0 for study in series if study in whole - unknown}
        for (study, _), count in counts.items():
            if study in of_studies:
                of_studies[study] += count
        if counted:
            self._found.note(
                "This archive does not keep NumberOfSeriesRelatedInstances; images were counted "
                "by asking for them."
            )
        if unknown:
            self._found.lack(
                f"the images of {len(unknown)} studies could not all be counted, so "
                "that no number is given."
            )
        return of_studies

    def _listings(
        self, step: Call, series: Mapping[Place, Match]
    ) -> Iterator[tuple[Place, Listing]]:
        """The instances of as many of these series as there is time for."""
        some = [*series.items()][:_MOST_COUNTED]
        counts = {place: _said(match, "NumberOfSeriesRelatedInstances") for place, match in some}
        with suppress(ArchiveError):
            yield from listings(step, counts)


def _said(match: Match, keyword: str) -> int | None:
    """A count that the archive keeps."""
    return count_of(text(match, keyword))
