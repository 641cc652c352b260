"""What may stand in a key: the value representations of PS3.5 6.2 as rules for questions."""

import re
from math import isfinite

from ..errors import BadArgument

# PS3.5 6.2: longest value in characters, for VRs that have such a limit.
MAXIMUM_LENGTH: dict[str, int] = {
    "AE": 16,
    "AS": 4,
    "CS": 16,
    "DS": 16,
    "IS": 12,
    "LO": 64,
    "LT": 10240,
    "PN": 64,  # each component group
    "SH": 16,
    "ST": 1024,
    "UI": 64,
}

# PS3.4 C.2.2.2.4: VRs in which * and ? are wildcards.
WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})

# PS3.4 C.2.2.2.5: VRs in which a hyphen makes a range.
RANGE_VRS = frozenset({"DA", "DT", "TM"})

# PS3.5 6.1.2.3: VRs whose characters Specific Character Set extends; the others are ISO-IR 6.
ANY_SCRIPT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})

# Explicit VR counts a UI's bytes in 16 bits (PS3.5 7.1.2), padding included.
_LONGEST_LIST = 65534

# C0 and C1, and lone surrogates, which are no characters and have no bytes.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# What an archive may give as a UID. PS3.5 9.1 allows digits and dots, no zeros at the front of a
# component and 64 characters, but some have zeros there, letters in front or dashes, or are longer,
# and their objects have no other UID. What would name other objects too, or is a word, is none.
_LONGEST_UID = 128
_LONG_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_UID = re.compile(
    r"[0-9][0-9.]*(?:[_-][0-9][0-9.]*)*|[A-Za-z][A-Za-z_-]{0,15}[0-9.]*[0-9]\.[0-9][0-9.]*"
)

# Identifiers over the length of their VR are held by some archives, and have to be asked for whole.
LONGEST_IDENTIFIER = 1024
_INTEGER = re.compile(r"[+-]?[0-9]{1,12}")


def key(value: str, vr: str, *, argument: str) -> str:
    """The text of a key of this VR, checked before anything is sent; "" asks for everything.

    Dates are made by `days.day_range`. Raises BadArgument, naming the argument and the rule, for
    what the VR does not allow.
    """
    value = value.strip(" ")
    if not value:
        return ""
    match vr:
        case "UI":
            return uid(value, argument=argument)
        case "CS":
            return code(value, argument=argument)
        case "IS":
            return integer(value, argument=argument)
        case _:
            return text(value, vr, argument=argument)


def uid(value: str, *, argument: str) -> str:
    """A UID, or several as list-of-UID matching takes them, separated by `\\`; also one against
    PS3.5 9.1 that an archive may have given.

    Raises BadArgument naming what is wrong.
    """
    for uid in value.split("\\"):
        if not is_uid(uid):
            raise BadArgument(
                f"{argument}={shown(value)} is not a DICOM UID (digits and dots, as in 1.2.840.1)",
                "Copy the UID from an earlier answer",
            )
    if len(value) > _LONGEST_LIST:
        raise BadArgument(
            f"{argument} lists more UIDs than fit one question ({_LONGEST_LIST} characters)",
            "Ask in several questions",
        )
    return value


def is_uid(value: str) -> bool:
    """Whether this may be a UID of an object, if not a legal one."""
    form = _UID if len(value) <= MAXIMUM_LENGTH["UI"] else _LONG_UID
    return len(value) <= _LONGEST_UID and form.fullmatch(value) is not None


def text(value: str, vr: str, *, argument: str, longest: int = 0) -> str:
    """Text for a key of this VR, wildcards allowed where the standard allows them.

    A value of nothing but `*` asks for everything and becomes the zero-length key that says so to
    every archive (PS3.4 C.2.2.2.3). `longest` is how many characters it may have where that is not
    what the VR says. Raises BadArgument for characters or lengths that are forbidden.
    """
    if value.strip("*") == "":
        return ""
    if "\\" in value:
        raise BadArgument(
            f"{argument}={shown(value)} contains a backslash, which separates values in DICOM",
            "Ask once for each value",
        )
    if _CONTROL.search(value):
        raise BadArgument(f"{argument} contains a control character", "Leave it out")
    if vr not in ANY_SCRIPT_VRS and not value.isascii():
        raise BadArgument(
            f"{argument}={shown(value)} has characters its type ({vr}) cannot hold",
            "Use plain letters, digits and punctuation (PS3.5 6.2)",
        )
    longest = longest or MAXIMUM_LENGTH.get(vr, 64)
    parts = value.split("=") if vr == "PN" else [value]
    if any(len(part) > longest for part in parts):
        raise BadArgument(
            f"{argument} is longer than the {longest} characters its type ({vr}) allows",
            "Shorten it, with * for the rest",
        )
    if vr == "PN" and len(parts) > 3:
        raise BadArgument(
            f"{argument}={shown(value)} has more than three component groups (PS3.5 6.2.1)",
            "Leave out all but one spelling of the name",
        )
    return value


def identifier(value: str, vr: str, *, argument: str) -> str:
    """A patient ID or accession number, which may be longer than its VR allows (PS3.5 6.2)."""
    return text(value.strip(" "), vr, argument=argument, longest=LONGEST_IDENTIFIER)


def code(value: str, *, argument: str) -> str:
    """A code string (CS) in capitals, wildcards allowed; `ct` becomes `CT`.

    Raises BadArgument for characters a CS cannot have (PS3.5 6.2).
    """
    value = text(value, "CS", argument=argument).upper()
    if not re.fullmatch(r"[A-Z0-9 _*?]*", value):
        raise BadArgument(
            f"{argument}={shown(value)} is not a DICOM code (letters, digits, space, underscore)",
            "Give the code, such as CT, MR, US, CR, DX",
        )
    return value


def integer(value: str, *, argument: str) -> str:
    """An integer string (IS) as written, leading zeros kept: at most 12 characters, 32 bits signed
    (PS3.5 6.2). Raises BadArgument otherwise."""
    too_long = len(value) > MAXIMUM_LENGTH["IS"]
    if too_long or not _INTEGER.fullmatch(value) or not -(2**31) <= int(value) < 2**31:
        raise BadArgument(f"{argument}={shown(value)} is not a whole number", "Give digits only")
    return value


def whole_number(text: object) -> int | None:
    """What an IS, as an archive gave it, says (PS3.5 6.2: 31 bits and a sign); None for what is
    none, such as digits of another script or thousands of them."""
    found = _WHOLE.fullmatch(str(text).strip(" "))
    number = int(found[1]) if found else 1 << 31
    return number if -(1 << 31) <= number < 1 << 31 else None


def count_of(text: object) -> int | None:
    """How many there are, as an archive gave it; None where it is no number that can be."""
    number = whole_number(text)
    return number if number is not None and number >= 0 else None


def decimal_number(text: str) -> float | None:
    """What a DS, or a binary number as text, says (PS3.5 6.2); None for what is no finite number.
    Python's own reads "1_0" and the digits of every script."""
    if not _DECIMAL.fullmatch(text.strip(" \0")):
        return None
    number = float(text.strip(" \0"))
    return number if isfinite(number) else None


_WHOLE = re.compile("([+-]?[0-9]{1,12})")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def shown(value: str) -> str:
    """A refused value, quoted and cut to what helps to recognise it."""
    return repr(value if len(value) <= 40 else f"{value[:37]}...")
