"""What tests that ask an archive need."""

from collections.abc import Iterator
from importlib import import_module

import pytest

from tests.bounds import nothing_left_behind


@pytest.fixture(scope="session", autouse=True)
def _warm() -> None:  # pyright: ignore[reportUnusedFunction]
    """The requestor imports pynetdicom at its first question, which a short deadline would feel."""
    for name in ("pynetdicom.pdu", "pynetdicom.pdu_primitives", "pynetdicom.presentation"):
        import_module(name)


@pytest.fixture
def tidy() -> Iterator[None]:
    """Fails the test when it leaves a thread or a socket behind."""
    with nothing_left_behind():
        yield
