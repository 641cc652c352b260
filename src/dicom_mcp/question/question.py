"""A question as a person put it, what each of its texts may mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from ..door.call import Call
from ..errors import BadArgument
from ..standard.levels import Level
from ..standard.lists import Several
from ..standard.query import Query
from ..words.meaning import Meaning, Meanings, meanings
from ..words.modalities import ANY, Modalities, modalities

MODALITIES = "ModalitiesInStudy"
NAME = "PatientName"

# Queries that one rank of meanings may become: seven ways to read a name, for four modalities.
_MOST_WAYS = 28


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked at one level: what each keyword's text may mean."""

    level: Level
    meanings: Mapping[str, Meanings]
    # Several modalities together, or none of some: what no key can ask.
    modalities: Modalities = ANY
    # The patient's name as it was written.
    name: str = ""

    @classmethod
    def of(cls, call: Call, level: Level, asked: Mapping[str, tuple[str, Several]]) -> "Question":
        """From argument to keyword and text. Raises BadArgument for what cannot be asked."""
        found: dict[str, Meanings] = {}
        together = ANY
        for argument, (keyword, text) in asked.items():
            if keyword == MODALITIES:
                several = text if isinstance(text, str) else ", ".join(text)
                meant = modalities(several, argument=argument)
                if not meant.is_one:
                    together = meant
                    continue
            found[keyword] = meanings(keyword, text, argument=argument, today=call.today)
        names = (text for keyword, text in asked.values() if keyword == NAME)
        return cls(
            level,
            {keyword: meant for keyword, meant in found.items() if meant},
            together,
            next((name for name in names if isinstance(name, str)), ""),
        )

    @property
    def keywords(self) -> list[str]:
        """What it is asked by."""
        return [*self.meanings, *([] if self.modalities == ANY else [MODALITIES])]

    def without(self, keyword: str) -> "Question":
        """The same question, without one of its keys."""
        return replace(
            self,
            meanings={k: meant for k, meant in self.meanings.items() if k != keyword},
            modalities=ANY if keyword == MODALITIES else self.modalities,
            name="" if keyword == NAME else self.name,
        )

    def by(self, codes: Sequence[str]) -> "Question":
        """The same question for any of these modalities; of () whatever it is."""
        meant = {MODALITIES: (tuple(Meaning(code) for code in codes),)} if codes else {}
        return replace(self, meanings={**self.meanings, **meant}, modalities=ANY)

    def ways(self) -> list[list[dict[str, Meaning]]]:
        """What to send, rank by rank: each way is a meaning for every keyword."""
        ranks = max((len(meant) for meant in self.meanings.values()), default=1)
        found: list[list[dict[str, Meaning]]] = []
        for rank in range(ranks):
            several = [meant[min(rank, len(meant) - 1)] for meant in self.meanings.values()]
            ways = [dict(zip(self.meanings, way, strict=True)) for way in product(*several)]
            if len(ways) > _MOST_WAYS:
                raise BadArgument(
                    f"the question can be understood in {len(ways)} ways",
                    "Ask for one modality at a time, or write the name as Family^Given",
                )
            found.append(ways)
        return found


def query_of(level: Level, way: Mapping[str, Meaning], wanted: Sequence[str]) -> Query:
    """What one way to mean a question sends."""
    keys = {keyword: meaning.key for keyword, meaning in way.items()}
    empty = frozenset(keyword for keyword, meaning in way.items() if meaning.empty)
    return Query(level, keys, tuple(wanted), empty=empty)
