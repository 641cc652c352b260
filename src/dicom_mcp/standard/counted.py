"""How many of something, as a person writes it."""

_ALIKE = frozenset({"series", "species"})


def counted(count: int, noun: str) -> str:
    """1 study, 2 studies, 1 series, 1,000 images."""
    return f"{count:,} {noun if count == 1 else plural(noun)}"


def agreeing(count: int, noun: str, alone: str, together: str) -> str:
    """How many do what: 1 image lies here, 2 images lie here."""
    return f"{counted(count, noun)} {alone if count == 1 else together}"


def these_are_the_first(count: int, noun: str) -> str:
    """This is the first study, these are the first 2 studies."""
    return (
        f"this is the first {noun}" if count == 1 else f"these are the first {counted(count, noun)}"
    )


def plural(noun: str) -> str:
    """Of the last word of it."""
    if noun.rpartition(" ")[2] in _ALIKE:
        return noun
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"
