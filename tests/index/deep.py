"""Objects of several frames, and an index of headers and reports."""

from contextlib import closing
from datetime import UTC

from pydicom.dataset import Dataset

from dicom_mcp.dicom_api import Archive, exchange_with
from dicom_mcp.dimse.exchange import DimseExchange
from dicom_mcp.index.sync import Sync
from dicom_mcp.node import AnyNode, Node
from tests.index.filled import Filled
from tests.truth.archives import images

# An Enhanced CT image has one object for all slices, and its numbers in functional groups
# (PS3.3 C.7.6.16).
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def of(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def enhanced(study: int) -> list[Dataset]:
    shared = of(
        PixelMeasuresSequence=[of(PixelSpacing=[0.7, 0.8], SliceThickness=1.25)],
        CTXRayDetailsSequence=[of(KVP=140.0)],
        CTReconstructionSequence=[of(ConvolutionKernel="B30f")],
    )
    return images(
        1,
        study=study,
        SOPClassUID=ENHANCED_CT,
        NumberOfFrames=3,
        SharedFunctionalGroupsSequence=[shared],
    )


def fill(index: Filled, node: AnyNode) -> None:
    exchange = exchange_with(node)
    if isinstance(exchange, DimseExchange):
        exchange.manners.offers_get = not (isinstance(node, Node) and node.receiver)
    with closing(Archive(exchange)) as archive:
        deep, now = ("headers", "reports"), index.clock
        with closing(
            Sync(archive, index.store, index.ledger, zone=UTC, depth=deep, now=now)
        ) as sync:
            assert any(sync.step() is None for _ in range(200))
