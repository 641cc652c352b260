"""A TLS front before a plain peer, as stunnel is one before an archive."""

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress

from tests.peers.certificates import Certificates

_PATIENCE = 20


def server_context(
    certificates: Certificates, name: str = "server", *, wants_client: bool = False
) -> ssl.SSLContext:
    """What a server needs that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates[name], certificates.key(name))
    if wants_client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificates["ca"])
    return context


@contextmanager
def front(behind: int, context: ssl.SSLContext) -> Generator[int]:
    """The port that speaks TLS and passes everything on to the plain port `behind`."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve() -> None:
        while True:
            try:
                connected, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=_pass_on, args=(connected, behind, context)))
            threads[-1].start()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for one in (thread, *threads):
            one.join(_PATIENCE)


def _pass_on(connected: socket.socket, behind: int, context: ssl.SSLContext) -> None:
    connected.settimeout(_PATIENCE)
    try:
        secure = context.wrap_socket(connected, server_side=True)
    except (OSError, ValueError):
        connected.close()
        return
    with secure, socket.create_connection(("127.0.0.1", behind), timeout=_PATIENCE) as plain:
        secure.setblocking(False)

        def back() -> None:
            with suppress(OSError, ValueError):
                while data := plain.recv(65536):
                    _send(secure, data)
            with suppress(OSError, ValueError):
                socket.socket.shutdown(secure, socket.SHUT_RDWR)

        thread = threading.Thread(target=back)
        thread.start()
        with suppress(OSError, ValueError):
            while data := _receive(secure):
                plain.sendall(data)
        with suppress(OSError):
            plain.shutdown(socket.SHUT_RDWR)
        thread.join(_PATIENCE)


_LOCK = threading.Lock()  # one TLS session may not be read and written at the same moment


def _send(secure: ssl.SSLSocket, data: bytes) -> None:
    unsent = memoryview(data)
    while unsent:
        try:
            with _LOCK:
                unsent = unsent[secure.send(unsent) :]
        except ssl.SSLWantWriteError:
            _wait(secure, writing=True)


def _receive(secure: ssl.SSLSocket) -> bytes:
    while True:
        try:
            with _LOCK:
                return secure.recv(65536)
        except ssl.SSLWantReadError:
            _wait(secure, writing=False)


def _wait(secure: ssl.SSLSocket, *, writing: bool) -> None:
    import select

    waiting = select.poll()
    waiting.register(secure, select.POLLOUT if writing else select.POLLIN)
    if not waiting.poll(_PATIENCE * 1000):
        raise TimeoutError
