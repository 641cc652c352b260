"""A peer that can be asked: over the DICOM network protocol or over DICOMweb, and who we say we are
to it."""

from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import Annotated
from urllib.parse import urlsplit

from .errors import BadConfiguration
from .setting import (
    Setting,
    a_base_url,
    a_character_set,
    a_credential,
    a_host,
    a_number,
    a_port,
    a_time_zone,
    an_ae_title,
    obey_rules,
    some_senders,
)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 11112
DEFAULT_CALLING_AE_TITLE = "MCPSCU"
DEFAULT_CALLED_AE_TITLE = "ANY-SCP"
DEFAULT_TIMEOUT = 30.0

# Archives often allow 10 to 20 associations in all, and other people need them too. The servers in
# front of them bear more connections: a long question and some short ones.
DEFAULT_CONNECTIONS = 2
DEFAULT_WEB_CONNECTIONS = 4

_PORTS = {"http": 80, "https": 443}

_CA_FILE = Setting("PEM file of the authority to trust; else the system's", how="file")
_TIMEOUT = Setting(
    "Seconds a question may take in all", a_number("timeout", 0.001, 3600, unit=" seconds")
)
_CONNECTIONS = Setting(
    "Connections held at a time (2; DICOMweb 4)",
    a_number("connections", 1, 32, "Archives often allow 10 to 20 associations in all"),
)
_TIME_ZONE = Setting('Where its "today" is, such as "Europe/Berlin"', a_time_zone, form=str)
_OBJECTS_FROM = Setting("Node to fetch its objects from instead")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM form: our certificate and, unless it stands in the same file, its key."""

    certificate: Annotated[str, Setting("PEM file of our own certificate", how="file")]
    key: Annotated[str, Setting("Its key, unless it is in the same file", how="file")] = field(
        default="", repr=False
    )


@dataclass(frozen=True, slots=True)
class Tls:
    """How a DICOM connection is secured (PS3.15 B.12, BCP 195): the peer is always verified."""

    ca_file: Annotated[str, _CA_FILE] = ""
    certificate: Annotated[Certificate | None, Setting(how="among")] = None
    server_name: Annotated[str, Setting("Name in the archive's certificate, if not its host")] = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where the archive may send objects to when asked to (C-MOVE).

    `senders` are those that send for it; else only the archive is listened to. Raises
    BadConfiguration for a value that cannot work.
    """

    ae_title: Annotated[
        str,
        Setting(
            "Our title as the archive knows it as a destination",
            an_ae_title("the receiver's ae_title"),
        ),
    ]
    port: Annotated[
        int, Setting("Port we listen on while objects are fetched", a_port("the receiver's port"))
    ]
    host: Annotated[str, Setting("Address to listen at; else that by which it is reached")] = ""
    senders: Annotated[
        tuple[str, ...],
        Setting("Others that send for it, as TITLE@host", some_senders, form=list[str]),
    ] = ()

    def __post_init__(self) -> None:
        obey_rules(self)


@dataclass(frozen=True, slots=True)
class Node:
    """A DICOM peer that can be asked, and who we say we are to it.

    Raises BadConfiguration, naming the rule, for a value that cannot work.
    """

    host: Annotated[str, Setting("Host name or address", a_host, needed=True)] = DEFAULT_HOST
    port: Annotated[
        int,
        Setting(
            "DICOM port, often 104, 4242 or 11112",
            a_port("port", "DICOM archives often use 104, 4242 or 11112"),
            needed=True,
        ),
    ] = DEFAULT_PORT
    called_ae_title: Annotated[
        str, Setting("The archive's AE title", an_ae_title("called_ae_title"))
    ] = DEFAULT_CALLED_AE_TITLE
    calling_ae_title: Annotated[
        str, Setting("Our AE title to it", an_ae_title("calling_ae_title"))
    ] = DEFAULT_CALLING_AE_TITLE
    timeout: Annotated[float, _TIMEOUT] = DEFAULT_TIMEOUT
    name: str = ""
    tls: Annotated[
        Tls | None,
        Setting("Encrypted, the archive verified: true, or the settings of `tls`", form=bool | Tls),
    ] = None
    connections: Annotated[int, _CONNECTIONS] = DEFAULT_CONNECTIONS
    character_set: Annotated[
        str,
        Setting('What its text is in where it does not say, such as "ISO_IR 100"', a_character_set),
    ] = ""
    time_zone: Annotated[tzinfo | None, _TIME_ZONE] = None
    objects_from: Annotated[str, _OBJECTS_FROM] = ""
    receiver: Annotated[
        Receiver | None,
        Setting("Where it may send objects to when asked to (C-MOVE): see `receiver`"),
    ] = None

    def __post_init__(self) -> None:
        obey_rules(self)
        if self.tls and self.receiver and not (self.objects_from or self.tls.certificate):
            raise BadConfiguration(
                "the receiver has no certificate to show, and tls is wanted here",
                "Name one in tls (certificate, key): the archive comes to us in TLS too; else "
                "fetch by C-GET, or leave out tls or receiver",
            )

    def __str__(self) -> str:
        where = (
            f"{self.host}:{self.port} (called_ae_title {self.called_ae_title}, "
            f"calling_ae_title {self.calling_ae_title})"
        )
        return f"{self.name}, {where}" if self.name else where


