"""What libraries in C do to the process apart, they do not do to us."""

import os
import re
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import JPEGBaseline8Bit

from dicom_mcp.budgets import MOST_TOGETHER
from dicom_mcp.content import apart as module
from dicom_mcp.content.apart import Apart, Failed
from dicom_mcp.content.error import ContentError
from dicom_mcp.content.frame import render
from dicom_mcp.content.pdf import text as read_pdf
from dicom_mcp.content.room import Room
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.reports import pdf
from dicom_mcp.errors import Cancelled, DeadlinePassed
from tests.bounds import PATIENCE
from tests.content.samples import PYDICOM, image
from tests.pace import within

LETTER = pdf(["Demo Hospital"])
ROOM = 64 << 20


def test_one_process_serves_several_wishes() -> None:
    with Apart() as apart:
        pids = set[int]()
        for _ in range(3):
            facts, _ = apart.ask("text", LETTER, memory=ROOM, pages=1, characters=100)
            assert facts["pages"][0]["text"] == "Demo Hospital"
            pids.add(_pid(apart))
        assert len(pids) == 1
    assert not _is_alive(pids.pop())


@pytest.mark.parametrize("program", ["exit 3", "echo nonsense", "kill -ABRT $$", "cat > /dev/null"])
def test_a_process_that_fails_is_a_failure_and_not_the_end_of_us(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _instead(program, monkeypatch, tmp_path)
    with Apart(patience=2) as apart, pytest.raises(Failed, match=r"crashed|slow"):
        apart.ask("text", LETTER, memory=ROOM)


@pytest.mark.parametrize("program", ["", "#!/bin/sh\nexit 3", "#!/bin/sh\necho no Python here"])
def test_a_process_that_does_not_begin_says_nothing_of_the_object(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "python"
    if program:
        path.write_text(program)
        path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    with pytest.raises(ContentError, match=r"The PDF cannot be read here: .* this machine"):
        read_pdf(LETTER)
    with (
        Apart() as apart,
        pytest.raises(ContentError, match=r"The frame \(JPEG.*\) cannot be read here: .* machine"),
    ):
        render(dcmread(PYDICOM / "JPGExtended.dcm"), apart=apart)


def test_a_library_that_does_not_load_says_nothing_of_the_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_packages", list[str])
    with pytest.raises(ContentError, match="library for it is missing"):
        read_pdf(LETTER)
    with Apart() as apart, pytest.raises(ContentError, match="library for it is missing"):
        render(dcmread(PYDICOM / "JPGExtended.dcm"), apart=apart)


def test_where_the_system_bounds_no_memory_the_process_does(tmp_path: Path) -> None:
    """macOS refuses RLIMIT_AS with ValueError, Windows has no module for it."""
    script = Path(module.__file__).parent / "outside" / "process.py"
    program = tmp_path / "limited.py"
    program.write_text(
        "import resource, runpy\n"
        "def refuse(what, most): raise ValueError\n"
        "resource.setrlimit = refuse\n"
        f"held = runpy.run_path({str(script)!r})\n"
        "held['Bounds'](300).allow(200 << 20)\n"
        "print('begun', flush=True)\n"
        "kept = []\n"
        "while len(kept) < 4000:\n"
        "    kept.append(bytearray(b'x' * (1 << 20)))\n"
    )
    ended = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (module.OUT_OF_MEMORY, "begun\n"), ended.stderr


@pytest.mark.parametrize("what", ["bare", "unlimited", "refusing", "unnamed", "closed"])
def test_what_a_machine_lacks_is_no_damage_of_an_object(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tests/poor_process.py says which machines these are."""
    setting, *command = module._command()  # pyright: ignore[reportPrivateUsage]
    poor = str(Path(__file__).parents[1] / "poor_process.py")
    start = [setting, *command[:-1], poor, what, command[-1]]
    monkeypatch.setattr(module, "_command", lambda: start)
    assert "Demo Hospital" in str(read_pdf(LETTER))
    with Apart() as apart:
        assert render(dcmread(PYDICOM / "JPGExtended.dcm"), apart=apart)
        # "bare" has nothing to hold it to a bound; "closed" reads the most that was ever held, on
        # Linux by whoever started it too.
        if what not in ("bare", "closed"):
            with pytest.raises(Failed, match="memory"):
                apart.ask("inflate", _bomb(400), memory=40 << 20, most=1 << 30)


def test_after_a_failure_there_is_a_new_process() -> None:
    with Apart() as apart:
        apart.ask("text", LETTER, memory=ROOM, pages=1, characters=100)
        first = _pid(apart)
        os.kill(first, 9)
        with pytest.raises(Failed, match="crashed"):
            apart.ask("text", LETTER, memory=ROOM, pages=1, characters=100)
        apart.ask("text", LETTER, memory=ROOM, pages=1, characters=100)
        assert _pid(apart) != first


def test_a_process_that_does_not_end_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _instead("exec sleep 60", monkeypatch, tmp_path)
    with within(15):
        with Apart(patience=0.3) as apart, pytest.raises(Failed, match="slow"):
            apart.ask("text", LETTER, memory=ROOM)
        with Apart(Deadline(3.0)) as apart, pytest.raises(Failed, match="slow"):
            apart.ask("text", LETTER, memory=ROOM)


def test_cancelling_the_call_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _instead("exec sleep 60", monkeypatch, tmp_path)
    deadline = Deadline(PATIENCE)
    threading.Timer(0.1, deadline.cancel).start()
    with within(5), Apart(deadline) as apart, pytest.raises(Cancelled):
        apart.ask("text", LETTER, memory=ROOM)


def test_an_answer_longer_than_allowed_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _instead("cat /dev/zero", monkeypatch, tmp_path)
    monkeypatch.setattr(module, "LARGEST_ANSWER_APART", 1 << 20)
    with Apart(patience=5) as apart, pytest.raises(Failed, match="crashed"):
        apart.ask("text", LETTER, memory=ROOM)


def test_the_process_sees_nothing_of_our_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DICOM_PASSWORD", "ZZSECRET")
    seen = tmp_path / "environment"
    _instead("exit", monkeypatch, tmp_path, first=f"/usr/bin/env >> {seen}")
    with Apart() as apart, pytest.raises(Failed):
        apart.ask("text", LETTER, memory=ROOM)
    assert "OPENBLAS" in seen.read_text()
    assert "ZZSECRET" not in seen.read_text()


def test_an_image_that_makes_its_decoder_abort_is_refused() -> None:
    """gdcm ends its process over some damaged 12-bit JPEGs: a C++ exception nobody catches."""
    dataset = dcmread(PYDICOM / "JPGExtended.dcm")
    whole = get_frame(dataset.PixelData, 0, number_of_frames=1)
    random = np.random.default_rng(1)
    refused = 0
    with Apart() as apart:
        for _ in range(60):
            damaged = bytearray(whole)
            for place in random.integers(20, 500, 10):
                damaged[place] = random.integers(256)
            dataset.PixelData = encapsulate([bytes(damaged)])
            try:
                render(dataset, apart=apart)
            except ContentError:
                refused += 1
        dataset.PixelData = encapsulate([whole])
        assert render(dataset, apart=apart).pixels.max() == 255
    assert refused > 10


def test_a_frame_of_12_bits_that_is_called_baseline_is_shown_or_refused_in_words() -> None:
    dataset = dcmread(PYDICOM / "JPGExtended.dcm")
    right = render(dataset).pixels
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1).replace(b"\xff\xc1", b"\xff\xc0")
    dataset.PixelData = encapsulate([frame])
    with suppress(ContentError):
        assert (render(dataset, transfer_syntax=JPEGBaseline8Bit).pixels == right).all()


def test_a_jpeg_of_scans_without_end_is_stopped_and_said_to_be() -> None:
    file = BytesIO()
    Image.new("L", (1024, 1024), 128).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    scan = content[content.rfind(b"\xff\xda") : -2]
    dataset = image(np.zeros((1024, 1024), "u1"))
    dataset.PixelData = encapsulate([content[:-2] + scan * 20_000 + content[-2:]])
    dataset["PixelData"].VR = "OB"
    with within(10), Apart(Deadline(1)) as apart, pytest.raises(ContentError, match="was stopped"):
        render(dataset, transfer_syntax=JPEGBaseline8Bit, apart=apart)


def test_a_decoder_that_takes_more_memory_than_its_frame_needs_is_stopped_and_said_to_be() -> None:
    wish = {"rows": 5000, "columns": 5000, "raw": False}
    file = BytesIO()
    Image.new("L", (5000, 5000)).save(file, "JPEG")
    with Apart() as apart:
        with pytest.raises(Failed, match="memory"):
            apart.ask("jpeg", file.getvalue(), memory=10 << 20, **wish)
        _, (values,) = apart.ask("jpeg", file.getvalue(), memory=100 << 20, **wish)
    assert len(values) == 25_000_000


def test_what_can_never_have_the_room_it_needs_is_refused_before_it_is_tried() -> None:
    with Apart() as apart, pytest.raises(Failed, match="memory"):
        apart.ask("openjpeg", b"", memory=MOST_TOGETHER, least=MOST_TOGETHER)


def test_there_are_no_more_processes_than_may_be() -> None:
    room = Room(processes=2)
    room.enter("first", Deadline(5))
    room.enter("second", Deadline(5))
    with pytest.raises(DeadlinePassed):
        room.enter("third", Deadline(0.2))
    waiting = Deadline(60)
    threading.Timer(0.1, waiting.cancel).start()
    with within(5), pytest.raises(Cancelled):
        room.enter("third", waiting)


def test_a_process_that_only_waits_gives_its_place_to_one_that_has_something_to_do() -> None:
    room, ended = Room(processes=1), list[str]()
    room.enter("first", Deadline(5))
    room.leave("first", lambda: ended.append("first"))
    room.enter("second", Deadline(5))
    assert ended == ["first"]
    room.forget("first")
    assert ended == ["first"]


def _instead(
    program: str, monkeypatch: pytest.MonkeyPatch, folder: Path, *, first: str = ""
) -> None:
    """This shell program instead of the interpreter, with what it does `first`, before it says
    that it is ready."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{first}\necho ready\n{program}\n")
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))


def _pid(apart: Apart) -> int:
    process = apart._process  # pyright: ignore[reportPrivateUsage]
    assert process
    return process.pid


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _bomb(mebibytes: int) -> bytes:
    """So many, deflated."""
    deflating = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    piece = deflating.compress(bytes(1 << 20)) + deflating.flush(zlib.Z_FULL_FLUSH)
    return piece * mebibytes


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="this system does not tell")
def test_a_process_that_has_looked_at_anything_can_write_no_file() -> None:
    with Apart() as apart:
        with suppress(Failed):
            apart.ask("rle", b"", memory=1 << 20, rows=1, columns=1, bits=8)
        pid = _pid(apart)
        limits = Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^Max file size +0 +0 ", limits, re.MULTILINE)
