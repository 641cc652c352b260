"""Whose something is. A Patient ID means one person only beside its issuer (PS3.3 C.7.1.1): two
hospitals may give out the same, and not every archive tells who issued it."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from .note import Named, Note, Parts, joined, remark
from .query import TELLING, Match, texts

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Person:
    """What a match says of its patient; "" for what it does not say."""

    patient_id: str
    issuer: str = ""
    name: str = ""
    birth_date: str = ""

    @classmethod
    def of(cls, match: Match) -> "Person":
        """The patient of a study, or of what is below one."""
        return cls(*(_text(match, keyword) for keyword in ("PatientID", *TELLING)))

    def is_another(self, other: "Person") -> bool:
        """Whether the two surely are not one person who has one ID: by issuer, or because neither
        a word of the name nor, where both tell one, the birth date agrees."""
        if self.issuer and other.issuer:
            return self.issuer.casefold() != other.issuer.casefold()
        if not self.name or not other.name or self.name == other.name:
            return False
        if _words(self.name) & _words(other.name):
            return False
        born, other_born = self.birth_date, other.birth_date
        return not (born and born == other_born)

    def is_the_same(self, other: "Person") -> bool:
        """Whether two IDs of two archives may well be one person's: who says so is the name."""
        if self.patient_id == other.patient_id or not self.patient_id or not other.patient_id:
            return not self.is_another(other)
        names_agree = bool(_words(self.name) & _words(other.name))
        dates = {self.birth_date, other.birth_date} - {""}
        return names_agree and len(dates) < 2

    @property
    def parts(self) -> Parts:
        """Who it is, in the words of a note."""
        born: Parts = ["born ", Named("PatientBirthDate", self.birth_date)] * bool(self.birth_date)
        issuer: Parts = ["issued by ", Named("IssuerOfPatientID", self.issuer)] * bool(self.issuer)
        about = joined(", ", filter(None, (born, issuer)))
        name = Named("PatientName", self.name) if self.name else "no name"
        return [name, " (", *about, ")"] if about else [name]


def several_people(people: Iterable[Person]) -> Note | None:
    """The note for studies of one Patient ID that are of several people; none where they are "
    "not."""
    different: list[Person] = []
    for person in people:
        if all(person.is_another(known) for known in different):
            different.append(person)
    if len(different) < 2:
        return None
    told = joined("; ", (person.parts for person in different[:_MOST_TOLD]))
    more = f"; and {len(different) - _MOST_TOLD} more" if len(different) > _MOST_TOLD else ""
    return remark(
        "Patient ID ",
        Named("PatientID", different[0].patient_id),
        f" is that of {len(different)} people here: ",
        *told,
        f"{more}. Say so, and ask whose studies are meant.",
    )


def _text(match: Match, keyword: str) -> str:
    return " ".join(texts(match.get(keyword, ""))).strip()


def _words(name: str) -> set[str]:
    """The words of a name, without what people leave off letters."""
    bare = unicodedata.normalize("NFKD", name).casefold()
    bare = "".join(
        " " if character in "^=,." else character
        for character in bare
        if not unicodedata.combining(character)
    )
    return {word for word in bare.split() if len(word) > 1} or set(bare.split())
