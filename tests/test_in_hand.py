"""What all calls hold at once is bounded, on every way that objects come."""

import gc
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import numpy as np
import pytest

from dicom_mcp.budgets import MOST_IN_HAND, MOST_TOGETHER
from dicom_mcp.content.apart import Apart, Failed
from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.web import EmbeddedWeb
from dicom_mcp.dicom_api import exchange_with
from dicom_mcp.door.shelf import Shelf
from dicom_mcp.errors import Cancelled, DeadlinePassed
from dicom_mcp.in_hand import IN_HAND, InHand
from dicom_mcp.index.apart import APART
from dicom_mcp.node import AnyNode, Node, Receiver, WebNode
from dicom_mcp.standard.instance import Instance, Reference
from tests.bounds import PATIENCE
from tests.content.samples import image
from tests.faults.hostile_ground import AsItIs, OneObjectArchive
from tests.faults.hostile_objects import EXPLICIT, Hostile, encoded
from tests.pace import scaled
from tests.peers.program import free_port

SOON = 0.5
MIB = 1 << 20


def test_the_first_goes_on_and_the_others_wait_until_they_are_it() -> None:
    hand = InHand(20 * MIB)
    first, second, third = (Deadline(PATIENCE) for _ in range(3))
    hand.need(MIB, first)
    hand.need(6 * MIB, second)
    hand.need(4 * MIB, third)
    hand.need(80 * MIB, first)
    assert_waits(hand, 7 * MIB, second)
    hand.leave(first.allowance)
    hand.need(80 * MIB, second)
    assert_waits(hand, 11 * MIB, third)
    hand.leave(second.allowance)
    hand.need(80 * MIB, third)


def test_who_waits_is_let_in_when_another_call_ends() -> None:
    hand = InHand(20 * MIB)
    first, second = Deadline(PATIENCE), Deadline(PATIENCE)
    hand.need(80 * MIB, first)
    waiting = threading.Thread(target=hand.need, args=(20 * MIB, second))
    waiting.start()
    hand.leave(first.allowance)
    waiting.join(PATIENCE)
    assert not waiting.is_alive()


def test_a_call_that_nobody_waits_for_waits_no_longer() -> None:
    hand = InHand(20 * MIB)
    first, second = Deadline(PATIENCE), Deadline(PATIENCE)
    hand.need(80 * MIB, first)
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            hand.need(20 * MIB, second)
        except Cancelled as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    second.cancel()
    waiting.join(PATIENCE)
    assert [type(error) for error in ended] == [Cancelled]


def test_a_call_that_is_gone_without_a_word_holds_nothing() -> None:
    hand = InHand(20 * MIB)
    hand.need(80 * MIB, Deadline(PATIENCE))
    gc.collect()
    hand.need(80 * MIB, Deadline(PATIENCE))


def assert_waits(hand: InHand, size: int, deadline: Deadline) -> None:
    with pytest.raises(DeadlinePassed, match="other calls hold as much"):
        hand.need(size, deadline.at_most(0.01))


@pytest.fixture
def others() -> Iterator[Deadline]:
    """Calls that hold as much as there may be; that which has to end for another."""
    gc.collect()  # calls of other tests, which nobody said have ended
    first, second = Deadline(PATIENCE), Deadline(PATIENCE)
    IN_HAND.need(MIB, first)
    IN_HAND.need(MOST_IN_HAND // 2, second)
    yield second
    for one in (first, second):
        IN_HAND.leave(one.allowance)


@pytest.mark.parametrize("way", ["web", "get", "move"])
def test_an_object_waits_for_room_and_says_so_when_there_is_none(
    way: str, others: Deadline
) -> None:
    index = AsItIs()
    values = image(np.zeros((1024, 1024), "<u2"))
    values.StudyInstanceUID, values.SeriesInstanceUID = "2.25.7", "2.25.8"
    values.SOPInstanceUID = "2.25.9"
    index.show(Hostile("large", values, encoded(values), EXPLICIT))
    reference = Reference("2.25.7", "2.25.8", "2.25.9", str(values.SOPClassUID))
    with ExitStack() as stack, closing(exchange_with(_node(way, index, stack))) as exchange:
        with pytest.raises(DeadlinePassed, match="other calls hold as much"):
            exchange.retrieve([reference], lambda _: True, deadline=Deadline(scaled(SOON)))
        IN_HAND.leave(others.allowance)
        came = exchange.retrieve([reference], lambda _: True, deadline=Deadline(PATIENCE))
        assert came.count == 1
    index.close()


def _node(way: str, index: AsItIs, stack: ExitStack) -> AnyNode:
    if way == "web":
        return WebNode(stack.enter_context(EmbeddedWeb(index)).url)
    receiver = Receiver("RECEIVER", free_port(), "127.0.0.1") if way == "move" else None
    peer = stack.enter_context(OneObjectArchive(index, receiver).peer)
    return Node("127.0.0.1", peer.port, called_ae_title="PEER", receiver=receiver)


def test_what_is_decoded_waits_for_room_before_a_process_is_taken(others: Deadline) -> None:
    with Apart(Deadline(SOON)) as apart, pytest.raises(DeadlinePassed, match="other calls hold"):
        apart.ask("rle", b"", memory=MIB, answer=MIB)
    IN_HAND.leave(others.allowance)
    with Apart(Deadline(PATIENCE)) as apart, suppress(Failed):
        apart.ask("rle", b"", memory=MIB, answer=MIB)


def test_what_a_process_takes_waits_until_there_is_room_beside_all_that_is_held() -> None:
    hand = InHand(20 * MIB, 200 * MIB)
    first, second, third = (Deadline(PATIENCE) for _ in range(3))
    hand.need(20 * MIB, first)
    assert hand.lend(1000 * MIB, first) == 160 * MIB  # with the object all there is for one
    assert hand.lend(MIB, second) == MIB
    with pytest.raises(DeadlinePassed, match="other calls hold as much"):
        hand.lend(30 * MIB, third.at_most(0.01))
    hand.give_back(160 * MIB, first)
    assert hand.lend(30 * MIB, third) == 30 * MIB


def test_who_came_first_has_the_next_room_there_is() -> None:
    hand = InHand(20 * MIB, 200 * MIB)
    first, second, third = (Deadline(PATIENCE) for _ in range(3))
    hand.need(MIB, first)
    hand.lend(100 * MIB, second)
    waiting = threading.Thread(target=hand.lend, args=(150 * MIB, first))
    waiting.start()
    while not hand._first_waits:  # pyright: ignore[reportPrivateUsage]
        assert waiting.is_alive()
    with pytest.raises(DeadlinePassed):
        hand.lend(MIB, third.at_most(0.01))
    hand.give_back(100 * MIB, second)
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
    assert hand.lend(MIB, third) == MIB


def test_what_is_kept_for_the_next_question_makes_room() -> None:
    APART.end()  # kept of another test
    shelf = Shelf[Instance]()
    for number in range(3):
        shelf.put((str(number),), Instance("", "", "", bytearray(20 * MIB)))
    assert shelf.size == 60 * MIB
    deadline = Deadline(PATIENCE)
    lent = IN_HAND.lend(MOST_TOGETHER - 30 * MIB, deadline)
    assert shelf.size == 20 * MIB
    assert shelf.get(("2",))
    IN_HAND.give_back(lent, deadline)
    IN_HAND.leave(deadline.allowance)
