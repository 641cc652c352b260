"""What a report says of a word: that there is such a thing, that there is none, or that somebody
asked; in English, German, French and Spanish.

The rules are words: what denies what follows it or what stands before it, what only seems to, and
where that ends. A sentence of a text is looked at by itself.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Mention(StrEnum):
    """What one sentence says of a word."""

    SAID = "said"
    DENIED = "denied"
    OPEN = "open"  # asked about, not excluded, or only of another or a new one is told


class Told(StrEnum):
    """What the reports of a study tell of words."""

    SAID = "said"  # one says it, not negated
    DENIED = "denied"  # every mention is negated, and the reports are whole
    ABSENT = "absent"  # the reports are whole, and have none of the words
    OPEN = "open"  # not to be decided: no report, a text not whole, asked about only


def _any(several: str) -> str:
    """One of these phrases, parted by ", ", as a pattern for folded text."""
    phrases = [" ".join(phrase.split()) for phrase in several.split(", ")]
    return r"\b(?:" + "|".join(sorted(phrases, key=len, reverse=True)) + r")\b"


# Denies what follows, up to the end of its clause.
_NO = re.compile(
    _any(
        "no, without, absence of, absent, denies, negative for, free of, lack of, neither, nor, "
        "never, (?:is|are|was|were) not(?: a| an| any)?, (?:does|do|did) not(?: clearly)? (?:show|"
        "reveal|demonstrate|have|contain|include|see|find|identify|detect|appreciate), ruled out, "
        "resolution of, "
        "kein(?:e[nmrs]?|erlei)?, ohne, weder, fehlen(?:de[nmrs]?)?(?: von)?, frei von, "
        "negativ (?:fur|auf), nicht nachweisbar(?:e[nmrs]?)?, "
        "pas(?: de| d| du| des)?, sans, aucune?, absence (?:de|d), ni, exempte?s? de, "
        "negatif pour, sin, ausencia de, ningun[ao]?, niega, libre de, "
        "negativo para, tampoco, nunca"
    )
)

# Begins like it and is not.
_ONLY_SEEMS = re.compile(
    _any(
        "no (?:\\w+ ){0,2}(?:change|changes|increase|decrease|growth|progression)"
        "(?: (?:in|of))?(?: the| size| number)*, not only, no doubt, no longer, without change, "
        "(?:without|no)(?: \\w+)? (?:contrast(?: medium| agent| enhancement| administration)?|"
        "comparisons?|priors?|prior \\w+|symptoms|complaints|sedation), "
        "ohne (?:km|kontrast(?:mittel)?\\w*(?: gabe)?|voraufnahmen?|voruntersuchung\\w*), "
        "sans (?:injection|(?:produit de )?contraste), sin (?:medio de )?contraste, "
        "kein(?:e[nmrs]?)? (?:\\w+ ){0,2}\\w*(?:anderung|veranderung|zunahme|abnahme|wachstum|"
        "progress|progredienz|dynamik)(?:en)?(?: des| der| von)?, nicht nur, "
        "(?:pas|sans|aucune?)(?: de| d)? (?:modification|changement|evolution|augmentation|"
        "progression)s?(?: de| du| des| d)*, pas seulement, sans doute, "
        "(?:no|sin|ningun[ao]?)(?: se \\w+)? (?:cambios?|modificacion(?:es)?|crecimiento|aumento|"
        "progresion)(?: en| del?| la| el)*, no solo, sin embargo, sin duda"
    )
)

# Tells of another or a new one, so that nothing is told of the first.
_OTHER = re.compile(
    _any(
        "(?:no|without)(?: evidence of)? (?:new|other|further|additional|more), "
        "(?:kein(?:e[nmrs]?)?|ohne) (?:neu(?:e[nmrs]?| \\w+)?|weiter(?:e[nmrs]?)?|"
        "ander(?:e[nmrs]?)?), "
        "(?:pas|sans|aucune?)(?: de| d)? (?:nouve(?:au|aux|l|lle|lles)|autres?), "
        "(?:no|sin|ningun[ao]?)(?: se \\w+)? (?:nuev[ao]s?|otr[ao]s?)"
    )
)

# Speaks of one that is known: "no calcification in the nodule".
_KNOWN = re.compile(
    r"\b(?:the|this|these|known|described|des|der|dem|bekannten|du|dans la|dans le|cette?|"
    r"el|del|de la|este|esta)(?: \w+)?\W*$"
)

# Asks about what follows.
_ASKS = re.compile(
    _any(
        "rule out, r/o, to exclude, evaluate for, question of, query, indication, "
        "not (?:\\w+ )?(?:suggestive of|consistent with|compatible with|typical (?:of|for)|"
        "suspicious for|concerning for), unlikely, less likely, family history, risk of, risk for, "
        "screening for, unwahrscheinlich\\w*, familienanamnese, risiko, peu probable, improbable, "
        "clinical question, reason for exam(?:ination)?, frage nach, fragestellung, "
        "klinische angaben, ausschluss, recherche(?:r)?(?: de| d| du| des)?, "
        "a la recherche de, motif, descartar, valorar, busqueda de, motivo"
    )
)

# Denies what stands before it in its clause.
_SEEN = (
    "seen|identified|visuali[sz]ed|demonstrated|present|visible|evident|appreciated|detected|noted|"
    "found|shown"
)
_NOT_THERE = re.compile(
    _any(
        f"not (?:\\w+ )?(?:{_SEEN}), no longer (?:{_SEEN}), (?:is|are|was|were) absent, "
        "(?:has|have) (?:\\w+ )?resolved, (?:was|were|is|are|has been|have been) "
        "(?:ruled out|excluded), is negative, "
        "nicht (?:\\w+ )?(?:nachweisbar|abgrenzbar|erkennbar|darstellbar|sichtbar|vorhanden|"
        "nachgewiesen|gesehen|zu sehen|zu erkennen|zur darstellung|abzugrenzen|nachzuweisen), "
        "(?:ist|sind|wurde|wurden) ausgeschlossen, fehlt, fehlen, "
        "(?:n est|ne sont|n etait) pas (?:\\w+ )?(?:vue?s?|visibles?|presente?s?|"
        "retrouve(?:e|s|es)?|identifie(?:e|s|es)?|mise?s? en evidence), "
        "non (?:vue?s?|visibles?|retrouve(?:e|s|es)?), (?:est|sont) (?:absente?s?|exclue?s?|"
        "elimine(?:e|s|es)?), "
        "no se (?:\\w+ )?(?:observan?|visualizan?|identifican?|aprecian?|evidencian?|detectan?|"
        "ven?|objetivan?|demuestran?), no (?:visibles?|identificad[ao]s?), "
        "(?:esta|estan|es|son|fue|queda) (?:ausentes?|descartad[ao]s?)"
    )
)
_NONE_AFTER_COLON = re.compile(
    r"^\W*:\s*(?:none|no|absent|negative|not (?:seen|present)|nil|nein|keine?r?|negativ|"
    r"non|aucune?|absente?s?|negatif|ausentes?|ningun[ao]?|negativo)\W*$"
)

# Leaves what stands before it open.
_NOT_EXCLUDED = re.compile(
    _any(
        "(?:cannot|can not|could not|not) (?:be )?(?:\\w+ )?(?:excluded|ruled out), "
        "nicht (?:\\w+ )?(?:ausgeschlossen|auszuschliessen|ausschliessbar), "
        "ne (?:peut|peuvent) (?:pas )?etre (?:\\w+ )?(?:exclue?s?|elimine(?:e|s|es)?), "
        "no (?:se )?(?:puede |pueden )?(?:descartan?|descartar(?:se)?|descartables?|excluir(?:se)?)"
    )
)

# Of an earlier examination, where nothing may have been yet.
_EARLIER = re.compile(
    r"\b(?:prior|previous|earlier|preceding|voruntersuchung\w*|voraufnahmen?|vorbefund\w*|vor-ct|"
    r"precedente?|anterieure?|previ[ao]|anterior)\b"
)

# Where what was denied ends: what speaks against it, and after a comma whatever begins anew.
_ENDS = re.compile(
    _any(
        "but, however, although, though, except(?: for)?, apart from, other than, yet, which, "
        "aber, jedoch, allerdings, ausser, sondern, dennoch, hingegen, bis auf, stattdessen, "
        "mais, cependant, toutefois, hormis, sauf, en dehors, excepte, "
        "pero, sino, sin embargo, excepto, salvo, aunque"
    )
    + r"|,\s*(?:and |und |et |y )?(?:\d|(?:there|a|an|the|new|now|known|stable|unchanged|with|"
    r"ein|eine|einen|der|die|das|neu|neue|neuer|bekannter?|mit|im|in|am|"
    r"un|une|le|la|les|avec|il y a|una|unos|unas|el|los|las|con|se observan?|hay)\b)"
)

# Where what stands before it is denied no longer: what was found is told.
_TELLS = re.compile(
    r"\b(?:shows|showed|demonstrates|demonstrated|reveals|revealed|has (?=an?\b|\d)|zeigt|zeigte|"
    r"zeigen sich|montre|objective|muestra|demuestra)\b|(?<!\bof)(?<!\bfor)(?<!\bvon)(?<!\bde):"
)

_CLAUSE = re.compile(r"(?<=[.!?;])\s+|\s+(?=[-*•]\s)|\n")
_HEADING = re.compile(r"^\s*(?:[-*•]|\d+[.)]|[^\W\d][\w /()-]{0,40}:)")

# Letters that a word denies at most: a table is one sentence of any length.
_REACH = 1_000

# A line that goes on in the next one is nearly as long as the longest.
_WRAPS, _LEAST_WRAPPED = 0.7, 45


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words in a row that are looked for: each stands for all that begin with it, or with its
    singular or plural, with a * before it for all that have it."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Wanted":
        """Raises ValueError where there is no word in it."""
        words = tuple(fold(text).split())
        if not any(any(map(str.isalnum, word)) for word in words):
            raise ValueError("no word")
        return cls(words)

    @property
    def in_sql(self) -> str:
        """A pattern for DuckDB (RE2) that finds every text with its longest word."""
        word = max((_stem(word)[0] for word in self.words), key=len).replace("ss", "s")
        letters = (f"[{letter}{_MARKED.get(letter, '')}]" for letter in map(re.escape, word))
        return "(?i)" + "".join(f"{letter}+\\pM*" for letter in letters)

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds it in folded text."""
        return _pattern_of(self.words)


