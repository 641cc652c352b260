"""Content items of structured reports that say who or where somebody is (PS3.15 table E.3.4-1).

Those whose text the table cleans, dates and references are not here: they are treated as texts,
dates and UIDs are everywhere.
"""

from collections.abc import Mapping

from .treatment import Option

# Removed whatever is retained: what the value is like an attribute's, by the concept's name.
_REMOVED: Mapping[str, Mapping[tuple[str, str], str]] = {
    "PatientBirthDate": {("DCM", "121031"): "Subject Birth Date"},
    "PersonName": {
        ("DCM", "121008"): "Person Observer Name",
        ("DCM", "121029"): "Subject Name",
        ("DCM", "121036"): "Mother of fetus",
        ("DCM", "121088"): "Fellow",
        ("DCM", "121114"): "Performing Physician",
        ("DCM", "121152"): "Person administering drug/contrast",
        ("DCM", "121435"): "Service Performer",
        ("DCM", "113850"): "Irradiation Authorizing",
        ("DCM", "113870"): "Person Name",
        ("DCM", "128774"): "Person Observer's Login Name",
        ("NCDR [2.0b]", "76"): "Catheterization Operator",
    },
    "OtherPatientIDs": {
        ("DCM", "121030"): "Subject ID",
        ("DCM", "121020"): "Placer Number",
        ("DCM", "121021"): "Filler Number",
        ("DCM", "121022"): "Accession Number",
        ("DCM", "121041"): "Specimen Identifier",
        ("DCM", "121124"): "Procedure Action ID",
        ("DCM", "121154"): "Intervention attempt identifier",
        ("DCM", "110190"): "Issuer of Identifier",
        ("DCM", "111700"): "Specimen Container Identifier",
        ("DCM", "111705"): "Parent Specimen Identifier",
        ("DCM", "111706"): "Issuer of Parent Specimen Identifier",
        ("DCM", "111724"): "Issuer of Specimen Identifier",
        ("DCM", "112347"): "Component ID",
        ("DCM", "112351"): "Mating Feature Set ID",
        ("DCM", "112352"): "Mating Feature ID",
        ("DCM", "112363"): "Degree of Freedom ID",
        ("DCM", "113511"): "Radiopharmaceutical Dispense Unit Identifier",
        ("DCM", "113512"): "Radiopharmaceutical Lot Identifier",
        ("DCM", "113513"): "Reagent Vial Identifier",
        ("DCM", "113514"): "Radionuclide Identifier",
        ("DCM", "113516"): "Prescription Identifier",
        ("DCM", "113605"): "Irradiation Event Label",
        ("DCM", "113871"): "Person ID",
        ("DCM", "113872"): "Person ID Issuer",
        ("DCM", "125010"): "Identifier",
        ("DCM", "128775"): "Identifier within Person Observer's Role",
        ("LN", "11951-1"): "Fetus ID",
        ("NCDR [2.0b]", "53"): "Procedure Number in this admission",
        ("NCIt", "C54627"): "Experience",
    },
    "InstitutionName": {("DCM", "121121"): "Room Identification"},
}

# Removed unless the option is chosen.
_UNLESS: Mapping[Option, Mapping[tuple[str, str], str]] = {
    Option.INSTITUTION: {
        ("DCM", "121009"): "Person Observer's Organization Name",
        ("DCM", "121017"): "Device Observer Physical Location During Observation",
        ("DCM", "121197"): "Device Subject Physical Location during observation",
        ("DCM", "121434"): "Service Delivery Location",
        ("DCM", "113873"): "Organization Name",
        ("DCM", "122128"): "Patient Transferred From",
        ("DCM", "130527"): "Identification of the Attenuator",
    },
    Option.DEVICE: {
        ("DCM", "110119"): "Station AE Title",
        ("DCM", "113832"): "Identification of the X-Ray Source",
        ("DCM", "113877"): "Device Name",
        ("DCM", "113880"): "Device Serial Number",
        ("DCM", "120999"): "Device Description",
        ("DCM", "121013"): "Device Observer Name",
        ("DCM", "121016"): "Device Observer Serial Number",
        ("DCM", "121193"): "Device Subject Name",
        ("DCM", "121196"): "Device Subject Serial Number",
        ("LN", "74711-3"): "Unique Device Identifier",
    },
}


def identified_by(scheme: str, code: str, options: frozenset[Option]) -> str:
    """The attribute whose value an item of this concept has one like, if that is removed: a name is
    PersonName, a number OtherPatientIDs, a place or device InstitutionName; "" for others."""
    concept = (scheme, code)
    for keyword, concepts in _REMOVED.items():
        if concept in concepts:
            return keyword
    removed = any(concept in _UNLESS[option] for option in _UNLESS.keys() - options)
    return "InstitutionName" if removed else ""
