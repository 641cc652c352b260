"""An index that is filled from Orthanc and from DCMTK's archive, with headers and reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicom_mcp.node import WebNode
from tests.demo_hospital import TODAY
from tests.index.deep import enhanced, fill, of
from tests.index.filled import Filled, index_in
from tests.peers.dcmqrscp import dcmqrscp
from tests.peers.orthanc import orthanc, orthanc_web, read_again
from tests.truth.archives import images

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def enhanced_mr(study: int) -> list[Dataset]:
    """Its echo and diffusion are those of each frame (PS3.3 C.8.13.5)."""
    timing = of(RepetitionTime=2500.0, FlipAngle=90.0, RFEchoTrainLength=9)
    frames = [
        of(
            MREchoSequence=[of(EffectiveEchoTime=85.0)],
            MRDiffusionSequence=[of(DiffusionBValue=1000.0)],
            PlaneOrientationSequence=[of(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])],
        )
        for _ in range(3)
    ]
    shared = of(
        MRTimingAndRelatedParametersSequence=[timing],
        PixelMeasuresSequence=[of(SliceThickness=4.0, SpacingBetweenSlices=5.0)],
    )
    return images(
        1,
        study=study,
        SOPClassUID=ENHANCED_MR,
        Modality="MR",
        NumberOfFrames=3,
        MagneticFieldStrength=3.0,
        PulseSequenceName="ep2d_diff",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=frames,
    )


@pytest.fixture(scope="module")
def objects(held: list[Dataset]) -> list[Dataset]:
    """The last weeks of the demo hospital that are over, and two objects of several frames."""
    past = [d for d in held if "20260310" <= d.StudyDate < f"{TODAY:%Y%m%d}"]
    return read_again([*past, *enhanced(9001), *enhanced_mr(9002)])


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("orthanc", marks=pytest.mark.orthanc),
        pytest.param("orthanc web", marks=pytest.mark.orthanc),
        pytest.param("dcmqrscp", marks=pytest.mark.dcmtk),
    ],
)
def index(
    request: pytest.FixtureRequest,
    objects: list[Dataset],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Filled]:
    """Filled from one archive after the other, as they are."""
    directory: Path = tmp_path_factory.mktemp("peer")
    with index_in(tmp_path_factory.mktemp("index")) as index:
        match request.param:
            case "orthanc web":
                with orthanc_web(objects, directory) as url:
                    fill(index, WebNode(url))
            case "orthanc":
                with orthanc(objects, directory) as peer:
                    fill(index, peer.node)
            case _:
                with dcmqrscp(objects, directory) as peer:
                    fill(index, peer.node)
        yield index


def test_it_holds_what_the_archive_holds(index: Filled, objects: list[Dataset]) -> None:
    studies = {(str(d.StudyInstanceUID), str(d.PatientID), str(d.StudyDate)) for d in objects}
    found = index.rows("SELECT study_uid, patient_id, study_date_text FROM studies")
    assert sorted(map(tuple, found)) == sorted(studies)
    series = {(str(d.SeriesInstanceUID), str(d.StudyInstanceUID), str(d.Modality)) for d in objects}
    found = index.rows("SELECT series_uid, study_uid, modality FROM series")
    assert sorted(map(tuple, found)) == sorted(series)
    assert all(entry.whole for entry in index.ledger.days().values())


def test_each_series_has_its_header(index: Filled, objects: list[Dataset]) -> None:
    found = index.rows("SELECT series_uid, fault, kvp, slice_thickness FROM headers")
    kept = {uid: values for uid, *values in found}
    assert len(found) == len(kept) == len({str(d.SeriesInstanceUID) for d in objects})
    for data in objects:
        fault, kvp, thickness = kept[str(data.SeriesInstanceUID)]
        assert fault is None
        if data.get("KVP") is not None:
            assert kvp == float(data.KVP)
        if data.get("SliceThickness") is not None:
            assert thickness == float(data.SliceThickness)


def test_objects_of_several_frames_tell_what_their_frames_do(index: Filled) -> None:
    found = index.rows(
        "SELECT kvp, slice_thickness, row_spacing, kernel, frame_count, repetition_time,"
        " echo_time, flip_angle, b_value, slice_spacing, field_strength, sequence, echo_train,"
        " orientation FROM headers WHERE study_uid IN ('1.2.9001', '1.2.9002') ORDER BY study_uid"
    )
    assert found == [
        [140.0, 1.25, 0.7, ["B30f"], 3, *[None] * 9],
        [
            *(None, 4.0, None, None, 3, 2500.0, 85.0, 90.0, 1000.0, 5.0, 3.0, "ep2d_diff", 9),
            [1.0, 0.0, 0.0, 0.0, 0.0, -1.0],
        ],
    ]


def test_each_report_has_its_words(index: Filled, objects: list[Dataset]) -> None:
    reports = {str(d.SOPInstanceUID) for d in objects if d.Modality in ("SR", "DOC")}
    found = index.rows("SELECT sop_instance_uid FROM reports WHERE fault IS NULL AND text <> ''")
    assert reports <= {uid for (uid,) in found}
    read, of, failed = index.ledger.read_so_far("reports")
    assert (read, failed) == (of, 0)
