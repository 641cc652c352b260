"""Free text without what tells who somebody is: what is known of the people of a call, and what
rules find of others. Rules find forms, not people: a bare name of somebody nobody knows of stays.
"""

import re
from collections.abc import Callable

from .people import DATE, NAME, NUMBER, PLACE, People
from .pseudonyms import PATTERN

# A UID (PS3.5 9.1), but for those that the standard itself gives out.
_UID = re.compile(
    r"(?<![\w.])(?!1\.2\.840\.10008\.)(?:[0-2](?:\.\d+){3,}|2\.25\.\d{9,})(?![\w.]*\d)"
)

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_WEB = re.compile(r"\b(?:https?://|ftp://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,])\+?\(?\d{1,4}\)?(?:[ /.-]?\(?\d{2,5}\)?){2,5}(?![\w.,]?\d)")
# But for a code and the name of its scheme (PS3.16).
_LONG_NUMBER = re.compile(
    r"(?<![\w.,])[A-Za-z]{0,4}[-/]?\d{5,}(?![.,]?\d)(?!(?:-\d)?, (?:LN|DCM|SCT|SRT|UCUM)\))\w*"
)

_NAME = r"[^\W\d_a-zß-öø-ÿ][\w'’-]*\.?"  # begins with a capital letter, or one without case
_TITLED = re.compile(
    r"\b(?P<title>(?:Dr|Prof|Mr|Mrs|Ms|Miss|Herrn?|Frau|Hr|Fr|Mme|Mlle|Monsieur|Madame|Sr|Sra|"
    r"Se[ñn]ora?|Sig|Signora?|Dhr|Mevr|Nurse|Sister|Pan|Pani)\b\.?(?:\s*(?:med|Dr|Prof)\b\.?)*)\s+"
    rf"(?:{_NAME}(?:\s+(?:(?:van|von|de|der|den|da|la|le|bin|al)\s+)*{_NAME})*)"
)
_LABELLED = re.compile(
    r"(?P<label>\b(?i:name|patient(?:in)?|nom|nombre|nome|naam|radiologist|radiologe|"
    r"referr(?:er|ing)|physician|signed|unterzeichnet|arzt|ärztin|befunder|dictated by|reported by|"
    r"verified by)\s*:\s*)"
    rf"(?:{_NAME}(?:[,\s]+{_NAME})*)"
)
_DICOM_NAME = re.compile(r"(?:\[name\]|[^\W\d_][\w'’-]*)\^[\w'’^ .-]*[\w'’^.-]")
_DATE = r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]?\d{2}[./-]?\d{2}|\d{1,2}\.?\s+\w+\s+\d{4})"
_BORN = re.compile(
    rf"(?P<label>\b(?:born|dob|d\.o\.b\.|date of birth|birth date|geb\.?|geboren|né(?:e)? le|"
    rf"nat[oa]|nacid[oa]|urodz\w*|р\.|род\.)\W{{0,4}}(?:on |am |le |el )?){_DATE}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\b[^\W\d_][\w-]*(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat)\s*\d+\w?\b"
    r"|\b\d+\w?\s+(?:[^\W\d_][\w-]*\s+){1,3}(?:street|st\.|road|rd\.|avenue|ave\.|lane|drive)\b",
    re.IGNORECASE,
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (_MAIL, "[e-mail]"),
    (_WEB, "[address]"),
    (_BORN, rf"\g<label>{DATE}"),
    (_ADDRESS, PLACE),
    (_DICOM_NAME, NAME),
    (_TITLED, rf"\g<title> {NAME}"),
    (_LABELLED, rf"\g<label>{NAME}"),
)

# What looks like a number of somebody and is a date.
_DAY = re.compile(rf"{_DATE}|(?:19|20)\d{{6}}(?:\d{{4}}|\d{{6}})?")
_DAY_OR_PLAIN = re.compile(rf"{_DATE}|\d+")


def cleaned(text: str, people: People) -> str:
    """A text that people wrote, or a device."""
    text = _without_people(text, people)
    for pattern, put in _RULES:
        text = pattern.sub(put, text)
    text = _PHONE.sub(_unless(_DAY_OR_PLAIN, "[phone]", least=7), text)
    return _LONG_NUMBER.sub(_unless(_DAY, NUMBER), text)


def said(text: str, people: People) -> str:
    """A sentence of our own, which may repeat what stands in a record."""
    return _DICOM_NAME.sub(NAME, _without_people(text, people, is_ours=True))


def _without_people(text: str, people: People, *, is_ours: bool = False) -> str:
    """The text without UIDs and what is known of people, and its pseudonyms as they are."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{chr(_FIRST + len(kept) - 1)}\x00"

    text = _UID.sub(lambda found: people.uid_of(found[0]), text)
    text = people.taken_out(_AS_IT_IS.sub(keep, text), is_ours=is_ours)
    for number, held in enumerate(kept):
        text = text.replace(f"\x00{chr(_FIRST + number)}\x00", held)
    return text


# What no name or number is looked for in: pseudonyms, UIDs that the standard gives out, and the
# marks around a text of the archive. They are held apart under characters that no text has
# (Unicode's supplementary private use).
_AS_IT_IS = re.compile(
    rf"{PATTERN.pattern}|\btext-[0-9a-f]{{8}}\b|\b1\.2\.840\.10008(?:\.\d+)*", re.IGNORECASE
)
_FIRST = 0xF0000


def _unless(allowed: re.Pattern[str], put: str, least: int = 0) -> Callable[[re.Match[str]], str]:
    """What is put for a match, unless it is one of these, or has fewer digits."""

    def replace(found: re.Match[str]) -> str:
        is_allowed = allowed.fullmatch(found[0].strip())
        return found[0] if is_allowed or sum(map(str.isdigit, found[0])) < least else put

    return replace
