"""One server: requests to it over kept connections, redirected within it, and what its statuses
mean."""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import urljoin, urlsplit

from ..deadline import Deadline
from ..errors import ConnectionLost, ProtocolViolation, StatusFailure
from ..network.breaker import Breaker
from ..node import WebNode
from ..standard.status import OVERLOADED as _OUT_OF_RESOURCES
from .connection import Connection, Response, context_of
from .pause import MOST_ASKED, OVERLOADED, pause_before, retry_after
from .pool import Pool
from .status import REFUSALS, Refusal, refusal

# Redirects followed: one is common after a move, two occur.
_MOST_REDIRECTS = 3
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})


class Server:
    """The connections to one server; safe to use from several threads."""

    def __init__(self, node: WebNode) -> None:
        self.node = node
        context = context_of(node)
        self.breaker = Breaker()
        self._pool = Pool(lambda: Connection(node, context, self.breaker), size=node.connections)

    def place(self, deadline: Deadline) -> AbstractContextManager[None]:
        """One connection of those it may hold is made elsewhere, while the block runs."""
        return self._pool.place(deadline=deadline)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    @contextmanager
    def ask(
        self, target: str, accept: str, *, deadline: Deadline, method: str = "GET"
    ) -> Generator[Response]:
        """The answer to a GET, or another method without a body, of what stands at `target` below
        the base URL, redirected within the server if it says so.

        A server that is overloaded is waited for, and asked again, as long as the deadline allows.

        Raises Unreachable, ConnectionLost, ProtocolViolation, DeadlinePassed or Cancelled, and
        StatusFailure where the same call found it overloaded too often.
        """
        path = self.node.path + target
        redirects = 0
        while True:
            self._check_put_off(deadline)
            with self._got(path, accept, deadline, method) as answer:
                pause = self._pause(answer, deadline)
                if pause is None and answer.status not in _REDIRECTIONS:
                    yield answer
                    return
            if pause is not None:
                deadline.wait(pause)
                continue
            redirects += 1
            if redirects > _MOST_REDIRECTS:
                raise ProtocolViolation(
                    "it redirects without end", "Give base_url as it is to be used"
                )
            path = self._redirected(path, answer.headers.get("location", ""))

    def _check_put_off(self, deadline: Deadline) -> None:
        """Nothing more is sent to a server that was found overloaded so often in this call."""
        if deadline.allowance.put_off[self.node.base_url] >= MOST_ASKED:
            raise StatusFailure(
                f"the server is overloaded: it put us off {MOST_ASKED} times in this call",
                "Try again later",
                status=_OUT_OF_RESOURCES,
            )

    def _pause(self, answer: Response, deadline: Deadline) -> float | None:
        """How long to wait before the same is asked again; None where this is the answer."""
        put_off = deadline.allowance.put_off
        if answer.status not in OVERLOADED:
            put_off.pop(self.node.base_url, None)
            return None
        put_off[self.node.base_url] += 1
        pause = pause_before(answer.headers, put_off[self.node.base_url])
        return pause if pause is not None and pause < deadline.remaining() else None

    @contextmanager
    def _got(self, path: str, accept: str, deadline: Deadline, method: str) -> Generator[Response]:
        """One GET. A kept connection that went stale shows at its first use; then, once and if
        nothing of an answer came, another one is made."""
        with self._pool.lease(deadline=deadline) as connection:
            was_used = connection.used
            begun = False
            try:
                with connection.ask(path, accept, deadline=deadline, method=method) as answer:
                    begun = True
                    yield answer
                    return
            except ConnectionLost:
                if begun or not was_used:
                    raise
        with (
            self._pool.lease(deadline=deadline, fresh=True) as connection,
            connection.ask(path, accept, deadline=deadline, method=method) as answer,
        ):
            yield answer

    def _redirected(self, path: str, location: str) -> str:
        """Where to ask instead, if that is the same server. A credential is for it alone."""
        here = urlsplit(self.node.base_url)
        try:
            there = urlsplit(urljoin(f"{here.scheme}://{here.netloc}{path}", location))
            same = (there.scheme, there.hostname, there.port) == (
                *(here.scheme, here.hostname, here.port),
            )
            target = f"{there.path}?{there.query}" if there.query else there.path
            if (
                same
                and location
                and target.isascii()
                and target.isprintable()
                and " " not in target
            ):
                return target
        except ValueError:
            pass
        raise ProtocolViolation(
            "it redirects the question to another server, which is not followed",
            "Give base_url as it is to be used; a redirection often means https:// instead of "
            "http://, or a page to log in",
        )


class Refused(Exception):
    """A status that is no answer, and what it means."""

    def __init__(self, status: int, failure: StatusFailure) -> None:
        super().__init__(str(status))
        self.status = status
        self.failure = failure


def check(answer: Response, refusals: Mapping[int, Refusal] = REFUSALS) -> None:
    """Raise Refused for a status that is no answer."""
    if answer.status not in (200, 204, 206):
        later = retry_after(answer.headers)
        raise Refused(answer.status, refusal(answer.status, refusals, retry_after=later))
