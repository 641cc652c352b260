"""What an operator says of the privacy of answers: [privacy] of the configuration file."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from ..errors import BadConfiguration
from ..setting import Setting, a_key, obey_rules
from .treatment import DEFAULT_OPTIONS, Mode, Option


def _one_of[T: StrEnum](kind: type[T], what: str) -> Callable[[str], T]:
    """The rule of a word that is one of these."""

    def rule(written: str) -> T:
        try:
            return kind(written.strip().lower())
        except ValueError:
            raise BadConfiguration(
                f"{what} {written[:40]!r} is none", f"It is {' or '.join(kind)}"
            ) from None

    return rule


a_mode = _one_of(Mode, "the privacy mode")
_an_option = _one_of(Option, "the option of privacy")


class Text(StrEnum):
    """What becomes of what people wrote freely."""

    CLEANED = "cleaned"
    WITHHELD = "withheld"


class Shown(StrEnum):
    """Which pictures are shown."""

    NONE = "none"
    ALL = "all"  # whatever is burned into them


# Dates of a patient cannot be shifted together yet.
_KNOWN = tuple(option for option in Option if option is not Option.SHIFTED_DATES)


def _some_options(written: Iterable[str]) -> frozenset[Option]:
    options = frozenset(map(_an_option, written))
    if Option.SHIFTED_DATES in options:
        raise BadConfiguration(
            "dates cannot be shifted yet",
            f"Retain {Option.DATES}, or leave it out: no date is told",
        )
    return options


@dataclass(frozen=True, slots=True)
class Secret:
    """What pseudonyms are made with (HMAC-SHA256), and their map is encrypted with (AES-256)."""

    key: Annotated[
        str, Setting("the key of the pseudonyms", a_key("the key of the pseudonyms"), how="secret")
    ] = field(repr=False)

    def __post_init__(self) -> None:
        obey_rules(self)


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What [privacy] of the configuration file says; where it does not stand, the mode is full."""

    mode: Annotated[
        Mode, Setting("What assistants may know: full, pseudonym or none", a_mode, form=str)
    ] = Mode.PSEUDONYM
    terminal: Annotated[
        Mode | None,
        Setting(
            "The same for `dicom-mcp query`; else as for assistants",
            lambda written: written and a_mode(written),
            form=str,
        ),
    ] = None
    retain: Annotated[
        frozenset[Option],
        Setting(
            f"What PS3.15's profile may retain: {', '.join(_KNOWN)}", _some_options, form=list[str]
        ),
    ] = DEFAULT_OPTIONS
    text: Annotated[
        Text,
        Setting("What people wrote freely: cleaned or withheld", _one_of(Text, "text"), form=str),
    ] = Text.CLEANED
    pictures: Annotated[
        Shown,
        Setting("Pictures shown: none or all", _one_of(Shown, "pictures"), form=str),
    ] = Shown.NONE
    folder: Annotated[
        str, Setting("Where the map of the pseudonyms is; else beside the usual configuration file")
    ] = ""
    secret: Annotated[Secret | None, Setting(how="among")] = None

    def __post_init__(self) -> None:
        obey_rules(self)

    @property
    def key(self) -> str:
        """The key, in Base64; "" where there is none."""
        return self.secret.key if self.secret else ""
