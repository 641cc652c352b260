"""A report of five million characters is read to its end, page by page, at the price of a page."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.content.report import read_report
from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import Node
from tests.asking import answers, text_of
from tests.content import documents as made
from tests.content.dumps import assert_complete

# Seconds of processor time for a page, after the first, which reads all of it.
_MOST = 1.0


@pytest.mark.dcmtk
def test_five_million_characters_are_read_page_by_page(tmp_path: Path) -> None:
    document = made.irradiations(events=1400, numbers=55)  # just below a million elements
    for event in document.ContentSequence:
        event.ContentSequence[-1].TextValue = "long words " * 80 + "end"
    path = made.saved(document, tmp_path)
    which = {"series_instance_uid": "2.25.3", "sop_instance_uid": "2.25.1"}
    read, rows, costs = "", list[dict[str, str]](), list[float]()
    asked: dict[str, Any] = which
    with EmbeddedArchive([document], ae_title="LONG") as archive:

        def questions() -> Iterator[tuple[str, dict[str, Any]]]:
            while asked:
                yield "read_report", asked

        node = Node(port=archive.port, called_ae_title="LONG", timeout=600)
        before = time.process_time()
        for answer in answers(node, questions()):
            costs.append(time.process_time() - before)
            (record,) = answer["records"]
            assert len(costs) < 400
            read += "" if "row" in asked else text_of(answer, record)
            rows += record.get("dose", [])
            asked = which | {"start": len(read) - 10, "row": len(rows)}
            if any(f"start={len(read)}." in note for note in record.get("notes", ())):
                asked = which | {"start": len(read)}
            elif answer["complete"]:
                asked = {}
            before = time.process_time()
    report = read_report(document)
    assert len(read) > 5_000_000
    is_all = read == report.text, rows == [*report.dose]  # whose difference nobody could print
    assert is_all == (True, True)
    assert max(costs[1:]) < _MOST
    assert_complete(document, path, report)
