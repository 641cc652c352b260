"""What is shown of a question and its answer where a log or a debugger shows it."""

from dicom_mcp.archives import Archives
from dicom_mcp.dicom_api import Archive, exchange_with
from dicom_mcp.node import Node
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Matches, Query


def test_what_is_shown_of_matches_holds_nothing_of_a_patient() -> None:
    query = Query(Level.STUDY, {"PatientName": "ZZSECRET^A"}, ("PatientID",))
    found = Matches(query, [{"PatientID": "ZZSECRET"}], complete=False)
    assert repr(found) == "<Matches: 1 at level STUDY by PatientName, not complete>"


def test_an_archive_says_where_it_is_and_several_who_they_are() -> None:
    archive = Archive(exchange_with(Node(name="pacs")))
    assert "127.0.0.1:11112" in repr(archive)
    assert repr(Archives({"pacs": archive, "vna": archive})) == "<Archives pacs, vna>"
