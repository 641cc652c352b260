"""Every mistake in a connection gets the sentence that docs/diagnosis.md promises."""

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.diagnosis import Step, diagnose
from dicom_mcp.truth.habits import Habits
from tests.bounds import in_time
from tests.peers import certificates as of_tests
from tests.peers.certificates import Certificates
from tests.peers.mistakes import MISTAKES, Mistake, made, page

# Short, so that peers that say nothing are not waited for; in the sentences as it is.
SECONDS = 4.0


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return of_tests.make(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.what)
def test_the_step_that_fails_says_what_to_do(mistake: Mistake, certificates: Certificates) -> None:
    row = row_of(mistake, certificates)
    assert row in page().read_text().splitlines()


def test_there_are_at_least_twenty() -> None:
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES) >= 20


def row_of(mistake: Mistake, certificates: Certificates) -> str:
    """The mistake as a row of the page, its port left out."""
    with made(mistake, certificates) as node:
        found = in_time(lambda: diagnose(node, Habits(), deadline=Deadline(SECONDS)))
    step = next(step for step in found.steps if step.name == mistake.step)
    works = mistake.what.startswith("worklist only")
    assert found.works is works
    if not works:
        assert step == found.failure, found.steps
        assert step.remedy
        after = found.steps[found.steps.index(step) + 1 :]
        assert mistake.step == "C-ECHO" or not any(one.passed for one in after)
    return f"| {mistake.what} | {mistake.step} | {_sentences(step, node.port)} |"


def _sentences(step: Step, port: int) -> str:
    said = " ".join(f"{part.rstrip('.')}." for part in (step.said, step.remedy) if part)
    return said.replace(f"port {port}", "port PORT").replace(f":{port}", ":PORT")
