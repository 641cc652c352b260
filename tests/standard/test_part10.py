"""A DICOM file is split where its data set begins, whatever stands in it (PS3.10 7.1)."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread  # pyright: ignore[reportUnknownVariableType]

from dicom_mcp.standard.instance import Instance
from dicom_mcp.standard.part10 import element, file_meta, heading

DEFLATED = "1.2.840.10008.1.2.1.99"
PLAIN = "1.2.840.10008.1.2.1"


@given(st.binary(max_size=60), st.sampled_from([PLAIN, DEFLATED]))
def test_what_is_written_is_read_back(data_set: bytes, syntax: str) -> None:
    one = Instance("1.2.3", "1.2.3.4", syntax, bytearray(data_set))
    found = file_meta(heading(one) + one.data_set)
    assert (found.sop_class_uid, found.sop_instance_uid) == ("1.2.3", "1.2.3.4")
    assert found.transfer_syntax == syntax
    assert (heading(one) + one.data_set)[found.length :] == data_set


def test_others_read_it_too() -> None:
    data_set = element(0x00100020, "LO", b"P1") + element(0x00101010, "ST", b"x" * 70_000)
    one = Instance("1.2.3", "1.2.3.4", PLAIN, bytearray(data_set))
    found = dcmread(BytesIO(heading(one) + one.data_set))
    assert found.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4"
    assert found.PatientID == "P1"
    assert len(found[0x00101010].value) == 70_000


def test_a_wrong_length_of_the_group_is_of_no_account() -> None:
    content = bytearray(heading(Instance("1.2", "1.3", PLAIN, bytearray())))
    end = len(content)
    content += element(0x00080005, "CS", b"ISO_IR 192")
    for wrong in (0, 7, 999_999):
        content[140:144] = wrong.to_bytes(4, "little")
        assert file_meta(content).length == end


@given(st.binary(max_size=300))
def test_any_other_bytes_are_no_file(content: bytes) -> None:
    with pytest.raises(ValueError, match="file"):
        file_meta(content)
    with pytest.raises(ValueError, match="damaged"):
        file_meta(bytes(128) + b"DICM" + content)


def test_a_file_that_breaks_off_in_its_meta_information_is_damaged() -> None:
    whole = heading(Instance("1.2", "1.3", PLAIN, bytearray()))
    syntax = whole.index(PLAIN.encode()) + len(PLAIN)
    for end in range(132, syntax):
        with pytest.raises(ValueError, match="damaged"):
            file_meta(whole[:end])
