"""The words of a name as people write it: without titles, degrees and what is said beside it."""

import re
import unicodedata


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What people write before a name and is no part of it. PN has components of its own for it
# (PS3.5 6.2.1), filled or not, and keys end in `*`.
_TITLES = _all("""
    mr mrs ms miss mx sir dame dr drs doctor prof professor herr herrn frau fräulein drmed
    dring dipling monsieur mme madame mlle mademoiselle docteur dre señor señora señorita sr sra
    srta senor senora senorita dra doctora profesor profesora senhor senhora doutor doutora
    signor signora signore signorina sigra sigina dott dottore dottssa dottoressa dhr mevr mevrouw
    meneer mw patient patientin paciente paziente phd господин госпожа др
""")
# These are names as well, and titles only with a full stop.
_ABBREVIATED_TITLES = _all("fr hr mag ing med dent hc dipl sig rev hw univ lic pt")
_SUFFIXES = _all("jr junior sr senior ii iii iv phd md msc mba esq dds bsc frcr facr mbbs frcs")
_DEGREES = _all("phd md msc mba dds bsc ma")
_HONORIFICS = re.compile("(?<=..)(様|さん|さま|先生|氏|女士|님|씨)$")

# Words that belong to the family name after them.
PARTICLES = _all("""
    van von der den dem de del della delle dela dello di da dal dalla degli do dos das du des
    d' l' la le los las lo ten ter te zu zum zur vom vande vander op af av ap bin ibn abu ben bat
    al el st saint san santa 't 's
""")
# ... and words that join the two around them.
JOINING = frozenset({"y", "e", "i"})
# Words that are often written together with the next.
PREFIXES = PARTICLES | {"mc", "mac", "o", "fitz", "d", "l"}

_BORN = re.compile(r"\b(geb|geborene|née|nee|born|nata|nacida|geboren)\b\.?.*", re.IGNORECASE)
_BRACKETED = re.compile(r"""\([^)]*\)|（[^）]*）|\[[^\]]*\]|"[^"]*"|“[^”]*”|„[^“”]*[“”]""")

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
IDEOGRAPHIC = re.compile("[々〆\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def clean(text: str) -> str:
    """Without what no PN may contain, in one spelling of each letter."""
    text = unicodedata.normalize("NFC", _FORBIDDEN.sub(" ", text))
    return re.sub("[’ʼ‘`´]", "'", text).strip()


def is_dicom_form(text: str) -> bool:
    """Whether it is DICOM's own form, Family^Given, or has a wildcard."""
    return any(character in "^=*?" for character in text)


def written(text: str) -> tuple[list[list[str]], list[str]]:
    """The words of the text, between its commas, and its words in ideographic or other scripts
    without case that are written family name first."""
    text = _BORN.sub("", text) if _BORN.sub("", text).strip() else text
    plain = _BRACKETED.sub(" ", text)
    text = plain if plain.strip(" ,;") else text
    text = re.sub("[・·\u30fb]", " ", text)
    ideographic = [_HONORIFICS.sub("", word) for word in IDEOGRAPHIC.findall(text)]
    parts = [_words(part) for part in re.split("[,;，、]", IDEOGRAPHIC.sub(" ", text))]
    named = [bare for part in parts if (bare := _without_titles(part))]
    # A title alone is a name: there are people called Herr and Prince.
    return named or ([] if ideographic else [part for part in parts if part]), ideographic


def _words(part: str) -> list[str]:
    """The words of a part; an initial keeps its full stop, a title and a degree all of them."""
    words: list[str] = []
    for token in part.split():
        if _is_title(token) or _is_suffix(token):
            words.append(token)
        else:
            words += re.findall(r"[^.]+\.?", token)
    stripped = (word.strip('-–_!:/()[]{}<>"“”„«»#&+|~') for word in words)
    return [word for word in stripped if _LETTERS.search(word) or any(map(str.isdigit, word))]


def _without_titles(words: list[str]) -> list[str]:
    first, end = 0, len(words)
    while first < end and _is_title(words[first]):
        first += 1
    while first < end and _is_suffix(words[end - 1]):
        end -= 1
    return [word if is_initial(word) else word.rstrip(".") for word in words[first:end]]


def _is_title(word: str) -> bool:
    bare = _compact(word)
    return bare in _TITLES or ("." in word and bare in _ABBREVIATED_TITLES)


def _is_suffix(word: str) -> bool:
    if "." in word.rstrip("."):
        return _compact(word) in _DEGREES  # M.D., but J.R. are two initials
    return word != "Md" and word.rstrip(".").casefold() in _SUFFIXES  # Md is Mohammad


def _compact(word: str) -> str:
    return re.sub(r"[^\w]", "", word).casefold()


def is_initial(word: str) -> bool:
    """Whether a word is one letter that stands for a name."""
    letters = word.rstrip(".")
    return len(letters) == 1 and letters.casefold() not in JOINING and letters.isalpha()
