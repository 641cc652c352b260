"""The process apart on a machine that has less: `python poor_process.py WHAT process.py`.

Simulates what is known of other systems: "bare" has no `resource` and tells nobody what is held
(Windows, but for its own calls), "unlimited" none but tells it, "refusing" takes no limit of the
address space (macOS), "unnamed" has none of that name (OpenBSD), "closed" has no /proc, so that
nobody knows what of the address space is taken.
"""

import builtins
import runpy
import sys
from typing import Any


def take_away(what: str) -> None:
    if what in ("bare", "unlimited"):
        sys.modules["resource"] = None  # pyright: ignore[reportArgumentType]
    else:
        import resource

        kit: Any = resource
        set_limit = kit.setrlimit

        def refuse(kind: int, limits: tuple[int, int]) -> None:
            if kind == kit.RLIMIT_AS:
                raise ValueError("current limit exceeds maximum limit")
            set_limit(kind, limits)

        if what == "refusing":
            kit.setrlimit = refuse
        elif what == "unnamed":
            del kit.RLIMIT_AS
    if what in ("bare", "closed"):
        opened: Any = builtins.open

        def open_(file: Any, *rest: Any, **more: Any) -> Any:
            if str(file).startswith("/proc"):
                raise FileNotFoundError(file)
            return opened(file, *rest, **more)

        builtins.open = open_


if __name__ == "__main__":
    take_away(sys.argv[1])
    runpy.run_path(sys.argv[2], run_name="__main__")
