"""Whose names are to be taken out of texts, asked of an archive along with what a tool asks."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..privacy.treatment import PEOPLE
from ..standard.levels import Level
from ..standard.query import Match, Matches, Query

if TYPE_CHECKING:  # see house
    from ..privacy.translation import Translation


def with_people(query: Query, translation: "Translation | None") -> Query:
    """The same query, also for the people of a study."""
    if translation is None or query.level is not Level.STUDY:
        return query
    return replace(query, wanted=(*query.wanted, *PEOPLE))


def of_what_was_asked(found: Matches, asked: Query, translation: "Translation | None") -> Matches:
    """The same, without what is said of attributes that nobody asked for."""
    if translation is None:
        return found
    added = {*PEOPLE} - {*asked.wanted}
    notes = (note for note in found.notes if not note.keywords or note.keywords - added)
    return replace(found, notes=tuple(notes))


def learning(
    keep: Callable[[Match], None], translation: "Translation | None"
) -> Callable[[Match], None]:
    """The same, and whoever is told of is learned."""
    if translation is None:
        return keep

    def keep_and_learn(match: Match) -> None:
        translation.learn(match)
        keep(match)

    return keep_and_learn
