"""Counts of studies that are alike together: what they say is what counting one by one says, to the
last note, of whatever an archive holds."""

import os
import random
import warnings
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dicom_mcp.config import Settings
from dicom_mcp.demo.habits import Habits
from dicom_mcp.door.call import Call
from dicom_mcp.index import kinds, source
from dicom_mcp.index.kinds import Kinds
from tests import busy
from tests.asking import answers
from tests.index.filled import fill, settings_of
from tests.peers.embedded import Kind, embedded
from tests.truth.archives import images

_DATES = ["20260105", "20260106", "20260201", "2026.01.05", "20260230", "", "20251231", "nodate"]
_MODALITIES = [["CT"], ["CT", "SR"], ["MR", "MR"], ["SEG"], ["", "CT"], ["CT", "KO", "DX"]]
_MAKERS = ["ACME", "acme", "", "Globex", "A\\B"]


def odd_objects() -> list[Any]:
    """Studies that agree in much, and of which much is written oddly or not at all."""
    choose = random.Random(17)
    made: list[Any] = []
    for study in range(1, 90):
        of_study = {
            "StudyDate": choose.choice(_DATES),
            "StudyTime": choose.choice(["083000.25", "0830", "", "235959"]),
            "StudyDescription": choose.choice(["CT chest", "", "ct Chest", "a\\b"]),
            "PatientSex": choose.choice(["F", "M", "", "X"]),
            "AccessionNumber": choose.choice(["", f"A{study}"]),
        }
        for number, modality in enumerate(choose.choice(_MODALITIES), 1):
            several = images(choose.choice([1, 2, 3]), study=study, **of_study)
            for instance in several:
                instance.SeriesInstanceUID += f".{number}"
                instance.SOPInstanceUID += f".{number}"
                instance.Modality = modality
                instance.Manufacturer = _MAKERS[(study * number) % len(_MAKERS)]
                instance.SeriesNumber = choose.choice(["1", "03", ""])
            made += several
    return made


IS_AT_SCALE = os.environ.get("DICOM_MCP_SCALE") == "1"

HABITS = {
    "odd": Habits(),
    "odd, lists images only": Habits(images_only=True),
    "odd, does not return counts": Habits(
        unreturned=frozenset({"NumberOfSeriesRelatedInstances", "NumberOfStudyRelatedInstances"})
    ),
}


@pytest.fixture(scope="module", params=["busy", *HABITS])
def settings(
    request: pytest.FixtureRequest, small: busy.Kept, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("index")
    objects, kind, database = list[Any](), Kind(), str(small.database)
    if request.param != "busy":
        with warnings.catch_warnings(action="ignore"):
            objects, kind, database = odd_objects(), Kind(HABITS[request.param]), ":memory:"
    with embedded(objects, kind, database=database) as peer:
        found = settings_of(peer.node, folder)
        fill(found)
        yield found


COUNTS = ("studies", "series", "images", "objects", "Manufacturer", "PatientSex")
GROUPS = (
    *((), ("modality",), ("year",), ("month", "modality"), ("Manufacturer", "year")),
    *(("week",), ("weekend",), ("weekday", "PatientSex"), ("StudyDescription",), ("hour",)),
    *(("day",), ("quarter", "station"), ("SeriesNumber",), ("NumberOfSeriesRelatedInstances",)),
)
FILTERS: tuple[dict[str, Any], ...] = (
    *({}, {"modality": "CT"}, {"modality": "CT, MR"}, {"modality": "CT and SR"}),
    *({"study_date": "202601"}, {"study_date": "20260106-20260310", "modality": "MR"}),
    *({"where": ["modality is not CT"]}, {"where": ["Manufacturer is ACME"]}),
    *({"where": ["SeriesNumber > 1"]}, {"where": ["StudyDate > 20260110"]}),
    *({"where": ["Manufacturer is nobody"]}, {"study_description": "chest"}),
    *({"modality": "not CT"}, {"where": ["PatientSex is empty", "modality is CT"], "share": True}),
)


def questions(seed: int, count: int) -> list[dict[str, Any]]:
    """So many of all that can be asked."""
    every = [
        {"count": what, "group_by": [*by], **where}
        for what, by, where in product(COUNTS, GROUPS, FILTERS)
        # A series has one modality.
        if what not in COUNTS[1:5] or where.get("modality") not in ("CT and SR", "not CT")
    ]
    return random.Random(seed).sample(every, count)


def counted(settings: Settings, several: list[dict[str, Any]], way: str) -> list[dict[str, Any]]:
    calls = [("count_studies", {**question, "source": way}) for question in several]
    return [{**answer, "queries": 0} for answer in answers(settings, calls)]


@pytest.mark.parametrize("way", ["index", "auto"])
def test_a_count_of_studies_that_are_alike_says_what_one_by_one_says(
    settings: Settings, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "WORTH", 1)
    several = questions(len(way), 300 if IS_AT_SCALE else 12)
    if way == "index":  # which does not have every image
        several = [one for one in several if one["count"] not in ("images", "objects")]
    asked = 0
    ask = Kinds.studies

    def studies(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        return ask(*given)

    with monkeypatch.context() as watched:
        watched.setattr(Kinds, "studies", studies)
        together = counted(settings, several, way)
    with monkeypatch.context() as plain:
        plain.setattr(Call, "is_indexed", False)
        for question, answer, true in zip(
            several, together, counted(settings, several, way), strict=True
        ):
            assert answer == true, question
    assert asked > len(several) // 2 or way == "auto"


def test_more_kinds_of_series_than_words_have_bits_are_counted_as_well(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [
        {"group_by": ["Manufacturer", "SeriesNumber", "year"]},
        {"group_by": ["modality"], "where": ["SeriesNumber is not empty"]},
    ]
    with monkeypatch.context() as plain:
        plain.setattr(Call, "is_indexed", False)
        true = counted(settings, several, "index")
    for bits, words in ((1, 100), (2, 2)):
        monkeypatch.setattr(kinds, "_BITS", bits)
        monkeypatch.setattr(kinds, "_MOST_WORDS", words)
        assert counted(settings, several, "index") == true


def test_studies_of_one_uid_are_counted_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = images(1, study=1) + images(1, study=2)
    other = images(1, study=1)
    for instance in other:
        instance.PatientID = "ANOTHER"
        instance.SeriesInstanceUID += ".7"
        instance.SOPInstanceUID += ".7"
    with embedded([*objects, *other]) as peer:
        settings = replace(settings_of(peer.node, tmp_path))
        fill(settings)
        together = counted(settings, [{"group_by": ["modality"]}], "index")
        monkeypatch.setattr(Call, "is_indexed", False)
        assert together == counted(settings, [{"group_by": ["modality"]}], "index")
