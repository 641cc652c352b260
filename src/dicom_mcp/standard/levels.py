"""What a query is about: a level of the Query/Retrieve models (PS3.4 C.6) or a worklist (K.6.1)."""

from enum import StrEnum


class Level(StrEnum):
    """What a query is about: a query/retrieve level, whose value QueryRetrieveLevel (0008,0052)
    carries, or the one level of a Modality Worklist, which is sent without."""

    PATIENT = "PATIENT"
    STUDY = "STUDY"
    SERIES = "SERIES"
    IMAGE = "IMAGE"
    WORKLIST = "WORKLIST"

    @property
    def above(self) -> tuple["Level", ...]:
        """The levels above this one, topmost first."""
        return HIERARCHY[: HIERARCHY.index(self)] if self in HIERARCHY else ()


# The levels of an archive, topmost first.
HIERARCHY = (Level.PATIENT, Level.STUDY, Level.SERIES, Level.IMAGE)


# The unique key of each level (PS3.4 C.6.1.1.2 to C.6.1.1.5); of a worklist what comes nearest.
UNIQUE_KEY: dict[Level, str] = {
    Level.PATIENT: "PatientID",
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.IMAGE: "SOPInstanceUID",
    Level.WORKLIST: "ScheduledProcedureStepID",
}

# What tells two entities of one unique key apart, whether or not it is asked for: a UID that was
# given out twice, an ID of two hospitals.
ABOVE: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: ("IssuerOfPatientID",),
    Level.STUDY: ("PatientID", "PatientName"),
    Level.SERIES: ("StudyInstanceUID",),
    Level.IMAGE: ("StudyInstanceUID", "SeriesInstanceUID"),
    Level.WORKLIST: (),
}

# What one record of each level is called in sentences.
NOUN: dict[Level, tuple[str, str]] = {
    Level.PATIENT: ("patient", "patients"),
    Level.STUDY: ("study", "studies"),
    Level.SERIES: ("series", "series"),
    Level.IMAGE: ("instance", "instances"),
    Level.WORKLIST: ("worklist entry", "worklist entries"),
}


class Model(StrEnum):
    """A Query/Retrieve information model by its C-FIND SOP class UID (PS3.4 C.6.1.3, C.6.2.3)."""

    PATIENT_ROOT = "1.2.840.10008.5.1.4.1.2.1.1"
    STUDY_ROOT = "1.2.840.10008.5.1.4.1.2.2.1"


MODALITY_WORKLIST = "1.2.840.10008.5.1.4.31"  # PS3.4 K.5.1.2

# Where a Patient Root query must be used; Study Root carries the patient's attributes at its
# STUDY level and has no PATIENT level (PS3.4 C.6.2.1).
MODEL: dict[Level, str] = {
    Level.PATIENT: Model.PATIENT_ROOT,
    Level.STUDY: Model.STUDY_ROOT,
    Level.SERIES: Model.STUDY_ROOT,
    Level.IMAGE: Model.STUDY_ROOT,
    Level.WORKLIST: MODALITY_WORKLIST,
}
