"""Questions to the person at the terminal."""

from ..errors import BadConfiguration


def asked(question: str, default: str) -> str:
    """What the person answers; Enter is the default, a hyphen nothing.

    Raises BadConfiguration where nobody answers.
    """
    shown = f" [{default}]" if default else ""
    try:
        typed = input(f"{question}{shown}: ").strip()
        return "" if typed == "-" else typed or default
    except EOFError:
        raise BadConfiguration(
            "the questions were not answered to their end", "Nothing was written"
        ) from None


def is_yes(answer: str) -> bool:
    """Whether it agrees."""
    return answer.strip().lower() in ("y", "yes", "j", "ja", "o", "oui", "s", "si", "sí")