@lru_cache(maxsize=256)
def _pattern_of(words: tuple[str, ...]) -> re.Pattern[str]:
    parts: list[str] = []
    for word in words:
        stem, ending = _stem(word)
        begins = r"\b\w*" if word.startswith("*") else r"\b"
        parts.append(f"{begins}{re.escape(stem)}{ending}\\w*")
    return re.compile(r"[\s-]+".join(parts))


# How words end in the singular and the plural, as they are in all four languages.
_ENDINGS = {
    **dict.fromkeys(("ies", "y"), "(?:ies|y)"),
    **dict.fromkeys(("ices", "ix", "ex"), "(?:ices|ix|ex)"),
    "us": "(?:us|i)",
    "um": "(?:um|a)",
    "is": "(?:is|es)",
}
_LEAST_INFLECTED = 5


def _stem(word: str) -> tuple[str, str]:
    """What a word begins with in the singular and in the plural, and how it goes on there."""
    word = word.strip("*")
    if len(word) < _LEAST_INFLECTED:
        return word, ""
    for ending, both in _ENDINGS.items():
        if word.endswith(ending):
            return word.removesuffix(ending), both
    if word.endswith("ses") and not word.endswith("sses"):
        return word.removesuffix("es"), "(?:es|is|e)"
    for ending, left in (("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending):
            return word.removesuffix(ending) + left, ""
    return (word, "") if word.endswith("ss") else (word.removesuffix("s"), "")


def _marked() -> dict[str, str]:
    """The letters that each Latin letter is without its marks; ß is an s."""
    marked: dict[str, str] = {"s": "ß"}
    for letter in map(chr, range(0xC0, 0x250)):
        plain = unicodedata.normalize("NFKD", letter)[0]
        if plain != letter and plain.isascii() and plain.islower():
            marked[plain] = marked.get(plain, "") + letter
    return marked


_MARKED = _marked()


def fold(text: str) -> str:
    """A text in small letters without accents; ß is ss, an apostrophe a space."""
    text = text.casefold().replace("’", "'").replace("'", " ")
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def mentions(text: str, wanted: Sequence[Wanted]) -> Iterator[Mention]:
    """What each sentence that has one of these words says of it, in order."""
    for sentence in sentences(text):
        for value in wanted:
            for found in value.pattern.finditer(sentence):
                yield _said_of(sentence, found.start(), found.end())


def sentences(text: str) -> list[str]:
    """The sentences of a text, folded. A line that ends early, or before a heading, is one."""
    lines = fold(text).splitlines()
    longest = max(map(len, lines), default=0)
    joined: list[str] = []
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else ""
        goes_on = (
            longest >= _LEAST_WRAPPED
            and len(line) >= _WRAPS * longest
            and after.strip()
            and not _HEADING.match(after)
        )
        joined.append(line + (" " if goes_on else "\n"))
    return [part for part in _CLAUSE.split("".join(joined)) if part.strip()]


def _said_of(sentence: str, start: int, end: int) -> Mention:
    before, after = sentence[max(start - _REACH, 0) : start], sentence[end : end + _REACH]
    if after.lstrip().startswith("?") or before.rstrip().endswith("?"):
        return Mention.OPEN
    after = after[: _first(_ENDS, after)]
    if _NOT_EXCLUDED.search(after):
        return Mention.OPEN
    if _NONE_AFTER_COLON.match(after):
        return Mention.DENIED
    if _NOT_THERE.search(after):
        return Mention.OPEN if _EARLIER.search(after) else Mention.DENIED
    before = before[_last(_ENDS, before) :]
    if _OTHER.search(before) or _NOT_EXCLUDED.search(before):
        return Mention.OPEN
    before = _ONLY_SEEMS.sub(" ", before)
    if _NO.search(before[_last(_TELLS, before) :]):
        return Mention.OPEN if _KNOWN.search(before) else Mention.DENIED
    return Mention.OPEN if _ASKS.search(before) else Mention.SAID


def _first(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return found.start() if found else len(text)


def _last(pattern: re.Pattern[str], text: str) -> int:
    end = 0
    for found in pattern.finditer(text):
        end = found.end()
    return end
