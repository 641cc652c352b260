"""What a setting of a node means, and what its values must be.

The classes of `node` annotate their fields with these; the configuration file, `dicom-mcp init` and
docs/configuration.md read them there.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import BadConfiguration


@dataclass(frozen=True, slots=True)
class Setting:
    """`rule` gives the value as it is kept, from what was written or from such a value; it raises
    BadConfiguration for what cannot work.

    Where the configuration file differs from the class: `key` is the name there, `form` the type
    there, `needed` says that it must stand there, and `how` that it names a file, that it is a
    secret of which only the variable or the file that holds it is named, or that the settings of
    its class are written among the others.
    """

    description: str = ""
    rule: Callable[[Any], Any] = lambda value: value
    key: str = ""
    form: Any = None
    needed: bool = False
    how: Literal["as it is", "file", "secret", "among"] = "as it is"
    default: Any = None


@lru_cache
def settings_of(shape: type[Any]) -> Mapping[str, Setting]:
    """The settings of a class by field, with the defaults of the class."""
    hints = get_type_hints(shape, include_extras=True)
    return {
        part.name: replace(
            setting,
            key=setting.key or part.name,
            form=setting.form or get_args(hints[part.name])[0],
            needed=setting.needed or part.default is MISSING,
            default=None if part.default is MISSING else part.default,
        )
        for part in fields(shape)
        for setting in getattr(hints[part.name], "__metadata__", ())
    }


def classes_of(setting: Setting) -> list[Any]:
    """The classes whose settings are those of this one, as in `Tls | None`."""
    return [part for part in get_args(setting.form) if hasattr(part, "__dataclass_fields__")]


def obey_rules(thing: Any) -> None:
    """Keep each field of a frozen object as its rule gives it; for `__post_init__`."""
    for name, setting in settings_of(thing.__class__).items():
        object.__setattr__(thing, name, setting.rule(getattr(thing, name)))


def a_number(
    name: str, least: float, most: float, remedy: str = "", unit: str = ""
) -> Callable[[float], float]:
    """The rule of a number between these."""

    def rule(number: float) -> float:
        if not least <= number <= most:
            raise BadConfiguration(
                f"{name} {number:g} is not between {least} and {most}{unit}", remedy
            )
        return number

    return rule


def a_port(name: str, remedy: str = "") -> Callable[[float], float]:
    """The rule of a TCP port."""
    return a_number(name, 1, 65535, remedy)


def an_ae_title(name: str) -> Callable[[str], str]:
    """PS3.5 6.2, AE: 1 to 16 characters of ISO-IR 6 without backslash and control characters."""

    def rule(title: str) -> str:
        stripped = title.strip(" ")
        if not 1 <= len(stripped) <= 16:
            raise BadConfiguration(
                f"{name} {title[:40]!r} has {len(stripped)} characters",
                "A DICOM AE title has 1 to 16 (PS3.5 6.2)",
            )
        if any(not 32 <= ord(character) <= 126 or character == "\\" for character in stripped):
            raise BadConfiguration(
                f"{name} {title!r} has a character an AE title cannot have",
                "Use printable ASCII without backslash (PS3.5 6.2)",
            )
        return stripped

    return rule


def a_key(what: str) -> Callable[[str], str]:
    """The rule of the Base64 of 32 bytes, from that or from their hexadecimal digits."""

    def rule(written: str) -> str:
        text = written.strip()
        try:
            key = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if len(key) != 32:
            raise BadConfiguration(
                f"{what} is not 32 bytes in Base64 or hexadecimal digits",
                "Make one: openssl rand -base64 32",
            )
        return base64.b64encode(key).decode()

    return rule


def a_host(host: str) -> str:
    """A host name or an IP address, and nothing around it."""
    stripped = host.strip()
    if not stripped or any(character.isspace() or character in "/@" for character in stripped):
        raise BadConfiguration(
            f"host {host!r} is not a host name or IP address",
            "Give the name or address alone, such as pacs.example.org or 192.0.2.10",
        )
    return stripped


def a_base_url(url: str) -> str:
    """An http(s) URL without a slash at its end."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        is_address = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
        (parts.hostname or "").encode("idna")
    except ValueError:
        is_address, parts = False, urlsplit("")
    if parts.username is not None or parts.password is not None:
        raise BadConfiguration(
            "base_url holds a user name or password", "Give them as basic authentication"
        )
    # Nothing of a URL that is refused is shown: it may hold a secret in a wrong place.
    if not is_address or parts.query or parts.fragment or not _is_plain(url):
        raise BadConfiguration(
            "base_url is not the address of a DICOMweb server",
            "Give what stands before /studies, such as https://pacs.example.org/dicom-web",
        )
    return url


def a_character_set(terms: str) -> str:
    """Defined terms of Specific Character Set, or "" (PS3.3 C.12.1.1.2)."""
    if terms:
        from pydicom.charset import python_encoding

        if any(term.strip() not in python_encoding for term in terms.split("\\")):
            raise BadConfiguration(
                f"{terms!r} is no defined term. Such as ISO_IR 100 (Western European), ISO_IR "
                "144 (Cyrillic), ISO_IR 192 (UTF-8), GB18030 (PS3.3 C.12.1.1.2)"
            )
    return terms


def a_time_zone(zone: tzinfo | str | None) -> tzinfo | None:
    """A time zone, or the one of that name (IANA)."""
    try:
        return ZoneInfo(zone) if zone and isinstance(zone, str) else zone or None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadConfiguration(
            f"{zone!r} is not a time zone known here, such as Europe/Berlin"
        ) from None


# What an operator may switch off together, and what that is.
TOOLSETS: Mapping[str, str] = {
    "connection": "configuring, testing and diagnosing archives",
    "queries": "finding patients, studies, series and instances",
    "counts": "counting",
    "worklist": "what is scheduled",
    "history": "a patient's timeline, a study's overview",
    "comparison": "how archives differ",
    "reports": "the text of reports and documents",
    "headers": "attributes of objects",
    "images": "pictures",
    "archive": "the archive as a whole: lists, cohorts, SQL, problems",
}


def some_toolsets(names: Iterable[str]) -> frozenset[str]:
    """Those of `TOOLSETS` that have these names."""
    named = frozenset(name.strip().lower() for name in names if name.strip())
    if unknown := sorted(named - TOOLSETS.keys()):
        raise BadConfiguration(f"{unknown[0]!r} is no toolset", f"Known: {', '.join(TOOLSETS)}")
    return named


def some_senders(senders: Iterable[str]) -> tuple[str, ...]:
    """Application entities as TITLE@host."""
    for sender in senders:
        title, at, host = sender.partition("@")
        if not at or not host.strip():
            raise BadConfiguration(
                f"the receiver's sender {sender!r} is not written as TITLE@host",
                "Such as ARCHIVE2@192.0.2.11",
            )
        an_ae_title("the receiver's sender")(title)
    return tuple(senders)


def a_credential(bad: str, remedy: str, pattern: str) -> Callable[[str], str]:
    """The rule of a secret, or of what goes with it, that no message may show."""

    def rule(text: str) -> str:
        if not _is_one_line(text) or not re.fullmatch(pattern, text):
            raise BadConfiguration(bad, remedy)
        return text

    return rule


def _is_one_line(text: str) -> bool:
    return all(character >= " " and character.isprintable() for character in text)


def _is_plain(url: str) -> bool:
    """Whether it can stand in a request as it is."""
    return url.isascii() and url.isprintable() and not set(' "<>\\^`{|}') & set(url)
