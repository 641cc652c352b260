"""Content items of structured reports (PS3.3 C.17.3, C.18)."""

from collections.abc import Mapping

# What says the value of an item of each type, and must be there, if only empty.
VALUE_OF: Mapping[str, str] = {
    "TEXT": "TextValue",
    "PNAME": "PersonName",
    "NUM": "MeasuredValueSequence",
    "CODE": "ConceptCodeSequence",
    "DATE": "Date",
    "TIME": "Time",
    "DATETIME": "DateTime",
    "UIDREF": "UID",
    "COMPOSITE": "ReferencedSOPSequence",
    "IMAGE": "ReferencedSOPSequence",
    "WAVEFORM": "ReferencedSOPSequence",
}
