"""Letters of names: how they are spelled with and without their marks, and in other case."""

import re
import unicodedata
from functools import cache

from anyascii import anyascii

from ..standard.values import MAXIMUM_LENGTH

# Each way is one question to the archive.
_MOST_SPELLINGS = 6


def spellings(key: str) -> tuple[str, ...]:
    """The key first, then other ways to spell its letters, with the same wildcards; at most 6.

    Umlauts and accents are transcribed both ways: Müller, Mueller, Muller; Sørensen, Soerensen.
    """
    accented = _LETTERS.sub(lambda found: _in_case(found[0], _accented(found[0])), key)
    contracted = _contracted(accented, _GERMAN)
    ways = [
        key,
        contracted,
        _expanded(contracted),
        _bare(key),
        _bare(accented),
        _contracted(accented, _NORDIC),
        key.replace("'", ""),
        key.replace("'", "’"),
    ]
    fitting = (way for way in dict.fromkeys(ways) if way == key or _fits(way))
    return tuple(fitting)[:_MOST_SPELLINGS]


def in_other_case(key: str) -> tuple[str, ...]:
    """Keys that find the same text in other case on an archive that compares letters exactly.

    "doe^jane" is "?oe^?ane" and "DOE^JANE"; a description such as "ct chest" is "?? ?hest" and
    "CT CHEST". Both are wider than what is meant: the answers are to be compared. () for a text
    without case, and for one so short that hardly a letter would be left.
    """
    shortest = 2 if "^" in key or "=" in key else 3  # CT and LWS are written so in any text
    opened = _LETTERS.sub(lambda found: _opened(found[0], shortest), key)
    if not _says_something(opened):
        opened = _LETTERS.sub(lambda found: _opened(found[0], 0), key)
    keys = [opened] if _says_something(opened) else []
    keys += ["".join(_upper(c) for c in key), key.upper()]
    return tuple(way for way in dict.fromkeys(keys) if way != key and _fits(way))


def _fits(key: str) -> bool:
    return all(len(group) <= MAXIMUM_LENGTH["PN"] for group in key.split("="))


_LETTERS = re.compile(r"[^\W\d_]+")

# Letters and how they are transcribed without them.
_EXPANSION = {
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "ß": "ss",
    "æ": "ae",
    "ø": "oe",
    "å": "aa",
    "œ": "oe",
    "þ": "th",
    "ð": "d",
    "ł": "l",
    "đ": "d",
    "ı": "i",
    "ё": "е",  # Cyrillic both
}
_WITHOUT_MARK = _EXPANSION | {"ø": "o", "å": "a", "ä": "a", "ö": "o", "ü": "u"}

_GERMAN = {"ae": "ä", "oe": "ö", "ue": "ü"}
_NORDIC = {"ae": "æ", "oe": "ø", "ue": "ü", "aa": "å"}
# A vowel and e that may be an umlaut: between consonants (not Bauer, Doe, Queen), and neither the
# end of Michael and Manuel nor of Rodriguez. aa is å where Danish names have it, not in Maas.
_DIGRAPH = re.compile(
    r"(?<![aeiouyq])(?:[ao]e|(?<!g)ue|(?<=g)ue(?!z|r))(?=[^\Waeiouy\d_])(?!l\b)"
    r"|\baa(?=[^\Waeiou\d_])(?!ron)|(?<=g)aa(?=rd)",
    re.IGNORECASE,
)

# Names whose accents people leave out, or transcribe, when they type.
_ACCENTED_NAMES = """
    Müller Möller Schröder Krüger Köhler König Jäger Schäfer Böhm Günther Günter Jürgen Jörg Björn
    Sören Käthe Bärbel Krämer Lüdtke Grünwald Förster Weiß Groß Voß Preuß Strauß Heß Kühn
    Bäcker Büttner Hübner Höfer Löffler Röder Schütz Schütte Stöhr Vögel Wölfel Zöller
    Özdemir Öztürk Yıldız Çelik Şahin Yılmaz
    José María Jesús Ángel Andrés Ramón Sofía Lucía Raúl Martín Joaquín Inés Mónica Verónica Óscar
    Iván Adrián Rubén Víctor Nicolás Tomás Germán Hernán Simón Belén Begoña Íñigo Concepción
    García López Pérez Gómez Hernández González Rodríguez Martínez Sánchez Fernández Jiménez
    Ramírez Álvarez Vázquez Gutiérrez Domínguez Núñez Ibáñez Suárez Méndez Díaz Muñoz Peña
    Marín Ríos Ávila Rincón Cortés Velázquez Márquez Chávez Juárez Ordóñez Yáñez
    João António Antônio Conceição Gonçalves Araújo Simões Magalhães Luís Inácio Sebastião
    François Françoise René Renée André Andrée Rémi Rémy Gérard Hélène Irène Geneviève Cécile
    Frédéric Stéphane Stéphanie Jérôme Benoît Noël Joël Zoé Chloé Lefèvre Hervé Valérie
    Amélie Aurélie Mélanie Émile Émilie Éric Étienne Élise Élodie Raphaël Michaël Agnès Thérèse
    Sørensen Jørgensen Jørgen Søren Bjørn Kjær Nørgaard Østergaard Håkon Håvard Pål Ståle Åse Åsa
    Göran Åke Östberg Sjöberg Lindström Bergström Nyström Ångström Håkansson Jönsson Mårtensson
    Łukasz Michał Paweł Rafał Stanisław Władysław Wójcik Kamiński Zieliński Wiśniewski
    Novák Dvořák Černý Horváth Tóth Szabó Kovács Molnár Németh László István Zoltán György
    Nikolić Jovanović Petrović Marković Đorđević Ilić Kovačević Babić Marić
"""


