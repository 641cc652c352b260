"""What this machine can do, chosen by what is there and not by the system's name.

The process apart (content/outside/process.py) has its own bounds, for it imports nothing of
the house. The demo archive has what it needs itself.
"""

import ctypes
import errno
import os
import selectors
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .deadline import Deadline
from .errors import DeadlinePassed

# A connect that goes on: POSIX says the first; Windows WSAEWOULDBLOCK, which its Python calls
# EWOULDBLOCK.
_WSAEWOULDBLOCK = 10035
_GOING_ON = frozenset((errno.EINPROGRESS, errno.EWOULDBLOCK, _WSAEWOULDBLOCK))

# What this machine has run out of, or forbids its own programs; no word about the network.
_LACKS: Mapping[int, tuple[str, str]] = {
    **dict.fromkeys(
        (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),
        (
            "it has no room for another connection",
            "Close other programs, or allow dicom-mcp more open files (ulimit -n), and try again",
        ),
    ),
    errno.EADDRNOTAVAIL: (
        "it has no free port or address for another connection",
        "Try again in a minute",
    ),
    **dict.fromkeys(
        (errno.EPERM, errno.EACCES),
        (
            "it does not let dicom-mcp connect",
            "Ask whoever looks after this computer: a firewall or another protection program on it "
            "stops dicom-mcp",
        ),
    ),
}

# Where it is not known that a shutdown wakes a thread that waits, the thread looks by itself.
_LOOK_SECONDS = 0.2


# glibc's mallopt(3): from which size on a block is given back to the system when it is freed.
_M_MMAP_THRESHOLD, _BLOCK = -3, 1 << 20


def give_back_memory() -> None:
    """Have large blocks given back when they are freed. By itself glibc keeps those of up to 32 MiB
    once it saw one freed, and four calls with large frames held 444 MiB instead of 379."""
    with suppress(OSError, TypeError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _BLOCK)


def lack(error: int) -> tuple[str, str] | None:
    """What an error of a socket says this machine lacks, and what to try; None for others."""
    return _LACKS.get(error)


def is_going_on(error: int) -> bool:
    """Whether this code of `connect_ex` says that the attempt goes on."""
    return error in _GOING_ON


def wait_readable(connected: socket.socket, seconds: float) -> bool:
    """Whether something, an end or an error included, can be read within these seconds."""
    return _wait(connected, selectors.EVENT_READ, seconds)


def wait_writable(connected: socket.socket, seconds: float) -> bool:
    """Whether something can be written, or an attempt to connect has ended, within these seconds.

    Windows tells of a failed attempt apart from others; selectors takes both for the end of it.
    """
    return _wait(connected, selectors.EVENT_WRITE, seconds)


def longest_wait(seconds: float) -> float:
    """How long one read or write may wait before it has to look whether it is still wanted."""
    return seconds if _has_poll() else min(seconds, _LOOK_SECONDS)


def send_all(connected: socket.socket, message: bytes, *, deadline: Deadline) -> None:
    """Send all of it. Raises DeadlinePassed, Cancelled, or OSError where the connection ended."""
    unsent = memoryview(message)
    while unsent:
        connected.settimeout(longest_wait(deadline.remaining()))
        try:
            unsent = unsent[connected.send(unsent) :]
        except TimeoutError:
            if deadline.passed:
                raise DeadlinePassed(
                    "the archive stopped reading what was sent to it", "Try again later"
                ) from None


def acknowledge_at_once(connected: socket.socket) -> None:
    """A peer that writes a message in two pieces waits, by Nagle's algorithm, for the first to be
    acknowledged, and our kernel would put that off for 40 ms. Linux forgets this wish after a
    while, so it is repeated before every read. A courtesy, which other systems do not know and
    some refuse."""
    quick: int | None = getattr(socket, "TCP_QUICKACK", None)
    if quick is not None:
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, quick, 1)


def words_of(error: int) -> str:
    """What the system says of an error of a socket; `os.strerror` knows none of Windows' own."""
    table: dict[int, str] = getattr(socket, "errorTab", {})
    return (table.get(error) or os.strerror(error)).rstrip(".").lower()


def at_home(path: str) -> Path:
    """The path, a ~ at its start being the home of whoever runs this. As it is written where that
    person has none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def settings_folder(environ: Mapping[str, str]) -> Path:
    """Where programs keep their settings: what XDG says, what Windows says, else ~/.config."""
    named = environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA")
    return Path(named) if named else at_home("~/.config")


def is_file(path: Path) -> bool:
    """Whether there is such a file, and we may know of it."""
    try:
        return path.is_file()
    except OSError:
        return False


def keep_to_owner(path: Path, mode: int) -> None:
    """Let nobody but its owner read a file or folder of ours, where the file system knows of that:
    some shares of a network refuse it, and what is theirs to protect they protect themselves."""
    with suppress(OSError):
        path.chmod(mode)


def mistaken_for_a_module() -> tuple[str, str] | None:
    """A file or folder beside the script, or where `python -m` was started, that Python took for a
    module some library looked for, and that module's name; None where there is none.

    A folder of any kind is a module to Python: python-gdcm looks for one that is called `dl`.
    """
    beside = os.path.realpath(sys.path[0]) if sys.path and not sys.flags.safe_path else ""
    for name, module in [*sys.modules.items()]:
        places = [*getattr(module, "__path__", ())]
        is_plain = "." not in name and places and getattr(module, "__file__", None) is None
        place = places[0] if is_plain else getattr(module, "__file__", None)
        if not (is_plain or name in sys.stdlib_module_names) or not isinstance(place, str):
            continue
        if os.path.realpath(os.path.dirname(place)) == beside:
            return place, name
    return None


def others_may_read(path: Path) -> bool:
    """Whether others than a file's owner may read it; False where its mode says nothing of that,
    as on Windows."""
    return _allows_others(path, 0o044)


def others_may_write(path: Path) -> bool:
    """The same of writing it."""
    return _allows_others(path, 0o022)


def _allows_others(path: Path, mode: int) -> bool:
    try:
        return hasattr(os, "getuid") and bool(path.stat().st_mode & mode)
    except OSError:
        return False


def _has_poll() -> bool:
    """`select.select` knows only the first 1,024 descriptors, except on Windows, which has no
    `poll`."""
    return hasattr(selectors, "PollSelector")


def _wait(connected: socket.socket, event: int, seconds: float) -> bool:
    with selectors.PollSelector() if _has_poll() else selectors.SelectSelector() as selector:
        selector.register(connected, event)
        return bool(selector.select(seconds))
