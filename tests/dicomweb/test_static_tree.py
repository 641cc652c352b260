"""Trees of plain files: what they have no list of is read from metadata, and never denied."""

from contextlib import closing

import numpy as np
import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import StatusFailure
from dicom_mcp.node import WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.asking import ask, fail, look
from tests.content.samples import image
from tests.demo.objects import hospital
from tests.notes import the_note
from tests.peers.archive import archive_at
from tests.peers.static_tree import files, served
from tests.peers.web_server import serving

OBJECTS = list(hospital())
STUDY, SERIES = OBJECTS[0].StudyInstanceUID, OBJECTS[0].SeriesInstanceUID
OF_SERIES = [one.SOPInstanceUID for one in OBJECTS if one.SeriesInstanceUID == SERIES]
OF_STUDY = [one.SOPInstanceUID for one in OBJECTS if one.StudyInstanceUID == STUDY]

IN_SERIES = {"StudyInstanceUID": STUDY, "SeriesInstanceUID": SERIES}


@pytest.mark.parametrize("missing", [404, 403, 405])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (IN_SERIES, OF_SERIES),
        ({"StudyInstanceUID": STUDY}, OF_STUDY),
        ({**IN_SERIES, "InstanceNumber": "2"}, OF_SERIES[1:2]),
        ({**IN_SERIES, "SOPInstanceUID": OF_SERIES[3]}, OF_SERIES[3:4]),
        ({**IN_SERIES, "SOPInstanceUID": "1.2.3.4"}, []),
    ],
)
def test_instances_are_read_from_the_metadata_of_their_series(
    keys: dict[str, str], expected: list[str], missing: int
) -> None:
    tree = files(OBJECTS, of=("series", "metadata"))
    with served(tree, missing=missing) as (url, asked), closing(archive_at(url)) as held:
        query = Query(Level.IMAGE, keys, ("InstanceNumber",))
        found = held.find(query, limit=50, deadline=Deadline(30))
        assert [match["SOPInstanceUID"] for match in found.matches] == expected
        assert found.complete
        assert all("InstanceNumber" in match for match in found.matches)
        assert any("no list of instances" in str(note) for note in found.notes)
        assert len(asked) < 12


def test_series_without_a_list_are_read_from_the_metadata_of_their_study() -> None:
    tree = files(OBJECTS, of=())
    rows = [content for path, (_, content) in files(OBJECTS).items() if path.endswith("/metadata")]
    whole = b"[" + b",".join(row.strip()[1:-1] for row in rows[:2]) + b"]"
    tree[f"/studies/{STUDY}/metadata"] = ("application/json", whole)
    with served(tree) as (url, _), closing(archive_at(url)) as held:
        query = Query(Level.SERIES, {"StudyInstanceUID": STUDY}, ("Modality",))
        found = held.find(query, limit=50, deadline=Deadline(30))
        assert [match["Modality"] for match in found.matches] == ["CT", "SR"]
        assert found.complete


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (IN_SERIES, "holds this series and offers neither a list of its instances"),
        (
            {"StudyInstanceUID": STUDY},
            "holds this study and offers neither a list of its instances",
        ),
    ],
)
def test_what_is_not_offered_is_said_and_nothing_is_denied(
    keys: dict[str, str], expected: str
) -> None:
    with served(files(OBJECTS, of=("series",))) as (url, asked), closing(archive_at(url)) as held:
        with pytest.raises(StatusFailure, match=expected):
            held.find(Query(Level.IMAGE, keys), limit=50, deadline=Deadline(30))
        assert len(asked) < 12
        absent = {**keys, [*keys][-1]: "1.2.3.4"}
        found = held.find(Query(Level.IMAGE, absent), limit=50, deadline=Deadline(30))
        assert not found.matches
        assert found.complete


def test_metadata_that_fail_are_no_metadata_that_are_not_offered() -> None:
    def failing(target: str) -> tuple[int, str, bytes]:
        if target.partition("?")[0].endswith("/metadata"):
            return 500, "text/html", b""
        kind, content = tree.get(target.partition("?")[0], ("", b""))
        return 200 if kind else 404, kind or "text/html", content

    tree = files(OBJECTS, of=("series",))
    with (
        serving(failing) as (url, _),
        closing(archive_at(url)) as held,
        pytest.raises(StatusFailure, match="the server failed"),
    ):
        held.find(Query(Level.IMAGE, IN_SERIES), limit=50, deadline=Deadline(30))


def test_nothing_is_said_of_the_lists_of_a_study_that_is_not_there() -> None:
    with served(files(OBJECTS)) as (url, _), closing(archive_at(url)) as held:
        query = Query(Level.IMAGE, {"StudyInstanceUID": "1.2.3.4"})
        found = held.find(query, limit=50, deadline=Deadline(30))
        assert (found.matches, found.complete, found.notes) == ([], True, ())


def test_every_tool_shows_what_the_tree_lists() -> None:
    pixels = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    picture = image(pixels, StudyDate="20260102", Modality="OT")
    study, series = picture.StudyInstanceUID, picture.SeriesInstanceUID
    tree = files([*OBJECTS, picture], of=("series", "metadata", "frames"))
    with served(tree) as (url, _):
        node = WebNode(url)
        listed = ask(node, "query_series", study_instance_uid=study)
        assert [row["SeriesInstanceUID"] for row in listed["records"]] == [series]
        for keys in ({"study_instance_uid": study}, {}):
            said, (shown,) = look(node, "view_image", series_instance_uid=series, **keys)
            assert the_note(said["notes"], "was fetched alone, as it is stored")
            assert shown.startswith(b"\x89PNG")
        header = ask(node, "read_header", series_instance_uid=series, study_instance_uid=study)
        assert "64" in str(header)


def test_a_series_that_is_listed_and_cannot_be_looked_into_is_not_denied() -> None:
    with served(files(OBJECTS, of=("series",))) as (url, _):
        node = WebNode(url)
        for keys in ({"study_instance_uid": STUDY}, {}):
            told = fail(node, "view_image", series_instance_uid=SERIES, **keys)
            assert "holds this series and offers neither" in told
            assert "holds no" not in told
