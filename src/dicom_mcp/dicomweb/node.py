"""A DICOMweb origin server that can be asked, and how we prove to it who we are."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..errors import BadConfiguration

_PORTS = {"http": 80, "https": 443}


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


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Files in PEM form: our certificate and, unless it stands in the same file, its key."""

    certificate: str
    key: str = field(default="", repr=False)


type Auth = Basic | Bearer | ClientCertificate | None


@dataclass(frozen=True, slots=True)
class WebNode:
    """An origin server by the URL that `/studies` comes after (PS3.18 8.2).

    `ca_file` names a private CA that is trusted instead of the system's. `timeout` is what one
    question may take in all, in seconds. Raises BadConfiguration for a value that cannot work.
    """

    base_url: str
    auth: Auth = None
    ca_file: str = ""
    timeout: float = 30.0
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
        if not 0 < self.timeout <= 3600:
            raise BadConfiguration(f"timeout {self.timeout:g} is not between 0 and 3600 seconds")
        if isinstance(self.auth, ClientCertificate) and parts.scheme != "https":
            raise BadConfiguration(
                "a client certificate needs TLS", "Give a base_url that begins with https://"
            )
        object.__setattr__(self, "base_url", url)
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "port", port)

    def __str__(self) -> str:
        return self.base_url

    @property
    def is_tls(self) -> bool:
        """Whether it is reached over TLS."""
        return self.base_url.lower().startswith("https:")

    @property
    def path(self) -> str:
        """The path of the base URL, without a slash at its end."""
        return urlsplit(self.base_url).path


def _is_printable(text: str) -> bool:
    return all(one >= " " and one.isprintable() for one in text)


def _is_plain(url: str) -> bool:
    """Whether it can stand in a request as it is."""
    return url.isascii() and url.isprintable() and not set(' "<>\\^`{|}') & set(url)
