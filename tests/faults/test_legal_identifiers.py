"""Whatever a model asks, only legal identifiers reach the wire; or nothing does."""

import json
import re
import struct
import unicodedata
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp.types import CallToolResult
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.filereader import read_dataset

from dicom_mcp.config import Settings
from dicom_mcp.node import Node
from dicom_mcp.standard.dictionary import keywords
from tests.asking import call, said
from tests.peers.scripted import IMPLICIT, Over, Peer, Talk, acceptance, hear_request, pdu

EXAMPLES = 100

EXPLICIT = b"1.2.840.10008.1.2.1"
NO_DATA_SET = 0x0101


# --- what is asked

ODD_TEXTS = (
    *("*", "***", "?", "* *", "?*", " ", "=", "^", "a=b=c", "a=b=c=d", "x" * 65, "é" * 64),
    *("Müller*", "山田^太郎", "İstanbul", "ﬁ", "\N{GRINNING FACE}", "e\u0301", "ﾔﾏﾀﾞ"),
    *("A\\B", "a\tb", "a\r\nb", "\x1b$B;3ED", "\0", "\x85", "\ufeff", "\u202e"),
)
ODD_DAYS = (
    *("last week", "since 1 May", "20240230", "-", "2024", "20240101-", "-20240101", "*"),
    *("next year", "9999 years ago", "٢٠٢٤٠١٠١", "20240131-20240101"),
)
ODD_UIDS = (
    *("", "1", "1.2", "1.02", "1..2", "1.2\\1.3", "1.2\\", "1.*", "1.2 ", "1." * 40, "١.٢"),
    "\\".join(f"1.2.{number}" for number in range(3000)),
)
ODD_NUMBERS = ("007", "+7", "1.5", "1e3", "*", "-", "٣", "x", "")
ODD_ATTRIBUTES = (
    *("Item", "(FFFE,E00D)", "CommandField", "00000002", "TransferSyntaxUID", "PixelData"),
    *("QueryRetrieveLevel", "SpecificCharacterSet", "00080005", "60000010", "00090010", "nothing"),
)

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=70),
    st.text("*?^= -Aaé山ß", max_size=20),
    st.sampled_from(ODD_TEXTS),
)
CALENDAR = st.dates(min_value=date(1000, 1, 1))  # those before are below, in a test of their own
DAYS = st.one_of(
    CALENDAR.map(lambda day: f"{day.year:04}{day.month:02}{day.day:02}"),
    st.tuples(CALENDAR, CALENDAR).map(lambda two: f"{two[0]} - {two[1]}"),
    st.sampled_from(ODD_DAYS),
    TEXTS,
)
UIDS = st.one_of(
    st.from_regex(r"(0|[1-9][0-9]{0,9})(\.(0|[1-9][0-9]{0,9})){1,6}", fullmatch=True),
    st.sampled_from(ODD_UIDS),
    TEXTS,
)
# Those too large for an integer string are below, in a test of their own.
NUMBERS = st.one_of(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(10**9), 10**9).map(str),
    st.sampled_from(ODD_NUMBERS),
)
NAMED = st.lists(
    st.one_of(
        st.sampled_from(sorted(keywords())),
        st.integers(0, 2**32 - 1).map(lambda tag: f"{tag:08X}"),
        st.sampled_from(ODD_ATTRIBUTES),
    ),
    max_size=4,
)

