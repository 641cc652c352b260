"""Every mistake in a connection gets the sentence that docs/diagnosis.md promises."""

import pytest

from tests.diagnosis_page import row_of
from tests.peers import certificates as of_tests
from tests.peers.certificates import Certificates
from tests.peers.mistakes import MISTAKES, Mistake, page


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return of_tests.make(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.what)
def test_the_step_that_fails_says_what_to_do(mistake: Mistake, certificates: Certificates) -> None:
    row = row_of(mistake, certificates)
    assert row in page().read_text().splitlines()


def test_there_are_at_least_twenty() -> None:
    assert len({mistake.what for mistake in MISTAKES}) == len(MISTAKES) >= 20
