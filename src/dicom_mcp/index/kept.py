"""Where each archive's index is, and what it takes to use one."""

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from shutil import rmtree

from ..config import Settings, usual_file
from ..errors import BadConfiguration
from ..machine import at_home
from ..node import AnyNode
from .columns import OF_MATCHES
from .digests import LEDGER
from .encryption import check_installed, mark_of
from .ledger import Ledger, sole_writer
from .resident import looked_at
from .store import Store


@dataclass(frozen=True, slots=True)
class Kept:
    """The index of one archive: its files, and the ledger beside them; and which of the files were
    damaged when it was opened to be written (`table/month`), whose days are asked for anew."""

    store: Store
    ledger: Ledger
    damaged: Sequence[str] = ()


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
    """Where the index of this node is: another one for each address, whatever it is called; a node
    that was renamed keeps its own."""
    assert settings.index
    above = (
        at_home(settings.index.folder) if settings.index.folder else usual_file().parent / "index"
    )
    address = blake2b(str(replace(node, name="")).encode(), digest_size=4).hexdigest()
    name = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', node.name or 'default')}-{address}"
    return min(above.glob(f"*-{address}"), default=above / name)


def has_index(settings: Settings, node: AnyNode) -> bool:
    """Whether one was begun."""
    return (folder_of(settings, node) / LEDGER).is_file()


@contextmanager
def opened(settings: Settings, node: AnyNode) -> Generator[Kept]:
    """The index of this node, to be asked. Raises BadConfiguration where there is none, or one
    that another key, or none, is for."""
    if not has_index(settings, node):
        raise BadConfiguration(
            f"there is no index of {node.name or 'this node'} yet", "dicom-mcp index sync fills it"
        )
    with _kept(settings, folder_of(settings, node)) as kept:
        yield kept


@contextmanager
def written(settings: Settings, node: AnyNode) -> Generator[Kept]:
    """The index of this node, to be written, made anew where there is none; by one at a time.
    Raises as `opened`, and IndexUnavailable where it cannot be encrypted."""
    assert settings.index
    if settings.index.key:
        check_installed()
    folder = folder_of(settings, node)
    Store(folder).prepare()
    with sole_writer(folder), _kept(settings, folder) as kept:
        kept.store.tidy()
        yield replace(kept, damaged=mended(kept))


def mended(kept: Kept) -> Sequence[str]:
    """Remove the files that are not as they were written, and have their days asked for anew; which
    they were."""
    _, wrong = looked_at(kept.store)
    if wrong:
        # Studies without their series, or the other way round, would be told as such.
        months = {Path(name).name for name in wrong if name.startswith(OF_MATCHES)}
        lost = {*wrong, *(f"{table}/{month}" for table in OF_MATCHES for month in months)}
        kept.ledger.lose(lost)
        for name in lost:
            kept.store.file(*name.split("/")).unlink(missing_ok=True)
    return wrong


@contextmanager
def _kept(settings: Settings, folder: Path) -> Generator[Kept]:
    assert settings.index
    ledger = Ledger(folder / LEDGER)
    try:
        _check_key(ledger, folder, mark_of(settings.index.key))
        yield Kept(Store(folder, settings.index.key), ledger)
    finally:
        ledger.close()


def _check_key(ledger: Ledger, folder: Path, mark: str) -> None:
    """Note which key the files are encrypted with, while there are none yet; then refuse all
    others. Raises BadConfiguration."""
    was = ledger.told("key")
    if was == mark:
        return
    if not ledger.days() and not ledger.broken_off:
        ledger.tell("key", mark)
        return
    anew = "dicom-mcp index drop removes it; sync then builds it anew"
    if not was:
        raise BadConfiguration(
            f"the index in {folder} is not encrypted, though its settings name a key", anew
        )
    if not mark:
        raise BadConfiguration(
            f"the index in {folder} is encrypted, and its settings name no key",
            f"Name key_file or key_env in [index] of the configuration file; else {anew}",
        )
    raise BadConfiguration(
        f"the index in {folder} is encrypted with another key than its settings name",
        f"Give that key; else {anew}",
    )


def drop(settings: Settings, node: AnyNode) -> bool:
    """Remove the index of this node; whether there was one."""
    folder = folder_of(settings, node)
    if not folder.is_dir():
        return False
    with sole_writer(folder):
        pass
    rmtree(folder)
    return True
