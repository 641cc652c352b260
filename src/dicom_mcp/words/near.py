"""What somebody may have meant by a word that is not known."""

from collections.abc import Iterable


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """The nearest of `choices`, or "" when none is near."""
    from rapidfuzz import fuzz, process

    near = process.extractOne(
        name, list(choices), scorer=fuzz.ratio, processor=str.lower, score_cutoff=60
    )
    return near[0] if near else ""
