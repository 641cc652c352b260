"""The DICOM JSON Model is read to what an identifier's reader makes of the same data set."""

import json
import warnings
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from dicom_mcp.dicomweb.header import header
from dicom_mcp.dicomweb.model import Damage, data_set, data_sets
from dicom_mcp.errors import ProtocolViolation
from dicom_mcp.standard.identifier import decode
from dicom_mcp.standard.query import Match, Value
from dicom_mcp.standard.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.standard.identifiers import VALUES, written


@pytest.mark.parametrize("vr", VALUES)
def test_each_vr_becomes_what_it_does_in_an_identifier(vr: str) -> None:
    keyword, given_value, _ = VALUES[vr]
    dataset = Dataset()
    setattr(dataset, keyword, given_value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydicom, about the values of the table
        text = dataset.to_json()
    (match,) = (found for found, _ in data_sets([f"[{text}]".encode()]))
    expected = decode(written(dataset, EXPLICIT_VR_LITTLE_ENDIAN), EXPLICIT_VR_LITTLE_ENDIAN)
    if vr == "DS":  # a number keeps no zeros at its end
        assert [float(str(one)) for one in _list(match)] == [
            float(str(one)) for one in _list(expected)
        ]
        return
    assert match == expected


# What an element says, and what a match then has.
ELEMENTS: list[tuple[str, object, object]] = [
    ("00100010", {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Phonetic": "ア"}]}, "A^B==ア"),
    ("00100010", {"vr": "PN", "Value": [{"Ideographic": "山田^太郎"}]}, "=山田^太郎"),
    ("00100010", {"vr": "PN", "Value": ["Doe^Jane"]}, "Doe^Jane"),
    ("00100010", {"vr": "PN", "Value": [{}]}, ""),
    ("00100010", {"vr": "PN"}, ""),
    ("00080061", {"vr": "CS", "Value": ["CT", "SR"]}, ["CT", "SR"]),
    ("00080061", {"vr": "CS", "Value": ["CT\\SR"]}, ["CT", "SR"]),
    ("00080061", {"vr": "CS", "Value": [None, "SR"]}, ["", "SR"]),
    ("00080061", {"vr": "CS", "Value": []}, ""),
    ("00080050", {"vr": "SH", "Value": "A1"}, "A1"),
    ("00080050", {"vr": "SH", "Value": [" A1 "]}, "A1"),
    ("00080050", {"Value": ["A1"]}, "A1"),
    ("AccessionNumber", {"vr": "SH", "Value": ["A1"]}, "A1"),
    ("00201208", {"vr": "IS", "Value": [7]}, 7),
    ("00201208", {"vr": "IS", "Value": ["7"]}, 7),
    ("00201208", {"vr": "IS", "Value": ["007"]}, "007"),
    ("00201208", {"vr": "IS", "Value": [7.0]}, 7),
    ("00280030", {"vr": "DS", "Value": [0.5, "0.50", 1]}, ["0.5", "0.50", "1"]),
    ("00280010", {"vr": "US", "Value": ["512"]}, 512),
    ("00409225", {"vr": "FD", "Value": [1]}, 1.0),
    ("00409225", {"vr": "FD", "Value": ["NaN"]}, "nan"),
    ("00409225", {"vr": "FD", "Value": [float("nan")]}, "nan"),
    ("00100010", {"vr": "pn", "Value": [{"alphabetic": "Doe^Jane"}]}, "Doe^Jane"),
    ("00100010", {"vr": "PN", "Value": {"Alphabetic": "Doe^Jane"}}, "Doe^Jane"),
    ("00100010", {"VR": "PN", "value": [{"Alphabetic": "Doe^Jane"}]}, "Doe^Jane"),
    ("00100020", {"vr": "LO", "InlineBinary": "UMOk"}, "Pä"),
    ("0020000d", {"vr": "ui", "Value": ["1.2"]}, "1.2"),
    ("0020000D", {"vr": "UN", "InlineBinary": "MS4yAA=="}, "1.2"),
    ("00100020", "1", "1"),
    ("00080061", ["CT", "SR"], ["CT", "SR"]),
    ("00201208", 7, 7),
    ("00100020", None, ""),
    ("00420011", {"vr": "OB", "InlineBinary": "YWJj"}, "<3 bytes>"),
    ("00420011", {"vr": "OB", "BulkDataURI": "http://x/"}, "<bytes, kept apart>"),
    ("00081115", {"vr": "SQ"}, []),
    ("00081115", {"vr": "SQ", "Value": [{"0020000E": {"vr": "UI", "Value": ["1.2"]}}]}, [
        {"SeriesInstanceUID": "1.2"}
    ]),
    ("0040A160", {"vr": "UT", "Value": ["a\\b"]}, "a\\b"),
]  # fmt: skip


@pytest.mark.parametrize(("tag", "element", "expected"), ELEMENTS)
def test_elements_as_servers_write_them(tag: str, element: object, expected: object) -> None:
    # As it comes over the wire, so that numbers are what their reader makes of them.
    body = json.dumps([{tag: element}]).encode()
    ((match, _),) = data_sets([body])
    assert list(match.values()) == [expected]


def test_private_and_unknown_attributes_are_left_out() -> None:
    assert data_set({"00091001": {"vr": "LO"}, "00181FFF": {"vr": "LO"}, "x y": {}}) == {}


@pytest.mark.parametrize(
    "row",
    [
        {"0010,0020": {"vr": "LO", "Value": ["P1"]}},
        {"00100020": {"vr": "LO", "Value": [{"name": "P1"}]}},
        {"00100020": {"vr": "LO", "InlineBinary": "no base64"}},
        {"00081115": {"vr": "SQ", "Value": ["a series"]}},
        {"00100020": {"vr": "LO", "Va|ue": ["P1"]}},
        {"00100010": {"vr": "PN", "Value": [{"Alphabetic": "A", "Ide0graphic": "B"}]}},
        {"\x1b0100020": {"vr": "LO", "Value": ["P1"]}, "_link": {"url": "x"}, "OfAVendor": {}},
    ],
)
def test_what_cannot_be_read_of_a_row_is_damage_and_no_value(row: dict[str, object]) -> None:
    uid = {"0020000D": {"vr": "UI", "Value": ["1.2"]}}
    damage = Damage()
    found = [match for match, _ in data_sets([json.dumps([uid, row]).encode()], damage)]
    assert found == [{"StudyInstanceUID": "1.2"}, {}]
    assert damage.rows == 1


def test_the_metadata_of_an_object_are_read_in_the_same_forms() -> None:
    one = {
        "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
        "00080018": {"vr": "ui", "value": ["1.2.3"]},
        "00100010": {"vr": "pn", "Value": [{"alphabetic": "Doe^Jane"}]},
        "PatientID": "P1",
        "_link": {"url": "x"},
    }
    instance = header(one)
    assert instance.sop_instance_uid == "1.2.3"
    found = decode(bytes(instance.data_set), EXPLICIT_VR_LITTLE_ENDIAN)
    assert (found["PatientName"], found["PatientID"]) == ("Doe^Jane", "P1")


def test_bytes_that_are_no_utf_8_are_read_as_latin_1() -> None:
    body = '[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Jörg"}]}}]'
    for encoding in ("latin-1", "utf-8", "utf-8-sig"):
        ((match, _),) = data_sets([body.encode(encoding)])
        assert match == {"PatientName": "Müller^Jörg"}


def test_half_a_character_is_no_error() -> None:
    ((match, _),) = data_sets([b'[{"00100020":{"vr":"LO","Value":["a\\ud800b"]}}]'])
    assert str(match["PatientID"]).startswith("a")
    assert str(match["PatientID"]).isprintable()


@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 40))
def test_it_does_not_matter_where_an_answer_is_cut_into_pieces(
    values: list[int], size: int
) -> None:
    rows = [{"00100020": {"vr": "LO", "Value": [f'ä"{{}}]{one}']}} for one in values]
    body = json.dumps(rows, ensure_ascii=False, indent=1).encode()

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    found = [match["PatientID"] for match, _ in data_sets(pieces())]
    assert found == [f'ä"{{}}]{one}' for one in values]


@given(st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    try:
        for match, size in data_sets([b"[{", body]):
            assert match is not None
            assert size
    except ProtocolViolation:
        pass


def _list(match: Match) -> list[Value]:
    (value,) = match.values()
    assert isinstance(value, list)
    return value
