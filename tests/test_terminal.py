"""`dicom-mcp nodes`, `query` and `init`: what a person types, and what the terminal shows."""

import csv
import io
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp import cli
from dicom_mcp.config import load
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.hospital import hospital
from dicom_mcp.door.rows import names_of
from dicom_mcp.node import Basic, Node, WebNode
from dicom_mcp.standard.counted import counted
from dicom_mcp.standard.worklist import FIELDS
from dicom_mcp.terminal.init import init
from dicom_mcp.terminal.query import WORDS
from dicom_mcp.terminal.show import rows_as_csv, words
from dicom_mcp.terminal.table import lines_of
from dicom_mcp.tools import TOOLS
from dicom_mcp.tools.worklist import ARRIVED
from tests.asking import ask
from tests.bounds import PATIENCE
from tests.demo_hospital import TODAY
from tests.peers.embedded import embedded_web
from tests.peers.scripted import Peer, Talk, accept, hear_question, hold
from tests.ward import objects


def hostile() -> Iterator[Dataset]:
    """What must neither colour a terminal nor be taken for markup."""
    yield from objects()
    one = next(objects())
    one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID = "1.9.1", "1.9.2", "1.9.3"
    one.PatientID, one.PatientName = "evil", "[red]Eve[/red]\u202e"
    one.StudyDescription = "a\x1b[31mred"
    yield one


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with EmbeddedArchive(hostile(), ae_title="WARD") as archive:
        yield Node(port=archive.port, called_ae_title="WARD")


@pytest.fixture
def file(node: Node, tmp_path: Path) -> Iterator[str]:
    """Two nodes: the ward over DIMSE, and a part of it over DICOMweb with a password."""
    with embedded_web(list(objects())[:5]) as url:
        path = tmp_path / "config.toml"
        path.write_text(
            f'[nodes.ward]\nhost = "127.0.0.1"\nport = {node.port}\ncalled_ae_title = "WARD"\n'
            f'[nodes.web]\nurl = "{url}"\nusername = "me"\npassword_file = "secret"\n'
        )
        (tmp_path / "secret").write_text("ZZSECRET")
        yield str(path)


