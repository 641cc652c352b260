"""The people that an object names, and what else in it tells who somebody is."""

from contextlib import suppress

from pydicom.dataset import Dataset

from ..privacy.structured import identified_by
from ..privacy.treatment import Option
from ..standard.instance import Instance
from ..standard.query import Match
from .error import ContentError
from .read import read_inspected, without_pixels

# Elements that are looked at: an enhanced object has many, and none of them beyond names a person.
_MOST_ELEMENTS = 50_000

# Values that tell who somebody is, wherever they stand.
_IDENTIFYING = frozenset({
    *("PatientID", "OtherPatientIDs", "IssuerOfPatientID", "PatientBirthDate", "PatientAddress"),
    *("PatientTelephoneNumbers", "AccessionNumber", "AdmissionID", "StudyID", "InstitutionName"),
    *("InstitutionAddress", "InstitutionalDepartmentName", "RequestedProcedureID"),
    *("ScheduledProcedureStepID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"),
})  # fmt: skip


def people_in(instance: Instance, options: frozenset[Option]) -> Match:
    """Every name of a person (VR PN), and what identifies a patient or a place, by keyword; of a
    report also what its items say so of, with these options of the profile."""
    content = without_pixels(instance.data_set, instance.transfer_syntax)
    found: dict[str, list[str]] = {}
    with suppress(ContentError):  # of which nothing is told either
        open_ = [read_inspected(content, instance.transfer_syntax, came_in=instance.came_in)]
        left = _MOST_ELEMENTS
        while open_ and left:
            dataset = open_.pop()
            for keyword, value in _said_in(dataset, options):
                found.setdefault(keyword, []).append(value)
            left = _look(dataset, open_, found, left)
    return {keyword: [*dict.fromkeys(values)] for keyword, values in found.items()}


def _look(dataset: Dataset, open_: list[Dataset], found: dict[str, list[str]], left: int) -> int:
    """Look at the elements of one data set; those in its items are looked at later. How many may
    still be."""
    for tag in list(dataset.keys()):
        if not left:
            break
        left -= 1
        try:
            element = dataset[tag]
        except Exception:
            continue
        if element.VR == "SQ":
            open_ += element.value
        elif element.VR == "PN" or element.keyword in _IDENTIFYING:
            several = element.value if element.VM > 1 else [element.value]
            keyword = element.keyword or "PersonName"
            found.setdefault(keyword, []).extend(str(value) for value in several if value)
    return left


def _said_in(item: Dataset, options: frozenset[Option]) -> list[tuple[str, str]]:
    """What a content item says of somebody, under the keyword of an attribute like it."""
    try:
        concept = item["ConceptNameCodeSequence"].value[0]
        scheme, code = str(concept["CodingSchemeDesignator"].value), str(concept["CodeValue"].value)
        values = [str(item[name].value) for name in ("TextValue", "Date") if name in item]
    except Exception:  # no such item, or one that cannot be read
        return []
    keyword = identified_by(scheme.strip(), code.strip(), options)
    return [(keyword, value) for value in values if keyword and value]
