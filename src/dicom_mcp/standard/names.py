"""How people write a person's name, as PN keys (PS3.5 6.2.1, PS3.4 C.2.2.2.4).

"Jane Doe" is Doe^Jane in most archives, Jane^Doe in some that were filled by hand, and may be a
compound family name. So a text has several readings, all of them meant, and ranks of them: what a
person most likely means first, what would only be a last resort later. A text with `^`, `=` or a
wildcard is DICOM's own form and has one reading, itself.

Between two names of one person stands `?` in a key: archives hold "Anna Maria", "Anna-Maria" and
"Anna^Maria". A key that begins with `*` is wider than what is meant: `same_name` says which of
the rows it brings are the person.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from .values import MAXIMUM_LENGTH


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a name: the key to send and what it means, for a note to the user."""

    key: str
    said: str


# Each reading is one question to the archive: so many of a rank are asked, and ways to spell one.
_MOST_READINGS = 7
_MOST_SPELLINGS = 6


def readings(text: str) -> tuple[tuple[Reading, ...], ...]:
    """The text as PN keys, in ranks of which a later one is meant only when every reading of the
    earlier ones matches nobody.

    No key is universal; none is longer than a component group may be. () for a text without a
    letter of a name, such as "" and "*": it asks for everybody, if for anybody.
    """
    text = _clean(text)
    if _is_dicom_form(text):
        return _ranks([[Reading(_sendable(text), f"the name as written, {text}")]])
    latin, ideographic = _written(text)
    if not latin and not ideographic:
        return _ranks([[Reading(_sendable(text), f"the name as written, {text}")]])
    ranks: list[list[Reading]] = []
    if ideographic:
        ranks += _ideographic_ranks(ideographic)
    if latin:
        ranks += _ranks_of_family_and_given(latin) if len(latin) > 1 else _ranks_of_words(latin[0])
    return _ranks(ranks)


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


def same_name(text: str) -> Callable[[str], bool]:
    """Whether a PN value, all its component groups, is the name a person wrote.

    Every word of the text must be a whole word of one group, in any order and case, with or
    without accents or their transcription; an initial stands for every word it begins.
    """
    text = _clean(text)
    if _is_dicom_form(text):
        parts = [_wild_words(part) for part in text.split("=")]
    else:
        latin, ideographic = _written(text)
        parts = [[word for part in latin for word in part], ideographic]
    wanted = [_covers(words) for words in parts if words]
    if not wanted:
        return lambda value: False  # noqa: ARG005 - nothing is nobody's name

    def match(value: str) -> bool:
        groups = [_known_as(group) for group in value.split("=")]
        return all(any(covers(group) for group in groups) for covers in wanted)

    return match


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
_PARTICLES = _all("""
    van von der den dem de del della delle dela dello di da dal dalla degli do dos das du des
    d' l' la le los las lo ten ter te zu zum zur vom vande vander op af av ap bin ibn abu ben bat
    al el st saint san santa 't 's
""")
# ... and words that join the two around them.
_JOINING = frozenset({"y", "e", "i"})
# Words that are often written together with the next.
_PREFIXES = _PARTICLES | {"mc", "mac", "o", "fitz", "d", "l"}

