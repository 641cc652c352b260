"""How much of patients an answer may tell, and what is done with a value for it."""

from enum import StrEnum


class Mode(StrEnum):
    """What whoever asks may know; the operator chooses it."""

    FULL = "full"
    PSEUDONYM = "pseudonym"
    NONE = "none"  # nothing that tells patients apart: counts and technical facts


class Option(StrEnum):
    """What an operator may retain beyond the basic profile (PS3.15 E.3)."""

    PATIENT = "patient"  # sex, age, size, weight … (E.3.7)
    DEVICE = "device"  # E.3.8
    INSTITUTION = "institution"  # E.3.11
    DATES = "dates"  # Retain Longitudinal Temporal Information with Full Dates (E.3.6)
    SHIFTED_DATES = "shifted-dates"  # the same with modified dates
    DESCRIPTORS = "descriptors"  # Clean Descriptors (E.3.5)
    CONTENT = "content"  # Clean Structured Content (E.3.4)
    SAFE_PRIVATE = "safe-private"  # E.3.10


DEFAULT_OPTIONS = frozenset(
    (Option.DATES, Option.DEVICE, Option.PATIENT, Option.DESCRIPTORS, Option.CONTENT)
)


class Treatment(StrEnum):
    """What is done with the value of an attribute."""

    KEPT = "kept"
    TERM = "kept if it is one of the terms for it, else cleaned"
    CLEANED = "cleaned of names and what else tells who somebody is"
    DATE = "kept, or shifted with all others of the patient"
    PATIENT = "the pseudonym of the patient"
    STUDY = "the pseudonym of the study"
    SERIES = "the pseudonym of the series"
    INSTANCE = "the pseudonym of the instance"
    ACCESSION = "the pseudonym of the accession number"
    UID = "a pseudonym of the same UID"
    PERSON = "a pseudonym of the person"
    OURS = "as it is: it is not of any patient"
    SAID = "a sentence of ours, without what is known of people"
    TEXTS = "cleaned, and so are the names of its parts"
    ECHO = "as whoever asks wrote it"
    ITEMS = "each attribute in it by its own rule"
    WITHHELD = "not given"


# Whose names and numbers are taken out of the texts of a study.
PEOPLE = (
    *("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber"),
    "ReferringPhysicianName",
)