DETAIL: dict[str, st.SearchStrategy[Any]] = {
    "attribute_preset": st.sampled_from(["minimal", "standard", "extended"]),
    "additional_attributes": NAMED,
    "exclude_attributes": NAMED,
    "limit": st.sampled_from([1, 50]),
}
QUESTIONS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "query_patients": {"name_pattern": TEXTS, "patient_id": TEXTS, "birth_date": DAYS},
    "query_studies": {
        "patient_id": TEXTS,
        "study_date": DAYS,
        "modality_in_study": TEXTS,
        "study_description": TEXTS,
        "accession_number": TEXTS,
        "study_instance_uid": UIDS,
        "patient_name": TEXTS,
    },
    "count_studies": {
        "group_by": st.lists(st.one_of(TEXTS, st.sampled_from(["month", "KVP"])), max_size=2),
        "count": st.sampled_from(["studies", "series", "images", "patients"]),
        "study_date": DAYS,
        "modality": TEXTS,
        "patient_id": TEXTS,
        "patient_name": TEXTS,
        "study_description": TEXTS,
        "where": st.lists(st.one_of(TEXTS, st.just("AccessionNumber is empty")), max_size=1),
    },
    "query_series": {
        "modality": TEXTS,
        "series_number": NUMBERS,
        "series_description": TEXTS,
        "series_instance_uid": UIDS,
    },
    "query_instances": {
        "instance_number": NUMBERS,
        "sop_instance_uid": UIDS,
        "study_instance_uid": UIDS,
    },
}
REQUIRED = {"query_series": "study_instance_uid", "query_instances": "series_instance_uid"}
SIMPLE_UIDS = st.sampled_from(["1.2.3", "1.2.3.4"]) | UIDS

# What the archive answers goes back to it when a parent or a study's series are looked up.
# Some archives' UIDs break the rules of PS3.5 9.1, and are the only ones their objects have.
# Those that cannot be asked for: a list of two others, wildcards, and what is too long or none.
NOT_ASKABLE = ("1.2\\1.3", "1.2.*", "*", "x", "1" * 65)

ANSWERED_UIDS = ("1.2.3", "1.2.3.4", "1.02", "", "1.2\\1.3", "x", "1.2.*", "*", "1." * 40)
ANSWERS = st.lists(
    st.tuples(st.sampled_from(ANSWERED_UIDS), st.sampled_from(ANSWERED_UIDS)), max_size=3
)


@pytest.mark.parametrize("tool", QUESTIONS)
def test_only_legal_identifiers_reach_the_wire(tool: str) -> None:
    required = {REQUIRED[tool]: SIMPLE_UIDS} if tool in REQUIRED else {}
    questions = st.fixed_dictionaries(required, optional={**QUESTIONS[tool], **DETAIL})

    with recording() as recorder:

        @settings(max_examples=EXAMPLES, deadline=None)
        @given(questions, ANSWERS, st.sampled_from([IMPLICIT, EXPLICIT]))
        def asked(arguments: dict[str, Any], answers: list[tuple[str, str]], syntax: bytes) -> None:
            recorder.begin(answers, syntax)
            result = recorder.ask(tool, arguments)
            assert recorder.heard or result.is_error
            if not_ours := re.search("failed inside", said(result)):
                raise AssertionError(not_ours.string)
            for data in recorder.heard:
                identifier = Identifier(data, implicit=syntax == IMPLICIT)
                assert identifier.faults() == []
                assert identifier.invented([str(one) for one in arguments.values()]) == []

        asked()


def test_no_value_of_a_list_has_wildcards_in_place_of_its_letters() -> None:
    with recording() as recorder:
        recorder.begin([], IMPLICIT)
        assert not recorder.ask("query_studies", {"patient_id": "0\r¡"}).is_error
        assert recorder.heard
        for data in recorder.heard:
            assert Identifier(data, implicit=True).faults() == []


@pytest.mark.parametrize("name", ["Item", "CommandField", "TransferSyntaxUID", "00041220"])
def test_an_attribute_that_no_data_set_has_is_refused(name: str) -> None:
    with recording() as recorder:
        recorder.begin([], EXPLICIT)
        refused = recorder.ask("query_studies", {"additional_attributes": [name]})
        assert refused.is_error
        assert "leave it out" in said(refused)
        assert recorder.heard == []


def test_what_every_identifier_says_is_said_once_when_it_is_asked_for_too() -> None:
    with recording() as recorder:
        recorder.begin([], IMPLICIT)
        twice = ["QueryRetrieveLevel", "SpecificCharacterSet"]
        asked = {"patient_name": "Müller", "additional_attributes": twice}
        assert not recorder.ask("query_studies", asked).is_error
        assert not any(Identifier(data, implicit=True).faults() for data in recorder.heard)


@pytest.mark.parametrize("uid", ["", "1.2\\1.3", "1.2.*", "*", "x"])
def test_a_study_that_has_no_uid_is_not_given_the_series_of_others(uid: str) -> None:
    with recording() as recorder:
        recorder.begin([(uid, "1.2.3")], IMPLICIT)
        assert not recorder.ask("query_studies", {"patient_id": "7"}).is_error
        assert len(recorder.heard) == 1


