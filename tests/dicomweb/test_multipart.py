"""Parts of an answer are what stands between its boundaries, however it arrives (RFC 2046 5.1)."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dicom_mcp.dicomweb.multipart import TooLarge, media_type, parts, whole
from dicom_mcp.errors import ProtocolViolation

BOUNDARY = "b0"
_A_BOUNDARY = re.compile(rb"\r\n--b0(--|[ \t]*\r\n)")

# Bytes that look like boundaries, or like the ends of fields.
contents = st.lists(
    st.sampled_from([b"\r\n", b"--", b"b0", b"-", b"\r", b" ", b"\r\n--b0x", b"", b"\0abc"])
    | st.binary(max_size=40),
    max_size=8,
).map(b"".join)
fields = st.sampled_from(
    [(), (b"Content-Type: application/dicom",), (b"content-type:application/dicom", b"X: 1", b" 2")]
)


@given(
    st.lists(st.tuples(fields, contents), min_size=1, max_size=4),
    st.sampled_from([b"", b"a preamble", b"--b0x\r\n"]),
    st.sampled_from([b"", b" \t"]),
    st.sampled_from([b"", b"\r\nan epilogue\r\n--b0\r\n\r\nmore\r\n--b0--"]),
    st.lists(st.integers(1, 50), max_size=200),
)
def test_the_parts_are_the_same_however_they_arrive(
    written: Sequence[tuple[Sequence[bytes], bytes]],
    preamble: bytes,
    padding: bytes,
    epilogue: bytes,
    cuts: Sequence[int],
) -> None:
    for _, content in written:
        found = _A_BOUNDARY.search(b"\r\n" + content + b"\r\n--b0\r\n")
        assume(found is not None and found.start() == len(content) + 2)
    body = _body(written, preamble, padding) + epilogue
    for chunks in ([body], _cut(body, cuts), [body[i : i + 1] for i in range(len(body))]):
        found = list(parts(chunks, BOUNDARY))
        assert [bytes(part.content) for part in found] == [content for _, content in written]
        for part, (lines, _) in zip(found, written, strict=True):
            assert len(part.headers) == sum(line[:1] != b" " for line in lines)


@given(st.integers(0, 200), st.lists(st.integers(1, 50), max_size=20))
def test_an_answer_that_breaks_off_is_an_error_after_its_whole_parts(
    end: int, cuts: Sequence[int]
) -> None:
    body = _body([((), b"first"), ((b"A: b",), b"second")])
    end %= len(body) - 2  # what is behind the last "--" is of no account
    found: list[bytes] = []
    coming = (bytes(part.content) for part in parts(_cut(body[:end], cuts), BOUNDARY))
    with pytest.raises(ProtocolViolation, match="breaks off"):
        found += coming
    assert found == [b"first", b"second"][: len(found)]
    assert len(found) == sum(end >= body.find(one) + len(one) + 8 for one in (b"first", b"second"))


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no boundary": b"x" * 1000,
    "another boundary": b"--b1\r\n\r\nx\r\n--b1--",
    "a preamble without end": b"x" * 100_000,
    "fields without end": b"--b0\r\n" + b"A: b\r\n" * 10_000 + b"\r\nx\r\n--b0--",
    "fields that are none": b"--b0\r\nno field\r\n\r\nx\r\n--b0--",
    "a part that is shorter than it says": b"--b0\r\nContent-Length: 5\r\n\r\nabc\r\n--b0--",
    "too many parts": b"--b0\r\n\r\nx\r\n" * 21 + b"--b0--",
    "only newlines": b"--b0\n\nx\n--b0--\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_in_parts_is_refused(name: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        list(parts([BROKEN[name]], BOUNDARY, most_parts=20))
    assert caught.value.remedy


@given(
    st.lists(
        st.sampled_from([b"--b0", b"--", b"\r\n", b"\r\n\r\n", b"A: b", b"content-length: 9", b" "])
        | st.binary(max_size=20),
        max_size=30,
    )
)
def test_any_bytes_are_parts_or_refused(chunks: Sequence[bytes]) -> None:
    with suppress(ProtocolViolation):
        held = sum(len(part.content) for part in parts(chunks, BOUNDARY))
        assert held <= sum(map(len, chunks))


@pytest.mark.parametrize("boundary", ["", "b" * 71, "ü"])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(ProtocolViolation, match="boundary"):
        list(parts([b"--b0\r\n\r\nx\r\n--b0--"], boundary))


def test_no_more_is_held_than_a_part_may_have() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield b"--b0\r\n\r\n"
        while True:
            read += 1000
            yield bytes(1000)

    with pytest.raises(TooLarge):
        list(parts(endless(), BOUNDARY, most_bytes=10_000))
    assert read < 13_000
    with pytest.raises(TooLarge):
        list(parts([b"--b0\r\nContent-Length: 10001\r\n\r\n"], BOUNDARY, most_bytes=10_000))
    with pytest.raises(TooLarge):
        whole(endless(), most_bytes=10_000)


def test_a_part_may_be_as_large_as_is_allowed_and_be_empty() -> None:
    body = _body([((), bytes(10_000)), ((), b"")])
    assert [len(part.content) for part in parts([body], BOUNDARY, most_bytes=10_000)] == [10_000, 0]
    assert [part.content for part in parts([b"--b0\r\nA: b\r\n\r\n--b0--"], BOUNDARY)] == [b""]


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ("multipart/related; boundary=abc", "abc"),
        ('Multipart/Related; TYPE="application/dicom";Boundary="a b;c\\"d"; x=y', 'a b;c"d'),
        ('multipart/related;type=application/dicom;boundary=--=_/1:2"', "--=_/1:2"),
        ("multipart/related; start=1", None),
    ],
)
def test_boundaries_are_read_as_they_are_written(text: str, boundary: str | None) -> None:
    kind, parameters = media_type(text)
    assert kind == "multipart/related"
    assert parameters.get("boundary") == boundary


def _body(
    written: Sequence[tuple[Sequence[bytes], bytes]], preamble: bytes = b"", padding: bytes = b""
) -> bytes:
    body = preamble + b"\r\n" if preamble else b""
    for lines, content in written:
        body += b"--b0" + padding + b"\r\n" + b"".join(line + b"\r\n" for line in lines)
        body += b"\r\n" + content + b"\r\n"
    return body + b"--b0--"


def _cut(body: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield body[at : at + size]
        at += size
    yield body[at:]
