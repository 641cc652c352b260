"""What comes over stdin and is no message: whoever can be told apart is answered."""

import json
import threading
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.stdio import HANDSHAKES, Child, child

# Requests with "A" or the like as their id that are none, and the id that is answered.
DEEP = "[" * 100_000 + "]" * 100_000
BROKEN: dict[str, tuple[str, object]] = {
    "half a character in an argument": (r'"id":"A","method":"a","params":{"b":"\ud800"}', "A"),
    "the other half": (r'"id":"A","method":"a","params":{"b":"x\udc00y"}', "A"),
    "halves in the wrong order": (r'"id":"A","method":"a","params":{"b":"\udc00\ud800"}', "A"),
    "half a character in a name": (r'"id":"A","method":"a","params":{"\ud800":1}', "A"),
    "half a character in the method": (r'"id":7,"method":"tools/\udfff"', 7),
    "half a character in the id": (r'"id":"A\ud800","method":"a"', "A\ud800"),
    "half a character before the id": (r'"method":"tools/\udfff","id":"A"', "A"),
    "half a character in an unknown member": (r'"x":["\ud800"],"id":"A","method":"a"', "A"),
    "half a character in UTF-8": ('"id":"A","method":"a\udcff"', "A"),
    "a control character": ('"id":"A","method":"a\x01"', "A"),
    "nested too deeply": (f'"id":"A","method":"a","params":{{"b":{DEEP}}}', "A"),
    "a number of 5,000 digits": (f'"id":"A","method":"a","params":{{"b":{"9" * 5000}}}', "A"),
    "params that are a list": ('"id":"A","method":"a","params":[]', "A"),
    "an id within params": ('"method":"a","params":{"id":3,"b":[]},"id":"A","method":1', "A"),
    "a method that is a number": ('"id":-3,"method":5', -3),
    "no method": ('"id":"A"', "A"),
    "an id that is no whole number": ('"id":1.5,"method":"a"', 1.5),
    "a comma too much": ('"id":"A","method":"a",', "A"),
    "an id that is nothing": ('"id":null,"method":"a"', None),
    "an id that is a list": ('"id":[1],"method":"a"', None),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Child]:
    with child(DICOM_PORT="1") as running:
        running.initialize(HANDSHAKES[-1])
        yield running


@pytest.mark.parametrize("name", BROKEN)
def test_a_request_that_is_none_is_answered_with_what_is_wrong(server: Child, name: str) -> None:
    line, id_ = BROKEN[name]
    server.write(f'{{"jsonrpc":"2.0",{line}}}'.encode(errors="surrogateescape"))
    answer = server.answer(id_)
    assert "was not carried out" in answer["error"]["message"]
    assert server.request("ping")["result"] == {}


def test_a_line_without_an_end_and_one_of_another_encoding_are_answered(server: Child) -> None:
    server.write(b'{"jsonrpc":"2.0","id":"E","method":"a","params":{"b":[{')
    assert server.answer("E")["error"]["code"] == -32700
    server.write('{"jsonrpc":"2.0","id":"F","method":"Müller"}'.encode("latin-1"))
    assert "not UTF-8" in server.answer("F")["error"]["message"]
    server.write(b"[[[")
    assert server.answer(None)["error"]["code"] == -32700


def test_each_request_of_a_batch_is_answered(server: Child) -> None:
    ping = r'{"jsonrpc":"2.0","id":"%s","method":"ping","params":{"a":"%s"}}'
    for first, second, half in (("G", "H", "x"), ("I", "J", r"\ud800")):
        server.write(f"[{ping % (first, half)},{ping % (second, 'x')}]".encode())
        answers = {answer["id"]: answer for answer in (server.heard(), server.heard())}
        assert ("error" in answers[first]) == (half != "x")
        assert answers[second]["result"] == {}


def test_who_waits_for_nothing_is_not_answered(server: Child) -> None:
    for line in ("", "  ", r'{"jsonrpc":"2.0","id":9,"result":"\ud800"}'):
        server.write(line.encode())
    server.write(b'{"jsonrpc":"2.0","method":"notifications/x","params":[]}')
    ping = server.send("ping")
    assert server.heard()["id"] == ping


def test_the_first_line_may_be_none() -> None:
    with child(DICOM_PORT="1") as server:
        server.write(rb'{"jsonrpc":"2.0","id":"A","method":"initialize\ud800"}')
        assert "was not carried out" in server.answer("A")["error"]["message"]
        assert server.initialize(HANDSHAKES[0])["protocolVersion"] == HANDSHAKES[0]


def test_of_many_requests_that_were_damaged_each_is_answered(server: Child) -> None:
    """Everything but the id is damaged, so that each can be told apart. They are written while
    answers are read: the pipe that these come through has no room for all."""
    random = Random(14)
    odd = (r'"\ud800"', "1e400", "NaN", "[]", '"\x02"', "{", "9" * 5000, "-", "\udcff", "\ufeff")
    lines: list[bytes] = []
    for number in range(300):
        asked: dict[str, Any] = {"jsonrpc": "2.0", "method": "tools/call"}
        asked["params"] = {"name": "get_attribute_presets", "arguments": {}, "_meta": {}}
        text = json.dumps(asked)
        places = [at for at, sign in enumerate(text) if sign in '{}":,' and at > 1]
        at = random.choice(places)
        text = text[:at] + random.choice(odd) + text[at + random.choice((0, 1)) :]
        lines.append(f'{{"id":"m{number}",{text[1:]}'.encode(errors="surrogateescape"))
    writer = threading.Thread(target=lambda: [*map(server.write, lines)], daemon=True)
    writer.start()
    waiting: set[object] = {f"m{number}" for number in range(300)}
    while waiting:
        waiting.discard(server.heard().get("id"))
    writer.join()
    assert server.request("ping")["result"] == {}
