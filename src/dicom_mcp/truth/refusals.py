"""Archives that refuse a whole question for one attribute it asks for.

An archive need not know every attribute (PS3.4 C.2.2.1.3), and is to answer all the same; some fail
instead, with 0xA900 or 0xC000. Which attribute it was is found by asking for fewer, half of them at
a time, and is remembered.
"""

from collections.abc import Callable, Collection, Sequence

# Questions that finding out may take; what is still suspected then is left out as a whole.
_MOST_TRIES = 14

# How archives say that a question cannot be asked this way (PS3.4 C.4.1.1.4, PS3.7 C.5).
_STATUSES = frozenset({0x0105, 0x0106, 0x0110, 0x0115, 0x0120, 0x0121, 0xA900})


def is_refusal(status: int) -> bool:
    """Whether a failure may be about what was asked for."""
    return status in _STATUSES or 0xC000 <= status <= 0xCFFF


def refused_of(
    suspects: Sequence[str], named: Collection[str], works: Callable[[Collection[str]], bool]
) -> frozenset[str]:
    """Which of the suspects a refused question has to leave out; none where that is no help.

    `named` are those that the archive named itself; `works` asks without some of the suspects.
    """
    tries = 0

    def fails_with(group: Sequence[str]) -> bool:
        nonlocal tries
        tries += 1
        return tries > _MOST_TRIES or not works(
            [keyword for keyword in suspects if keyword not in group]
        )

    def among(group: Sequence[str], *, surely: bool) -> list[str]:
        if not group or not (surely or fails_with(group)):
            return []
        if len(group) == 1:
            return [*group]
        half = len(group) // 2
        first = among(group[:half], surely=False)
        return first + among(group[half:], surely=not first)

    guilty = [keyword for keyword in suspects if keyword in named]
    if guilty and works(guilty):
        return frozenset(guilty)
    if not suspects or not works(suspects):
        return frozenset()
    guilty = among(suspects, surely=True)
    # What is answered as it stands now was refused for another reason, which has passed.
    return frozenset() if works(()) else frozenset(guilty)
