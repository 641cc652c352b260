"""Objects that are stored in a server come back as they were, whatever syntax they are in."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from io import BytesIO

import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset  # pyright: ignore[reportUnknownVariableType]
from pydicom.uid import UID
from pynetdicom.dsutils import encode

from dicom_mcp.content.frame import render
from dicom_mcp.content.read import read_object
from dicom_mcp.deadline import Deadline
from dicom_mcp.dicom_api import Archive, exchange_with
from dicom_mcp.dicomweb.exchange import WebExchange
from dicom_mcp.node import WebNode
from dicom_mcp.standard.instance import Instance, Reference, Retrieved
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query
from tests.bounds import PATIENCE
from tests.demo.objects import compressed
from tests.peers.embedded import embedded, embedded_web
from tests.peers.orthanc import give_files, orthanc_web

_SERIES, _UID = "SeriesInstanceUID", "SOPInstanceUID"


@pytest.fixture(scope="module")
def objects(held: list[Dataset]) -> list[Dataset]:
    return [*held, *compressed()]


@pytest.fixture(
    scope="module", params=["embedded", pytest.param("orthanc", marks=pytest.mark.orthanc)]
)
def exchange(
    request: pytest.FixtureRequest,
    objects: list[Dataset],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[WebExchange]:
    """One server after the other, as they are; Orthanc is given files."""
    if request.param == "embedded":
        with embedded_web(objects) as url, closing(WebExchange(WebNode(url))) as exchange:
            yield exchange
        return
    with (
        orthanc_web([], tmp_path_factory.mktemp("wado")) as url,
        closing(WebExchange(WebNode(url))) as exchange,
    ):
        give_files(url, map(_instance, objects))
        yield exchange


def test_every_object_comes_back_byte_for_byte(
    exchange: WebExchange, objects: list[Dataset]
) -> None:
    got = _fetch(exchange, objects)
    assert len({one.transfer_syntax for one in got.values()}) >= 5
    for one in objects:
        assert got[str(one.SOPInstanceUID)] == _instance(one)


def test_a_header_says_what_the_object_says(exchange: WebExchange, objects: list[Dataset]) -> None:
    got = _fetch(exchange, objects, headers=True)
    for one in objects:
        instance = got[str(one.SOPInstanceUID)]
        # Orthanc's metadata loses the escape sequences of such text, so the object itself comes.
        if "ISO 2022" in str(one.get("SpecificCharacterSet")) and instance == _instance(one):
            continue
        header = read_dataset(BytesIO(instance.data_set), False, True)
        assert 0x7FE00010 not in header
        _assert_told(header, one)


def test_what_was_compressed_can_be_seen(exchange: WebExchange) -> None:
    images = list(compressed())
    for instance in _fetch(exchange, images).values():
        data_set = read_object(bytes(instance.data_set), instance.transfer_syntax)
        assert render(data_set)


def test_what_is_not_held_is_missing(exchange: WebExchange, objects: list[Dataset]) -> None:
    (one,) = _references(objects[:1])
    study, series, unique = one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid
    absent = [
        Reference(study, series, f"{unique}.9"),
        Reference(study, f"{series}.9", f"{unique}.8"),
        Reference(f"{study}.9", series, f"{unique}.7"),
    ]
    for headers in (False, True):
        got: list[Instance] = []
        found = exchange.retrieve(
            [*absent, one],
            lambda instance, got=got: got.append(instance) is None,
            deadline=Deadline(PATIENCE),
            headers=headers,
        )
        assert [instance.sop_instance_uid for instance in got] == [unique]
        assert set(found.missing) == set(absent)
        assert found.notes
        assert all("of 4 objects did not come" in str(note) for note in found.notes)


def test_objects_of_a_dicom_node_come_from_the_server_it_names(
    exchange: WebExchange, held: list[Dataset], database: str
) -> None:
    with (
        embedded([], database=database) as asked,
        closing(Archive(exchange_with(asked.node), exchange_with(exchange.node))) as archive,
    ):
        study = str(held[0].StudyInstanceUID)
        query = Query(Level.SERIES, {"StudyInstanceUID": study})
        deadline = Deadline(PATIENCE)
        series = archive.find(query, limit=1, deadline=deadline).matches[0]
        query = Query(
            Level.IMAGE, {"StudyInstanceUID": study, "SeriesInstanceUID": str(series[_SERIES])}
        )
        found = archive.find(query, limit=500, deadline=deadline).matches
        references = [Reference(study, str(series[_SERIES]), str(one[_UID])) for one in found]
        got: list[Instance] = []
        answer = archive.objects(references, lambda one: got.append(one) is None, deadline=deadline)
        assert answer == Retrieved("WADO-RS", len(references))
        of_study = {one.sop_instance_uid: one for one in map(_instance, held)}
        assert all(of_study[one.sop_instance_uid] == one for one in got)


def _assert_told(header: Dataset, one: Dataset) -> None:
    """Everything but bulk data is there, and the same."""
    for element in one:
        if element.VR == "SQ":
            for told, item in zip(header[element.tag].value, element.value, strict=True):
                _assert_told(told, item)
        elif element.VR[0] != "O" and element.keyword != "SpecificCharacterSet":
            told, meant = header[element.tag].value or "", element.value or ""
            if element.VR == "DS" and meant:  # in JSON Orthanc 1.10 gives nine digits
                meant = pytest.approx(meant)
            assert told == meant or str(told) == str(meant), element


def _fetch(
    exchange: WebExchange, objects: Sequence[Dataset], *, headers: bool = False
) -> dict[str, Instance]:
    got: dict[str, Instance] = {}
    twice: Counter[str] = Counter()

    def take(one: Instance) -> bool:
        got[one.sop_instance_uid] = one
        twice[one.sop_instance_uid] += 1
        return True

    found = exchange.retrieve(
        _references(objects), take, deadline=Deadline(PATIENCE), headers=headers
    )
    assert not found.missing
    assert not found.notes
    assert found.count == len(objects) == len(got) == twice.total()
    return got


def _references(objects: Sequence[Dataset]) -> list[Reference]:
    return [
        Reference(str(one.StudyInstanceUID), str(one.SeriesInstanceUID), str(one.SOPInstanceUID))
        for one in objects
    ]


def _instance(one: Dataset) -> Instance:
    syntax = UID(str(one.file_meta.TransferSyntaxUID))
    encoded = encode(one, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
    assert encoded is not None
    return Instance(str(one.SOPClassUID), str(one.SOPInstanceUID), str(syntax), bytearray(encoded))