@pytest.mark.parametrize("uid", NOT_ASKABLE)
@pytest.mark.parametrize(
    "counted", [{"count": "series"}, {"count": "images", "group_by": ["KVP"]}], ids=str
)
def test_what_an_archive_gives_as_uid_goes_back_only_as_one_uid(
    uid: str, counted: dict[str, Any]
) -> None:
    for answers in ([(uid, "1.2.3")], [("1.2.3", uid)]):
        with recording() as recorder:
            recorder.begin(answers, IMPLICIT)
            result = recorder.ask("count_studies", counted)
            sent = b"".join(recorder.heard)
        assert uid.encode() not in sent or uid == "*"
        assert b"*\0" not in sent
        assert not result.is_error
        if answers[0][0] == uid or "group_by" in counted:  # else a series need not be asked for
            assert json.loads(said(result))["complete"] is False


@pytest.mark.parametrize(
    "number", ["+123456789012", "99999999999", str(2**31), str(-(2**31) - 1), 10**11]
)
def test_a_number_that_no_integer_string_holds_is_refused(number: str | int) -> None:
    with recording() as recorder:
        recorder.begin([], IMPLICIT)
        asked: dict[str, Any] = {"study_instance_uid": "1.2", "series_number": number}
        assert recorder.ask("query_series", asked).is_error
        assert recorder.heard == []


def test_a_day_long_ago_has_a_year_of_four_digits() -> None:
    with recording() as recorder:
        recorder.begin([], IMPLICIT)
        assert not recorder.ask("query_patients", {"birth_date": "09990101-20200101"}).is_error
        assert recorder.heard
        for data in recorder.heard:  # that nobody is found is proved by asking otherwise
            assert Identifier(data, implicit=True).faults() == []


@pytest.mark.parametrize("days", ["before 0001-01-01", "after 9999-12-31"])
def test_a_day_beyond_the_calendar_is_refused(days: str) -> None:
    with recording() as recorder:
        recorder.begin([], IMPLICIT)
        refused = recorder.ask("query_patients", {"birth_date": days})
        assert refused.is_error
        assert "failed inside" not in said(refused)


def test_the_rules_notice_an_illegal_identifier() -> None:
    level = b"\x08\0\x52\0\x06\0\0\0STUDY "
    for data, fault in (
        (b"", "no QueryRetrieveLevel"),
        (level + b"\x10\0\x10\0\x02\0\0\0* ", "PatientName is a bare *"),
        (level + b"\x10\0\x10\0\x02\0\0\0\xc3\xa9", "PatientName is not in the declared"),
        (level + b"\x10\0\x30\0\x08\0\0\x0020240230", "PatientBirthDate is not a range"),
        (level + b"\x20\0\x0d\0\x04\0\0\x001.2*", "StudyInstanceUID is not a UID"),
        (level + b"\x20\0\x11\0\x0a\0\0\x004000000000", "SeriesNumber is not an IS"),
        (
            level + b"\x08\0\x50\0\x04\0\0\x001\\2*",
            "AccessionNumber is a list of other than values",
        ),
        (level + b"\x08\0\x30\x10\x04\0\0\x00a\\bc", "StudyDescription holds several values"),
        (level + level, "tags are not in order"),
        (b"\0\0\0\1\0\0\0\0" + level, "group 0000"),
    ):
        assert fault in " ".join(Identifier(data, implicit=True).faults())


# --- what the wire may carry


