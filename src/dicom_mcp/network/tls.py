"""TLS to an archive, by BCP 195 (PS3.15 B.12): 1.2 or newer, and the other side always verified.

What goes wrong is told by its reason; nothing ever falls back to an unencrypted connection.
"""

import socket
import ssl
from contextlib import suppress
from pathlib import Path

from ..deadline import Deadline
from ..errors import BadConfiguration, ConnectionLost, HandshakeTimedOut, TlsFailure
from ..machine import wait_readable
from ..node import Certificate
from .connect import CONNECT_SECONDS

# Of TLS 1.2 those that keep what was said secret even when a key is lost later (RFC 9325 4.1), as
# everywhere but in Debian's Python, which takes others too. TLS 1.3 has none but such.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AES:!aNULL:!aDSS:!SHA1:!AESCCM"

# How long a last word of a peer that hung up is waited for; it is there already or never comes.
_LAST_SECONDS = 0.1


def tls_context(
    ca_file: str, certificate: Certificate | None, *, is_server: bool = False
) -> ssl.SSLContext:
    """What is trusted, the system's authorities unless `ca_file` names another one, and what we
    show of ourselves; as a server too the other side has to show who it is. Raises BadConfiguration
    naming a file that cannot be used."""
    purpose = ssl.Purpose.CLIENT_AUTH if is_server else ssl.Purpose.SERVER_AUTH
    try:
        context = ssl.create_default_context(purpose, cafile=ca_file or None)
    except (OSError, ValueError) as error:
        raise _unusable(ca_file, what="a certificate authority") from error
    context.verify_mode = ssl.CERT_REQUIRED  # of clients it is none by default
    if not ca_file:
        context.load_default_certs(purpose)
    # Python 3.13 refuses authorities that do not say what their key is for (RFC 5280 4.2.1.3), as
    # many a hospital's own does not. Trusted is what is trusted, in every Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    # A cancelled read sees an end that is none, after which OpenSSL would not send the farewell. An
    # answer cut short is seen by what it is: half a PDU, half a JSON text.
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    if certificate:
        files = (certificate.certificate, certificate.key or certificate.certificate)
        try:
            # Nobody is here to be asked for a passphrase.
            context.load_cert_chain(
                certificate.certificate, certificate.key or None, password=lambda: b""
            )
        except (OSError, ValueError) as error:
            absent = [name for name in files if not Path(name).is_file()]
            if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
                raise BadConfiguration(
                    f"the key in {files[1]} does not belong to the certificate in {files[0]}",
                    "Name the two files that were issued together",
                ) from error
            raise _unusable(*(absent or files), what="our certificate and its key") from error
    return context


def secured(
    connected: socket.socket, context: ssl.SSLContext, server_name: str, *, deadline: Deadline
) -> ssl.SSLSocket:
    """The connection, encrypted and the other side verified to be `server_name`. The given socket
    may not be used any more, and is closed when this raises.

    Raises TlsFailure with the reason, HandshakeTimedOut or Cancelled.
    """
    step = deadline.at_most(CONNECT_SECONDS)
    try:
        if not _is_name(server_name):  # wrap_socket would leave the socket open
            raise TlsFailure(
                "the name to look for in the archive's TLS certificate is no host name",
                "Check tls.server_name",
            )
        made = context.wrap_socket(
            connected, server_hostname=server_name, do_handshake_on_connect=False
        )
    except OSError as error:
        connected.close()
        deadline.check()
        raise _closed() from error
    except BaseException:
        connected.close()
        raise
    try:
        with deadline.interrupting(lambda: shut_down(made, socket.SHUT_RDWR)):
            made.settimeout(step.remaining())
            made.do_handshake()
    except TimeoutError:
        made.close()
        deadline.check()
        raise HandshakeTimedOut(
            "the TLS handshake did not end in time", "Check that this port speaks TLS"
        ) from None
    except (OSError, ValueError) as error:
        told = _refused(error, made) or tls_failure(error) or _closed()
        made.close()
        deadline.check()
        raise told from error
    except BaseException:
        made.close()
        raise
    return made


def shut_down(connected: socket.socket, how: int) -> None:
    """End a wait of another thread. SSLSocket's own would take the session away under it."""
    with suppress(OSError, ValueError):
        socket.socket.shutdown(connected, how)


def end(connected: socket.socket) -> None:
    """Close; TLS is told so (RFC 8446 6.1) if that needs no waiting."""
    with suppress(OSError, ValueError):
        if isinstance(connected, ssl.SSLSocket):
            connected.settimeout(0)
            connected.unwrap()
    connected.close()


def is_quiet(connected: socket.socket) -> bool:
    """Whether nothing has arrived on an idle connection, not even its end."""
    with suppress(OSError, ValueError):
        if not isinstance(connected, ssl.SSLSocket):
            return not wait_readable(connected, 0)
        if connected.pending():
            return False
        if not wait_readable(connected, 0):
            return True
        connected.settimeout(0)
        try:  # TLS 1.3 sends tickets when it likes: they are for TLS alone
            connected.recv(1)
        except ssl.SSLWantReadError:
            return True
        shut_down(connected, socket.SHUT_RDWR)  # a byte of it is lost: never quiet again
    return False


