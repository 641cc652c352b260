from itertools import pairwise

from pynetdicom import status as pynetdicom_status

from dicom_mcp.standard.status import RANGES, STATUS, Kind, status


def test_every_code_there_can_be_has_a_meaning() -> None:
    for code in range(0x10000):
        said = status(code)
        assert said.code == code
        assert said.meaning
        assert str(said) == f"0x{code:04X} ({said.meaning})"


def test_every_failure_can_be_told_apart_from_success_and_pending() -> None:
    kinds = {code: status(code).kind for code in range(0x10000)}
    assert [code for code, kind in kinds.items() if kind is Kind.SUCCESS] == [0]
    assert [code for code, kind in kinds.items() if kind is Kind.PENDING] == [0xFF00, 0xFF01]
    assert [code for code, kind in kinds.items() if kind is Kind.CANCEL] == [0xFE00]


def test_our_classes_are_pynetdicoms() -> None:
    tables = (
        pynetdicom_status.GENERAL_STATUS,
        pynetdicom_status.VERIFICATION_SERVICE_CLASS_STATUS,
        pynetdicom_status.QR_FIND_SERVICE_CLASS_STATUS,
    )
    for table in tables:
        for code, (category, _) in table.items():
            if code in (0x0001, 0x0107, 0x0116):
                continue  # warnings by PS3.7 C; see the next test
            assert status(code).kind.value == category.lower(), f"0x{code:04X}"


def test_the_warnings_of_the_general_table_are_warnings() -> None:
    # PS3.7 C.4: B000 to BFFF and, by name, these three.
    assert {code for code in STATUS if code < 0xB000 and STATUS[code].kind is Kind.WARNING} == {
        0x0001,
        0x0107,
        0x0116,
    }


def test_ranges_do_not_overlap_and_statuses_are_where_their_range_is() -> None:
    ordered = sorted(RANGES)
    for (_, last, _, _), (first, _, _, _) in pairwise(ordered):
        assert last < first
    for first, last, kind, _ in RANGES:
        if first >= 0xA000:
            assert {one.kind for one in STATUS.values() if first <= one.code <= last} <= {kind}


def test_no_sentence_ends_with_a_full_stop_or_repeats_its_code() -> None:
    for one in STATUS.values():
        assert not one.meaning.endswith(".")
        assert not one.remedy.endswith(".")
        assert one.remedy or one.kind is not Kind.FAILURE
        assert f"{one.code:04X}" not in one.meaning
