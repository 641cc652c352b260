"""What those who ask share, and what each of them may ask."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import journal
from ..budgets import MOST_REPORTS_KEPT
from ..config import Settings
from ..errors import BadArgument, BadConfiguration, NotAllowed
from ..node import AnyNode, Node
from ..privacy.treatment import Mode
from ..standard.values import shown
from ..words.near import did_you_mean
from .cohorts import Cohorts
from .shelf import Lists, Shelf

if TYPE_CHECKING:  # a twentieth of the start, and needed with the first question only
    from ..archives import Archives
    from ..dicom_api import Archive
    from ..index.keeper import Keeper
    from ..index.turns import Turns
    from ..privacy.pseudonyms import Pseudonyms
    from ..privacy.translation import Translation
    from ..truth.exchange import Exchange

# How `configure_dicom_server` names what it was given.
CONFIGURED = "configured"

# How a question names every node there is.
ALL = "all"

# What sessions configured is kept as long as the server runs: forgotten, their next question would
# go to another archive without a word.
_MOST_CONFIGURED = 10_000

# Archives that are parted from at the same time.
_MOST_AT_ONCE = 64


class House:
    """What the operator allows, and everything that is shared by those who ask; one for the life
    of the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.shelf: Shelf[Any] = Shelf()
        self.lists: Lists[Any] = Lists()
        self.cohorts = Cohorts()
        self.reports: Shelf[Any] = Shelf(most_bytes=MOST_REPORTS_KEPT)
        # What each session (by its ID, "" where there is but one client) chose for itself, and
        # what clients without a session may name in their questions.
        self._chosen: dict[str, Node] = {}
        self._by_address: dict[str, Node] = {}
        # One exchange with each node, whoever asks it for what: it may be asked so much at a time.
        self._exchanges: dict[AnyNode, Exchange] = {}
        self._archives: dict[AnyNode, Archive] = {}
        # At nodes that have an index, whose turn it is.
        self._turns: dict[AnyNode, Turns] = {}
        # What patients are called, where they may not be named.
        self._pseudonyms = _pseudonyms_of(settings)
        self._keeper: Keeper | None = None
        self._lock = threading.Lock()

    def session(self, identifier: str | None = "") -> "Session":
        """What this session asks; None is a client that has no session and shares the server."""
        return Session(self, identifier)

    def nodes(self, identifier: str | None) -> dict[str, AnyNode]:
        """Every node that this session may ask, by its name."""
        with self._lock:
            nodes = {**self.settings.nodes, **self._by_address}
            if identifier is not None and identifier in self._chosen:
                nodes[CONFIGURED] = self._chosen[identifier]
            return nodes

    def translation(self) -> "Translation | None":
        """Between real values and those that whoever asks may know; None where that is all."""
        privacy = self.settings.privacy
        if privacy is None or privacy.mode is Mode.FULL:
            return None
        from ..privacy.translation import Translation

        return Translation(privacy, self._pseudonyms)

    def archive(self, node: AnyNode, nodes: Mapping[str, AnyNode]) -> "Archive":
        """The archive at this node; `nodes` has the one that its objects may come from."""
        from ..dicom_api import Archive

        with self._lock:
            if node not in self._archives:
                from_node = nodes[node.objects_from] if node.objects_from else None
                objects_from = self._exchange(from_node) if from_node else None
                exchange = self._exchange(node)
                archive = Archive(exchange, objects_from, while_asked=self._while_asked)
                self._archives[node] = archive
            return self._archives[node]

    def _while_asked(self, node: AnyNode) -> AbstractContextManager[None]:
        """While a person's question asks this node, nothing else begins to."""
        turns = self._turns.get(node)
        return turns.person() if turns else nullcontext()

    def keep_index(self) -> None:
        """From now on keep the indexes up to date that the operator asked for, if any."""
        if self.settings.index and self.settings.index.keep:
            from ..index.keeper import Keeper

            try:
                self._keeper = Keeper(self.settings, self._in_turn)
            except BadConfiguration as error:  # questions to the archive are answered all the same
                journal.log.warning("%s", error)

    def _in_turn(self, node: AnyNode) -> tuple["Archive", "Turns"]:
        """The archive at this node for what asks it when nobody else does."""
        from ..dicom_api import Archive
        from ..index.turns import InTurn, Turns

        asked = self.archive(node, self.settings.nodes)
        turns = self._turns[node] = Turns()
        exchange, objects_from = (
            InTurn(part, turns) for part in (asked.exchange, asked.objects_from)
        )
        return Archive(exchange, objects_from, habits=asked.habits), turns

    def _exchange(self, node: AnyNode) -> "Exchange":
        if node not in self._exchanges:
            from ..dicom_api import exchange_with

            self._exchanges[node] = exchange_with(node)
        return self._exchanges[node]

    def known(self, node: AnyNode) -> list[str]:
        """What was learned of a node since it was first asked."""
        with self._lock:
            archive = self._archives.get(node)
        return archive.habits.told() if archive else []

    def configure(self, identifier: str | None, node: Node) -> None:
        """Let this session ask another archive from now on, and no other session.

        Raises NotAllowed when the operator forbids it, or too many have been configured.
        """
        allowed = self.settings.configurable_hosts
        if allowed is not None and node.host.lower() not in allowed:
            raise NotAllowed(
                "the operator of this server does not allow it to be pointed at that host",
                f"Allowed: {', '.join(sorted(allowed)) or 'no host'} (DICOM_CONFIGURABLE_HOSTS)",
            )
        with self._lock:
            chosen = self._by_address if identifier is None else self._chosen
            key = node.name if identifier is None else identifier
            if key not in chosen and len(chosen) >= _MOST_CONFIGURED:
                raise NotAllowed(
                    f"{_MOST_CONFIGURED} archives have been configured since this server started",
                    "Have the operator restart it, or name this archive in its configuration file",
                )
            previous = chosen.get(key)
            chosen[key] = node
            kept = (*self._chosen.values(), *self._by_address.values())
            unused = None
            if previous and previous != node and previous not in kept:
                self._archives.pop(previous, None)
                unused = self._exchanges.pop(previous, None)
        if unused:
            unused.close()

    def close(self) -> None:
        """Give back every connection and forget every object."""
        if self._keeper:
            self._keeper.end()
        if self.settings.index:
            from ..index.apart import APART
            from ..index.engines import ENGINES

            ENGINES.clear()
            APART.end()
        self.shelf.clear()
        self.lists.clear()
        self.cohorts.clear()
        self.reports.clear()
        if self._pseudonyms:
            self._pseudonyms.close()
        with ThreadPoolExecutor(_MOST_AT_ONCE) as several:  # each may wait for its last answer
            for exchange in self._exchanges.values():
                several.submit(exchange.close)


