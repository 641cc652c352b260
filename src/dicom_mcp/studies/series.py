"""What is known of one series from its own attributes and its instances."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..door.rows import filled, text
from ..standard.note import Note, perhaps
from ..standard.query import Match
from ..standard.values import count_of, whole_number
from ..words.body_part import body_part
from .kind import kind
from .listing import Listing, lacking, ranges, repeated


@dataclass(slots=True)
class Series:
    """One series as it becomes known."""

    match: Match
    listed: Listing | None = None
    image_type: Sequence[str] = ()

    @property
    def uid(self) -> str:
        return text(self.match, "SeriesInstanceUID")

    @property
    def modality(self) -> str:
        return text(self.match, "Modality")

    @property
    def said(self) -> int | None:
        """How many instances it has by the archive's account."""
        return count_of(text(self.match, "NumberOfSeriesRelatedInstances"))

    @property
    def instances(self) -> int | None:
        """How many it has: counted, where all were listed."""
        return len(self.listed.instances) if self.listed and self.listed.whole else self.said

    @property
    def kind(self) -> str:
        classes = (
            [text(instance, "SOPClassUID") for instance in self.listed.instances]
            if self.listed
            else ()
        )
        description = text(self.match, "SeriesDescription")
        return kind(self.modality, description, sop_classes=classes, image_type=self.image_type)

    @property
    def place(self) -> tuple[int, str]:
        """Its place in the study: by number, those without one last."""
        number = text(self.match, "SeriesNumber")
        return (1_000_000_000 if (place := whole_number(number)) is None else place), self.uid

    @property
    def name(self) -> str:
        """How a note calls it."""
        number, description = (
            text(self.match, keyword) for keyword in ("SeriesNumber", "SeriesDescription")
        )
        return f"Series {number or '?'}{f' ({description})' if description else ''}"

    def row(self, study: Match) -> dict[str, Any]:
        """The series as a record; of dates what differs from the study's."""
        said = ("SeriesDescription", "ProtocolName", "BodyPartExamined")
        part = body_part(*(text(self.match, keyword) for keyword in said)) if self.modality else ""
        number = text(self.match, "SeriesNumber")
        day = text(self.match, "SeriesDate")
        listed = self.listed
        numbers = listed.numbers if listed else []
        row: dict[str, Any] = {
            "SeriesNumber": number if (place := whole_number(number)) is None else place,
            "Modality": self.modality,
            "kind": self.kind,
            "SeriesDescription": text(self.match, "SeriesDescription"),
            "body_part": part,
            "StationName": text(self.match, "StationName"),
            "manufacturer": " ".join(
                filter(
                    None,
                    (
                        text(self.match, keyword)
                        for keyword in ("Manufacturer", "ManufacturerModelName")
                    ),
                )
            ),
            "instances": "" if self.instances is None else self.instances,
            "SeriesDate": "" if day == text(study, "StudyDate") else day,
            "SeriesInstanceUID": self.uid,
        }
        if self.said is not None and self.said != row["instances"]:
            row["instances_by_archive"] = self.said
        if listed and not listed.whole:
            row["instances_seen"] = len(listed.instances)
        if listed and listed.frames > len(listed.instances):
            row["frames"] = listed.frames
        if listed and listed.unnumbered and len(listed.instances) > 1:
            row["without_number"] = listed.unnumbered
        elif (gaps := lacking(numbers)) and listed and listed.whole:
            row |= {"numbers": ranges(numbers), "lacks": ranges(gaps)}
        if twice := repeated(numbers):
            row["repeated"] = ranges(twice)
        return filled(row)


def remarks(series: Series) -> list[Note | str]:
    """What is odd about a series, in sentences."""
    listed = series.listed
    if not listed:
        return []
    numbers = listed.numbers
    told: list[Note | str] = []
    gaps = [] if listed.unnumbered else lacking(numbers)
    if listed.unnumbered and len(listed.instances) > 1:
        told.append(
            f"{series.name}: {listed.unnumbered} of {len(listed.instances)} instances have no "
            "number, so that numbers do not tell whether any is missing; sample_headers with "
            "geometry=true tells gaps between positions."
        )
    if gaps and listed.whole:
        told.append(
            f"{series.name} lacks the image{'s' * (len(gaps) > 1)} {ranges(gaps)}: the archive has "
            f"{ranges(numbers)}."
        )
    if twice := repeated(numbers):
        told.append(f"{series.name} has more than one instance numbered {ranges(twice)}.")
    if series.said is not None and listed.whole and series.said != len(listed.instances):
        told.append(
            f"{series.name}: the archive counts {series.said} instances, but gives "
            f"{len(listed.instances)}."
        )
    if not listed.whole:
        said = f" of {series.said}" if series.said is not None else ""
        told.append(
            perhaps(
                f"of {series.name} {len(listed.instances)}{said} instances were "
                "given; there may be more, and numbers that seem to be missing may be there."
            )
        )
    return told
