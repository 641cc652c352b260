"""One study from above: its series, what they are, whether they are all there."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from ..door.account import Account
from ..door.answer import NONE_MISSING, Findings, Missing
from ..door.call import Call
from ..door.rows import NamedRow, NamedRows, Row, filled, text
from ..errors import ArchiveError, BadArgument
from ..question.asking import Question
from ..question.relaxing import hints
from ..standard.counted import counted
from ..standard.levels import Level
from ..standard.query import Match, Query, texts
from ..standard.sop_classes import DOSE, IMAGES, REPORT
from ..standard.values import count_of
from ..studies.contents import studies_meant
from ..studies.gaps import Gaps
from ..studies.kind import READABLE, UNTOLD, is_image, kind
from ..studies.listing import Listing, listings
from ..studies.series import Series, remarks
from .query import Listed

# Studies that an accession number may turn out to be, as choices.
_MOST_CHOICES = 50

# More series than a study has, those an answer has room for, and those whose instances are listed.
_MOST_SERIES = 5_000
_MOST_ROWS = 400
_MOST_LISTED = 150

# Of the call's time; an answer without some instance numbers is better than none.
_SECONDS = 15.0

# UIDs of reports and key objects, which the next call reads.
_MOST_OBJECTS = 100

_OF_STUDY = (
    *("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"),
    *("StudyDate", "StudyTime", "StudyDescription", "AccessionNumber"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
)
_OF_SERIES = (
    *("SeriesNumber", "Modality", "SeriesDescription", "BodyPartExamined", "ProtocolName"),
    *("StationName", "Manufacturer", "ManufacturerModelName", "SeriesDate", "SeriesTime"),
    "NumberOfSeriesRelatedInstances",
)

# What a record says of a study.
_STUDY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("StudyDescription", "AccessionNumber", "StudyInstanceUID"),
)

_REPORTS = frozenset({REPORT, "CAD report", "document", "measurements"})

# Modalities whose images may be localizers or made from others, which ImageType tells.
_SLICES = frozenset({"CT", "MR", "NM", "PT", "XA"})


class Overview(Findings):
    """What `study_overview` answers."""

    returned: int
    sent: Row
    study: NamedRow
    totals: Row
    choices: NamedRows
    missing: Missing = NONE_MISSING
    records: NamedRows = Field(description="Series; with gaps: studies")
    objects: NamedRows = Field(description="Reports and key objects by UID")


def study_overview(
    call: Call,
    study_instance_uid: Listed = "",
    accession_number: Listed = "",
    patient_id: Listed = "",
    study_date: Annotated[str, Field(description="With gaps")] = "",
    gaps: Annotated[bool, Field(description="Which of these lack series or images")] = False,
) -> Overview:
    """What one study consists of: each series with its kind, images, missing or repeated image
    numbers, scanner; its reports, by UID for read_report. With gaps: which of
    several studies (a day's, a list's) are not all there."""
    question = Question.of(
        call,
        Level.STUDY,
        {
            "study_instance_uid": ("StudyInstanceUID", study_instance_uid),
            "accession_number": ("AccessionNumber", accession_number),
            "patient_id": ("PatientID", patient_id),
            "study_date": ("StudyDate", study_date),
        },
    )
    if not question.meanings:
        raise BadArgument("no study is named", "Give study_instance_uid or accession_number")
    found, studies = studies_meant(call, question, _OF_STUDY)
    if gaps and studies:
        return _gaps(call, found, studies)
    if len(studies) != 1:
        return _undecided(call, question, found, studies)
    making = _Making(call, found, studies[0])
    making.ask_series()
    making.list_instances()
    return making.answer()


class _Making:
    """One study's overview in the making."""

    def __init__(self, call: Call, found: Account, study: Match) -> None:
        self._call = call
        self._found = found
        self._study = study
        self._uid = text(study, "StudyInstanceUID")
        self._series: list[Series] = []

    def ask_series(self) -> None:
        """Its series, as they are known at their level."""
        several: list[Series] = []
        answer = self._call.each(
            Query(Level.SERIES, {"StudyInstanceUID": self._uid}, _OF_SERIES),
            lambda match: several.append(Series(match)),
            limit=_MOST_SERIES,
        )
        self._found.complete = self._found.complete and answer.complete
        self._found.note(*answer.notes)
        if absent := [
            keyword for keyword in answer.absent if keyword != "NumberOfSeriesRelatedInstances"
        ]:
            self._found.note(f"The archive does not return {', '.join(absent)}.")
        said = count_of(text(self._study, "NumberOfStudyRelatedSeries"))
        if said is not None and said != len(several):
            self._found.complete = self._found.complete and len(several) > said
            self._found.note(
                f"The archive counts {said} series in this study, but gives {len(several)}."
            )
        self._series = sorted(several, key=lambda series: series.place)

    def list_instances(self) -> None:
        """The instances of each series, those that can be read first."""
        step = self._call.within(_SECONDS)
        order = sorted(
            self._series, key=lambda series: (is_image(series.modality), series.said or 0)
        )
        done = 0
        try:
            by_place = {(self._uid, series.uid): series for series in order[:_MOST_LISTED]}
            counts = {place: series.said for place, series in by_place.items()}
            for place, listed in listings(step, counts):
                series = by_place[place]
                series.listed = listed
                self._found.note(*listed.notes)
                done += 1
                if series.modality in _SLICES and series.kind == IMAGES:
                    series.image_type = self._image_type(step, listed)
            if any(series.said is None for series in self._series):
                self._found.note(
                    "This archive does not keep NumberOfSeriesRelatedInstances; instances were "
                    "counted."
                )
        except ArchiveError as error:
            self._found.note(f"Listing instances ended early: {error}")
        if done < len(self._series):
            self._found.lack(
                f"the instances of {done} of {len(self._series)} series were listed; "
                "of the others it is not known what their objects are and whether numbers are "
                "missing."
            )

    def answer(self) -> Overview:
        """The tree, from the first series to the last."""
        found = self._found
        for series in self._series:
            found.note(*remarks(series))
            if series.listed and not series.listed.whole:
                found.complete = False
        objects = self._objects()
        rows = [series.row(self._study) for series in self._series[:_MOST_ROWS]]
        if len(rows) < len(self._series):
            found.lack(f"these are {len(rows)} of {len(self._series)} series.")
        return _answered(
            self._call,
            found,
            study=_named(self._study),
            totals=self._totals(),
            records=rows,
            objects=objects,
        )

    def _image_type(self, step: Call, listed: Listing) -> Sequence[str]:
        """The ImageType of the image in the middle (PS3.3 C.7.6.1.1.2)."""
        if not listed.instances:
            return ()
        middle = listed.instances[len(listed.instances) // 2]
        keys = {"StudyInstanceUID": self._uid, "SOPInstanceUID": text(middle, "SOPInstanceUID")}
        series = {"SeriesInstanceUID": text(middle, "SeriesInstanceUID")}
        told: list[Match] = []
        step.each(
            Query(Level.IMAGE, {**keys, **series}, ("ImageType",)),
            told.append,
            limit=1,
        )
        return texts(told[0].get("ImageType", "")) if told else ()

    def _totals(self) -> dict[str, Any]:
        counts = [series.instances for series in self._series]
        kinds = [series.kind for series in self._series]
        known = [count for count in counts if count is not None]
        totals: dict[str, Any] = {"series": len(self._series)}
        if len(known) == len(counts):
            totals["instances"] = sum(known)
            pairs = zip(self._series, known, strict=True)
            totals["images"] = sum(count for series, count in pairs if is_image(series.modality))
        said = count_of(text(self._study, "NumberOfStudyRelatedInstances"))
        if said is not None and said != totals.get("instances", -1):
            totals["instances_by_archive"] = said
        totals["reports"] = sum(not _REPORTS.isdisjoint(kind.split(" and ")) for kind in kinds)
        totals["dose_reports"] = kinds.count(DOSE)
        if untold := kinds.count(UNTOLD):
            totals["structured_reports_of_unknown_kind"] = untold
            self._found.note(
                f"{untold} structured reports may be reports, measurements or dose reports: the "
                "archive tells neither their SOP class nor a description that says so."
            )
        totals["key_objects"] = kinds.count("key images")
        return totals

    def _objects(self) -> list[dict[str, Any]]:
        """What can be read: reports, documents, key objects."""
        objects: list[dict[str, Any]] = []
        count = 0
        for series in self._series:
            for instance in series.listed.instances if series.listed else ():
                described = text(series.match, "SeriesDescription")
                sop_classes = [text(instance, "SOPClassUID")]
                what = kind(series.modality, described, sop_classes=sop_classes)
                count += what in READABLE
                if what in READABLE and len(objects) < _MOST_OBJECTS:
                    row = {
                        "kind": what,
                        "SeriesDescription": described,
                        "SeriesInstanceUID": series.uid,
                        "SOPInstanceUID": text(instance, "SOPInstanceUID"),
                    }
                    objects.append(filled(row))
        if count > len(objects):
            self._found.note(f"{count - len(objects)} more reports and key objects are not listed.")
        return objects


def _gaps(call: Call, found: Account, studies: Sequence[Match]) -> Overview:
    """Of several studies, those that are not all there."""
    looking = Gaps(call, found, studies)
    looking.look()
    rows = looking.records(_STUDY)
    looking.tell()
    if len(rows) > _MOST_ROWS:
        found.lack(f"these are {_MOST_ROWS} of {len(rows)} studies.")
    return _answered(call, found, totals=looking.totals(rows), records=rows[:_MOST_ROWS])


def _undecided(
    call: Call, question: Question, found: Account, studies: Sequence[Match]
) -> Overview:
    """No study, or several."""
    if not studies:
        if found.complete:
            told = hints(call, question)
            found.note("No study in this archive matches these keys.", *told)
        return _answered(call, found)
    found.lack(
        f"{len(studies)} studies match: ask which of `choices` is meant, then ask "
        "again with its study_instance_uid."
    )
    newest = sorted(studies, key=lambda study: text(study, "StudyDate"), reverse=True)
    if len(studies) > _MOST_CHOICES:
        found.note(f"Not shown: {counted(len(studies) - _MOST_CHOICES, 'more study')}.")
    return _answered(call, found, choices=[_named(study) for study in newest[:_MOST_CHOICES]])


def _answered(
    call: Call,
    found: Account,
    *,
    study: dict[str, Any] | None = None,
    totals: dict[str, Any] | None = None,
    choices: list[dict[str, Any]] | None = None,
    records: Sequence[dict[str, Any]] = (),
    objects: Sequence[dict[str, Any]] = (),
) -> Overview:
    return call.answer(
        Overview,
        found,
        returned=len(records),
        sent={"QueryRetrieveLevel": "STUDY", **found.keys()},
        study=study or {},
        totals=totals or {},
        choices=choices or [],
        records=[*records],
        objects=[*objects],
    )


def _named(study: Match) -> dict[str, Any]:
    return filled({keyword: text(study, keyword) for keyword in _STUDY})
