"""The console command: serve (default), init, connect, nodes, doctor, query, demo."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from io import TextIOWrapper

from . import journal
from .config import VARIABLES, Settings, exposures, load, wants_demo
from .errors import BadConfiguration, DicomMcpError
from .node import Node, WebNode
from .privacy.settings import PrivacySettings
from .privacy.treatment import Mode
from .setting import TOOLSETS, some_toolsets
from .terminal.privacy import add_privacy

# Said to a person who started the server by hand.
_ALONE = """\
dicom-mcp waits for an assistant on stdin; Ctrl-C ends it.
To see it answer: dicom-mcp demo, whose end shows how to connect an assistant.
"""

_ON_HTTP = """\
dicom-mcp waits for assistants on http://127.0.0.1:{port}/mcp; Ctrl-C ends it.
"""

_CONNECT = """\
Connect your own assistant to this archive: dicom-mcp connect --demo
It finds the assistants on this machine, shows what it would write, and asks. Or by hand:
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; leaves through SystemExit with its status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&-: nobody reads it
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as we run
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # Windows' code page, or ASCII, lacks most names
            stream.reconfigure(errors="backslashreplace")
    with _failing_in_words():
        chosen = _parser(arguments).parse_args(arguments)
        journal.to_stderr(debug=chosen.debug)
        chosen.run(chosen)


@contextmanager
def _failing_in_words() -> Generator[None]:
    """Whatever goes wrong is a sentence and a status, never a traceback."""
    try:
        yield
        sys.stdout.flush()
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):  # as rich ends where `head` does
            _stop_writing()
            sys.exit(0)
        if reason := _unwritable():
            _stop_writing()
            if isinstance(reason, BrokenPipeError):
                raise
            sys.exit(f"dicom-mcp: {reason.strerror}.")
        raise
    except DicomMcpError as error:
        sys.exit(f"dicom-mcp: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if _unwritable():
            _stop_writing()
        if isinstance(error, BrokenPipeError):  # whoever reads has seen enough
            sys.exit(0)
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"dicom-mcp: {where}{error.strerror or type(error).__name__}.")
    except Exception as error:
        sys.exit(
            f"dicom-mcp: it failed inside itself ({journal.places(error)}). This is a defect of "
            "dicom-mcp; its makers should see this line."
        )


