"""The text of a report object: structured report, key object selection, encapsulated PDF or CDA,
presentation state."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from ..budgets import LONGEST_REPORT
from ..deadline import Deadline
from ..standard.counted import counted
from ..standard.sop_classes import CURVES, DRAWING, sop_class
from . import cda, conclusion, pdf, presentation, words
from .apart import Apart
from .elements import Elements, uid_name
from .error import ContentError
from .plain import capped
from .sources import drawn_for, source_of
from .tables import Row, dose_rows, measurement_rows
from .tree import Tree, code, code_of, content_tree, reference, written

# Characters of a text: the longest dose report met has one million. The tools read it in pages.
MOST_NAMES = 100

# Concepts that name who observed (PS3.16 TID 1003, 1004): person, device.
_OBSERVERS = frozenset({("121008", "DCM"), ("121013", "DCM"), ("121012", "DCM")})


# PS3.4 B.5: storage SOP classes whose objects hold text for a reader, and what they are called.
@dataclass(frozen=True, slots=True)
class Report:
    """What a report object says, all of it plain text.

    `completion` is COMPLETE or PARTIAL, `verification` VERIFIED or UNVERIFIED, `preliminary`
    PRELIMINARY or FINAL (PS3.3 C.17.2); each is "" where the object does not say. `verified_by`
    holds who, of which organisation and when. Dates and times are as DICOM writes them (PS3.5 6.2).
    `about` is whom and what the object says it is about. `scanned` is true for a PDF of pictures
    without text, `in_pictures` for what may have some words in pictures only. `conclusion` is what
    the text concludes, as far as that can be told. `regions` are the segments, contours or dose
    that it draws on images. `notes` say what is missing from the text; `whole` is False where they
    do.
    """

    kind: str
    sop_class: str
    sop_instance_uid: str
    title: str
    text: str
    about: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    content_date: str = ""
    content_time: str = ""
    completion: str = ""
    completion_description: str = ""
    verification: str = ""
    verified_by: tuple[str, ...] = ()
    preliminary: str = ""
    predecessors: tuple[str, ...] = ()
    measurements: tuple[Row, ...] = ()
    dose: tuple[Row, ...] = ()
    regions: tuple[Row, ...] = ()
    pages: int = 0
    scanned: bool = False
    in_pictures: bool = False
    notes: tuple[str, ...] = ()
    whole: bool = True
    conclusion: str = ""

    @property
    def tables(self) -> dict[str, tuple[Row, ...]]:
        """Its tables by the names that an answer has for them."""
        return {"measurements": self.measurements, "dose": self.dose, "regions": self.regions}


def is_report(sop_class_uid: str) -> bool:
    """Whether objects of this SOP class hold text for a reader."""
    return bool(sop_class(sop_class_uid).report)


def read_report(dataset: Dataset, deadline: Deadline | None = None) -> Report:
    """What a report object says; text longer than LONGEST_REPORT is cut, and no longer whole.

    A PDF is parsed in a process of its own, which ends with the deadline. Raises ContentError for
    an object that is no report and for one that cannot be read.
    """
    elements = Elements.of(dataset)
    kind = _kind(elements)
    report = _READ.get(kind, _structured)(_general(elements, kind), elements, deadline)
    if not report.text.strip() and not report.scanned:
        report = replace(report, notes=(*report.notes, "The object holds no text"))
    if (left := len(report.text) - LONGEST_REPORT) > 0:
        told = f"The last {left:,} characters of the text are left out"
        report = replace(report, notes=(*report.notes, told), whole=False)
    return replace(
        report,
        text=capped(report.text, LONGEST_REPORT),
        conclusion=report.conclusion or conclusion.of_text(report.text),
    )


def report_pages(
    dataset: Dataset,
    *,
    first: int = 1,
    count: int = 1,
    longest_side: int = 1400,
    most: int = pdf.LARGEST_PAGE,
    deadline: Deadline | None = None,
) -> list[bytes]:
    """Pages of an encapsulated PDF as `pdf.pages` has them, the first page being 1.

    Raises ContentError where the object holds no PDF or none of these pages.
    """
    elements = Elements.of(dataset)
    content = _encapsulated(elements)
    if not content.startswith(b"%PDF") and _kind(elements) != "PDF":
        raise ContentError("The object holds no PDF, so it has no pages", "Read its text")
    return pdf.pages(
        content, first=first, count=count, longest_side=longest_side, most=most, deadline=deadline
    )


def _kind(elements: Elements) -> str:
    uid = elements.text("SOPClassUID")
    known = sop_class(uid)
    if called := known.report or known.draws:
        return called
    if "EncapsulatedDocument" in elements and "PDF" in _mime(elements):
        return "PDF"
    if "ContentSequence" in elements and elements.text("ValueType") == "CONTAINER":
        return "structured report"  # of a SOP class newer than the table above, or private
    name = uid_name(uid) or "of a SOP class unknown here"
    raise ContentError(
        f"The object ({name}) is no report: it holds neither a content tree nor a document",
        "Look at it with view_image"
        if known.has_pixels or known.kind in CURVES
        else "Read its header",
    )


def _general(elements: Elements, kind: str) -> Report:
    """The facts beside the text (PS3.3 C.17.2)."""
    title = code(elements, "ConceptNameCodeSequence").short
    sop_class = elements.text("SOPClassUID")
    return Report(
        kind=kind,
        sop_class=uid_name(sop_class) or sop_class,
        sop_instance_uid=elements.text("SOPInstanceUID"),
        title=title or elements.text("DocumentTitle") or elements.text("SeriesDescription"),
        text="",
        about=_about(elements),
        authors=_authors(elements),
        content_date=elements.text("ContentDate"),
        content_time=elements.text("ContentTime"),
        completion=elements.text("CompletionFlag"),
        completion_description=elements.text("CompletionFlagDescription"),
        verification=elements.text("VerificationFlag"),
        verified_by=_first(map(_verifier, _items(elements, "VerifyingObserverSequence"))),
        preliminary=elements.text("PreliminaryFlag"),
        predecessors=_first(_references(elements, "PredecessorDocumentsSequence")),
    )


def _structured(report: Report, elements: Elements, _: Deadline | None) -> Report:
    tree = content_tree(elements)
    text = written(tree)
    if evidence := _evidence(elements):
        text += "\n\n" + evidence
    measurements, dose = measurement_rows(tree), dose_rows(tree)
    unreadable = any(item.fault for item in tree.items)
    return replace(
        report,
        whole=not tree.left_out and not unreadable,
        text=text,
        conclusion=conclusion.of_tree(tree),
        authors=report.authors or _observers(tree),
        measurements=tuple(measurements),
        dose=tuple(dose),
        notes=tuple(_left_out(tree)),
    )


def _left_out(tree: Tree) -> Iterator[str]:
    if tree.left_out:
        yield "Part of the content tree is left out"
    if any(item.fault for item in tree.items):
        yield "Part of the content tree is damaged; the text says where"


def _drawing(report: Report, elements: Elements, deadline: Deadline | None) -> Report:
    """What a segmentation, a structure set or a dose draws on images."""
    source = source_of(elements.dataset)
    with Apart(deadline) as apart:
        regions = source.rows(apart)
    images = ", ".join(drawn_for(elements.dataset))
    text = f"{source.title}. "
    text += f"It was made from images of series {images}." if images else "It names no images."
    text += f" view_image draws it on them with draw={elements.text('SeriesInstanceUID')}."
    notes = tuple(source.notes)
    return replace(report, text=text, regions=tuple(regions), notes=notes, whole=not notes)


def _pdf(report: Report, elements: Elements, deadline: Deadline | None) -> Report:
    content = _encapsulated(elements)
    if kind := words.kind_of(content, _mime(elements)):
        text, is_cut = words.words(content, kind, elements.charset, deadline)
        told = f"The document is {kind}, not a PDF; its words without their layout"
        cut = (f"The end of the {kind} is missing",) * is_cut
        return replace(report, text=text, notes=(told, *cut), whole=not is_cut)
    found = pdf.text(content, deadline)
    notes: list[str] = []
    if found.scanned:
        notes.append(
            f"A scanned document: its {found.pages} pages are pictures without text; "
            "look at them as pictures"
        )
    if found.left_out:
        notes.append(f"The last {found.left_out} of {found.pages} pages are left out")
    if found.pictures and not found.scanned:
        notes.append(f"Pages that are pictures without text: {found.pictures}")
    if found.damaged:
        notes.append(f"Damaged pages that cannot be read: {found.damaged}")
    if found.empty:
        notes.append("Nothing stands on any page of the PDF: it may be damaged")
    if found.mended:
        notes.append(
            "The PDF is damaged and was mended as it was opened; parts of it may be missing"
        )
    if found.faulty:
        notes.append("What draws pages of the PDF is damaged: text may be missing from them")
    return replace(
        report,
        text=found.text,
        pages=found.pages,
        scanned=found.scanned,
        in_pictures=bool(found.pictures or found.form),
        notes=tuple(notes),
        whole=not any((found.left_out, found.damaged, found.mended, found.empty, found.faulty)),
    )


def _cda(report: Report, elements: Elements, deadline: Deadline | None) -> Report:
    found = cda.read(_encapsulated(elements), deadline)
    return replace(
        report,
        text=found.text,
        title=report.title or found.title,
        authors=report.authors or found.authors,
        notes=found.notes,
        whole=not found.notes and not found.left_out,
    )


def _presentation(report: Report, elements: Elements, _: Deadline | None) -> Report:
    return replace(
        report,
        text=presentation.text(elements),
        title=elements.text("ContentLabel") or report.title,
        authors=tuple(filter(None, [elements.text("ContentCreatorName")])),
    )


_READ: dict[str, Callable[[Report, Elements, Deadline | None], Report]] = {
    "PDF": _pdf,
    "CDA": _cda,
    "presentation state": _presentation,
    **dict.fromkeys(DRAWING, _drawing),
}


def _encapsulated(elements: Elements) -> bytes:
    """The document (PS3.3 C.24.2), without the byte that makes its length even."""
    content = elements.bytes("EncapsulatedDocument")
    if not content:
        raise ContentError(
            "The object's document is empty",
            "Ask the archive for the whole object, not for its metadata",
        )
    if content.startswith(b"%PDF"):
        return content  # which ends where it says, and is not copied for a byte
    length = elements.integer("EncapsulatedDocumentLength")
    return content[:length] if 0 < length <= len(content) else content


def _mime(elements: Elements) -> str:
    return elements.text("MIMETypeOfEncapsulatedDocument").upper()


def _about(elements: Elements) -> tuple[str, ...]:
    """Whom and what the object is about, as its own header says."""
    told: list[str] = []
    for word, keywords in _ABOUT.items():
        values = [value for keyword in keywords if (value := elements.text(keyword))]
        if values:
            told.append(f"{word}: {', '.join(values)}")
    return tuple(told)


_ABOUT = {
    "Patient": ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"),
    "Study": ("StudyDescription", "StudyDate", "StudyID", "AccessionNumber"),
    "Series": ("SeriesDescription", "SeriesNumber"),
    "Referring physician": ("ReferringPhysicianName",),
    "Made with": ("Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber"),
}


def _authors(elements: Elements) -> tuple[str, ...]:
    """Author observers and who took part in other ways (PS3.3 C.17.2)."""
    told = [_person(author) for author in _items(elements, "AuthorObserverSequence")]
    for participant in _items(elements, "ParticipantSequence"):
        role = participant.text("ParticipationType")
        when = participant.text("ParticipationDateTime")
        told.append(" ".join(filter(None, [_person(participant), role and f"({role})", when])))
    return _first(filter(None, told))


def _observers(tree: Tree) -> tuple[str, ...]:
    """The observers the content names, each once."""
    named = [
        item.value
        for item in tree.items
        if (item.concept.value, item.concept.scheme) in _OBSERVERS and item.value
    ]
    return _first(dict.fromkeys(named))


def _first(told: Iterable[str]) -> tuple[str, ...]:
    """The first MOST_NAMES of these, with a mark that says how many were left out."""
    told = tuple(told)
    left = len(told) - MOST_NAMES
    return told if left <= 0 else (*told[:MOST_NAMES], f"[{left:,} more left out]")


def _person(entry: Elements) -> str:
    """A person or a device with its code and organisation (PS3.3 C.17.2, table 10-1)."""
    person = entry.text("PersonName") or entry.text("StationName")
    device = " ".join(
        filter(None, [entry.text("Manufacturer"), entry.text("ManufacturerModelName")])
    )
    coded = str(code(entry, "PersonIdentificationCodeSequence"))
    parts = person or device, coded, entry.text("DeviceUID"), entry.text("InstitutionName")
    return ", ".join(filter(None, parts))


def _verifier(entry: Elements) -> str:
    name = entry.text("VerifyingObserverName")
    coded = str(code(entry, "VerifyingObserverIdentificationCodeSequence"))
    when = entry.text("VerificationDateTime")
    parts = name, coded, entry.text("VerifyingOrganization"), when and f"on {when}"
    return ", ".join(filter(None, parts))


def _references(elements: Elements, keyword: str) -> Sequence[str]:
    """Every object of a hierarchical reference (PS3.3 C.17.2.1)."""
    return [
        reference(entry)
        for study in _items(elements, keyword)
        for series in _items(study, "ReferencedSeriesSequence")
        for entry in _items(series, "ReferencedSOPSequence")
    ]


def _evidence(elements: Elements) -> str:
    """How many objects the report was made from, by series; the tree names those that matter."""
    lines: list[str] = []
    for keyword, word in _EVIDENCE.items():
        for study in _items(elements, keyword):
            for series in _items(study, "ReferencedSeriesSequence"):
                held = _items(series, "ReferencedSOPSequence")
                lines.append(
                    f"{word}: {counted(len(held), 'object')} "
                    f"of series {series.text('SeriesInstanceUID')} "
                    f"in study {study.text('StudyInstanceUID')}"
                )
    codes = [str(code_of(entry)) for entry in _items(elements, "PerformedProcedureCodeSequence")]
    lines += [f"Performed procedure: {procedure}" for procedure in codes]
    return "\n".join(lines)


_EVIDENCE = {
    "CurrentRequestedProcedureEvidenceSequence": "Evidence",
    "PertinentOtherEvidenceSequence": "Other evidence",
}


def _items(elements: Elements, keyword: str) -> list[Elements]:
    """The items of a sequence beside the text; a damaged one does not cost the report."""
    try:
        return elements.items(keyword)
    except ContentError:
        return []