_BASIC = partial(
    a_credential,
    "the user name has a colon, or it or the password a character that cannot be sent",
    "Basic authentication knows no other user names (RFC 7617)",
)
_TOKEN = a_credential(
    "the bearer token is empty or has a character that cannot be sent",
    "Give it as it was issued, in one line",
    "[ -~]+",
)


@dataclass(frozen=True, slots=True)
class Basic:
    """A user name and password (RFC 7617). Raises BadConfiguration for what no header can say."""

    username: Annotated[
        str, Setting("User name, with password_env or password_file", _BASIC("[^:]*"))
    ]
    password: Annotated[str, Setting("the password", _BASIC(".*"), how="secret")] = field(
        repr=False
    )

    def __post_init__(self) -> None:
        obey_rules(self)


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token (RFC 6750). Raises BadConfiguration for what no header can say."""

    token: Annotated[str, Setting("a bearer token", _TOKEN, how="secret")] = field(repr=False)

    def __post_init__(self) -> None:
        obey_rules(self)


type Auth = Basic | Bearer | Certificate | None


@dataclass(frozen=True, slots=True)
class WebNode:
    """An origin server by the URL that `/studies` comes after (PS3.18 8.2).

    Raises BadConfiguration for a value that cannot work.
    """

    base_url: Annotated[
        str,
        Setting(
            "What stands before /studies, https://pacs.example.org/dicom-web",
            a_base_url,
            key="url",
        ),
    ]
    auth: Annotated[Basic | Bearer | Certificate | None, Setting(how="among")] = None
    ca_file: Annotated[str, _CA_FILE] = ""
    timeout: Annotated[float, _TIMEOUT] = DEFAULT_TIMEOUT
    name: str = ""
    connections: Annotated[int, _CONNECTIONS] = DEFAULT_WEB_CONNECTIONS
    time_zone: Annotated[tzinfo | None, _TIME_ZONE] = None
    objects_from: Annotated[str, _OBJECTS_FROM] = ""
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        obey_rules(self)
        parts = urlsplit(self.base_url)
        if isinstance(self.auth, Certificate) and parts.scheme != "https":
            raise BadConfiguration(
                "a client certificate needs TLS", "Give a base_url that begins with https://"
            )
        object.__setattr__(self, "host", parts.hostname)
        object.__setattr__(self, "port", parts.port or _PORTS[parts.scheme])

    def __str__(self) -> str:
        return f"{self.name}, {self.base_url}" if self.name else self.base_url

    @property
    def is_tls(self) -> bool:
        """Whether it is reached over TLS."""
        return self.base_url.lower().startswith("https:")

    @property
    def path(self) -> str:
        """The path of the base URL, without a slash at its end."""
        return urlsplit(self.base_url).path


type AnyNode = Node | WebNode


def node_at(address: str) -> AnyNode:
    """The node at an address a person types: TITLE@host:port, host:port, or the http(s) URL of a
    DICOMweb server. Raises BadConfiguration for anything else."""
    if address.lower().startswith(("http://", "https://")):
        return WebNode(address)
    title, _, location = address.rpartition("@")
    host, colon, port = location.rpartition(":")
    if not colon or not port.isdecimal() or not host:
        raise BadConfiguration(
            f"{address[:80]!r} is neither the name of a node nor an address",
            "An address is TITLE@host:port, such as PACS@pacs.example.org:104, or a URL",
        )
    return Node(host.strip("[]"), int(port), title or DEFAULT_CALLED_AE_TITLE)
