"""What an index keeps of objects: a header of each series, and the words of reports."""

from pathlib import Path

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.deadline import Deadline
from dicom_mcp.errors import BadArgument, BadConfiguration
from dicom_mcp.index.kept import folder_of
from dicom_mcp.index.reader import reading
from dicom_mcp.index.words import Told, studies_with_words
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import Node
from tests.bounds import PATIENCE
from tests.demo_hospital import TODAY, pacs
from tests.index.filled import index_in
from tests.truth.archives import images

DEEP = ("headers", "reports")
NODE = Node("192.0.2.1")


def test_each_series_has_its_header_and_each_report_its_words(tmp_path: Path) -> None:
    objects = [d for d in pacs() if d.StudyDate >= "20260201"]
    settings = Settings(NODE, index=IndexSettings(folder=str(tmp_path), depth=DEEP, keep=False))
    with index_in(folder_of(settings, NODE)) as index:
        index.fill(objects, depth=DEEP)
        past = [d for d in objects if d.StudyDate != f"{TODAY:%Y%m%d}"]
        series = {str(d.SeriesInstanceUID) for d in past}
        found = index.rows("SELECT series_uid FROM headers WHERE fault IS NULL")
        assert sorted(uid for (uid,) in found) == sorted(series)
        kvp = {(str(d.SeriesInstanceUID), float(d.KVP)) for d in past if "KVP" in d}
        kept = index.rows("SELECT series_uid, kvp FROM headers WHERE kvp IS NOT NULL")
        assert {(uid, value) for uid, value in kept} == kvp
        reports = {str(d.SOPInstanceUID) for d in past if d.Modality in ("SR", "DOC")}
        words = index.rows("SELECT sop_instance_uid FROM reports WHERE is_whole AND text <> ''")
        assert {uid for (uid,) in words} == reports
        with reading(settings, [NODE], Deadline(PATIENCE)) as reader:
            several = studies_with_words(reader, ["report"])
            assert several.said
            assert several.of("1.2.3") is Told.OPEN
            assert not studies_with_words(reader, ["zzzznothing"]).said
            reader.ask("SELECT count(*) FROM headers", most_rows=1)
            assert any("headers: 1 day not read yet" in str(note) for note in reader.notes())


def test_an_index_without_reports_does_not_say_that_there_are_none(tmp_path: Path) -> None:
    settings = Settings(NODE, index=IndexSettings(folder=str(tmp_path), keep=False))
    with index_in(folder_of(settings, NODE)) as index:
        index.fill(images(1))
    with reading(settings, [NODE], Deadline(PATIENCE)) as reader:
        with pytest.raises(BadArgument, match="keeps no reports"):
            studies_with_words(reader, ["nodule"])
        assert reader.ask("SELECT count(*) FROM reports", most_rows=1).rows == [[0]]
        assert any("keeps no reports" in str(note) for note in reader.notes())


def test_what_goes_or_changes_is_read_again_and_no_orphan_stays(tmp_path: Path) -> None:
    with index_in(tmp_path) as index:
        index.fill([*images(1, study=1, KVP="120"), *images(1, study=2)], depth=DEEP)
        index.clock.now += 2 * 86_400
        index.fill(images(2, study=1, KVP="80"), depth=DEEP)
        assert index.rows("SELECT study_uid, kvp FROM headers") == [["1.2.1", 80.0]]


def test_a_depth_that_there_is_not_is_refused() -> None:
    assert IndexSettings(depth=("reports", "studies")).depth == ("reports",)
    with pytest.raises(BadConfiguration, match="depth 'pixels' is none"):
        IndexSettings(depth=("pixels",))
