"""From process start to the first answered tools/list, against a bare SDK server with one tool.

`python -m benchmarks.startup`; the goal is at most 1.2 times the bare server, with the demo
archives behind it too.
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
    """Run them in turn and print the medians, and the ratios to the bare server."""
    commands = {
        "bare SDK": [sys.executable, "-c", _BARE],
        "dicom-mcp": [sys.executable, "-m", "dicom_mcp"],
        "with --demo": [sys.executable, "-m", "dicom_mcp", "serve", "--demo"],
    }
    rounds = [
        {name: _seconds(command) for name, command in commands.items()} for _ in range(ROUNDS)
    ]
    for name in commands:
        seconds = median(times[name] for times in rounds)
        ratio = median(times[name] / times["bare SDK"] for times in rounds)
        print(f"{name:12}{seconds:.3f} s, {ratio:.2f} times the bare SDK (goal 1.2)")


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
