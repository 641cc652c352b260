"""Whatever the syntax of an object, its header is read, and its picture is shown or refused with
its own reason; none costs its neighbours anything."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRBigEndian

from dicom_mcp.demo.archive import EmbeddedArchive
from dicom_mcp.node import AnyNode, Node, WebNode
from tests.asking import ask, fail, look
from tests.content.samples import gradient, image
from tests.peers.embedded import embedded_web

VIDEO_CLASS, CT = "1.2.840.10008.5.1.4.1.1.77.1.1.1", "1.2.840.10008.5.1.4.1.1.2"
MPEG, XL, PROGRESSIVE = (f"1.2.840.10008.1.2.4.{one}" for one in ("102", "110", "55"))


def member(number: int, pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> Dataset:
    return image(
        pixels,
        modality="ES" if number == 2 else "CT",
        StudyInstanceUID="2.25.1",
        SeriesInstanceUID=f"2.25.2{number}",
        SOPInstanceUID=f"2.25.3{number}",
        SOPClassUID=VIDEO_CLASS if number == 2 else CT,
        InstanceNumber=number,
        ProtocolName=f"P{number}",
    )


def packed(number: int, syntax: str, content: bytes) -> Dataset:
    made = member(number, np.zeros((16, 32), np.uint8))
    made.file_meta.TransferSyntaxUID = UID(syntax)
    made.PixelData = encapsulate([content])
    made["PixelData"].is_undefined_length = True
    if syntax == MPEG:
        made.PhotometricInterpretation, made.SamplesPerPixel = "YBR_PARTIAL_420", 3
        made.PlanarConfiguration, made.NumberOfFrames = 0, 100
    return made


def progressive() -> bytes:
    file = BytesIO()
    Image.fromarray(gradient(0, 255, "u1")).save(file, "JPEG", progressive=True, quality=95)
    return file.getvalue()


def big() -> Dataset:
    made = member(1, gradient(0, 255, "u1"))
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    return made


HELD = [
    big(),
    packed(2, MPEG, b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 500),
    packed(3, XL, b"\xff\x0a" + b"\x00" * 500),
    packed(4, PROGRESSIVE, progressive()),
    member(5, gradient(0, 255, "u1")),
]


@pytest.fixture(scope="module", params=["DIMSE", "DICOMweb"])
def node(request: pytest.FixtureRequest) -> Iterator[AnyNode]:
    if request.param == "DICOMweb":
        with embedded_web(HELD) as url:
            yield WebNode(url)
        return
    with EmbeddedArchive(HELD, ae_title="SYNTAXES") as archive:
        yield Node(port=archive.port, called_ae_title="SYNTAXES")


@pytest.mark.parametrize("number", range(1, 6))
def test_the_header_is_read_whatever_the_syntax(node: AnyNode, number: int) -> None:
    answer = ask(
        node,
        "read_header",
        series_instance_uid=f"2.25.2{number}",
        sop_instance_uid=f"2.25.3{number}",
        attributes=["ProtocolName"],
    )
    assert answer["complete"] is True
    assert f"'P{number}'" in str(answer["records"])


def test_one_video_costs_its_study_nothing(node: AnyNode) -> None:
    answer = ask(node, "sample_headers", study_instance_uids="2.25.1", attributes=["ProtocolName"])
    assert answer["complete"] is True
    assert all(f"'P{number}'" in str(answer) for number in range(1, 6))


@pytest.mark.parametrize("number", [1, 4, 5])
def test_what_can_be_decoded_is_shown(node: AnyNode, number: int) -> None:
    said, (shown,) = look(node, "view_image", series_instance_uid=f"2.25.2{number}")
    assert said["complete"] is True
    greys = np.asarray(Image.open(BytesIO(shown)).convert("L"))[24:-24, 24:-24]
    assert greys[0, 0] < 20
    assert greys[-1, -1] > 235


@pytest.mark.parametrize(("number", "reason"), [(2, "a video (MPEG-4"), (3, "JPEG XL Lossless")])
def test_what_cannot_be_decoded_says_what_it_is(node: AnyNode, number: int, reason: str) -> None:
    assert reason in fail(node, "view_image", series_instance_uid=f"2.25.2{number}")
