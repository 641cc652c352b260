import threading

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import Cancelled, DeadlinePassed


def test_what_remains_is_positive_or_an_error_that_names_the_whole() -> None:
    assert 0 < Deadline(60).remaining() <= 60
    with pytest.raises(DeadlinePassed, match="within 0 seconds"):
        Deadline(0).remaining()


def test_a_step_ends_no_later_than_its_call_and_names_what_ended_it() -> None:
    assert Deadline(60).at_most(1).remaining() <= 1
    assert Deadline(1).at_most(60).remaining() <= 1
    assert Deadline(60).at_most(1).seconds == 1
    assert Deadline(1).at_most(60).seconds == 1


def test_a_step_is_cancelled_with_its_call_but_not_its_call_with_a_step() -> None:
    deadline = Deadline(60)
    step, other = deadline.at_most(1), deadline.at_most(1)
    step.cancel()
    with pytest.raises(Cancelled):
        step.remaining()
    assert other.remaining()
    deadline.cancel()
    with pytest.raises(Cancelled):
        other.at_most(1).check()


def test_cancelling_interrupts_every_wait_that_registered_and_none_that_ended() -> None:
    deadline = Deadline(60)
    interrupted: list[str] = []
    with deadline.interrupting(lambda: interrupted.append("ended")):
        pass
    with (
        deadline.interrupting(lambda: interrupted.append("outer")),
        deadline.interrupting(lambda: interrupted.append("inner")),
    ):
        thread = threading.Thread(target=deadline.cancel)
        thread.start()
        thread.join()
    assert interrupted == ["outer", "inner"]


def test_what_is_cancelled_already_begins_no_wait() -> None:
    deadline = Deadline(60)
    deadline.cancel()
    begun: list[int] = []
    with pytest.raises(Cancelled), deadline.interrupting(lambda: None):
        begun.append(1)
    assert not begun


def test_a_step_is_interrupted_with_its_call() -> None:
    deadline = Deadline(60)
    interrupted: list[str] = []
    with deadline.at_most(30).at_most(10).interrupting(lambda: interrupted.append("step")):
        deadline.cancel()
    assert interrupted == ["step"]


def test_a_wait_that_has_ended_is_not_interrupted_any_more() -> None:
    """What it waited on may be somebody else's by then."""
    deadline = Deadline(60)
    begun, ended = threading.Event(), threading.Event()
    late: list[bool] = []

    def interrupt() -> None:
        begun.set()
        late.append(ended.wait(0.2))

    with deadline.interrupting(interrupt):
        thread = threading.Thread(target=deadline.cancel)
        thread.start()
        assert begun.wait(30)
    ended.set()
    thread.join()
    assert late == [False]
