"""From process start to the first answered tools/list, against a bare SDK server with one tool.

`python -m benchmarks.startup`; the goal is at most 1.5 times the bare server.
"""

import json
import subprocess
import sys
from statistics import median
from time import perf_counter

ROUNDS = 7

_BARE = """
from mcp.server import MCPServer
server = MCPServer("bare")
@server.tool()
def double(number: int) -> int:
    return 2 * number
server.run("stdio")
"""

HELLO = (
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "benchmark", "version": "1"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
)


def main() -> None:
    """Run both in turn and print the medians and their ratio."""
    ours = [sys.executable, "-m", "dicom_mcp"]
    bare = [sys.executable, "-c", _BARE]
    pairs = [(_seconds(ours), _seconds(bare)) for _ in range(ROUNDS + 1)][1:]
    print(f"dicom-mcp {median(a for a, _ in pairs):.3f} s")
    print(f"bare SDK  {median(b for _, b in pairs):.3f} s")
    print(f"ratio     {median(a / b for a, b in pairs):.2f} (goal 1.5)")


def _seconds(command: list[str]) -> float:
    start = perf_counter()
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        for message in HELLO:
            server.stdin.write(json.dumps(message) + "\n")
            server.stdin.flush()
            if "id" in message:
                assert "result" in json.loads(server.stdout.readline())
        seconds = perf_counter() - start
        server.stdin.close()
        server.wait(10)
    return seconds


if __name__ == "__main__":
    main()
