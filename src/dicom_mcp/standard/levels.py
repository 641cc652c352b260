"""The four levels of the Query/Retrieve information models (PS3.4 C.6)."""

from enum import StrEnum


class Level(StrEnum):
    """A query/retrieve level; the value is what QueryRetrieveLevel (0008,0052) carries."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"

    @property
    def above(self) -> tuple["Level", ...]:
        """The levels above this one, topmost first."""
        order = tuple(Level)
        return order[: order.index(self)]


# The unique key of each level (PS3.4 C.6.1.1.2 to C.6.1.1.5).
UNIQUE_KEY: dict[Level, str] = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
}

# What tells two entities of one unique key apart, whether or not it is asked for: a UID that was
# given out twice, an ID of two hospitals.
ABOVE: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("IssuerOfPatientID",),
    Level.STUDY: ("PatientID", "PatientName"),
    Level.SERIES: ("StudyInstanceUID",),
    Level.IMAGE: ("StudyInstanceUID", "SeriesInstanceUID"),
}

# What one record of each level is called in sentences.
NOUN: dict[Level, tuple[str, str]] = {
    Level.PATIENT: ("patient", "patients"),
    Level.STUDY: ("study", "studies"),
    Level.SERIES: ("series", "series"),
    Level.IMAGE: ("instance", "instances"),
}


class Model(StrEnum):
    """A Query/Retrieve information model by its C-FIND SOP class UID (PS3.4 C.6.1.3, C.6.2.3)."""

    PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
    STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"


# Where a Patient Root query must be used; Study Root carries the patient's attributes at its
# STUDY level and has no PATIENT level (PS3.4 C.6.2.1).
MODEL: dict[Level, Model] = {
    Level.PATIENT: Model.PATIENT_ROOT,
    Level.STUDY: Model.STUDY_ROOT,
    Level.SERIES: Model.STUDY_ROOT,
    Level.IMAGE: Model.STUDY_ROOT,
}
