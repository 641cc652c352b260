"""What DCMTK's dsrdump prints of a structured report, and whether it is all in our text."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import Dataset

from dicom_mcp.content.report import Report, read_report
from tests.peers.dcmtk import run

# As much as dsrdump can be made to print, and of what is not quite right too.
_ALL = ("-Er", "-Ev", "-Ec", "-Ee", "-q", "+U8", "+Pn", "+Pl", "+Pu", "+Psu", "+Pc", "+Pi", "+Pt")

_CODE = re.compile(r'\(([^,()"]*),([^,()"]*),"((?:[^"]|"(?!\)))*)"\)')
_TOKEN = re.compile(r'"((?:[^"]|"(?![,)>\s]))*)"|([^\s"(),=]+)')


def assert_complete(document: Dataset, path: Path, report: Report | None = None) -> None:
    """Every code and value of the dump, in its order, is in the text; the header in the fields."""
    if report is None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            report = read_report(document)
    dump = run("dsrdump", *_ALL, path).stdout
    if "Cannot open character encoding" in dump:  # one this DCMTK does not know; UTF-8 it does
        document.decode()
        document.SpecificCharacterSet = "ISO_IR 192"
        document.save_as(path)
        dump = run("dsrdump", *_ALL, path).stdout
    head, _, body = dump.partition("\n1  <")
    assert body, dump
    items = re.split(r"\n(?=\d+(?:\.\d+)*  <)", f"1  <{body}")
    text = _folded(report.text)
    place = 0
    for item in items:
        for token in _tokens(item):
            found = text.find(token, place)
            assert found >= 0, f"{token!r} of {item!r} is not in our text after {place}"
            place = found
    told = _folded(repr(report)).replace("\\n", " ")
    for line in head.splitlines()[1:]:
        said = line.partition(" : ")[2] or line
        if line.startswith("Predecessor Docs"):
            assert len(report.predecessors) == int(said)
        else:
            for word in re.findall(r'[^\s,()"#:]+', re.sub(r"(\d)[-:](?=\d)", r"\1", said)):
                assert word in told, f"{word!r} of {line!r}"


def _tokens(item: str) -> Iterator[str]:
    """What an item of the dump says, in the order we say it, as we write it."""
    body = item.strip().partition("<")[2].rpartition(">")[0]
    after = item.strip().rpartition(">")[2]
    if not re.search(r":[(=]", body.partition("=")[0] + "="):
        yield body.rpartition(" ")[2]  # an item referred to by its position
        return
    _, _, said = body.partition(":")
    if (named := _CODE.match(said)) and named.end() <= said.find("=", named.end() - 1) + 1:
        if named[1]:
            yield _folded(f"{named[3]} ({named[1]}, {named[2]})")
        said = said[named.end() :]
    said = said.removeprefix("=")
    coded = _CODE.search(said)
    if said.startswith('"'):
        value, unit = (said[: coded.start()], coded) if coded else (said, None)
        yield _folded(value.strip()[1:-1])
        if unit:
            yield _folded(f"{unit[3]} ({unit[1]}, {unit[2]})")
    elif coded and coded.start() == 0:
        yield _folded(f"{coded[3]} ({coded[1]}, {coded[2]})")
    elif said not in ("SEPARATE", "CONTINUOUS"):
        for quoted, bare in _TOKEN.findall(said):
            yield quoted or bare
    if template := re.search(r"# (TID .*\))", after):
        yield template[1]
    if observed := re.search(r"\{(.*?)\}", after):
        yield re.sub(r"[-: ]", "", observed[1])


def _folded(text: str) -> str:
    """The text with every run of white space, written out or not, as one space."""
    return " ".join(re.sub(r"\\[rn]", " ", text).split())
