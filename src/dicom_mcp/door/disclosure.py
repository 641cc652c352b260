"""What is disclosed of an answer, where whoever asks may not know everything."""

from dataclasses import replace

from ..errors import NotAllowed
from ..privacy.settings import Shown
from ..privacy.translation import Translation
from .answer import Answer, Pictures
from .call import Call

# Tools whose answers cannot be translated: what stands in a row is what a statement made of it.
_UNTRANSLATED = frozenset({"query_sql"})

_NO_PICTURES = (
    "Pictures are not shown by this server: names may be burned into them. Its operator can allow "
    "them."
)


def check_translated(tool: str) -> None:
    """Raise NotAllowed for a tool that may be asked only where everything is told."""
    if tool in _UNTRANSLATED:
        raise NotAllowed(
            f"this server names no patients, and {tool} could",
            "Ask find_cohort, count_studies or find_problems",
        )


def translated(
    answer: Answer | Pictures, translation: Translation, call: Call
) -> Answer | Pictures:
    """The answer as whoever asks may know it."""
    if not isinstance(answer, Pictures):
        return translation.answer(answer, call.learn_people)
    said = translation.answer(answer.said, call.learn_people)
    if translation.settings.pictures is Shown.ALL:
        return replace(answer, said=said)
    said.notes = [_NO_PICTURES, *said.notes]
    return replace(answer, said=said, pictures=())
