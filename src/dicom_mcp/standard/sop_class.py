"""SOP classes by name (PS3.6 A)."""

from pydicom.uid import UID


def name_of(sop_class: str) -> str:
    """Its name; of a private one, or one that is newer than our dictionary, the UID itself."""
    return UID(sop_class, validation_mode=0).name


def may_be_storage(sop_class: str) -> bool:
    """Whether it is a kind of object, or for all we know may be."""
    name = name_of(sop_class)
    return name == sop_class or ("Storage" in name and "Commitment" not in name)
