"""Ways to damage bytes and the PDUs of a healthy conversation, each decided by a Random."""

import struct
from collections.abc import Callable
from random import Random

from tests.peers import scripted as wire

type Bytes = Callable[[bytearray, Random], None]
type Pdus = Callable[[list[bytes], Random], None]

# Numbers at which lengths, ids and statuses change their meaning.
LENGTHS = (0, 1, 2, 5, 6, 7, 255, 256, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
SHORTS = (0, 1, 2, 3, 0x00FF, 0x0101, 0x8000, 0xA700, 0xB000, 0xFE00, 0xFF00, 0xFF01, 0xFFFF)
COMMAND_ELEMENTS = (0x0100, 0x0110, 0x0120, 0x0800, 0x0900)


def damaged(data: bytes, random: Random) -> bytes:
    """The bytes with a few of them changed, lost, doubled or moved."""
    result = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        if result:
            random.choice(_BYTES)(result, random)
    return bytes(result)


def damaged_pdus(pdus: list[bytes], random: Random) -> list[bytes]:
    """The conversation with one or several things wrong in it."""
    result = list(pdus)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        if result:
            random.choice(_PDUS)(result, random)
    return result


# --- bytes


def _flip(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _set(data: bytearray, random: Random) -> None:
    data[random.randrange(len(data))] = random.choice((0, 0x1B, 0x5C, 255, random.randrange(256)))


def _lose(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    del data[at : at + random.randrange(1, 20)]


def _double(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    data[at:at] = data[at : at + random.randrange(1, 40)]


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def _insert(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data))
    data[at:at] = random.randbytes(random.randrange(1, 12))


def _number(data: bytearray, random: Random) -> None:
    """Four bytes at any place, as a length could stand there."""
    at = random.randrange(len(data))
    data[at : at + 4] = struct.pack(random.choice("<>") + "I", random.choice(LENGTHS))


_BYTES: tuple[Bytes, ...] = (_flip, _flip, _set, _set, _lose, _double, _cut, _insert, _number)


# --- PDUs


def _bytes(pdus: list[bytes], random: Random) -> None:
    at = random.randrange(len(pdus))
    pdus[at] = damaged(pdus[at], random)


def _drop(pdus: list[bytes], random: Random) -> None:
    del pdus[random.randrange(len(pdus))]


def _repeat(pdus: list[bytes], random: Random) -> None:
    pdus.insert(random.randrange(len(pdus) + 1), random.choice(pdus))


def _swap(pdus: list[bytes], random: Random) -> None:
    one, other = random.randrange(len(pdus)), random.randrange(len(pdus))
    pdus[one], pdus[other] = pdus[other], pdus[one]


def _shuffle(pdus: list[bytes], random: Random) -> None:
    random.shuffle(pdus)


def _stop(pdus: list[bytes], random: Random) -> None:
    del pdus[random.randrange(len(pdus)) :]


def _type(pdus: list[bytes], random: Random) -> None:
    _overwrite(pdus, random, 0, bytes([random.choice((*range(10), 255))]))


def _length(pdus: list[bytes], random: Random) -> None:
    at = random.randrange(len(pdus))
    lengths = (*LENGTHS, len(pdus[at]) - 7, len(pdus[at]) - 5)
    pdus[at] = _with(pdus[at], 2, struct.pack(">I", max(random.choice(lengths), 0)))


def _item_length(pdus: list[bytes], random: Random) -> None:
    _overwrite(pdus, random, 6, struct.pack(">I", random.choice(LENGTHS)))


def _context(pdus: list[bytes], random: Random) -> None:
    _overwrite(pdus, random, 10, bytes([random.choice((0, 1, 2, 3, 5, 7, 255))]))


def _control(pdus: list[bytes], random: Random) -> None:
    _overwrite(pdus, random, 11, bytes([random.choice((0, 1, 2, 3, 255))]))


def _command(pdus: list[bytes], random: Random) -> None:
    """Another number in a command: an id, a status, whether a data set follows."""
    at = random.randrange(len(pdus))
    element = struct.pack("<HHI", 0, random.choice(COMMAND_ELEMENTS), 2)
    place = pdus[at].find(element)
    if place >= 0:
        number = struct.pack("<H", random.choice(SHORTS))
        pdus[at] = _with(pdus[at], place + len(element), number)


def _stray(pdus: list[bytes], random: Random) -> None:
    """A PDU that does not belong there."""
    kind = random.choice((1, 2, 3, 4, 5, 6, 7, 7, 8))
    body = random.choice((bytes(4), random.randbytes(4), random.randbytes(random.randrange(60))))
    pdus.insert(random.randrange(len(pdus) + 1), wire.pdu(kind, body))


def _fragments(pdus: list[bytes], random: Random) -> None:
    """One P-DATA-TF as several fragments, of which one may be lost."""
    at = random.randrange(len(pdus))
    if len(pdus[at]) < 14 or pdus[at][0] != 4:
        return
    context_id, control, data = pdus[at][10], pdus[at][11], pdus[at][12:]
    size = random.choice((2, 8, 50))
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    last = len(pieces) - 1
    made = [
        wire.p_data((context_id, control if number == last else control & 1, piece))
        for number, piece in enumerate(pieces)
    ]
    if random.random() < 0.5:
        _drop(made, random)
    pdus[at : at + 1] = made


_PDUS: tuple[Pdus, ...] = (
    _bytes,
    _bytes,
    _bytes,
    _drop,
    _repeat,
    _swap,
    _shuffle,
    _stop,
    _type,
    _length,
    _item_length,
    _context,
    _control,
    _command,
    _command,
    _stray,
    _fragments,
)


def _overwrite(pdus: list[bytes], random: Random, place: int, data: bytes) -> None:
    at = random.randrange(len(pdus))
    pdus[at] = _with(pdus[at], place, data)


def _with(pdu: bytes, place: int, data: bytes) -> bytes:
    return pdu[:place] + data + pdu[place + len(data) :]
