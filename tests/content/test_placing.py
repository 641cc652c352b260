"""Every frame lies where its kind of object says, by the rule that kind has."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicom_mcp.content.caption import caption
from dicom_mcp.content.frame import render
from dicom_mcp.content.geometry import frame_at, geometry, places
from dicom_mcp.content.picture import cell, contact_sheet
from tests.content.samples import image

AXIAL = [1, 0, 0, 0, 1, 0]
DOWN = [1, 0, 0, 0, -1, 0]  # whose normal points to the feet


def frames(count: int, **attributes: Any) -> Dataset:
    values = np.zeros((count, 4, 4), "u2")
    values[:, 0, 0] = range(count)
    return image(values, NumberOfFrames=count, **attributes)


def item(**attributes: Any) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def enhanced(where: list[float], kind: str = "Patient") -> Dataset:
    sequence = "" if kind == "Patient" else "Volume"
    made = frames(len(where))
    place, plane = f"PlanePosition{sequence}Sequence", f"PlaneOrientation{sequence}Sequence"
    made.SharedFunctionalGroupsSequence = Sequence(
        [item(**{plane: Sequence([item(**{f"ImageOrientation{kind}": AXIAL})])})]
    )
    made.PerFrameFunctionalGroupsSequence = Sequence(
        [item(**{place: Sequence([item(**{f"ImagePosition{kind}": [0, 0, z]})])}) for z in where]
    )
    return made


def nuclear(slices: list[int], detectors: list[int], spacing: float = 3) -> Dataset:
    return frames(
        len(slices),
        FrameIncrementPointer=[0x00540080],
        SliceVector=slices,
        DetectorVector=detectors,
        SpacingBetweenSlices=spacing,
        DetectorInformationSequence=Sequence(
            [
                item(ImageOrientationPatient=AXIAL, ImagePositionPatient=[0, 0, z])
                for z in (-20, 100)
            ]
        ),
    )


def flat(count: int = 3, cosines: list[int] = AXIAL, **more: Any) -> Dataset:
    return frames(
        count, ImageOrientationPatient=cosines, ImagePositionPatient=[0, 0, -117.8], **more
    )


@pytest.mark.parametrize(
    ("dataset", "along"),
    [
        (flat(GridFrameOffsetVector=[0, 3, 6]), [-117.8, -114.8, -111.8]),
        (flat(GridFrameOffsetVector=[-117.8, -114.8, -111.8]), [-117.8, -114.8, -111.8]),
        (flat(cosines=DOWN, GridFrameOffsetVector=[0, -3, -6]), [-117.8, -114.8, -111.8]),
        (
            flat(cosines=DOWN, GridFrameOffsetVector=[-117.8, -114.8, -111.8]),
            [-117.8, -114.8, -111.8],
        ),
        (flat(GridFrameOffsetVector=[0, 2.5, 9]), [-117.8, -115.3, -108.8]),
        (flat(SliceLocationVector=[10, 12, 14]), [-117.8, -115.8, -113.8]),
        (nuclear([1, 2, 3], [1, 1, 1]), [-20, -17, -14]),
        (nuclear([1, 2, 1, 2], [1, 1, 2, 2]), [-20, -17, 100, 103]),
        (enhanced([5, 8, 11]), [5, 8, 11]),
        (enhanced([1, 2, 3], "Volume"), [1, 2, 3]),
    ],
)
def test_each_frame_lies_in_its_place(dataset: Dataset, along: list[float]) -> None:
    assert [round(place.along, 3) for place in places(dataset)] == along
    for number, where in enumerate(along, start=1):
        assert f"at {where:.1f} mm" in caption(dataset, render(dataset, number))


@pytest.mark.parametrize("pointer", [0x00181063, 0x00181065])
def test_frames_in_time_lie_where_the_first_one_does(pointer: int) -> None:
    dataset = flat(FrameIncrementPointer=[pointer])
    assert "at -117.8 mm" in caption(dataset, render(dataset, 3))


def test_of_frames_that_vary_by_something_else_no_place_is_told() -> None:
    assert " mm" not in caption(flat(), render(flat(), 3)).splitlines()[0]
    rotation = nuclear([1, 2], [1, 1])
    del rotation.SliceVector
    assert " mm" not in caption(rotation, render(rotation, 2)).splitlines()[0]


def test_a_mosaic_is_called_one_and_has_no_place() -> None:
    one = flat(1, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"], InstanceNumber=1)
    assert "axial mosaic of many slices side by side" in caption(one, render(one))
    found = geometry([one, one])
    assert found.notes == (
        "2 images are mosaics: sheets of many slices, whose places they do not say",
    )


def test_the_middle_of_several_volumes_is_that_of_the_first() -> None:
    places_of_volume = [float(z) for z in range(0, 40, 4)]
    assert frame_at(enhanced(places_of_volume * 4), 0.5) == 6
    by_slice = [z for z in places_of_volume for _ in range(4)]
    assert frame_at(enhanced(by_slice), 0.5) in range(17, 25)
    assert frame_at(enhanced(places_of_volume[::-1] * 3), 0.5) == 6
    assert frame_at(enhanced(places_of_volume), 0.5) == 6
    assert (frame_at(enhanced(places_of_volume * 4), 0), frame_at(flat(), 1)) == (1, 3)


def test_cells_of_a_sheet_without_a_window_are_on_one_scale() -> None:
    dose = flat(3, GridFrameOffsetVector=[0, 3, 6], modality="RTDOSE", DoseUnits="GY")
    values = np.zeros((3, 4, 4), "u2")
    values[0, :2], values[1, :2], values[2, :2] = 50, 5400, 2700
    dose.PixelData, dose.DoseGridScaling = values.tobytes(), "0.01"
    sheet = contact_sheet([cell(dose, number, longest_side=64) for number in (1, 2, 3)])
    assert "3 images without a window of their own on one scale, from 0 to 54 GY" in sheet.caption
    assert sheet.caption.count("Shown:") == 1
    picture = np.asarray(Image.open(BytesIO(sheet.content)).convert("L")).astype(int)
    half = picture.shape[1] // 2
    brightest = [picture[100:200, :half].max(), picture[100:200, half:].max()]
    assert brightest[0] < 10
    assert brightest[1] == 255


def test_a_change_of_slice_thickness_is_no_gap_and_is_told() -> None:
    thick = [(z, 4) for z in range(0, 60, 4)] + [(z, 7) for z in range(63, 150, 7)]
    found = geometry([_slice(z, thickness) for z, thickness in thick])
    assert found.stacks[0].gaps == ()
    assert found.notes == ("Slice thickness and spacing change within the stack: 4, 7 mm thick",)
    without = [each for each in thick if each[0] not in (20, 24, 84)]
    (stack,) = geometry([_slice(z, thickness) for z, thickness in without]).stacks
    assert [gap.missing for gap in stack.gaps] == [2, 1]


def _slice(where: float, thickness: float) -> Dataset:
    made = image(np.zeros((4, 4), "u2"), ImageOrientationPatient=AXIAL, SliceThickness=thickness)
    made.ImagePositionPatient, made.InstanceNumber = [0, 0, where], int(where)
    return made
