"""What is handed on match by match is what a list would have."""

import pytest

from dicom_mcp.deadline import Deadline
from dicom_mcp.demo.find import Hierarchy
from dicom_mcp.dicom_api import connect
from dicom_mcp.node import WebNode
from dicom_mcp.standard.levels import Level
from dicom_mcp.standard.query import Match, Query
from tests.bounds import PATIENCE
from tests.peers.embedded import embedded_web
from tests.truth.archives import find, holding, images, studies


@pytest.mark.parametrize("hierarchy", ["strict", "silent"])
def test_images_of_a_series_alone_where_the_study_is_wanted_too(hierarchy: Hierarchy) -> None:
    handed: list[Match] = []
    query = Query(Level.IMAGE, {"SeriesInstanceUID": "1.2.7.1"})
    with holding(images(3, study=7), hierarchy=hierarchy) as archive:
        answer = archive.each(query, handed.append, limit=10, deadline=Deadline(PATIENCE))
        assert (len(handed), answer.complete) == (3, True)
        assert handed == find(archive, Level.IMAGE, {**query.keys}).matches


def test_patients_where_there_are_only_studies() -> None:
    handed: list[Match] = []
    query = Query(Level.PATIENT, {}, ("PatientName",))
    with embedded_web(studies(7)) as url:
        archive = connect(WebNode(url))
        for _ in range(2):  # before that is known, and after
            handed.clear()
            answer = archive.each(query, handed.append, limit=10, deadline=Deadline(PATIENCE))
            assert (len(handed), answer.complete) == (7, True)
        archive.close()