def _unwritable() -> OSError | None:
    """Why what is left cannot be written: nobody reads any more, as behind `head`, or a full
    disk."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return error
    return None


def _stop_writing() -> None:
    """What is left is not written when Python ends, which would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def command_line() -> argparse.ArgumentParser:
    """The whole command line, as its completion and its manual need it."""
    return _parser(["query"])


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    variables = "\n".join(f"  {name:26}{meaning}" for name, meaning in VARIABLES.items())
    parser = argparse.ArgumentParser(
        prog="dicom-mcp",
        description="An MCP server that lets an AI assistant question a DICOM archive.",
        epilog=f"Environment:\n{variables}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("dicom-archive-mcp"))
    parser.add_argument(
        "--config", metavar="FILE", default="", help="TOML file that names archives"
    )
    parser.add_argument("--debug", action="store_true", help="log every call to stderr")
    parser.set_defaults(
        run=_serve, in_force=_in_force, demo=False, http="", without=None, privacy=""
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    _add_serve(commands.add_parser("serve", help="be the MCP server (the default)"))

    nodes = commands.add_parser("nodes", help="show which archives are configured")
    nodes.add_argument("--json", action="store_true", help="as JSON")
    nodes.set_defaults(run=_nodes)

    commands.add_parser("init", help="write a configuration file by asking").set_defaults(run=_init)

    _add_doctor(
        commands.add_parser("doctor", help="find out what is wrong, and what an archive can do")
    )

    query = commands.add_parser("query", help="ask as an assistant would, and see the answer")
    if "query" in arguments:  # importing the tools takes half a second
        from .terminal.query import add_commands

        add_commands(query)

    connect = commands.add_parser(
        "connect", help="have the assistants on this machine start dicom-mcp"
    )
    _add_connect(connect)

    index = commands.add_parser(
        "index", help="keep what an archive holds, to ask all of it at once"
    )
    _add_index(index)

    add_privacy(commands)

    completion = commands.add_parser(
        "completion", help="print what completes commands in a shell: source it there"
    )
    completion.add_argument("shell", choices=["bash", "zsh"])
    completion.set_defaults(run=_completion)

    demo = commands.add_parser("demo", help="ask the demo archive some questions and show them")
    demo.add_argument(
        "--keep", action="store_true", help="leave the archive running for other DICOM tools"
    )
    demo.set_defaults(run=_demo)
    return parser


def _add_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--demo", action="store_true", help="with the embedded demo archive")
    serve.add_argument(
        "--http", metavar="PORT", type=_port, help="on http://127.0.0.1:PORT/mcp instead of stdio"
    )
    serve.add_argument(
        "--without",
        metavar="TOOLSET",
        action="append",
        help="do not offer it to assistants (may be repeated): " + ", ".join(TOOLSETS),
    )
    serve.add_argument(
        "--privacy",
        metavar="MODE",
        choices=[*Mode],
        help=f"what assistants may know of patients: {', '.join(Mode)}",
    )
    serve.set_defaults(run=_serve)


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument(
        "node",
        nargs="?",
        default="",
        help="a name of `dicom-mcp nodes`, TITLE@host:port, or the URL of a DICOMweb server "
        "(default: every node)",
    )
    doctor.add_argument("--json", action="store_true", help="as JSON")
    doctor.set_defaults(run=_doctor)


def _add_connect(connect: argparse.ArgumentParser) -> None:
    connect.add_argument(
        "assistants",
        nargs="*",
        metavar="ASSISTANT",
        help="claude-desktop, claude-code, cursor, vs-code, zed or windsurf (default: all that are "
        "found here)",
    )
    connect.add_argument("--demo", action="store_true", help="with the demo archives behind it")
    connect.add_argument("--undo", action="store_true", help="take it out again")
    connect.add_argument("--yes", action="store_true", help="change without asking")
    connect.set_defaults(run=_connect)


def _add_index(index: argparse.ArgumentParser) -> None:
    verbs = index.add_subparsers(title="verbs", metavar="VERB", required=True)
    for verb, said in _VERBS.items():
        parser = verbs.add_parser(verb, help=said)
        parser.add_argument("node", nargs="?", default="", help="its name (default: every node)")
        parser.set_defaults(run=_index, verb=verb)
        if verb == "sync":
            parser.add_argument("--keep-going", action="store_true", help="until Ctrl-C")
        if verb == "check":
            parser.add_argument("--days", type=int, default=30, help="how many (default: 30)")


_VERBS = {
    "sync": "fill it, or bring it up to date",
    "status": "show what it covers",
    "check": "ask the archive again for some days, and compare",
    "drop": "remove it",
}


def _port(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1 and 65535")


@contextmanager
def _in_force(chosen: argparse.Namespace) -> Generator[Settings]:
    """The archives that are asked: the operator's, or while this runs those of the demo."""
    settings = load(chosen.config, shared=bool(chosen.http))
    if not (chosen.demo or wants_demo()):
        yield settings
        return
    from .demo.awaited import PACS, awaited_archives

    with awaited_archives() as ((host, port), url):
        node = Node(host, port, PACS, name="pacs")
        yield replace(settings, node=node, others=(WebNode(url, name="vna"),), file=None)


def _serve(chosen: argparse.Namespace) -> None:
    off = some_toolsets(name for names in chosen.without or () for name in names.split(","))
    with _in_force(chosen) as settings:
        settings = replace(settings, toolsets_off=settings.toolsets_off | off)
        if chosen.privacy:
            privacy = settings.privacy or PrivacySettings()
            settings = replace(settings, privacy=replace(privacy, mode=Mode(chosen.privacy)))
        for told in exposures(settings):
            journal.log.warning("%s", told)
        gc.disable()  # looking through what is imported for garbage takes a tenth of the start
        import anyio

        from . import stdio
        from .machine import give_back_memory
        from .server import create_server

        give_back_memory()
        server = create_server(settings)
        gc.freeze()
        gc.enable()
        if not chosen.http:
            if sys.stdin.isatty():
                sys.stderr.write(_ALONE)
            # The SDK reads stdin in a thread no exception reaches: Ctrl-C would wait for a line.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            anyio.run(stdio.serve, server)
            return
        _check_free(chosen.http)
        from mcp.server.transport_security import TransportSecuritySettings

        # Loopback only, and only for pages that name it so: a web page must not reach it.
        names = [f"127.0.0.1:{chosen.http}", f"localhost:{chosen.http}"]
        sys.stderr.write(_ON_HTTP.format(port=chosen.http))
        server.run(
            "streamable-http",
            host="127.0.0.1",
            port=chosen.http,
            transport_security=TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=names,
                allowed_origins=[f"http://{name}" for name in names],
            ),
        )


def _check_free(port: int) -> None:
    """Raise BadConfiguration for a port that cannot be listened on; the SDK would only log it."""
    import socket

    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise BadConfiguration(
            f"port {port} of this machine cannot be listened on: {os.strerror(error.errno or 0)}",
            "Name another one: serve --http PORT",
        ) from None


def _nodes(chosen: argparse.Namespace) -> None:
    from .terminal.nodes import show_nodes

    with _in_force(chosen) as settings:
        show_nodes(settings, demo=wants_demo(), json=chosen.json)


def _init(chosen: argparse.Namespace) -> None:
    from .terminal.init import init

    sys.exit(init(chosen.config))


def _doctor(chosen: argparse.Namespace) -> None:
    from .terminal.doctor import doctor

    with _in_force(chosen) as settings:
        sys.exit(doctor(chosen.node, settings, as_json=chosen.json))


def _connect(chosen: argparse.Namespace) -> None:
    from .terminal.ask import asked
    from .terminal.connect import connect

    sys.exit(
        connect(
            chosen.assistants,
            chosen.config,
            demo=chosen.demo,
            undo=chosen.undo,
            yes=chosen.yes,
            ask=asked,
        )
    )


def _index(chosen: argparse.Namespace) -> None:
    from .terminal import index

    if chosen.verb == "sync":
        sys.exit(index.sync(chosen.config, chosen.node, keep_going=chosen.keep_going))
    if chosen.verb == "check":
        sys.exit(index.check(chosen.config, chosen.node, chosen.days))
    sys.exit(
        {"status": index.status, "drop": index.remove}[chosen.verb](chosen.config, chosen.node)
    )


def _completion(chosen: argparse.Namespace) -> None:
    import shtab

    sys.stdout.write(shtab.complete(command_line(), chosen.shell) + "\n")


def _demo(chosen: argparse.Namespace) -> None:
    if chosen.keep:
        from .demo.loopback import keep

        sys.exit(keep())
    from .demo.walk import walk
    from .terminal.connect import show_clients
    from .terminal.show import words
    from .terminal.table import lines_of

    status = walk(lambda rows, width: lines_of(rows, words, width))
    sys.stdout.write(_CONNECT)
    show_clients(demo=True)
    sys.exit(status)