_BORN = re.compile(r"\b(geb|geborene|née|nee|born|nata|nacida|geboren)\b\.?.*", re.IGNORECASE)
_BRACKETED = re.compile(r"""\([^)]*\)|（[^）]*）|\[[^\]]*\]|"[^"]*"|“[^”]*”|„[^“”]*[“”]""")

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\\\\\ud800-\udfff]")
_IDEOGRAPHIC = re.compile("[々〆\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
_LETTERS = re.compile(r"[^\W\d_]+")


def _clean(text: str) -> str:
    """Without what no PN may contain, in one spelling of each letter."""
    text = unicodedata.normalize("NFC", _FORBIDDEN.sub(" ", text))
    return re.sub("[’ʼ‘`´]", "'", text).strip()


def _is_dicom_form(text: str) -> bool:
    return any(character in "^=*?" for character in text)


def _written(text: str) -> tuple[list[list[str]], list[str]]:
    """The words of the text, between its commas, and its words in ideographic or other scripts
    without case that are written family name first."""
    text = _BORN.sub("", text) if _BORN.sub("", text).strip() else text
    plain = _BRACKETED.sub(" ", text)
    text = plain if plain.strip(" ,;") else text
    text = re.sub("[・·\u30fb]", " ", text)
    ideographic = [_HONORIFICS.sub("", word) for word in _IDEOGRAPHIC.findall(text)]
    parts = [_words(part) for part in re.split("[,;，、]", _IDEOGRAPHIC.sub(" ", text))]
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
    return [word if _is_initial(word) else word.rstrip(".") for word in words[first:end]]


def _is_title(word: str) -> bool:
    bare = _compact(word)
    return bare in _TITLES or ("." in word and bare in _ABBREVIATED_TITLES)


def _is_suffix(word: str) -> bool:
    if "." in word.rstrip("."):
        return _compact(word) in _DEGREES  # M.D., but J.R. are two initials
    return word != "Md" and word.rstrip(".").casefold() in _SUFFIXES  # Md is Mohammad


def _compact(word: str) -> str:
    return re.sub(r"[^\w]", "", word).casefold()


def _is_initial(word: str) -> bool:
    letters = word.rstrip(".")
    return len(letters) == 1 and letters.casefold() not in _JOINING and letters.isalpha()


def _units(words: Sequence[str]) -> list[list[str]]:
    """Words that stay together: particles with the name they belong to."""
    units: list[list[str]] = []
    open_unit = False
    for word in words:
        folded = word.casefold()
        joins = folded in _JOINING and word.islower() and bool(units)
        if open_unit or joins:
            units[-1].append(word)
        else:
            units.append([word])
        open_unit = joins or folded in _PARTICLES
    return units


def _ranks_of_words(words: list[str]) -> list[list[Reading]]:
    """Ranks of a name without a comma: its order is anybody's guess."""
    units = _units(words)
    anywhere = [_anywhere(words)]
    if len(units) == 1:
        family = _family(units)
        said = f"family name {_said(units)}"
        if _is_initial(words[0]):
            return [[Reading(family, f"a name that begins with {_said(units)}")], anywhere]
        rank = [Reading(f"{family}^*", said), Reading(family, f"the whole name {_said(units)}")]
        if len(words) == 2:  # Ben, Van and Do are names of their own too
            first, last = [words[:1]], [words[1:]]
            rank += [_reading(last, first), _reading(first, last)]
        return [rank, anywhere]
    splits: list[Reading] = []
    for count in range(1, len(units)):
        splits += [
            _reading(family, given)
            for family, given in (
                (units[-count:], units[:-count]),
                (units[:count], units[count:]),
            )
            if _may_be_family(family, first=family[0] is units[0])
        ]
    if not splits:
        splits.append(_reading(units[-1:], units[:-1]))
    if not _is_initial(words[0]):
        # Ahead of what would be cut off.
        at = min(len(splits), _MOST_READINGS - 1)
        splits.insert(at, Reading(f"{_glued(words)}*", f"family name {_said(units)}"))
    return [splits[:_MOST_READINGS], anywhere]


def _may_be_family(units: Sequence[Sequence[str]], *, first: bool) -> bool:
    """Family names are written out, but for one that the text ends with: Jane D."""
    initials = sum(_is_initial(unit[0]) for unit in units)
    return not initials or (len(units) == 1 and not first)


def _ranks_of_family_and_given(parts: list[list[str]]) -> list[list[Reading]]:
    """Ranks of "Doe, Jane": the order is said, only particles may stand on either side."""
    family, given = parts[0], [word for part in parts[1:] for word in part]
    rank = [_reading(_units(family), _units(given))]
    leading = _leading_particles(family)
    trailing = _trailing_particles(given)
    if 0 < leading < len(family):
        rank.append(_reading([family[leading:]], [*_units(given), family[:leading]]))
    if 0 < trailing < len(given):
        before, particles = given[:-trailing], given[-trailing:]
        rank.append(_reading([particles + family], _units(before)))
    return [rank, [_anywhere([*family, *given])]]


def _leading_particles(words: Sequence[str]) -> int:
    count = 0
    while count < len(words) and words[count].casefold() in _PARTICLES:
        count += 1
    return count


def _trailing_particles(words: Sequence[str]) -> int:
    return _leading_particles(words[::-1])


def _reading(family: Sequence[Sequence[str]], given: Sequence[Sequence[str]]) -> Reading:
    return Reading(
        f"{_family(family)}^{_given(given)}",
        f"family name {_said(family)}, given name {_said(given)}",
    )


def _family(units: Sequence[Sequence[str]]) -> str:
    return "?".join(_glued(unit) for unit in units)


def _given(units: Sequence[Sequence[str]]) -> str:
    return "?".join(_glued([word]) for unit in units for word in unit) + "*"


def _glued(unit: Sequence[str]) -> str:
    """The words of a unit in a key: an initial stands for what it begins, a hyphen for a gap."""
    return " ".join(
        f"{word.rstrip('.')}*" if _is_initial(word) else _plain_word(word) for word in unit
    )


def _plain_word(word: str) -> str:
    return re.sub(r"(?<=\w)[-‐‑–](?=\w)", "?", word)


def _said(units: Sequence[Sequence[str]]) -> str:
    return " ".join(word for unit in units for word in unit)


def _anywhere(words: Sequence[str]) -> Reading:
    """The word that is rarest in an archive, which is the longest, wherever it stands."""
    names = [word for word in words if word.casefold() not in _PARTICLES] or list(words)
    pieces = [piece for word in names for piece in re.split(r"[-‐‑–]", word) if piece]
    longest = max(pieces, key=len).rstrip(".")
    return Reading(f"*{longest}*", f"{' and '.join(words)} anywhere in the name")


def _ideographic_ranks(words: list[str]) -> list[list[Reading]]:
    """Ranks of a name in ideographs, kana or Hangul: family name first, the group anybody's."""
    together = "".join(words)
    if len(words) > 1:
        first, *others = words
        given = "".join(others)
        return [
            [
                Reading(f"*{'?'.join(words)}*", f"family name {first}, given name {given}"),
                Reading(f"*{together}*", f"the name {together}"),
            ],
            [Reading(f"*{'?'.join(reversed(words))}*", f"given name {first}, family name {given}")],
        ]
    whole = [
        Reading(f"*{together}*", f"the name {together}"),
        Reading(together, f"the whole name {together}"),
    ]
    # Family names of two characters are the most common in Japan, of one elsewhere.
    order = sorted(range(1, len(together)), key=lambda at: (abs(at - 1.6), at))
    splits = [
        Reading(
            f"*{together[:at]}^{together[at:]}*",
            f"family name {together[:at]}, given name {together[at:]}",
        )
        for at in order[:_MOST_READINGS]
    ]
    return [whole, splits]


def _ranks(ranks: Iterable[Iterable[Reading]]) -> tuple[tuple[Reading, ...], ...]:
    """The ranks as they can be sent: each key once, none that asks for everybody."""
    seen: set[str] = set()
    kept: list[tuple[Reading, ...]] = []
    for rank in ranks:
        fresh: list[Reading] = []
        for one in rank:
            key = _sendable(one.key)
            if key not in seen and key.strip("*?^= "):
                seen.add(key)
                fresh.append(Reading(key, one.said))
        if fresh:
            kept.append(tuple(fresh))
    return tuple(kept)


def _sendable(key: str) -> str:
    """At most three component groups of at most 64 characters, `*` for what is cut off."""
    longest = MAXIMUM_LENGTH["PN"]
    groups = re.sub(r"\*+", "*", key).split("=")[:3]
    return "=".join(g if len(g) <= longest else f"{g[: longest - 1]}*" for g in groups)


def _fits(key: str) -> bool:
    return all(len(group) <= MAXIMUM_LENGTH["PN"] for group in key.split("="))


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
    base = unicodedata.normalize("NFD", letter)
    return base[0] if "a" <= base[0] <= "z" else letter


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
    lower = [one if len(one := letter.lower()) == 1 else _open(letter) for letter in word]
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


# A group as the forms of its words, one set of them all.
type _Cover = Callable[[frozenset[str]], bool]


def _covers(words: Sequence[str]) -> _Cover:
    """Whether every one of the words is in a group; some words may be one word there."""
    tests: list[list[tuple[int, Callable[[frozenset[str]], bool]]]] = []
    pieces = [piece for word in words for piece in _pieces(word)]
    for at, (word, _) in enumerate(pieces):
        tests.append([(at + 1, _word_test(word))])
        joined = word
        for end in range(at + 1, min(at + 4, len(pieces))):
            if not _often_together(pieces[end - 1], pieces[end]):
                break
            joined += pieces[end][0]
            tests[at].append((end + 1, _word_test(joined)))

    def covers(group: frozenset[str]) -> bool:
        reached = {0}
        for at, ways in enumerate(tests):
            if at in reached:
                reached |= {end for end, test in ways if test(group)}
        return len(tests) in reached

    return covers


def _pieces(word: str) -> list[tuple[str, bool]]:
    """The words within a hyphenated one, and whether each hangs on the one before."""
    parts = [part for part in re.split(r"[-‐‑–]", word.replace("'", "")) if part.strip(".")]
    return [(part, at > 0) for at, part in enumerate(parts)]


def _often_together(one: tuple[str, bool], other: tuple[str, bool]) -> bool:
    if _IDEOGRAPHIC.fullmatch(one[0]):
        return _IDEOGRAPHIC.fullmatch(other[0]) is not None
    return other[1] or one[0].casefold() in _PREFIXES


def _word_test(word: str) -> Callable[[frozenset[str]], bool]:
    if "*" in word or "?" in word:
        parts = (_forms_pattern(form) for form in _forms(word))
        patterns = [re.compile(part) for part in parts]
        return lambda group: any(p.fullmatch(one) for one in group for p in patterns)
    forms = _forms(word.rstrip("."))
    if _is_initial(word) and not _IDEOGRAPHIC.match(word):
        start = tuple(forms)
        return lambda group: any(one.startswith(start) for one in group)
    return lambda group: not forms.isdisjoint(group)


def _forms_pattern(form: str) -> str:
    return "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in form)


def _forms(word: str) -> frozenset[str]:
    """All forms in which a word may be compared: two words with a common one are the same."""
    word = unicodedata.normalize("NFC", word)
    accented = _accented(word)
    ways = (word, _bare(word), _expanded(word), _bare(accented), _expanded(accented))
    return frozenset(unicodedata.normalize("NFC", way.casefold()) for way in ways)


def _known_as(group: str) -> frozenset[str]:
    """The forms of the words of a component group, of those often written together too."""
    forms: set[str] = set()
    components: list[list[tuple[str, bool]]] = []
    for component in re.sub("[’ʼ‘`´]", "'", group).split("^"):
        words = re.split(r"[\s,.・·\u30fb\u3000]+", component)
        components.append([piece for word in words for piece in _pieces(word)])
    if _IDEOGRAPHIC.search(group):
        components.append([piece for component in components for piece in component])
    for pieces in components:
        for at, (word, _) in enumerate(pieces):
            forms |= _forms(word)
            joined = word
            for end in range(at + 1, min(at + 4, len(pieces))):
                if not _often_together(pieces[end - 1], pieces[end]):
                    break
                joined += pieces[end][0]
                forms |= _forms(joined)
    return frozenset(forms)


def _wild_words(part: str) -> list[str]:
    """The words of a key in DICOM's own form; a wildcard belongs to the word it stands in."""
    return [word for word in re.split(r"[\s^,]+", part) if word.strip("*.")]
