"""A bad network in front of an archive: slow, cut, stalled, damaged, down; as told, at any moment.

    with Proxy("127.0.0.1", archive.port, seed=1) as proxy:
        ...                                   # ask 127.0.0.1:proxy.port
        proxy.weather = Weather(reset=0.02)

Each connection is one thread that owns both its sockets. Before a new connection reaches the
archive, those that the client has left are ended there too; so the archive never has more open
than the client has, and `most_at_once` counts what the client has.
"""

import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Self

from tests.bounds import PATIENCE

_TCP_ESTABLISHED = 1
_POLLRDHUP = 0x2000

# How much is passed on at once: a few answers, so that faults fall between and inside them.
_PIECE = 2048

# Seconds a stalled connection stays so; with the short deadlines of a soak that is for ever.
_STALL = (0.5, 5.0)


@dataclass(frozen=True, slots=True)
class Weather:
    """What befalls each piece that passes: seconds of `latency`, at most `rate` bytes a second (0
    is no limit), and the probabilities of being the last before a `reset`, of being held up by a
    `stall`, of having a byte changed (`corruption`)."""

    latency: float = 0.0
    rate: int = 0
    reset: float = 0.0
    stall: float = 0.0
    corruption: float = 0.0


CALM = Weather()


class Proxy:
    """Passes connections to its own port on to the archive's, through the `weather`."""

    def __init__(self, host: str, port: int, *, seed: int) -> None:
        self.weather = CALM
        self.most_at_once = 0
        self.connections = 0
        self._archive = (host, port)
        self._random = Random(seed)
        self._over = threading.Event()
        self._listening = _bound()
        self.port: int = self._listening.getsockname()[1]
        self._accepting: threading.Thread | None = None
        self._links: list[_Link] = []

    def up(self) -> None:
        """Accept connections."""
        if self._accepting is None:
            self._listening.listen()
            self._accepting = threading.Thread(target=self._accept, name="proxy", daemon=True)
            self._accepting.start()

    def down(self) -> None:
        """Refuse connections and end those there are, as when an archive is stopped."""
        if self._accepting is None:
            return
        with suppress(OSError):  # a listening socket is bound still, but listens no more
            self._listening.shutdown(socket.SHUT_RDWR)
        self._accepting.join(PATIENCE)
        assert not self._accepting.is_alive()
        self._accepting = None
        for link in self._links:
            link.end()

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self.down()
        for link in self._links:
            link.thread.join(PATIENCE)
            assert not link.thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._links = [link for link in self._links if link.thread.is_alive()]
            there = [link for link in self._links if link.has_client]
            for link in self._links:
                if link not in there:
                    link.end()
            self.connections += 1
            self.most_at_once = max(self.most_at_once, len(there) + _is_established(client))
            try:
                archive = socket.create_connection(self._archive, timeout=PATIENCE)
            except OSError:
                client.close()
                continue
            self._links.append(_Link(self, client, archive, self._random.randrange(2**32)))

    def is_over(self, seconds: float) -> bool:
        """Wait this long, or until the proxy's end; whether that came."""
        return self._over.wait(seconds)


class _Link:
    """One connection, from the client to the archive."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, archive: socket.socket, seed: int
    ) -> None:
        self._proxy = proxy
        self._client = client
        self._archive = archive
        self._random = Random(seed)
        for one in (client, archive):
            one.settimeout(PATIENCE)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self._run, name="proxy link", daemon=True)
        self.thread.start()

    @property
    def has_client(self) -> bool:
        """Whether the client's end is open; a client that left is known at once on loopback."""
        return _is_established(self._client)

    def end(self) -> None:
        """End both connections; the thread then closes them."""
        for one in (self._client, self._archive):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with self._client, self._archive, suppress(OSError):
            waiting = select.poll()
            others = {
                self._client.fileno(): (self._client, self._archive),
                self._archive.fileno(): (self._archive, self._client),
            }
            for number in others:
                waiting.register(number, select.POLLIN)
            while True:
                for number, _ in waiting.poll(1000 * PATIENCE):
                    source, target = others[number]
                    piece = source.recv(_PIECE)
                    if not piece or not self._pass(piece, target):
                        return

    def _pass(self, piece: bytes, target: socket.socket) -> bool:
        """Send it through the weather; False when that has ended the connection."""
        weather, random = self._proxy.weather, self._random
        delay = weather.latency + (len(piece) / weather.rate if weather.rate else 0)
        if delay and self._proxy.is_over(delay):
            return False
        if random.random() < weather.stall and self._client_leaves(random.uniform(*_STALL)):
            return False
        if random.random() < weather.corruption:
            piece = _corrupted(piece, random)
        if random.random() < weather.reset:
            target.sendall(piece[: random.randrange(len(piece))])
            linger = struct.pack("ii", 1, 0)
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        target.sendall(piece)
        return True

    def _client_leaves(self, seconds: float) -> bool:
        waiting = select.poll()
        waiting.register(self._client, _POLLRDHUP)
        return bool(waiting.poll(1000 * seconds))


def _bound() -> socket.socket:
    """A socket whose port stays its own while it does not listen: only one that was asked for by
    number does."""
    with socket.socket() as finds:
        finds.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        finds.bind(("127.0.0.1", 0))
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(finds.getsockname())
        return bound


def _is_established(connection: socket.socket) -> bool:
    try:
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _TCP_ESTABLISHED
    except OSError:
        return False


def _corrupted(piece: bytes, random: Random) -> bytes:
    changed = bytearray(piece)
    for _ in range(random.choice((1, 1, 3))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)