def _pseudonyms_of(settings: Settings) -> "Pseudonyms | None":
    """Raises as keeping.pseudonyms_of."""
    if settings.privacy is None:
        return None
    from .keeping import pseudonyms_of  # SQLite

    return pseudonyms_of(settings.privacy)


@dataclass(frozen=True, slots=True)
class Session:
    """What one client's questions may ask: the operator's nodes, and the one it configured.

    `identifier` is the MCP session's, "" where there is but one client (stdio, the terminal), and
    None for a client of a shared server without a session, whose requests nothing holds together.
    """

    house: House
    identifier: str | None

    @property
    def nodes(self) -> dict[str, AnyNode]:
        """Every node by its name."""
        return self.house.nodes(self.identifier)

    @property
    def default(self) -> str:
        """The node that is asked when a question names none."""
        nodes = self.nodes
        return CONFIGURED if CONFIGURED in nodes else next(iter(nodes))

    def names(self, where: str = "") -> list[str]:
        """The nodes that a question's `node` means: one, several separated by commas, or all.

        Raises BadArgument for a name that is not known.
        """
        nodes = self.nodes
        if where in nodes:  # an address, whose titles may have commas
            return [where]
        asked = [name.strip() for name in where.split(",") if name.strip()] or [self.default]
        if asked == [ALL] and ALL not in nodes:
            return list(nodes)
        return list(dict.fromkeys(_name_among(nodes, name) for name in asked))

    def seconds(self, names: Sequence[str]) -> float:
        """How long a question to these nodes may take."""
        nodes = self.nodes
        return max(nodes[name].timeout for name in names)

    def archive(self, names: Sequence[str]) -> "Archive | Archives":
        """What is asked at these nodes."""
        from ..archives import Archives

        nodes = self.nodes
        archives = {name: self.house.archive(nodes[name], nodes) for name in names}
        return archives[names[0]] if len(names) == 1 else Archives(archives)

    def known(self, name: str) -> list[str]:
        """What was learned of a node since it was first asked."""
        return self.house.known(self.nodes[name])

    def configure(self, node: Node) -> str:
        """Ask another archive from now on; returns the name to ask it by, which is this session's
        default unless there is no session.

        Raises NotAllowed when the operator forbids it.
        """
        name = CONFIGURED
        if self.identifier is None:
            name = f"{node.called_ae_title}@{node.host}:{node.port} as {node.calling_ae_title}"
        self.house.configure(self.identifier, replace(node, name=name))
        return name


def session_of(request: Any) -> str | None:
    """The MCP session that a request over HTTP belongs to: None in protocol 2026-07-28, which has
    none. "" for what did not come over HTTP (None): on stdio there is but one client."""
    return request.headers.get("mcp-session-id") if request is not None else ""


def _name_among(nodes: Mapping[str, AnyNode], asked: str) -> str:
    known = {name.casefold(): name for name in nodes}
    if asked.casefold() in known:
        return known[asked.casefold()]
    near = did_you_mean(asked, nodes)
    raise BadArgument(
        f"there is no node {shown(asked)}",
        (f"Did you mean {near}? " if near else "")
        + f"Known: {', '.join(nodes)}; or {ALL}, or several separated by commas",
    )
