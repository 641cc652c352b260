"""Documents of the demo hospital: text reports, measurements, radiation dose, a PDF letter."""

from collections.abc import Sequence as Several

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from .objects import EXPLICIT, INSTITUTION, Series, instance, uid

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"
RADIATION_DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"
ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"

# Every code used here by its meaning: value and scheme (PS3.3 8, PS3.16).
_CODES: dict[str, tuple[str, str]] = {
    "Diagnostic imaging report": ("18748-4", "LN"),
    "Language of Content Item and Descendants": ("121049", "DCM"),
    "English": ("en", "RFC5646"),
    "Person Observer Name": ("121008", "DCM"),
    "Findings": ("121070", "DCM"),
    "Finding": ("121071", "DCM"),
    "Impressions": ("121072", "DCM"),
    "Impression": ("121073", "DCM"),
    "Imaging Measurement Report": ("126000", "DCM"),
    "Source of Measurement": ("121112", "DCM"),
    "Long Axis": ("103339001", "SCT"),
    "mm": ("mm", "UCUM"),
    "Measurement Group": ("125007", "DCM"),
    "Tracking Identifier": ("112039", "DCM"),
    "Tracking Unique Identifier": ("112040", "DCM"),
    "Solitary nodule of lung": ("427359005", "SCT"),
    "Finding Site": ("363698007", "SCT"),
    "Upper lobe of right lung": ("45653009", "SCT"),
    "Imaging Measurements": ("126010", "DCM"),
    "Observer Type": ("121005", "DCM"),
    "Person": ("121006", "DCM"),
    "Procedure reported": ("121058", "DCM"),
    "CT of chest": ("169069000", "SCT"),
    "X-Ray Radiation Dose Report": ("113701", "DCM"),
    "CT Accumulated Dose Data": ("113811", "DCM"),
    "mGy.cm": ("mGy.cm", "UCUM"),
    "Total Number of Irradiation Events": ("113812", "DCM"),
    "events": ("{events}", "UCUM"),
    "CT Dose Length Product Total": ("113813", "DCM"),
    "CT Acquisition": ("113819", "DCM"),
    "CT Dose": ("113829", "DCM"),
    "Mean CTDIvol": ("113830", "DCM"),
    "mGy": ("mGy", "UCUM"),
    "DLP": ("113838", "DCM"),
    "Acquisition Protocol": ("125203", "DCM"),
    "Target Region": ("123014", "DCM"),
    "Chest": ("51185008", "SCT"),
    "CT Acquisition Type": ("113820", "DCM"),
    "Spiral Acquisition": ("116152004", "SCT"),
    "Irradiation Event UID": ("113769", "DCM"),
    "Computed Tomography X-Ray": ("77477000", "SCT"),
    "Device": ("121007", "DCM"),
    "Device Observer UID": ("121012", "DCM"),
    "Scope of Accumulation": ("113705", "DCM"),
    "Study": ("113014", "DCM"),
    "Source of Dose Information": ("113854", "DCM"),
    "Automated Data Collection": ("113856", "DCM"),
}


def report(series: Series, findings: str, impression: str) -> Dataset:
    """A Basic Text SR: findings and impression (PS3.3 A.35.1, PS3.16 TID 2000)."""
    made = _document(series, BASIC_TEXT_SR, "Diagnostic imaging report")
    made.ContentSequence = Sequence(
        [
            _code("HAS CONCEPT MOD", "Language of Content Item and Descendants", "English"),
            _text("HAS OBS CONTEXT", "Person Observer Name", "Lund^Karin", "PNAME"),
            _section("Findings", "Finding", findings),
            _section("Impressions", "Impression", impression),
        ]
    )
    return made


