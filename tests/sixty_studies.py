"""Sixty studies of twenty patients, of which so many are asked for in one list."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from pydicom.dataset import Dataset

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.demo.habits import Habits
from dicom_mcp.node import Node
from tests.truth.archives import images

STUDIES = 60


def hospital() -> list[Dataset]:
    """Sixty studies of twenty patients, one a day from 1 January."""
    return [
        one
        for number in range(STUDIES)
        for one in images(
            1,
            study=number + 1,
            PatientID=f"P{100 + number % 20}",
            StudyDate=f"2026{number // 28 + 1:02}{number % 28 + 1:02}",
            AccessionNumber=f"A{1000 + number}",
        )
    ]


OBJECTS = hospital()
THERE = [f"A{1000 + number}" for number in range(57)]
NOT_THERE = ["B1", "B2", "B3"]


@contextmanager
def archive(habits: Habits | None = None, objects: list[Dataset] = OBJECTS) -> Generator[Node]:
    with EmbeddedArchive(objects, ae_title="LISTS", habits=habits or Habits()) as embedded:
        yield Node(port=embedded.port, called_ae_title="LISTS")


def found(answer: dict[str, Any], keyword: str = "AccessionNumber") -> set[str]:
    return {row[keyword] for row in answer["records"]}
