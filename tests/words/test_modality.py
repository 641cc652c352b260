"""Words for modalities, in the languages people use, and codes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom_mcp.errors import BadArgument
from dicom_mcp.words.modalities import any_of, modalities
from dicom_mcp.words.modality import MODALITIES


def asked(text: str) -> tuple[str, ...]:
    return any_of(text, argument="modality")


@pytest.mark.parametrize("code", sorted(MODALITIES))
def test_a_code_of_the_standard_is_itself_in_any_case(code: str) -> None:
    assert re.fullmatch("[A-Z0-9]{2,16}", code)
    assert asked(code)[0] == code
    assert asked(code.lower()) == asked(f" {code} ") == asked(code)
    assert code == "OCT" or asked(code) == (code,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  ", ()),
        ("any", ()),
        ("*", ()),
        ("ct", ("CT",)),
        ("CT scan", ("CT",)),
        ("CT scans", ("CT",)),
        ("CAT scan", ("CT",)),
        ("Computed Tomography", ("CT",)),
        ("Computertomographie", ("CT",)),
        ("TDM", ("CT",)),
        ("TAC", ("CT",)),
        ("tomografía", ("CT",)),
        ("CT angiography", ("CT",)),
        ("MRI", ("MR",)),
        ("MRIs", ("MR",)),
        ("MR imaging", ("MR",)),
        ("magnetic resonance", ("MR",)),
        ("MRT", ("MR",)),
        ("MR angiography", ("MR",)),
        ("duplex Doppler", ("US",)),
        ("Kernspin", ("MR",)),
        ("IRM", ("MR",)),
        ("resonancia magnética", ("MR",)),
        ("ultrasound", ("US",)),
        ("ultrasounds", ("US",)),
        ("sonography", ("US",)),
        ("Sonographie", ("US",)),
        ("Ultraschall", ("US",)),
        ("échographie", ("US",)),
        ("ecografía", ("US",)),
        ("echo", ("US",)),
        ("Doppler", ("US",)),
        ("x-ray", ("CR", "DX", "RG")),
        ("X-rays", ("CR", "DX", "RG")),
        ("xray", ("CR", "DX", "RG")),
        ("radiograph", ("CR", "DX", "RG")),
        ("Röntgen", ("CR", "DX", "RG")),
        ("roentgen", ("CR", "DX", "RG")),
        ("radiographie", ("CR", "DX", "RG")),
        ("rayos X", ("CR", "DX", "RG")),
        ("XR", ("XR", "CR", "DX", "RG")),
        ("mammography", ("MG",)),
        ("mammograms", ("MG",)),
        ("Mammographie", ("MG",)),
        ("mamografía", ("MG",)),
        ("PET", ("PT",)),
        ("TEP", ("PT",)),
        ("nuclear medicine", ("NM",)),
        ("Szintigraphie", ("NM",)),
        ("médecine nucléaire", ("NM",)),
        ("angio", ("XA",)),
        ("angiography", ("XA",)),
        ("DSA", ("XA",)),
        ("fluoroscopy", ("RF",)),
        ("Durchleuchtung", ("RF",)),
        ("report", ("SR", "DOC")),
        ("Befund", ("SR", "DOC")),
        ("structured report", ("SR",)),
        ("PDF", ("DOC",)),
        ("EKG", ("ECG",)),
        ("bone density", ("BMD",)),
        ("DEXA", ("BMD",)),
        ("Knochendichte", ("BMD",)),
        ("endoscopy", ("ES",)),
        ("colonoscopy", ("ES",)),
        ("pathology", ("SM", "GM")),
        ("slide microscopy", ("SM",)),
        ("OCT", ("OCT", "OPT")),
        ("radiotherapy", ("RTPLAN", "RTDOSE", "RTSTRUCT", "RTIMAGE", "RTRECORD")),
        ("RT dose", ("RTDOSE",)),
        ("CT or MR", ("CT", "MR")),
        ("CT, MR", ("CT", "MR")),
        ("CT\\MR", ("CT", "MR")),
        ("CT MR", ("CT", "MR")),
        ("ct, ct", ("CT",)),
        ("CT oder MRT", ("CT", "MR")),
        ("scanner ou IRM", ("CT", "MR")),
        ("x-ray or CT scan", ("CR", "DX", "RG", "CT")),
        ("PET or CT", ("PT", "CT")),
        ("ct*", ("CT*",)),
        ("?R", ("?R",)),
        ("XYZ", ("XYZ",)),
        ("FOO_1", ("FOO_1",)),
        ("dxa2", ("DXA2",)),
    ],
)
def test_a_word_is_the_codes_people_mean(text: str, expected: tuple[str, ...]) -> None:
    assert asked(text) == expected


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("ultrasond", r"ultrasound \(US\)"),
        ("ultrsound", "ultrasound"),
        ("mamography", r"mammography \(MG\)"),
        ("mamo", "mammo"),
        ("radiografy", "radiograph"),
        ("magnetic resonanse", r"magnetic resonance \(MR\)"),
        ("floroscopy", "fluoroscopy"),
        ("chest x-ray", r"x ray \(CR, DX, RG\)"),
        ("CT abdomen", r"ct \(CT\)"),
        ("something else entirely", "such as CT"),
        ("scan", "such as CT"),
        ("abdominal", "such as CT"),
        ("超音波", "such as CT"),
        (",", "such as CT"),
    ],
)
def test_what_is_no_modality_is_refused_with_the_nearest(text: str, right: str) -> None:
    with pytest.raises(BadArgument, match=right) as refused:
        asked(text)
    assert "modality=" in str(refused.value)


TOGETHER: dict[str, tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]] = {
    **dict.fromkeys(
        (
            *("CT and MR", "CT & MR", "CT+MR", "CT/MR", "both CT and MR", "CT and MR both"),
            *("CT with MR", "CT w/ MRI", "CT as well as MR", "CT plus MRI", "CT und MRT"),
            *("scanner et IRM", "TC y RM", "TC e RM", "sowohl CT als auch MRT", "both CT, MR"),
            *("studies with CT and MR", "patients that have both CT and MR", "all of CT, MR"),
        ),
        ((("CT",), ("MR",)), ()),
    ),
    **dict.fromkeys(
        ("PET/CT", "PET-CT", "PET CT", "PETCT", "pet and ct", "PET/CT scans"),
        ((("PT",), ("CT",)), ()),
    ),
    "SPECT/CT": ((("NM",), ("CT",)), ()),
    "PET/MR": ((("PT",), ("MR",)), ()),
    "x-ray and CT": ((("CR", "DX", "RG"), ("CT",)), ()),
    "CT, MR and US": ((("CT",), ("MR",), ("US",)), ()),
    "PET/CT and MR": ((("PT",), ("CT",), ("MR",)), ()),
    **dict.fromkeys(
        (
            *(
                "not CT",
                "no CT",
                "without CT",
                "non-CT",
                "!CT",
                "!= CT",
                "all except CT",
                "kein CT",
            ),
            *("everything but CT", "anything other than CT", "ohne CT", "sans scanner"),
        ),
        ((), ("CT",)),
    ),
    **dict.fromkeys(
        ("neither CT nor MR", "not CT or MR", "not CT and not MR", "weder CT noch MRT"),
        ((), ("CT", "MR")),
    ),
    **dict.fromkeys(
        (
            *("CT without MR", "CT but not MR", "CT and not MR", "CT, not MR", "CT not MR"),
            *("CT w/o MR", "CT ohne MRT", "not MR but CT", "CT and no MR"),
        ),
        ((("CT",),), ("MR",)),
    ),
    "CR/DX": ((("CR", "DX"),), ()),  # one word means both: either of them
    "CT and/or MR": ((("CT", "MR"),), ()),
    "any of CT, MR and US": ((("CT", "MR", "US"),), ()),
    "either CT or MR": ((("CT", "MR"),), ()),
}


@pytest.mark.parametrize("text", list(TOGETHER))
def test_several_modalities_are_read_as_they_are_meant(text: str) -> None:
    found = modalities(text, argument="modality")
    assert (found.every, found.none) == TOGETHER[text]
    if not found.is_one:
        with pytest.raises(BadArgument, match="each series has one modality"):
            asked(text)
        again = modalities(found.said, argument="modality") if "(" not in found.said else found
        assert again == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CT and MR or US", "more than one way"),
        ("PET/CT or MR", "more than one way"),
        ("not CT and MR", "more than one way"),
        ("not PET/CT", "more than one way"),
        ("CT and not CT", "leave"),
        ("CT and", "missing"),
        ("not", "missing"),
        ("CT without contrast", "no modality"),
        ("CT with gadolinium", "no modality"),
        ("only CT", "must not be there"),
        ("CT vs MR", "no modality"),
    ],
)
def test_several_modalities_that_cannot_be_meant_are_refused(text: str, why: str) -> None:
    with pytest.raises(BadArgument, match=f"(?i){why}"):
        modalities(text, argument="modality")


@given(st.one_of(st.text(max_size=40), st.text("CTMRUS,/ or*?\\-", max_size=20)))
def test_any_text_is_codes_or_refused(text: str) -> None:
    try:
        found = asked(text)
    except BadArgument:
        return
    assert len(set(found)) == len(found)
    assert all(re.fullmatch("[A-Z0-9_ *?]{1,16}", one) for one in found), found