class Identifier:
    """A C-FIND identifier as it came, and what PS3.5 and PS3.4 say against it."""

    def __init__(self, data: bytes, *, implicit: bool) -> None:
        with warnings.catch_warnings(action="ignore"):  # values are judged below
            for one in read_dataset(BytesIO(data), implicit, True):
                _ = one.value
        elements = _elements(data, implicit)
        tags = [tag for tag, _, _ in elements]
        self._ordered = all(one < other for one, other in pairwise(tags))
        self._groups = {tag >> 16 for tag in tags}
        self._level = 0x00080052 in tags
        self._utf_8 = (0x00080005, b"ISO_IR 192") in [(tag, raw) for tag, _, raw in elements]
        self._elements = [
            (_keyword(tag), dictionary_VR(tag), written, raw)
            for tag, written, raw in elements
            if dictionary_has_tag(tag)
        ]

    def faults(self) -> list[str]:
        """All that is wrong with it."""
        found = [] if self._ordered else ["tags are not in order, or there twice"]
        found += [
            f"group {group:04X} is not allowed"
            for group in sorted(self._groups)
            if group < 8 or group % 2 or group >= 0xFFFE
        ]
        if not self._level:
            found.append("no QueryRetrieveLevel")
        for keyword, vr, written, raw in self._elements:
            if written and written not in vr.split(" or "):
                found.append(f"{keyword} is written as {written}")
            if raw:
                found += [f"{keyword} {fault}" for fault in self._of_value(keyword, vr, raw)]
        return found

    def invented(self, arguments: list[str]) -> list[str]:
        """Texts with a character that nobody asked for in any case or width, other than a wildcard
        and what parts the values of a list. Names are spelled in other ways too, see test_names."""
        asked = "".join(arguments)
        asked += unicodedata.normalize("NFKC", asked)
        known = {*asked, *asked.upper(), *asked.lower(), "*", "?", "\\"}
        return [
            keyword
            for keyword, vr, _, raw in self._elements
            if vr in ("LO", "SH", "ST") and not set(raw.decode("utf-8").rstrip(" ")) <= known
        ]

    def _of_value(self, keyword: str, vr: str, raw: bytes) -> list[str]:
        found = ["has an odd length"] if len(raw) % 2 else []
        try:
            text = raw.decode("utf-8" if self._utf_8 else "ascii")
        except UnicodeDecodeError:
            return [*found, "is not in the declared character set"]
        text = text.removesuffix("\0") if vr == "UI" else text.rstrip(" ")
        if not text:
            found.append("is nothing but padding")
        if not text.strip("*"):
            found.append("is a bare *")
        if re.search("[\x00-\x1f\x7f-\x9f]", text):
            found.append("holds a control character")
        if "\\" in text and keyword not in LISTED:
            found.append("holds several values")
        rule = _RULES.get(keyword, _RULES.get(vr))
        if rule is None:
            return [*found, f"is a key of type {vr}, which no argument is"]
        return found + rule(text)


def _uids(text: str) -> list[str]:
    """Nothing that names other objects; an archive's own may be against PS3.5 9.1 otherwise."""
    one = re.compile(r"(?=.{1,128}$)(?:[A-Za-z][A-Za-z_-]{0,15})?(?=.*[0-9])[0-9._-]+")
    legal = all(one.fullmatch(uid) for uid in text.split("\\"))
    return [] if legal else [f"is not a UID: {text}"]


def _identifiers(text: str) -> list[str]:
    """One, which may be longer than its VR allows in an archive, or a list without wildcards."""
    values = text.split("\\")
    if len(values) > 1 and any(not one or set(one) & set("*?") for one in values):
        return ["is a list of other than values"]
    return ["is too long"] if any(len(one) > 1024 for one in values) else []


def _days(text: str) -> list[str]:
    ends = [end for end in text.split("-") if end]
    try:
        days = [datetime.strptime(end, "%Y%m%d").date() for end in ends]  # noqa: DTZ007
    except ValueError:
        days = []
    exact = all(re.fullmatch("[0-9]{8}", end) for end in ends) and text.count("-") <= 1
    return [] if exact and days and days == sorted(days) else ["is not a range of days"]


def _integer(text: str) -> list[str]:
    fits = re.fullmatch("[+-]?[0-9]{1,11}|[0-9]{12}", text) and -(2**31) <= int(text) < 2**31
    return [] if fits else ["is not an IS"]


def _code(text: str) -> list[str]:
    return [] if re.fullmatch("[A-Z0-9_ *?]{1,16}", text) else ["is not a CS"]


def _name(text: str) -> list[str]:
    groups = text.split("=")
    return ["is too long"] if len(groups) > 3 or any(len(one) > 64 for one in groups) else []


def _at_most(characters: int) -> Any:
    return lambda text: ["is too long"] if len(text) > characters else []  # pyright: ignore


