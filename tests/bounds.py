"""Ends to what a test waits for, and what it may leave behind."""

import gc
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

# Seconds after which something that should have ended has not, on a machine under a load of ten
# too: what ends at all ends long before.
PATIENCE = 120


def in_time[T](work: Callable[[], T]) -> T:
    """What `work` returns or raises, or a failure when it does not end."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it never ended"
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def nothing_left_behind() -> Generator[None]:
    """Afterwards the same threads run and the same files and sockets are open as before."""
    gc.collect()
    threads, files = set(threading.enumerate()), _open_files()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), thread.name
    assert _open_files() <= files


def _open_files() -> int:
    """But for pipes, which only the processes have that wait to decode what comes next. Where the
    system does not tell (macOS, Windows), none."""
    folder = "/proc/self/fd"
    if not os.path.isdir(folder):
        return 0
    opened = 0
    for number in os.listdir(folder):
        with suppress(OSError):  # the listing itself
            opened += not os.readlink(f"{folder}/{number}").startswith("pipe:")
    return opened
