"""Where reports are: the objects of studies or of a series that hold words for a reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..content.error import ContentError
from ..door.account import Account
from ..door.call import Call
from ..door.rows import text
from ..errors import ArchiveError
from ..standard.levels import Level
from ..standard.note import Note, incomplete, perhaps, remark
from ..standard.query import Match, Query
from ..standard.sop_classes import sop_class
from ..standard.values import count_of
from ..studies.contents import series_of_studies
from ..studies.kind import is_image
from ..studies.listing import listings
from .objects import Member, member, members

# Of the call's time, for finding them.
_SECONDS = 12.0

# More series than a study has, and those whose instances are listed.
_MOST_SERIES = 5_000
_MOST_LISTED = 200

# Images in a series of a scanner, above which it is not listed once there is a report: a report
# has a series of its own (PS3.3 C.7.3.1: one equipment made all of a series).
_MANY_IMAGES = 100

# Objects that the series of a document may have, whose modality may be the scanner's.
_FEW = 3
_SCANNERS = frozenset(["CR", "CT", "DX", "IO", "MG", "MR", "NM", "PT", "RF", "US", "XA"])

_OF_SERIES = (
    *("SeriesInstanceUID", "SeriesNumber", "Modality", "SeriesDescription"),
    *("SeriesDate", "SeriesTime", "NumberOfSeriesRelatedInstances"),
)
_OF_STUDY = ("StudyDate", "StudyTime")
_WHEN = ("ContentDate", "ContentTime", "AvailableTransferSyntaxUID")


@dataclass(slots=True)
class Search:
    """Which objects hold words, and whether all were looked at."""

    call: Call
    found: list[Member] = field(default_factory=list[Member])
    notes: list[Note] = field(default_factory=list[Note])
    complete: bool = True
    looked_at: int = 0
    where: str = "this series"
    named: bool = False
    untold: int = 0
    several: bool = False
    # Values of lists that no study has.
    missing: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def in_series(self, series: str, study: str, instance: str) -> None:
        """The reports of one series, or the one named, whatever its class."""
        some = members(self.call, series, study, instance)
        self.complete = some.whole
        self.notes += some.notes
        self.named = bool(instance.strip())
        self.looked_at = len(some.objects)
        if self.named:
            self.found += some.objects
        else:
            self._keep(some.objects, "")
            self.found += [
                member for member in some.objects if sop_class(member.reference.sop_class_uid).draws
            ]

    def in_study(self, study: str) -> None:
        """The reports of every series of a study, the likeliest series first."""
        self.where = "this study"
        several: list[Match] = []
        answer = self.call.each(
            Query(Level.SERIES, {"StudyInstanceUID": study}, _OF_SERIES),
            lambda match: several.append({**match, "StudyInstanceUID": study}),
            limit=_MOST_SERIES,
        )
        self.notes += answer.notes
        self.complete = answer.complete
        if not several and answer.complete:
            raise ContentError(
                "The archive holds no study with this UID", "Copy it from query_studies"
            )
        later = [series for series in several if _holds_many_images(series)]
        first = [series for series in several if not _holds_many_images(series)]
        first.sort(key=lambda match: (is_image(text(match, "Modality")), _said(match) or 0))
        self._look(first, later)

    def learn(self, found: Account, where: str) -> None:
        """How the studies were found that are looked into."""
        self.where = where
        self.complete = found.complete
        self.notes += found.notes

    def in_studies(self, found: Account, patient: str, studies: Mapping[str, Match]) -> None:
        """The reports of several studies, by UID, the newest study first; `patient` is the ID they
        have in common, if any. `found` says how the studies were found."""
        self.several = True
        several, whole = series_of_studies(self.call, found, patient, studies, _OF_SERIES)
        found.complete = found.complete and len(whole) == len(studies)
        self.learn(found, f"these {len(studies)} studies" if len(studies) > 1 else "this study")
        if missing := len(studies) - len(whole):
            self.notes.append(
                incomplete(
                    f"the series of {missing} of {len(studies)} studies could not all be "
                    "looked into, so that reports of theirs may be missing."
                )
            )
        every = [
            {
                **{key: studies[uid].get(key, "") for key in _OF_STUDY},
                **match,
                "StudyInstanceUID": uid,
            }
            for uid in studies
            for match in several.get(uid, ())
        ]
        later = [match for match in every if _holds_images(match)]
        first = [match for match in every if not _holds_images(match)]
        first.sort(key=lambda match: (text(match, "Modality") in _SCANNERS, _said(match) or 0))
        self._look(first, later)

    def _look(self, first: Sequence[Match], later: Sequence[Match]) -> None:
        """Look into the first of these series, and into the later ones where those have nothing."""
        left = self._listed(first)
        if not self.found and not left:
            left = self._listed(later)
        elif later:
            self.notes.append(
                remark(
                    f"Not looked into: {len(later)} series of scanners; reports have series of "
                    "their own, and one that lies among images is not found this way."
                )
            )
        several = [*first, *later]
        if left:
            self.complete = False
            self.notes.append(
                perhaps(
                    f"{left} of {len(several)} series could not be looked into; "
                    "ask again with series_instance_uid."
                )
            )
        if self.untold:
            self.complete = False
            self.notes.append(
                perhaps(f"the archive does not tell what kind {self.untold} objects are.")
            )

    def _listed(self, several: Sequence[Match]) -> int:
        """Look into these series; how many were left out for want of time."""
        step = self.call.within(_SECONDS)
        series = {
            (text(match, "StudyInstanceUID"), text(match, "SeriesInstanceUID")): match
            for match in several[:_MOST_LISTED]
        }
        counts = {place: _said(match) for place, match in series.items()}
        done = 0
        try:
            for place, listed in listings(step, counts, also=_WHEN):
                done += 1
                self.complete = self.complete and listed.whole
                self.notes += [note for note in listed.notes if note not in self.notes]
                self.looked_at += len(listed.instances)
                objects = [member(*place, {**series[place], **match}) for match in listed.instances]
                self._keep(objects, text(series[place], "Modality"))
        except ArchiveError as error:
            self.notes.append(remark(f"Looking for reports ended early: {error}"))
        return len(series) - done + max(0, len(several) - _MOST_LISTED)

    def _keep(self, objects: Sequence[Member], modality: str) -> None:
        from ..content.report import is_report

        for candidate in objects:
            sop_class = candidate.reference.sop_class_uid
            may_be = modality in ("SR", "DOC", "KO", "PR")
            if is_report(sop_class) or may_be:
                self.found.append(candidate)
            elif not sop_class:
                self.untold += 1


def _said(series: Match) -> int | None:
    """How many instances it has by the archive's account."""
    return count_of(text(series, "NumberOfSeriesRelatedInstances"))


def _holds_images(series: Match) -> bool:
    """Whether it is a scanner's, of more objects than a document's series (whose modality may be
    the scanner's: PS3.3 C.24.1) has."""
    said = _said(series)
    return text(series, "Modality") in _SCANNERS and (said is None or said > _FEW)


def _holds_many_images(series: Match) -> bool:
    return text(series, "Modality") in _SCANNERS and (_said(series) or 0) > _MANY_IMAGES
