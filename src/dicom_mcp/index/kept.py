"""Where each archive's index is, and what it takes to use one."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree

from ..config import Settings, usual_file
from ..errors import BadConfiguration
from ..machine import at_home
from ..node import AnyNode
from .ledger import Ledger, sole_writer
from .store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """The index of one archive: its files, and the ledger beside them."""

    store: Store
    ledger: Ledger


def nodes_of(settings: Settings, name: str = "") -> dict[str, AnyNode]:
    """The nodes that have an index, or the one of this name. Raises BadConfiguration."""
    if settings.index is None:
        raise BadConfiguration(
            "there is no index",
            "Write [index] into the configuration file (dicom-mcp nodes says where it is)",
        )
    names = settings.index.nodes or tuple(settings.nodes)
    for node in (*settings.index.nodes, *([name] if name else ())):
        if node not in settings.nodes or node not in names:
            raise BadConfiguration(
                f"{node!r} is no node that has an index", f"Those that have one: {', '.join(names)}"
            )
    return {node: settings.nodes[node] for node in ([name] if name else names)}


def folder_of(settings: Settings, node: AnyNode) -> Path:
    """Where the index of this node is: another one for each address, whatever it is called."""
    assert settings.index
    above = (
        at_home(settings.index.folder) if settings.index.folder else usual_file().parent / "index"
    )
    address = blake2b(str(node).encode(), digest_size=4).hexdigest()
    return above / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', node.name or 'default')}-{address}"


def has_index(settings: Settings, node: AnyNode) -> bool:
    """Whether one was begun."""
    return (folder_of(settings, node) / "ledger.sqlite").is_file()


@contextmanager
def opened(settings: Settings, node: AnyNode) -> Generator[Kept]:
    """The index of this node, to be asked. Raises BadConfiguration where there is none."""
    if not has_index(settings, node):
        raise BadConfiguration(
            f"there is no index of {node.name or 'this node'} yet", "dicom-mcp index sync fills it"
        )
    folder = folder_of(settings, node)
    ledger = Ledger(folder / "ledger.sqlite")
    try:
        yield Kept(Store(folder), ledger)
    finally:
        ledger.close()


@contextmanager
def written(settings: Settings, node: AnyNode) -> Generator[Kept]:
    """The index of this node, to be written, made anew where there is none; by one at a time."""
    folder = folder_of(settings, node)
    store = Store(folder)
    store.prepare()
    with sole_writer(folder):
        ledger = Ledger(folder / "ledger.sqlite")
        try:
            yield Kept(store, ledger)
        finally:
            ledger.close()


def drop(settings: Settings, node: AnyNode) -> bool:
    """Remove the index of this node; whether there was one."""
    folder = folder_of(settings, node)
    if not folder.is_dir():
        return False
    with sole_writer(folder):
        pass
    rmtree(folder)
    return True