@cache
def _accents() -> dict[str, str]:
    """The accented name by each way to type it; a name that is one itself has no entry."""
    found: dict[str, str] = {}
    for name in _ACCENTED_NAMES.split():
        for typed in (_bare(name), _expanded(name)):
            folded = typed.lower()
            if folded != name.lower() and folded not in _NAMES_OF_THEIR_OWN:
                found.setdefault(folded, name)
    return found


# Michael is not Michał, nor Raphael Rafał, and these are complete without an accent.
_NAMES_OF_THEIR_OWN = frozenset({"michael", "michal", "rafal", "noel", "joel", "raphael"})


def _accented(word: str) -> str:
    return _accents().get(word.lower(), word)


def _in_case(model: str, word: str) -> str:
    if model.isupper() and len(model) > 1:
        return "".join(_upper(c) for c in word)
    return word.lower() if model.islower() else word


def _bare(text: str) -> str:
    """Letters without their marks: é is e, ü is u. Those of other alphabets keep theirs."""
    return _transcribed(text, _WITHOUT_MARK)


def _expanded(text: str) -> str:
    """Letters as they are transcribed: ü is ue, ø oe, and é e."""
    return _transcribed(text, _EXPANSION)


def _transcribed(text: str, table: dict[str, str]) -> str:
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    letters: list[str] = []
    for at, letter in enumerate(text):
        new = table.get(letter.lower()) or _unmarked(letter.lower())
        following = text[at + 1 : at + 2]
        if letter.lower() == "ü" and text[at - 1 : at].lower() == "g" and following in "eéií":
            new = "u" if following else new  # Agüero: a diaeresis, not an umlaut
        if letter.isupper() and letter != letter.lower():
            rest_upper = following.isupper() or (not following.isalpha() and text[at - 1].isupper())
            new = new.upper() if rest_upper else new.capitalize()
        letters.append(new)
    return "".join(letters)


def _unmarked(letter: str) -> str:
    """A Latin letter as ASCII's; those of other alphabets stay."""
    base = unicodedata.normalize("NFD", letter)
    if "a" <= base[0] <= "z":
        return base[0]
    is_latin = unicodedata.name(letter[0], "").startswith("LATIN")
    return anyascii(letter).lower() if is_latin else letter


def _contracted(text: str, table: dict[str, str]) -> str:
    def letter(found: re.Match[str]) -> str:
        digraph = found[0]
        new = table.get(digraph.lower(), digraph)
        return new.upper() if digraph[0].isupper() and new != digraph else new

    return _DIGRAPH.sub(letter, text)


def _opened(word: str, shortest: int) -> str:
    """The word in lower case with `?` where any case may stand.

    Archives that compare bytes take `?` for one of them: another letter than ASCII's is open
    as `*`.
    """
    if not any(letter.lower() != letter.upper() for letter in word):
        return word
    if len(word) <= shortest:
        return "".join(map(_open, word))
    lower = [small if len(small := letter.lower()) == 1 else _open(letter) for letter in word]
    lower[0] = _open(word[0])
    inner = _INNER_CAPITAL.match(word)
    if inner:
        lower[inner.end()] = _open(word[inner.end()])
    return "".join(lower)


def _open(letter: str) -> str:
    return "?" if letter.isascii() else "*"


# Prefixes after which a capital may stand within a word: McDonald, DeLuca.
_INNER_CAPITAL = re.compile(r"(?:mc|mac|fitz|de|di|da|du|la|le|van|von)(?=\w{3})", re.IGNORECASE)


def _says_something(key: str) -> bool:
    """Whether enough letters are left for a key to be worth sending."""
    return sum(map(str.isalnum, key)) > 1


def _upper(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 else letter  # ß stays ß


def forms(word: str) -> frozenset[str]:
    """All forms in which a word may be compared: two words with a common one are the same."""
    word = unicodedata.normalize("NFC", word)
    accented = _accented(word)
    ways = {word, _bare(word), _expanded(word), _bare(accented), _expanded(accented)}
    if not word.isascii():
        ways |= {_bare(re.sub("[đĐ]", "dj", word)), *romanized(word)}
    return frozenset(unicodedata.normalize("NFC", way.casefold()) for way in ways)


def in_ascii(text: str) -> str:
    """The text in the letters A to Z: without marks, other alphabets transliterated."""
    return anyascii(unicodedata.normalize("NFC", text)).replace("'", "")


# How people write what a transliteration letter by letter gives, in English, in passports and in
# German of Cyrillic, and of Greek.
_ROMANIZED: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("iya", "ia"), ("[iy]y$", "y"), ("oy", "ou"), ("ey(?=[glmnrv])", "ev"), ("ch", "h")),
    (("y(?=[aeou])", "i"), ("[iy]y$", "ii")),
    (("y(?=[aeou])", "j"), ("kh", "h")),
    (("kh", "ch"), ("shch", "schtsch"), ("y(?=[aeou])", "j"), ("v", "w"), ("[iy]y$", "i")),
)


def romanized(word: str) -> set[str]:
    """A word of another alphabet in the ways people write it in Latin letters."""
    ways: set[str] = set()
    for system in _ROMANIZED:
        way = in_ascii(word).lower()
        for letters, others in system:
            way = re.sub(letters, others, way)
        ways.add(way)
    return ways