def described(connected: socket.socket) -> str:
    """TLS version and cipher, and until when the peer's certificate is valid; "" without TLS."""
    if not isinstance(connected, ssl.SSLSocket):
        return ""
    until = (connected.getpeercert() or {}).get("notAfter", "")
    cipher = (connected.cipher() or ("",))[0]
    return f"{connected.version()}, {cipher}, certificate valid until {until}"


def tls_failure(error: BaseException) -> TlsFailure | None:
    """What TLS did not like; None when it is not about TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what, remedy = _CERTIFICATE.get(
            error.verify_code, ("cannot be trusted", "Ask the archive's administrator")
        )
        return TlsFailure(f"the archive's TLS certificate {what}", remedy)
    if not isinstance(error, ssl.SSLError):
        return None
    reason = error.reason or ""
    if reason in _REASONS:
        return TlsFailure(*_REASONS[reason])
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return TlsFailure(
            "the archive does not accept our client certificate",
            "Ask its administrator which certificates it trusts, and whether ours has expired",
        )
    return None


def why_refused(error: OSError) -> str:
    """What was wrong with the TLS of one who came to us, as what it did."""
    if isinstance(error, TimeoutError):
        return "which did not end its TLS handshake"
    if isinstance(error, ssl.SSLCertVerificationError):
        what, _ = _CERTIFICATE.get(error.verify_code, ("cannot be trusted", ""))
        return f"whose TLS certificate {what}"
    reason = getattr(error, "reason", None) or ""
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return "which does not accept our TLS certificate"
    return _CAME.get(reason, "which broke off the TLS handshake")


def last_words(connected: socket.socket) -> TlsFailure | None:
    """Why the peer hung up while it was written to: what TLS it did not like came before."""
    try:
        if isinstance(connected, ssl.SSLSocket):
            connected.settimeout(_LAST_SECONDS)
            connected.recv(1)
    except ssl.SSLError as told:
        return tls_failure(told)
    except (OSError, ValueError):
        pass
    return None


def broken(error: OSError, connected: socket.socket, lost: ConnectionLost) -> Exception:
    """What a failed read or write means: TLS 1.3 tells of a missing client certificate only after
    the handshake; anything else is a lost connection."""
    return tls_failure(error) or last_words(connected) or lost


def _is_name(name: str) -> bool:
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return "\0" not in name


def _refused(error: BaseException, made: ssl.SSLSocket) -> TlsFailure | None:
    """Why the archive broke off the handshake without saying more: before a cipher was chosen it is
    about that."""
    if getattr(error, "reason", "") not in _REFUSALS:
        return None
    return TlsFailure(*(_NO_CERTIFICATE if made.cipher() else _NO_CIPHER))


def _closed() -> TlsFailure:
    return TlsFailure(
        "the connection was closed during the TLS handshake",
        "Check that this port speaks TLS, and whether it wants a client certificate",
    )


# X509_V_ERR of OpenSSL: what is wrong with the archive's certificate, and what to do.
_NAME = "Use the name that is in the certificate: as host, in base_url, or as tls.server_name"
_CERTIFICATE: dict[int, tuple[str, str]] = {
    9: ("is not valid yet", "Check the clocks of both machines"),
    10: ("has expired", "The archive's administrator has to renew it"),
    62: ("is for another host name", _NAME),
    64: ("is for another IP address", _NAME),
} | dict.fromkeys(
    (2, 18, 19, 20, 21),
    ("was signed by nobody known here", "Name the hospital's own CA in ca_file"),
)

_PLAIN = (
    "the archive does not speak TLS on that port",
    "Leave tls out (begin base_url with http://), or give the port of its TLS",
)
_OLD = (
    "the archive speaks no version of TLS that is still allowed",
    "It has to offer TLS 1.2 or 1.3 (PS3.15 B.12)",
)
_NO_CERTIFICATE = (
    "the archive refused the TLS handshake, most likely for want of a client certificate",
    "Configure the client certificate that the archive's administrator issued",
)

_NO_CIPHER = (
    "the archive and we have no TLS cipher in common",
    "Its administrator has to allow one of BCP 195 (PS3.15 B.12), such as ECDHE with AES-GCM",
)

_REFUSALS = ("SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_INSUFFICIENT_SECURITY")

# What OpenSSL calls it, when it is not about the archive's certificate.
_REASONS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"), _PLAIN),
    **dict.fromkeys(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"), _OLD),
    **dict.fromkeys(
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE"), _NO_CERTIFICATE
    ),
}


# And what it calls it when somebody comes to us.
_CAME = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "which shows no TLS certificate",
    "NO_SHARED_CIPHER": "which knows no TLS cipher that is allowed",
    "UNSUPPORTED_PROTOCOL": "which speaks no version of TLS that is still allowed",
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "HTTP_REQUEST"), "which does not speak TLS"),
}


def _unusable(*names: str, what: str) -> BadConfiguration:
    if not Path(names[0]).is_file():
        return BadConfiguration(f"there is no file {names[0]}", f"It should hold {what}")
    return BadConfiguration(
        f"the file {' or '.join(dict.fromkeys(names))} cannot be used as {what}",
        "Give readable files in PEM form; a key without passphrase",
    )