def measurement(series: Series, images: Several[Dataset], diameter: float) -> Dataset:
    """The nodule's longest diameter on the middle image, as TID 1500 Measurement Report."""
    image = images[len(images) // 2]
    made = _document(series, COMPREHENSIVE_3D_SR, "Imaging Measurement Report")
    made.ContentTemplateSequence = Sequence([_template("1500")])
    reference = Dataset()
    reference.ReferencedSOPClassUID = image.SOPClassUID
    reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
    source = _item("INFERRED FROM", "IMAGE", "Source of Measurement")
    source.ReferencedSOPSequence = Sequence([reference])
    length = _number("Long Axis", diameter, "mm")
    length.ContentSequence = Sequence([source])
    group = _container("CONTAINS", "Measurement Group")
    group.ContentTemplateSequence = Sequence([_template("1501")])
    group.ContentSequence = Sequence(
        [
            _text("HAS OBS CONTEXT", "Tracking Identifier", "Nodule 1", "TEXT"),
            _uid("HAS OBS CONTEXT", "Tracking Unique Identifier", uid("nodule 1")),
            _code("CONTAINS", "Finding", "Solitary nodule of lung"),
            _code("CONTAINS", "Finding Site", "Upper lobe of right lung"),
            length,
        ]
    )
    groups = _container("CONTAINS", "Imaging Measurements")
    groups.ContentSequence = Sequence([group])
    made.ContentSequence = Sequence(
        [
            _code("HAS CONCEPT MOD", "Language of Content Item and Descendants", "English"),
            _code("HAS OBS CONTEXT", "Observer Type", "Person"),
            _text("HAS OBS CONTEXT", "Person Observer Name", "Lund^Karin", "PNAME"),
            _code("HAS CONCEPT MOD", "Procedure reported", "CT of chest"),
            groups,
        ]
    )
    made.CurrentRequestedProcedureEvidenceSequence = _evidence([image])
    return made


def dose(series: Series, images: Several[Dataset], dlp: float) -> Dataset:
    """CT radiation dose in short: total DLP and the one acquisition (PS3.16 TID 10011)."""
    made = _document(series, RADIATION_DOSE_SR, "X-Ray Radiation Dose Report")
    made.ContentTemplateSequence = Sequence([_template("10011")])
    made.Manufacturer, made.StationName = images[0].Manufacturer, images[0].StationName
    made.ManufacturerModelName = images[0].ManufacturerModelName
    made.DeviceSerialNumber = "1"
    total = _container("CONTAINS", "CT Accumulated Dose Data")
    milligray_cm = "mGy.cm"
    total.ContentSequence = Sequence(
        [
            _number("Total Number of Irradiation Events", 1, "events"),
            _number("CT Dose Length Product Total", dlp, milligray_cm),
        ]
    )
    acquisition = _container("CONTAINS", "CT Acquisition")
    result = _container("CONTAINS", "CT Dose")
    result.ContentSequence = Sequence(
        [
            _number("Mean CTDIvol", round(dlp / 19, 2), "mGy"),
            _number("DLP", dlp, milligray_cm),
        ]
    )
    acquisition.ContentSequence = Sequence(
        [
            _text("CONTAINS", "Acquisition Protocol", "Chest", "TEXT"),
            _code("CONTAINS", "Target Region", "Chest"),
            _code("CONTAINS", "CT Acquisition Type", "Spiral Acquisition"),
            _uid("CONTAINS", "Irradiation Event UID", series.uid("event")),
            result,
        ]
    )
    made.ContentSequence = Sequence(
        [
            _code("HAS CONCEPT MOD", "Procedure reported", "Computed Tomography X-Ray"),
            _code("HAS OBS CONTEXT", "Observer Type", "Device"),
            _uid("HAS OBS CONTEXT", "Device Observer UID", uid(f"device {images[0].StationName}")),
            _code("HAS OBS CONTEXT", "Scope of Accumulation", "Study"),
            total,
            acquisition,
            _code("CONTAINS", "Source of Dose Information", "Automated Data Collection"),
        ]
    )
    made.CurrentRequestedProcedureEvidenceSequence = _evidence(images)
    return made


def letter(series: Series, lines: Several[str]) -> Dataset:
    """A letter of one page as Encapsulated PDF (PS3.3 A.45.1)."""
    made = instance(series, 1, ENCAPSULATED_PDF, "DOC", EXPLICIT)
    made.ConversionType = "WSD"
    made.AcquisitionDateTime = f"{made.ContentDate}{made.ContentTime}"
    made.BurnedInAnnotation = "YES"
    made.DocumentTitle = series.part.description
    made.ConceptNameCodeSequence = Sequence([_coded("Diagnostic imaging report")])
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    content = pdf(lines)
    made.EncapsulatedDocumentLength = len(content)
    made.EncapsulatedDocument = content + b"\0" * (len(content) % 2)
    return made


def pdf(lines: Several[str]) -> bytes:
    """A PDF of one page with these lines of Latin-1 text (ISO 32000-1, 7.5)."""
    shown = b"\n".join(
        b"("
        + line.encode("latin-1").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        + b") Tj T*"
        for line in lines
    )
    stream = b"BT /F1 11 Tf 16 TL 60 780 Td\n" + shown + b"\nET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
    )
    return bytes(out)


