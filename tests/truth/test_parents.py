"""The study of a series, in archives that must be told it."""

from collections.abc import Callable
from typing import Any

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive
from dicom_mcp.errors import StatusFailure
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query
from tests.bounds import PATIENCE, in_time
from tests.peers.pynetdicom_scp import Acceptor, Answers, accepting, archive_of
from tests.truth.rows import row

pytestmark = pytest.mark.usefixtures("tidy")

NO_UNIQUE_KEY, OUT_OF_RESOURCES = 0xA900, 0xA700

# Two studies of two series each.
STUDIES = {"1.1": ["1.1.1", "1.1.2"], "1.2": ["1.2.1", "1.2.2"]}


def hierarchical(
    asked: list[str], *, refuses: bool = True, cut: str = ""
) -> Callable[[Any], Answers]:
    """An archive that insists on the study, by a failure or (not `refuses`) by an empty answer.
    Of the study `cut` it shows one series and fails. Notes the level of each question."""

    def find(event: Any) -> Answers:
        keys = event.identifier
        asked.append(keys.QueryRetrieveLevel)
        if keys.QueryRetrieveLevel == "STUDY":
            for study in STUDIES:
                yield 0xFF00, row("STUDY", StudyInstanceUID=study)
            return
        study = keys.get("StudyInstanceUID") or ""
        if not study:
            if refuses:
                yield NO_UNIQUE_KEY, None
            return
        for series in STUDIES[study]:
            if keys.get("SeriesInstanceUID") in (None, "", series):
                more = {} if keys.QueryRetrieveLevel == "SERIES" else {"SOPInstanceUID": "1.9"}
                yield (
                    0xFF00,
                    row(
                        keys.QueryRetrieveLevel,
                        StudyInstanceUID=study,
                        SeriesInstanceUID=series,
                        **more,
                    ),
                )
            if study == cut:
                yield OUT_OF_RESOURCES, None
                return

    return find


@pytest.mark.parametrize("refuses", [True, False])
def test_the_study_of_a_series_is_looked_for_once(refuses: bool) -> None:
    asked: list[str] = []
    with archives(asked, refuses=refuses) as (_, archive):
        for _ in range(3):
            answer = instances(archive, "1.2.2")
            assert [match["SOPInstanceUID"] for match in answer.matches] == ["1.9"]
            assert answer.complete
    assert asked.count("STUDY") == 1
    assert asked[-2:] == ["IMAGE", "IMAGE"]


def test_what_an_answer_showed_needs_no_looking_for() -> None:
    asked: list[str] = []
    with archives(asked) as (_, archive):
        query = Query(Level.SERIES, {"StudyInstanceUID": "1.1"})
        in_time(lambda: archive.find(query, limit=50, deadline=Deadline(PATIENCE)))
        assert instances(archive, "1.1.2").matches
    assert asked == ["SERIES", "IMAGE"]


def test_an_answer_for_several_studies_teaches_only_what_it_says() -> None:
    asked: list[str] = []
    several = Query(Level.SERIES, {"StudyInstanceUID": "1.1\\1.2"})
    for taught, searched in (({}, True), ({"StudyInstanceUID": "1.1"}, False)):
        with archives(asked) as (_, archive):
            archive._parents.learn(several, [{"SeriesInstanceUID": "1.1.1", **taught}])  # pyright: ignore[reportPrivateUsage]
            asked.clear()
            assert instances(archive, "1.1.1").matches
            assert ("STUDY" in asked) is searched


def test_a_series_that_is_nowhere_is_said_to_be_nowhere() -> None:
    with archives([]) as (_, archive):
        answer = instances(archive, "1.3.1")
        assert answer.matches == []
        assert [*map(str, answer.notes)] == ["The archive holds no series with this UID."]


def test_a_series_is_not_said_to_be_nowhere_when_not_all_were_seen() -> None:
    with archives([], cut="1.1") as (_, archive):
        assert instances(archive, "1.1.1").matches
        with pytest.raises(StatusFailure, match="Give study_instance_uid too"):
            instances(archive, "1.1.2")
        assert instances(archive, "1.2.2").matches


class archives:  # noqa: N801 - reads as what it does
    """A hierarchical archive and its acceptor."""

    def __init__(self, asked: list[str], *, refuses: bool = True, cut: str = "") -> None:
        self._accepting = accepting(hierarchical(asked, refuses=refuses, cut=cut))

    def __enter__(self) -> tuple[Acceptor, Archive]:
        acceptor = self._accepting.__enter__()
        self._archive = archive_of(acceptor)
        return acceptor, self._archive.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._archive.__exit__(*error)
        self._accepting.__exit__(*error)


def instances(archive: Archive, series: str) -> Matches:
    query = Query(Level.IMAGE, {"SeriesInstanceUID": series})
    return in_time(lambda: archive.find(query, limit=50, deadline=Deadline(PATIENCE)))
