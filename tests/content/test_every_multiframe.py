"""Every kind of object with several frames says where they lie, by the rule of its kind (PS3.3 A),
or says nothing of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom._uid_dict import UID_dictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_mcp.content.caption import caption
from dicom_mcp.content.frame import render
from dicom_mcp.content.geometry import places
from tests.content.drawing import AXIAL, item
from tests.content.samples import image

WHERE = [-8.0, -3.5, 1.0]


def frames(**attributes: Any) -> Dataset:
    return image(np.zeros((3, 4, 4), "u2"), NumberOfFrames=3, **attributes)


def grouped(kind: str) -> Dataset:
    """Positions in functional groups (C.7.6.16.2.3), or in those of a volume (C.7.6.22)."""
    made = frames()
    plane, place = (f"Plane{what}{kind}Sequence" for what in ("Orientation", "Position"))
    plane, place = (name.replace("Patient", "") for name in (plane, place))
    made.SharedFunctionalGroupsSequence = Sequence(
        [item(**{plane: Sequence([item(**{f"ImageOrientation{kind}": AXIAL})])})]
    )
    made.PerFrameFunctionalGroupsSequence = Sequence(
        [item(**{place: Sequence([item(**{f"ImagePosition{kind}": [0, 0, z]})])}) for z in WHERE]
    )
    return made


def dose() -> Dataset:
    """C.8.8.3.2: offsets from the first plane."""
    return frames(
        ImagePositionPatient=[0, 0, WHERE[0]],
        ImageOrientationPatient=AXIAL,
        GridFrameOffsetVector=[z - WHERE[0] for z in WHERE],
        FrameIncrementPointer=0x3004000C,
    )


def nuclear() -> Dataset:
    """C.8.4.15: slices of a detector."""
    detector = item(ImageOrientationPatient=AXIAL, ImagePositionPatient=[0, 0, WHERE[0]])
    return frames(
        SliceVector=[1, 2, 3],
        DetectorVector=[1, 1, 1],
        SpacingBetweenSlices=4.5,
        FrameIncrementPointer=0x00540080,
        DetectorInformationSequence=Sequence([detector]),
    )


def slide() -> Dataset:
    """C.7.6.17.3: tiles from the top left, row by row."""
    return frames(
        TotalPixelMatrixColumns=7, TotalPixelMatrixRows=8, DimensionOrganizationType="TILED_FULL"
    )


def cine() -> Dataset:
    """Frames that follow each other in time."""
    return frames(FrameIncrementPointer=0x00181063, FrameTime=40)


def projections() -> Dataset:
    """Functional groups that say nothing of a plane in the patient (A.47, A.48, A.66, A.74)."""
    made = frames()
    made.PerFrameFunctionalGroupsSequence = Sequence([Dataset() for _ in WHERE])
    return made


# What the name of a SOP class has in it, and how its frames are placed.
RULES: dict[str, Callable[[], Dataset]] = {
    "Whole Slide": slide,
    "Tiled Pyramidal": slide,
    "Enhanced US Volume": lambda: grouped("Volume"),
    "Nuclear Medicine": nuclear,
    "RT Dose": dose,
    **dict.fromkeys(
        (
            "Enhanced CT", "Enhanced MR", "Enhanced PET", "X-Ray 3D", "Breast Tomosynthesis",
            "Ophthalmic Tomography", "Segmentation", "Parametric Map", "Confocal", "Photoacoustic",
        ),
        lambda: grouped("Patient"),
    ),
    **dict.fromkeys(
        ("Enhanced XA", "Enhanced XRF", "Breast Projection", "Coherence Tomography"), projections
    ),
    **dict.fromkeys(
        (
            "Multi-frame", "Angiographic", "Radiofluoroscopic", "Video", "RT Image",
            "Ultrasound", "Ophthalmic Photography",
        ),
        cine,
    ),
}  # fmt: skip
NO_IMAGES = ("Surface", "Presentation State", "Analysis", "CAD")
CLASSES = {
    uid: next(rule for words, rule in RULES.items() if words in entry[0])
    for uid, entry in UID_dictionary.items()
    if entry[1] == "SOP Class"
    and "Storage" in entry[0]
    and any(words in entry[0] for words in RULES)
    and not any(words in entry[0] for words in NO_IMAGES)
} | {f"1.2.840.10008.5.1.4.1.1.66.{one}": RULES["Segmentation"] for one in (7, 8)}  # newer


def test_every_kind_of_several_frames_has_a_rule() -> None:
    assert len(CLASSES) > 50
    names = [UID_dictionary[uid][0] for uid in CLASSES if uid in UID_dictionary]
    used = {words for words in RULES if any(words in name for name in names)}
    assert used == {*RULES}


@pytest.mark.parametrize("uid", CLASSES)
def test_frames_lie_where_their_kind_says(uid: str) -> None:
    made = CLASSES[uid]()
    made.SOPClassUID = uid
    found = [place.plane.position[2] for place in places(made)]
    rule = CLASSES[uid]
    if rule in (cine, slide, projections):
        assert found == []
        told = caption(made, render(made, 3))
        assert "at " not in told.partition(".")[0]
        if rule is slide:
            assert "tile 1 of 2 across, 2 of 2 down (from column 1, row 5 of 7 × 8" in told
        return
    wanted = [WHERE[0] + 4.5 * place for place in range(3)] if rule is nuclear else WHERE
    assert found == pytest.approx(wanted)


def test_sparse_tiles_say_where_they_are() -> None:
    made = slide()
    made.DimensionOrganizationType = "TILED_SPARSE"
    made.PerFrameFunctionalGroupsSequence = Sequence(
        [
            item(
                PlanePositionSlideSequence=Sequence(
                    [
                        item(
                            ColumnPositionInTotalImagePixelMatrix=left,
                            RowPositionInTotalImagePixelMatrix=5,
                        )
                    ]
                )
            )
            for left in (5, 1, 5)
        ]
    )
    assert "tile 2 of 2 across, 2 of 2 down" in caption(made, render(made, 1))
    assert "tile 1 of 2 across, 2 of 2 down" in caption(made, render(made, 2))


def test_planes_of_tiles_are_depths_of_one_optical_path_and_then_of_the_next() -> None:
    made = image(
        np.zeros((8, 4, 4), "u2"),
        NumberOfFrames=8,
        TotalPixelMatrixColumns=8,
        TotalPixelMatrixRows=4,
        TotalPixelMatrixFocalPlanes=2,
        DimensionOrganizationType="TILED_FULL",
    )
    assert "focal plane 2, optical path 1" in caption(made, render(made, 3))
    assert "focal plane 1, optical path 2" in caption(made, render(made, 6))
