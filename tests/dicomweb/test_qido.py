"""Queries as URLs (PS3.18 10.6.1), and the nodes these begin with."""

import pytest

from dicom_mcp.dicomweb.qido import Manner, needs_escapes, search, tells_of_more, without_escapes
from dicom_mcp.errors import BadConfiguration
from dicom_mcp.node import Basic, Bearer, Certificate, WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Query

# Level, keys, and the path and parameters they become.
TARGETS: list[tuple[Level, dict[str, str], str]] = [
    (Level.STUDY, {}, "/studies?"),
    (Level.STUDY, {"PatientID": "00*"}, "/studies?PatientID=00*&"),
    (Level.STUDY, {"StudyDate": "20260101-"}, "/studies?StudyDate=20260101-&"),
    (Level.STUDY, {"StudyDescription": "CT a&b=c#"}, "/studies?StudyDescription=CT%20a%26b=c%23&"),
    (Level.STUDY, {"StudyDescription": "1+1%"}, "/studies?StudyDescription=1%2B1%25&"),
    (Level.STUDY, {"StudyInstanceUID": "1.2\\1.3"}, "/studies?StudyInstanceUID=1.2,1.3&"),
    (Level.SERIES, {"StudyInstanceUID": "1.2"}, "/studies/1.2/series?"),
    (Level.SERIES, {"Modality": "CT"}, "/series?Modality=CT&"),
    (Level.SERIES, {"StudyInstanceUID": "1.2\\1.3"}, "/series?StudyInstanceUID=1.2,1.3&"),
    (
        Level.IMAGE,
        {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "InstanceNumber": "7"},
        "/studies/1.2/series/1.2.3/instances?InstanceNumber=7&",
    ),
    (
        Level.IMAGE,
        {"SeriesInstanceUID": "1.2.3"},
        "/instances?SeriesInstanceUID=1.2.3&",
    ),
    (Level.IMAGE, {"StudyInstanceUID": "1.2"}, "/studies/1.2/instances?"),
]


@pytest.mark.parametrize(("level", "keys", "expected"), TARGETS)
def test_a_query_becomes_a_target(level: Level, keys: dict[str, str], expected: str) -> None:
    target = search(Query(level, keys)).target(limit=10, offset=0, manner=Manner(with_fields=False))
    assert target.replace("limit=10", "") == expected


def test_names_are_sent_in_utf_8_and_never_matched_fuzzily() -> None:
    query = Query(Level.STUDY, {"PatientName": "*山*"}, ("StudyDate",))
    target = search(query).target(limit=10, offset=20)
    assert target == (
        "/studies?PatientName=*%E5%B1%B1*&includefield=StudyInstanceUID&includefield=StudyDate"
        "&includefield=PatientName&includefield=PatientID&fuzzymatching=false&limit=10&offset=20"
    )


def test_a_query_without_escapes_is_wider() -> None:
    query = Query(Level.STUDY, {"PatientName": "García López*", "PatientID": "1?"})
    assert needs_escapes(query)
    wider = without_escapes(query)
    assert wider.keys == {"PatientName": "Garc*a*L*pez*", "PatientID": "1?"}
    assert set(wider.wanted) >= {"PatientName", "PatientID"}
    assert not needs_escapes(wider)
    assert not needs_escapes(Query(Level.STUDY, {"PatientName": "O'Brien*"}))


@pytest.mark.parametrize(
    ("status", "warning", "more"),
    [
        (200, "", False),
        (206, "", True),
        (200, '299 example "There are 12 additional results that can be requested"', True),
        (200, '299 x "The number of results exceeded the maximum"', True),
        (200, '299 x "The fuzzymatching parameter is not supported."', False),
        (200, '199 x "additional"', False),
    ],
)
def test_a_server_tells_of_more(status: int, warning: str, more: bool) -> None:
    assert tells_of_more(status, warning) is more


@pytest.mark.parametrize(
    "base_url",
    [
        *("", "pacs.example.org", "ftp://pacs/", "http://", "http://pacs:99999/", "//pacs/web"),
        *("http://pacs/web?token=zzsecret", "http://pacs/web#x", "http://pa cs/", "http://pacs/ä"),
        *("https://me:zzsecret@pacs/web", "http://zzsecret@pacs/web", "http://pacs/a\r\nb"),
    ],
)
def test_a_base_url_that_cannot_work_is_refused_without_showing_it(base_url: str) -> None:
    with pytest.raises(BadConfiguration) as caught:
        WebNode(base_url)
    assert "zzsecret" not in str(caught.value)
    assert caught.value.remedy


def test_a_node_knows_where_it_is_and_shows_no_secret() -> None:
    node = WebNode("https://pacs.example.org/dicom-web/", Basic("me", "zzsecret"))
    assert str(node) == "https://pacs.example.org/dicom-web"
    assert (node.host, node.port, node.path) == ("pacs.example.org", 443, "/dicom-web")
    assert "zzsecret" not in repr(node)
    assert WebNode("http://[::1]:8042").host == "::1"
    with pytest.raises(BadConfiguration, match="TLS"):
        WebNode("http://pacs/", Certificate("a.pem"))
    for bad in ("", "zz\r\nHost: x", "zz\x7f"):
        with pytest.raises(BadConfiguration):
            Bearer(bad)
    with pytest.raises(BadConfiguration):
        Basic("a:b", "x")
