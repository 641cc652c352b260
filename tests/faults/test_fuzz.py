"""Damaged sessions and identifiers end as an answer or as an error of the tree, always in time."""

from dicom_mcp.dimse import command
from dicom_mcp.standard.identifier import decode
from tests.bounds import nothing_left_behind
from tests.faults.fuzz import fuzz_identifiers, fuzz_sessions
from tests.faults.identifiers import healthy_identifiers

SESSIONS = 500
IDENTIFIERS = 5_000
SEED = 20260401


def test_damaged_sessions_end_in_time_with_an_answer_or_an_error_of_the_tree() -> None:
    with nothing_left_behind():
        outcome = fuzz_sessions(SESSIONS, SEED)
    assert not outcome.failures, str(outcome)
    # If one of these ends is missing, too little was damaged, or too much.
    expected = {"answered", "verified", "ProtocolViolation", "ConnectionLost", "DeadlinePassed"}
    assert expected <= set(outcome.ended)


def test_damaged_identifiers_are_a_match_that_can_be_shown_or_a_violation() -> None:
    outcome = fuzz_identifiers(IDENTIFIERS, SEED)
    assert not outcome.failures, str(outcome)
    assert set(outcome.ended) == {"a match", "nothing known", "ProtocolViolation"}
    assert min(outcome.ended["a match"], outcome.ended["ProtocolViolation"]) > IDENTIFIERS // 10


def test_the_identifiers_to_be_damaged_are_healthy() -> None:
    names = [
        [decode(one, syntax)["PatientName"] for one in of_syntax]
        for syntax, of_syntax in healthy_identifiers().items()
    ]
    assert names[0] == names[1]
    assert "山田^太郎" in names[0]


def test_a_uid_that_is_none_is_acknowledged_as_it_came() -> None:
    # Found by a session: a C-STORE-RQ whose SOP Instance UID has a byte beyond ASCII.
    sent: command.Command = {command.Field.AFFECTED_SOP_INSTANCE_UID: "1.\xdd.3"}
    received = command.decode(command.encode(sent))
    assert received[command.Field.AFFECTED_SOP_INSTANCE_UID] == "1.\xdd.3"