# PS3.5 6.2 and 9.1, PS3.4 C.2.2.2.5: what a key of each type may be.
_RULES: dict[str, Any] = {
    "AccessionNumber": _identifiers,
    "PatientID": _identifiers,
    "CS": _code,
    "DA": _days,
    "IS": _integer,
    "LO": _at_most(64),
    "PN": _name,
    "SH": _at_most(16),
    "UI": _uids,
}

# What may be asked for by a list: UIDs (PS3.4 C.2.2.2.2), and what else names one thing.
LISTED = frozenset({
    *("AccessionNumber", "PatientID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"),
})  # fmt: skip


def _elements(data: bytes, implicit: bool) -> list[tuple[int, str, bytes]]:
    """Tag, VR as written ("" in Implicit VR) and value of each element, by hand: a Dataset forgets
    what was there twice."""
    found: list[tuple[int, str, bytes]] = []
    at = 0
    while at < len(data):
        group, element = struct.unpack_from("<HH", data, at)
        vr = "" if implicit else data[at + 4 : at + 6].decode()
        place, form = (4, "<I") if implicit else (8, "<I") if vr in _LONG else (6, "<H")
        start = at + place + struct.calcsize(form)
        at = start + struct.unpack_from(form, data, at + place)[0]
        assert at <= len(data), "an element is longer than the identifier"
        found.append((group << 16 | element, vr, data[start:at]))
    return found


_LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])


def _keyword(tag: int) -> str:
    return keyword_for_tag(tag) or f"{tag:08X}"


# --- the archive that listens


@dataclass(slots=True)
class Recorder:
    """An archive that keeps the identifiers it is sent, and gives answers it was told to."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list[bytes])
    answers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    syntax: bytes = IMPLICIT

    def begin(self, answers: list[tuple[str, str]], syntax: bytes) -> None:
        """Forget what was heard."""
        self.heard, self.answers, self.syntax = [], answers, syntax

    def ask(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        return call(Settings(Node("127.0.0.1", self.port)), tool, **arguments)

    def serve(self, talk: Talk) -> None:
        """One connection: record, answer, until it ends."""
        hear_request(talk)
        talk.send(acceptance(talk, syntax=self.syntax))
        while True:
            heard = _message(talk)
            if heard is None:
                continue
            self.heard.append(heard)
            for study, series in self.answers:
                talk.send(talk.row(data_set=self._row(study, series)))
            talk.send(talk.answer(0))

    def _row(self, study: str, series: str) -> bytes:
        data = b""
        for number, uid in ((0x0D, study), (0x0E, series)):
            raw = uid.encode() + b"\0" * (len(uid) % 2)
            length = struct.pack("<I", len(raw))
            data += struct.pack("<HH", 0x20, number)
            data += (length if self.syntax == IMPLICIT else b"UI" + length[:2]) + raw
        return data


@contextmanager
def recording() -> Generator[Recorder]:
    recorder = Recorder()
    with Peer((recorder.serve,)) as peer:
        recorder.port = peer.port
        yield recorder


def _message(talk: Talk) -> bytes | None:
    """The next request's identifier, None for a C-CANCEL; Over when there is no more."""
    command, data_set = b"", b""
    while True:
        kind, body = talk.read_pdu()
        if kind != 0x04:
            if kind == 0x05:
                talk.send(pdu(0x06, bytes(4)))
            raise Over
        at = 0
        while at < len(body):
            length, talk.context_id, control = struct.unpack_from(">IBB", body, at)
            fragment = body[at + 6 : at + 4 + length]
            at += 4 + length
            if not control & 1:
                data_set += fragment
                if control & 2:
                    return data_set
                continue
            command += fragment
            if control & 2:
                talk.operation, talk.message_id = _number(command, 0x0100), _number(command, 0x0110)
                if _number(command, 0x0800) == NO_DATA_SET:
                    return None
                talk.answering = talk.operation


def _number(command: bytes, element: int) -> int:
    """A number of a command set, 0 when it is not there."""
    _, found, raw = command.partition(struct.pack("<HHI", 0, element, 2))
    return struct.unpack_from("<H", raw)[0] if found else 0