def _document(series: Series, sop_class: str, title: str) -> Dataset:
    """SR document series, general and content modules (PS3.3 C.17): complete and verified."""
    made = instance(series, 1, sop_class, "SR", EXPLICIT)
    made.ReferencedPerformedProcedureStepSequence = Sequence()
    made.CompletionFlag = "COMPLETE"
    made.VerificationFlag = "VERIFIED"
    verifier = Dataset()
    verifier.VerifyingObserverName = "Lund^Karin"
    verifier.VerifyingObserverIdentificationCodeSequence = Sequence()
    verifier.VerifyingOrganization = INSTITUTION
    verifier.VerificationDateTime = f"{made.ContentDate}{made.ContentTime}"
    made.VerifyingObserverSequence = Sequence([verifier])
    made.PerformedProcedureCodeSequence = Sequence()
    made.ValueType = "CONTAINER"
    made.ConceptNameCodeSequence = Sequence([_coded(title)])
    made.ContinuityOfContent = "SEPARATE"
    return made


def _evidence(images: Several[Dataset]) -> Sequence:
    """Which objects a document speaks of (PS3.3 C.17.2.3)."""
    references = Sequence()
    for image in images:
        reference = Dataset()
        reference.ReferencedSOPClassUID = image.SOPClassUID
        reference.ReferencedSOPInstanceUID = image.SOPInstanceUID
        references.append(reference)
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedSOPSequence = references
    study = Dataset()
    study.StudyInstanceUID = images[0].StudyInstanceUID
    study.ReferencedSeriesSequence = Sequence([series])
    return Sequence([study])


def _coded(meaning: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator = _CODES[meaning]
    made.CodeMeaning = meaning
    return made


def _template(number: str) -> Dataset:
    made = Dataset()
    made.MappingResource, made.TemplateIdentifier = "DCMR", number
    return made


def _item(relationship: str, value_type: str, name: str) -> Dataset:
    made = Dataset()
    made.RelationshipType = relationship
    made.ValueType = value_type
    made.ConceptNameCodeSequence = Sequence([_coded(name)])
    return made


def _container(relationship: str, name: str) -> Dataset:
    made = _item(relationship, "CONTAINER", name)
    made.ContinuityOfContent = "SEPARATE"
    return made


def _section(heading: str, name: str, text: str) -> Dataset:
    made = _container("CONTAINS", heading)
    made.ContentSequence = Sequence([_text("CONTAINS", name, text, "TEXT")])
    return made


def _text(relationship: str, name: str, value: str, value_type: str) -> Dataset:
    made = _item(relationship, value_type, name)
    setattr(made, "TextValue" if value_type == "TEXT" else "PersonName", value)
    return made


def _uid(relationship: str, name: str, value: str) -> Dataset:
    made = _item(relationship, "UIDREF", name)
    made.UID = value
    return made


def _code(relationship: str, name: str, value: str) -> Dataset:
    made = _item(relationship, "CODE", name)
    made.ConceptCodeSequence = Sequence([_coded(value)])
    return made


def _number(name: str, value: float, unit: str) -> Dataset:
    made = _item("CONTAINS", "NUM", name)
    measured = Dataset()
    measured.NumericValue = f"{value:g}"
    measured.MeasurementUnitsCodeSequence = Sequence([_coded(unit)])
    made.MeasuredValueSequence = Sequence([measured])
    return made
