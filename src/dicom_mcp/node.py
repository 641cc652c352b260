"""A peer that can be asked: over the DICOM network protocol or over DICOMweb, and who we say we are
to it."""

from dataclasses import dataclass, field
from datetime import tzinfo
from urllib.parse import urlsplit

from .errors import BadConfiguration

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


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM form: our certificate and, unless it stands in the same file, its key."""

    certificate: str
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """How a DICOM connection is secured (PS3.15 B.12, BCP 195): the peer is always verified.

    `ca_file` names the authority that is trusted instead of the system's, `certificate` what we
    show of ourselves, `server_name` the name in the peer's certificate when it is not its host.
    """

    ca_file: str = ""
    certificate: Certificate | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where an archive may send the objects we ask it to move (C-MOVE): our title as it knows us,
    the port we listen on, and the address we listen at; "" is the one by which it is reached.

    `senders` are those, as TITLE@host, that send for it; else only it is listened to. Raises
    BadConfiguration for a value that cannot work.
    """

    ae_title: str
    port: int
    host: str = ""
    senders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise BadConfiguration(f"the receiver's port {self.port} is not between 1 and 65535")
        object.__setattr__(self, "ae_title", _ae_title(self.ae_title, "the receiver's ae_title"))
        object.__setattr__(self, "senders", (*self.senders,))
        for sender in self.senders:
            title, at, host = sender.partition("@")
            if not at or not host.strip():
                raise BadConfiguration(
                    f"the receiver's sender {sender!r} is not written as TITLE@host",
                    "Such as ARCHIVE2@192.0.2.11",
                )
            _ae_title(title, "the receiver's sender")


@dataclass(frozen=True, slots=True)
class Node:
    """A DICOM peer that can be asked, and who we say we are to it.

    `timeout` is what one question may take in all, in seconds; `connections` how many associations
    we hold at a time. `character_set` is what its text is in where it does not say (a defined
    term of PS3.3 C.12.1.1.2), `time_zone` where its "today" is, `objects_from` the node that
    objects are fetched from instead, `receiver` where it may send them when asked to (C-MOVE).
    Raises BadConfiguration, naming the rule, for a value that cannot work.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    called_ae_title: str = DEFAULT_CALLED_AE_TITLE
    calling_ae_title: str = DEFAULT_CALLING_AE_TITLE
    timeout: float = DEFAULT_TIMEOUT
    name: str = ""
    tls: Tls | None = None
    connections: int = DEFAULT_CONNECTIONS
    character_set: str = ""
    time_zone: tzinfo | None = None
    objects_from: str = ""
    receiver: Receiver | None = None

    def __post_init__(self) -> None:
        host = self.host.strip()
        if not host or any(character.isspace() or character in "/@" for character in host):
            raise BadConfiguration(
                f"host {self.host!r} is not a host name or IP address",
                "Give the name or address alone, such as pacs.example.org or 192.0.2.10",
            )
        if not 1 <= self.port <= 65535:
            raise BadConfiguration(
                f"port {self.port} is not between 1 and 65535",
                "DICOM archives often use 104, 4242 or 11112",
            )
        _check_limits(self.timeout, self.connections)
        if self.tls and self.receiver and not self.objects_from:
            raise BadConfiguration(
                "what an archive sends to a receiver is not encrypted, and tls is wanted here",
                "Fetch by C-GET, or name a node with objects_from; else leave out tls or receiver",
            )
        object.__setattr__(self, "host", host)
        for name in ("called_ae_title", "calling_ae_title"):
            object.__setattr__(self, name, _ae_title(getattr(self, name), name))

    def __str__(self) -> str:
        where = (
            f"{self.host}:{self.port} (called_ae_title {self.called_ae_title}, "
            f"calling_ae_title {self.calling_ae_title})"
        )
        return f"{self.name}, {where}" if self.name else where


@dataclass(frozen=True, slots=True)
class Basic:
    """A user name and password (RFC 7617). Raises BadConfiguration for what no header can say."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if ":" in self.username or not _is_printable(self.username + self.password):
            raise BadConfiguration(
                "the user name has a colon, or it or the password a character that cannot be sent",
                "Basic authentication knows no other user names (RFC 7617)",
            )


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token (RFC 6750). Raises BadConfiguration for what no header can say."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.token or not self.token.isascii() or not _is_printable(self.token):
            raise BadConfiguration(
                "the bearer token is empty or has a character that cannot be sent",
                "Give it as it was issued, in one line",
            )


type Auth = Basic | Bearer | Certificate | None


@dataclass(frozen=True, slots=True)
class WebNode:
    """An origin server by the URL that `/studies` comes after (PS3.18 8.2).

    `ca_file` names a private CA that is trusted instead of the system's; the rest is as in Node.
    Raises BadConfiguration for a value that cannot work.
    """

    base_url: str
    auth: Auth = None
    ca_file: str = ""
    timeout: float = DEFAULT_TIMEOUT
    name: str = ""
    connections: int = DEFAULT_WEB_CONNECTIONS
    time_zone: tzinfo | None = None
    objects_from: str = ""
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        url = self.base_url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
            host.encode("idna")
        except ValueError:
            host, port, parts = "", 0, urlsplit("")
        if parts.username is not None or parts.password is not None:
            raise BadConfiguration(
                "base_url holds a user name or password", "Give them as basic authentication"
            )
        # Nothing of a URL that is refused is shown: it may hold a secret in a wrong place.
        if not host or not port or parts.query or parts.fragment or not _is_plain(url):
            raise BadConfiguration(
                "base_url is not the address of a DICOMweb server",
                "Give what stands before /studies, such as https://pacs.example.org/dicom-web",
            )
        _check_limits(self.timeout, self.connections)
        if isinstance(self.auth, Certificate) and parts.scheme != "https":
            raise BadConfiguration(
                "a client certificate needs TLS", "Give a base_url that begins with https://"
            )
        object.__setattr__(self, "base_url", url)
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "port", port)

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
    title, _, place = address.rpartition("@")
    host, colon, port = place.rpartition(":")
    if not colon or not port.isdecimal() or not host:
        raise BadConfiguration(
            f"{address[:80]!r} is neither the name of a node nor an address",
            "An address is TITLE@host:port, such as PACS@pacs.example.org:104, or a URL",
        )
    return Node(host.strip("[]"), int(port), title or DEFAULT_CALLED_AE_TITLE)


def _check_limits(timeout: float, connections: int) -> None:
    if not 0 < timeout <= 3600:
        raise BadConfiguration(f"timeout {timeout:g} is not between 0 and 3600 seconds")
    if not 1 <= connections <= 32:
        raise BadConfiguration(
            f"connections {connections} is not between 1 and 32",
            "Archives often allow 10 to 20 associations in all",
        )


def _ae_title(title: str, name: str) -> str:
    """PS3.5 6.2, AE: 1 to 16 characters of ISO-IR 6 without backslash and control characters."""
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


def _is_printable(text: str) -> bool:
    return all(one >= " " and one.isprintable() for one in text)


def _is_plain(url: str) -> bool:
    """Whether it can stand in a request as it is."""
    return url.isascii() and url.isprintable() and not set(' "<>\\^`{|}') & set(url)
