"""The embedded server keeps to QIDO-RS (PS3.18 10.6), within bounds."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from dicom_mcp.demo.habits import Habits
from dicom_mcp.dicomweb.model import data_set
from dicom_mcp.standard.query import Match
from tests.bounds import PATIENCE, nothing_left_behind
from tests.demo.objects import compressed, hospital
from tests.peers.embedded import embedded_web

OBJECTS = list(hospital())
UID = OBJECTS[0].StudyInstanceUID


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with embedded_web(OBJECTS) as url:
        yield url


def test_pages_are_parts_of_the_whole_answer(url: str) -> None:
    whole = _found(url, "/instances")
    assert len(whole) == len({str(one["SOPInstanceUID"]) for one in whole}) > 4
    pages = [_found(url, f"/instances?limit=3&offset={at}") for at in range(0, len(whole) + 3, 3)]
    assert [one for page in pages for one in page] == whole


def test_all_pages_together_can_be_cut_without_a_word() -> None:
    with embedded_web(OBJECTS, Habits(most_of_all_pages=5)) as url:
        assert len(_found(url, "/instances")) == 5
        assert len(_found(url, "/instances?limit=4")) == 4
        assert len(_found(url, "/instances?limit=4&offset=4")) == 1
        assert len(_found(url, f"/studies/{UID}/series")) == 2


def test_a_limit_that_counts_series_cuts_studies_by_modality_silently() -> None:
    with embedded_web(OBJECTS, Habits(most_below=2)) as url:
        assert len(_found(url, "/studies")) == 6
        assert len(_found(url, "/studies?ModalitiesInStudy=CT")) == 2


def test_attributes_go_by_keyword_and_by_tag(url: str) -> None:
    patient = str(OBJECTS[0].PatientID)
    by_keyword = _found(url, f"/studies?PatientID={patient}&includefield=StudyDescription")
    by_tag = _found(url, f"/studies?00100020={patient}&includefield=00081030")
    assert by_keyword
    assert by_keyword == by_tag


def test_a_retrieve_url_stands_with_each_row(url: str) -> None:
    for study in _found(url, "/studies"):
        assert study["RetrieveURL"] == f"{url}/studies/{study['StudyInstanceUID']}"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/studies?PatientID=nobody", 204),
        ("/studies/1.2.3.4/series", 204),
        ("/studies?Nonsense=1", 400),
        ("/studies?limit=many", 400),
        ("/studies?includefield=Nonsense", 400),
        ("/patients", 404),
        ("/studies/1.2", 404),
        ("/series/1.2/studies", 404),
        ("/studies/1.2/series/3/instances/4", 404),
        ("/studies/1.2/metadata", 404),
        (f"/studies/{UID}/series/metadata", 404),
        (f"/studies/{UID}", 406),
        (f"/studies/{UID}/metadata", 200),
    ],
)
def test_each_status_means_what_it_says(url: str, target: str, expected: int) -> None:
    assert _get(url, target)[0] == expected


def test_a_study_is_given_whole_and_described_whole(url: str) -> None:
    held = [one for one in OBJECTS if one.StudyInstanceUID == UID]
    status, body = _get(url, f"/studies/{UID}", accept="multipart/related")
    assert (status, body.count(b"DICM")) == (200, len(held))
    assert len(json.loads(_get(url, f"/studies/{UID}/metadata")[1])) == len(held)


def test_what_is_compressed_is_not_given_to_who_does_not_take_it() -> None:
    images = list(compressed())
    one = images[0]
    target = f"/studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}"
    with embedded_web(images) as url:
        target += f"/instances/{one.SOPInstanceUID}"
        accept = 'multipart/related; type="application/dicom"'
        assert _get(url, target, accept=accept)[0] == 406
        for syntax in ("*", one.file_meta.TransferSyntaxUID):
            assert _get(url, target, accept=f"{accept}; transfer-syntax={syntax}")[0] == 200


def test_another_kind_of_answer_is_not_acceptable(url: str) -> None:
    assert _get(url, "/studies", accept="application/xml")[0] == 406


def test_nothing_is_left_when_it_stops_with_connections_open() -> None:
    with nothing_left_behind():
        with embedded_web(OBJECTS[:1]) as url:
            parts = urlsplit(url)
            assert parts.hostname
            assert parts.port
            held = [
                socket.create_connection((parts.hostname, parts.port), PATIENCE) for _ in range(5)
            ]
            assert _get(url, "/studies")[0] == 200
        for one in held:
            one.close()


def _found(url: str, target: str) -> list[Match]:
    status, body = _get(url, target)
    return [data_set(one) for one in json.loads(body)] if status == 200 else []


def _get(url: str, target: str, *, accept: str = "application/dicom+json") -> tuple[int, bytes]:
    parts = urlsplit(url)
    assert parts.hostname
    connection = HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
    try:
        connection.request("GET", parts.path + target, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
