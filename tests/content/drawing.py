"""Objects that draw on images: segmentations, structure sets and doses, made small."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from tests.content.samples import image

AXIAL = [1, 0, 0, 0, 1, 0]
FRAME = "2.25.9"


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def code(meaning: str) -> Items:
    return Items([item(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning=meaning)])


def axial(z: float = 0.0, *, side: int = 32, **attributes: Any) -> Dataset:
    """A grey image whose pixels are 1 mm, the first at -10, -10."""
    more: dict[str, Any] = {
        "modality": "CT",
        "SOPInstanceUID": f"2.25.70{int(z * 10) + 5000}",
        "StudyInstanceUID": "2.25.1",
        "SeriesInstanceUID": "2.25.2",
        "InstanceNumber": int(z) + 50,
        "FrameOfReferenceUID": FRAME,
        "ImagePositionPatient": [-10, -10, z],
        "ImageOrientationPatient": AXIAL,
        "PixelSpacing": [1, 1],
        "WindowCenter": 100,
        "WindowWidth": 201,
    }
    return image(np.full((side, side), 100, "u2"), **(more | attributes))


def segmentation(
    planes: Mapping[float, Mapping[int, "np.ndarray[Any, Any]"]],
    kind: str = "BINARY",
    *,
    frame_of_reference: str = FRAME,
) -> Dataset:
    """Segments by their number, in planes at these z; a label map has one frame to a plane."""
    frames: list[np.ndarray[Any, Any]] = []
    groups: list[Dataset] = []
    for z, segments in planes.items():
        if kind == "LABELMAP":
            frames.append(
                np.sum([mask * np.uint8(n) for n, mask in segments.items()], axis=0, dtype="u1")
            )
            groups.append(_group(z))
            continue
        for number, mask in segments.items():
            frames.append(mask.astype("u1") * (200 if kind == "FRACTIONAL" else 1))
            groups.append(_group(z, number))
    made = image(
        np.stack(frames),
        modality="SEG",
        NumberOfFrames=len(frames),
        SegmentationType=kind,
        MaximumFractionalValue=200,
        ContentLabel="ORGANS",
        StudyInstanceUID="2.25.1",
        SeriesInstanceUID="2.25.3",
        SOPInstanceUID="2.25.81",
        FrameOfReferenceUID=frame_of_reference,
        ReferencedSeriesSequence=Items([item(SeriesInstanceUID="2.25.2")]),
        SharedFunctionalGroupsSequence=Items(
            [
                item(
                    PlaneOrientationSequence=Items([item(ImageOrientationPatient=AXIAL)]),
                    PixelMeasuresSequence=Items([item(PixelSpacing=[1, 1], SliceThickness=2)]),
                )
            ]
        ),
        PerFrameFunctionalGroupsSequence=Items(groups),
        SegmentSequence=Items(
            [
                item(
                    SegmentNumber=number,
                    SegmentLabel=label,
                    SegmentAlgorithmType="MANUAL",
                    SegmentedPropertyCategoryCodeSequence=code("Organ"),
                    SegmentedPropertyTypeCodeSequence=code(label),
                )
                for number, label in ((1, "Liver"), (2, "Spleen"), (7, "Cyst"))
            ]
        ),
    )
    ending = "7" if kind == "LABELMAP" else "4"
    made.SOPClassUID = f"1.2.840.10008.5.1.4.1.1.66.{ending}"
    if kind == "BINARY":
        made.BitsAllocated = made.BitsStored = 1
        made.HighBit = 0
        bits = np.packbits(np.stack(frames).reshape(-1), bitorder="little").tobytes()
        made.PixelData = bits + b"\0" * (len(bits) % 2)
    return made


def _group(z: float, number: int = 0) -> Dataset:
    made = item(PlanePositionSequence=Items([item(ImagePositionPatient=[-10, -10, z])]))
    if number:
        made.SegmentIdentificationSequence = Items([item(ReferencedSegmentNumber=number)])
    return made


def structure_set(
    regions: Mapping[str, Sequence[tuple[str, Sequence[Sequence[float]]]]], **attributes: Any
) -> Dataset:
    """Contours of each region: their geometric type and their points."""
    made = image(np.zeros((1, 1), "u1"), modality="RTSTRUCT", **attributes)
    del made.PixelData, made.Rows, made.Columns, made.PhotometricInterpretation
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.1", "2.25.4"
    made.SOPInstanceUID, made.StructureSetLabel = "2.25.82", "PLAN"
    made.ApprovalStatus = "UNAPPROVED"
    made.StructureSetROISequence = Items(
        [
            item(ROINumber=number, ROIName=name, ReferencedFrameOfReferenceUID=FRAME)
            for number, name in enumerate(regions, start=1)
        ]
    )
    made.ROIContourSequence = Items(
        [
            item(
                ReferencedROINumber=number,
                ROIDisplayColor=[255, 0, 0] if number == 1 else [0, 0, 255],
                ContourSequence=Items(
                    [
                        item(
                            ContourGeometricType=kind,
                            NumberOfContourPoints=len(points),
                            ContourData=[value for point in points for value in point],
                        )
                        for kind, points in contours
                    ]
                ),
            )
            for number, contours in enumerate(regions.values(), start=1)
        ]
    )
    return made


def dose(values: "np.ndarray[Any, Any]", first: float = 0.0, step: float = 2.0) -> Dataset:
    """A grid of dose in cGy, planes by rows by columns of 2 mm."""
    made = image(
        values.astype("u2"),
        modality="RTDOSE",
        NumberOfFrames=len(values),
        DoseUnits="GY",
        DoseType="PHYSICAL",
        DoseSummationType="PLAN",
        DoseGridScaling="0.01",
        GridFrameOffsetVector=[step * place for place in range(len(values))],
        FrameIncrementPointer=0x3004000C,
        ImagePositionPatient=[-10, -10, first],
        ImageOrientationPatient=AXIAL,
        PixelSpacing=[2, 2],
        FrameOfReferenceUID=FRAME,
        StudyInstanceUID="2.25.1",
        SeriesInstanceUID="2.25.5",
        SOPInstanceUID="2.25.83",
    )
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.2"
    return made