@pytest.fixture
def run(file: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Status, stdout and stderr of a command with that file."""

    def command(*arguments: str) -> tuple[int, str, str]:
        status: Any = 0
        try:
            cli.main(["--config", file, *arguments])
        except SystemExit as left:
            status = left.code
        said = capsys.readouterr()
        if isinstance(status, str):
            return 1, said.out, said.err + status
        return status or 0, said.out, said.err

    return command


type Run = Callable[..., tuple[int, str, str]]


def test_every_tool_that_answers_from_an_archive_has_a_word() -> None:
    asking = {one.function.__name__ for one in TOOLS if one.asks_archive}
    assert asking - {"verify_connection", "diagnose"} == set(WORDS)


def test_the_json_is_the_answer_an_assistant_gets(run: Run, node: Node) -> None:
    status, out, _ = run("query", "studies", "--patient-name", "Jane Doe", "--json")
    assert status == 0
    answer = json.loads(out)
    same = ask(node, "query_studies", patient_name="Jane Doe")
    assert answer["records"] == same["records"]
    assert answer["archive"]["node"] == "ward"


def test_the_table_has_the_records_and_says_whether_that_is_all(run: Run) -> None:
    status, out, err = run("query", "studies", "--patient-id", "007")
    assert (status, err) == (0, "")
    assert "2 rows, complete" in out
    assert "PatientName Doe^Jane" in out
    status, out, _ = run("query", "studies", "--limit", "1")
    assert status == 3
    assert "1 row, NOT COMPLETE" in out


def test_the_csv_has_rows_and_nothing_else(run: Run) -> None:
    status, out, err = run("query", "studies", "--limit", "2", "--csv")
    assert status == 3
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 2
    assert {"StudyInstanceUID", "PatientName"} <= rows[0].keys()
    assert "Not complete" in err


def test_text_of_an_archive_neither_colours_nor_marks_up(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    for form in ((), ("--csv",), ("--json",)):
        status, out, err = run("query", "studies", "--patient-id", "evil", *form)
        assert status == 0
        assert "\x1b" not in out + err
        assert not {"\u202e", "\x9b"} & set(out + err)
        assert "[red]Eve[/red]" in out
    assert json.loads(out)["records"][0]["PatientName"] == r"[red]Eve[/red]\u{202E}"


def test_a_question_can_go_to_all_or_to_an_address(run: Run, node: Node) -> None:
    _, out, _ = run("query", "studies", "--patient-id", "007", "--node", "all", "--json")
    assert json.loads(out)["archive"] == {"nodes": "ward, web"}
    address = f"WARD@127.0.0.1:{node.port}"
    _, out, _ = run("query", "studies", "--patient-id", "007", "--node", address, "--json")
    assert json.loads(out)["archive"]["node"] == address


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["studies", "--node", "nowhere"], 1, "there is no node 'nowhere'. Known: ward, web"),
        (["studies", "--node", "X@127.0.0.1:1"], 1, "connection refused"),
        (["studies", "--study-date", "someday"], 1, "is not a date"),
        (["studies", "--limit", "many"], 2, "--limit: Input should be a valid integer"),
        (["studies", "--limit", "501"], 2, "--limit: Input should be less than or equal to 500"),
        (["series"], 2, "required: study_instance_uid"),
        ([], 2, "required: WHAT"),
        (["studies", "--patient", "x"], 2, "ambiguous option: --patient"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_a_status(
    run: Run, arguments: list[str], status: int, told: str
) -> None:
    found, out, err = run("query", *arguments)
    assert (found, out) == (status, "")
    assert told in err


def test_lists_and_switches_are_options(run: Run) -> None:
    status, out, _ = run("query", "count", "--group-by", "modality", "--csv")
    assert status == 0
    assert out.startswith("modality,count\n")
    status, out, _ = run(
        *("query", "studies", "--additional-attributes", "StudyTime", "--json"),
        *("--exclude-attributes", "PatientName", "--patient-id", "007"),
    )
    assert "PatientName" not in json.dumps(json.loads(out)["records"])
    status, out, _ = run("query", "worklist", "--arrived", "--json")
    assert status == 0


@pytest.mark.parametrize("form", [["--csv"], ["--json"], []], ids=len)
def test_who_has_read_enough_may_close_the_pipe(node: Node, form: list[str]) -> None:
    where = f"WARD@127.0.0.1:{node.port}"
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "wb") as closed:
        done = subprocess.run(
            [*COMMAND, "query", "studies", "--patient-id", "007", "--node", where, *form],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX closes a stream with >&-")
@pytest.mark.parametrize(
    ("redirection", "status", "said"),
    [
        (">&-", 0, ""),
        (">&- 2>&-", 0, ""),
        (">/dev/full", 1, "dicom-mcp: No space left on device.\n"),
    ],
)
def test_a_stream_that_cannot_be_written_to_is_no_traceback(
    node: Node, redirection: str, status: int, said: str
) -> None:
    where = f"WARD@127.0.0.1:{node.port}"
    command = shlex.join([*COMMAND, "query", "studies", "--patient-id", "007", "--node", where])
    done = subprocess.run(
        ["sh", "-c", f"{command} {redirection}"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (status, said)


def test_an_interrupt_ends_a_question_that_hangs() -> None:
    heard = threading.Event()

    def tell(_: Talk) -> None:
        heard.set()

    with (
        Peer([accept, hear_question, tell, hold]) as peer,
        subprocess.Popen(
            [*COMMAND, "query", "studies", "--node", f"PEER@127.0.0.1:{peer.port}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "DICOM_TIMEOUT": str(10 * PATIENCE)},
        ) as process,
    ):
        assert heard.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130


COMMAND = [sys.executable, "-m", "dicom_mcp"]


def test_nodes_shows_what_is_in_force_and_no_secret(run: Run, file: str) -> None:
    status, out, _ = run("nodes")
    assert status == 0
    assert "ward" in out
    assert "signs_in as me" in " ".join(out.split())
    _, told, _ = run("nodes", "--json")
    assert json.loads(told)["from"] == file
    assert json.loads(told)["default"] == "ward"
    kinds = {one["node"]: one["speaks"] for one in json.loads(told)["nodes"]}
    assert kinds == {"ward": "DIMSE", "web": "DICOMweb"}
    assert "ZZ" not in out + told


def asked(*answers: str) -> Callable[[str, str], str]:
    """Somebody who gives these answers, one after another; "" is what is in brackets."""
    left = iter(answers)
    return lambda _, default: next(left) or default


def test_init_writes_a_file_that_loads_and_tries_each_node(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_PASSWORD", "ZZSECRET")
    path = tmp_path / "new" / "config.toml"
    with embedded_web(list(objects())) as url:
        status = init(
            str(path),
            asked(
                *("ASSISTANT", "ward", "dicom", "127.0.0.1", str(node.port), "WARD"),
                *("web", "dicomweb", url, "me", "WEB_PASSWORD"),
                *("dead", "", "127.0.0.1", "1", "", "leave"),
                *("kept", "", "127.0.0.1", "1", "", "keep"),
                *("wrong", "", "127.0.0.1", "99999", "", "keep", *("", ""), "1", "", "leave"),
                *("right.1", "", "127.0.0.1", "1", "WARD", "", *("", "", str(node.port), "")),
                *("ward", "", "nowhere", ""),
            ),
        )
    assert status == 0
    said = capsys.readouterr().out
    assert said.count("It answers") == 3
    assert said.count("connection refused") == 4
    assert "ward is there already" in said
    assert "port 99999 is not between" in said
    assert "ZZSECRET" not in said + path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load(str(path), dict(os.environ))
    assert list(settings.nodes) == ["ward", "web", "kept", "right.1"]
    ward, web = settings.nodes["ward"], settings.nodes["web"]
    assert isinstance(ward, Node)
    assert ward.calling_ae_title == "ASSISTANT"
    assert isinstance(web, WebNode)
    assert web.auth == Basic("me", "ZZSECRET")
    assert list(path.parent.iterdir()) == [path]
    for setting in ("timeout", "tls", "receiver", "character_set", "objects_from", "ca_file"):
        assert f"# {setting} = " in path.read_text()


def test_init_does_not_overwrite_what_nobody_said_may_go(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n")
    path.chmod(0o644)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    assert init(str(link), asked("no")) == 1
    assert path.read_text() == "# mine\n"
    answers = ("yes", "ME", "dead", "", "127.0.0.1", "1", "", "keep", "", "nonsense", "dead")
    assert init(str(link), asked(*answers)) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(load(str(path), {}).nodes) == ["dead"]


def test_init_keeps_a_node_whose_secret_only_the_assistant_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    url = "http://127.0.0.1:1/dicom-web"
    answers = ("", "web", "dicomweb", url, "me", "NOT_HERE", "keep", "", "")
    assert init(str(path), asked(*answers)) == 0
    assert "the environment variable NOT_HERE is not set. It can not be tried." in (
        capsys.readouterr().out
    )
    assert load(str(path), {"NOT_HERE": "x"}).nodes["web"].host == "127.0.0.1"


def test_init_says_of_a_title_that_it_cannot_be_before_any_node(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = ("A TITLE THAT IS TOO LONG", "ME", "a", "", "h", "1", "", "leave")
    with pytest.raises(StopIteration):  # nobody answers any more
        init(str(tmp_path / "config.toml"), asked(*answers))
    assert "has 24 characters" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1, max_size=6), st.text(max_size=6))
def test_whatever_is_typed_is_refused_in_words_or_makes_a_file_that_loads(
    name: str, title: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        typed = asked("", name, "", "127.0.0.1", "1", title, "keep", "", "")
        with suppress(StopIteration):  # "keep" was refused, and nobody answers any more
            init(str(path), typed)
            assert list(load(str(path), {}).nodes) == [name]
        assert [one.name for one in Path(folder).iterdir()] in ([], [path.name])


def test_a_person_at_a_terminal_can_correct_what_was_mistyped(node: Node, tmp_path: Path) -> None:
    try:
        ours, theirs = os.openpty()
    except OSError:
        pytest.skip("no pseudo-terminals here")
    path = tmp_path / "config.toml"
    typed = ["", "ward", "", "127.0.0.1", "1", "WARD", "", *("", "", str(node.port), ""), "", ""]
    with subprocess.Popen(
        [*COMMAND, "--config", str(path), "init"], stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in typed).encode())
        said = b""
        with suppress(OSError):  # how a terminal ends on Linux
            while more := os.read(ours, 4096):
                said += more
        assert process.wait(30) == 0
    os.close(ours)
    assert b"[1]: " in said  # what was typed before, in brackets
    assert b"It answers" in said
    assert load(str(path), {}).node.port == node.port


def test_init_that_is_left_halfway_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    done = subprocess.run(
        [*COMMAND, "--config", str(path), "init"],
        input="ASSISTANT\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Nothing was written" in done.stderr
    assert not path.exists()


def test_a_value_that_a_spreadsheet_would_run_is_text_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {"a": "=cmd|' /C calc'!A0", "b": "-5", "c": "@x", "d": "+1e5", "e": "\uff1dcmd"}
    rows_as_csv({"records": [row]})
    assert capsys.readouterr().out == "a,b,c,d,e\n'=cmd|' /C calc'!A0,-5,'@x,+1e5,'\uff1dcmd\n"


# What fits, what stays whole, what is a sentence


def test_tables_fit_and_uids_stay_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (80, 60, 24):
        monkeypatch.setenv("COLUMNS", str(columns))
        for arguments in (("studies",), ("studies", "--attribute-preset", "extended"), ("count",)):
            _, out, _ = run("query", *arguments)
            long = [line for line in out.splitlines() if len(line.rstrip()) > columns]
            assert all("UID" in line for line in long), long
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("query", "studies", "--patient-id", "007", "--json")
    uids = [record["StudyInstanceUID"] for record in json.loads(out)["records"]]
    _, out, _ = run("query", "studies", "--patient-id", "007")
    assert uids
    assert all(f"StudyInstanceUID {uid}\n" in out for uid in uids)


def test_a_heading_is_broken_between_words_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("query", "studies", "--patient-id", "007")
    words = set(out.partition("─")[0].split())
    assert {"Study", "Date", "Description"} <= words


def test_csv_of_nothing_has_no_row_and_the_same_columns(run: Run) -> None:
    _, full, _ = run("query", "studies", "--patient-id", "007", "--csv")
    status, empty, err = run("query", "studies", "--patient-id", "nobody", "--csv")
    assert status == 0
    assert empty == full.splitlines(keepends=True)[0]
    assert "matches these keys" in err
    _, one, _ = run("query", "count", "--group-by", "modality,station", "--csv")
    _, none, _ = run(
        *("query", "count", "--group-by", "modality", "--group-by", "station"),
        *("--patient-id", "nobody", "--csv"),
    )
    assert none == one.splitlines(keepends=True)[0] == "modality,StationName,count\n"


@pytest.mark.parametrize(
    "question",
    [
        ("timeline", "--patient-id"),
        ("timeline", "--prior-to", "last", "--patient-id"),
    ],
)
def test_a_timeline_of_nobody_has_the_columns_of_any(question: tuple[str, ...], run: Run) -> None:
    _, full, _ = run("query", *question, "007", "--csv")
    _, empty, _ = run("query", *question, "nobody", "--csv")
    assert empty == full.splitlines(keepends=True)[0]
    assert len(next(csv.reader([empty]))) >= 15


def test_a_worklist_of_nothing_has_the_columns_of_any() -> None:
    known = {*names_of(FIELDS), *ARRIVED}
    with EmbeddedArchive([], ae_title="WARD", worklist=hospital(TODAY).worklist()) as archive:
        node = Node(port=archive.port, called_ae_title="WARD")
        for date in (f"{TODAY:%Y%m%d}", "19000101"):
            answer = ask(node, "query_worklist", date=date, arrived=True)
            assert answer["common"].keys() | {*chain(*answer["records"])} <= known


def test_what_is_required_can_be_an_option_too(run: Run) -> None:
    _, out, _ = run("query", "studies", "--patient-id", "007", "--json")
    uid = json.loads(out)["records"][0]["StudyInstanceUID"]
    _, word, _ = run("query", "series", uid, "--json")
    _, option, _ = run("query", "series", "--study-instance-uid", uid, "--json")
    assert json.loads(word)["records"] == json.loads(option)["records"] != []


def test_no_failure_is_a_traceback(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("ZZSECRET")

    monkeypatch.setattr("dicom_mcp.terminal.query.show", fail)
    status, _, err = run("query", "studies")
    assert status == 1
    assert "LookupError at test_terminal.py" in err
    assert "ZZSECRET" not in err
    monkeypatch.undo()
    file = tmp_path / "a file"
    file.touch()
    status, _, err = run("--config", str(file / "config.toml"), "nodes")
    assert status == 1
    assert "cannot be read" in err


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "serve", "--http", str(port)], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"port {port} of this machine cannot be listened on" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_shows_each_step_when_it_was_taken_and_stops_at_an_interrupt() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        subprocess.Popen(
            [*COMMAND, "doctor", f"PEER@127.0.0.1:{silent.getsockname()[1]}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        while not process.stdout.readline().startswith("TCP"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [
        (1, "picture", "1 picture"),
        (2, "picture", "2 pictures"),
        (0, "study", "0 studies"),
        (1, "series", "1 series"),
        (1200, "match", "1,200 matches"),
        (2, "more study", "2 more studies"),
    ],
)
def test_nouns_are_counted_as_people_do(count: int, noun: str, told: str) -> None:
    assert counted(count, noun) == told


def test_the_first_one_is_one(run: Run) -> None:
    _, out, _ = run("query", "studies", "--limit", "1")
    assert "this is the first study the archive gave" in " ".join(out.split())


def test_what_is_nested_stands_below_its_row_with_its_uids_whole() -> None:
    uid = "2.25.242807274853596578092237367822727121557"
    row = {"Modality": "CT", "series": [{"SeriesInstanceUID": uid, "differs": {"a": 1, "b": 2}}]}
    for width in (80, 60):
        lines = lines_of([row], words, width)
        assert max(map(len, lines)) <= width
        assert any(uid in line for line in lines)
        assert lines[0] == "Modality"
