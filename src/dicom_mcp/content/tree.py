"""The content tree of a structured report: read once into a list, written as indented text.

PS3.3 C.17.3 says what a content item is. The tree is walked without recursion, at most
MOST_CONTENT_ITEMS items and DEEPEST levels of it: whoever made the object chose how large it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from ..standard.content_items import VALUE_OF
from ..standard.unfolding import DEEPEST, MOST_CONTENT_ITEMS
from .elements import Elements, uid_name
from .error import ContentError

# Points or sample positions of one item; a contour has tens, a mask thousands.
_MOST_NUMBERS = 200_000

# PS3.3 C.17.3.2.4: what an item is to the one above it, where that says more than "contains".
_RELATIONSHIP = {
    "CONTAINS": "",
    "HAS OBS CONTEXT": "observation context: ",
    "HAS ACQ CONTEXT": "acquisition context: ",
    "HAS CONCEPT MOD": "modifier: ",
    "HAS PROPERTIES": "property: ",
    "INFERRED FROM": "inferred from: ",
    "SELECTED FROM": "selected from: ",
}


@dataclass(frozen=True, slots=True)
class Code:
    """A coded entry (PS3.3 8.8); empty where there is none."""

    meaning: str = ""
    value: str = ""
    scheme: str = ""
    version: str = ""

    def __str__(self) -> str:
        if not (self.value or self.scheme):
            return self.meaning
        told = f"{self.value}, {self.scheme}" + (f" {self.version}" if self.version else "")
        return f"{self.meaning} ({told})" if self.meaning else f"({told})"

    @property
    def short(self) -> str:
        return self.meaning or self.value


@dataclass(frozen=True, slots=True)
class Item:
    """One content item: where it stands, what it is about and what it says.

    `place` is its position as PS3.3 C.17.3.2.5 counts (1 is the root); `value` is written out,
    `unit` that of a number; `parent` is the index of the item above it, -1 for the root's.
    """

    place: tuple[int, ...]
    kind: str
    relationship: str
    concept: Code
    value: str
    unit: Code
    code: Code
    observed: str
    template: str
    refers_to: tuple[int, ...]
    parent: int
    fault: str

    @property
    def depth(self) -> int:
        return len(self.place) - 1


@dataclass(frozen=True, slots=True)
class Tree:
    """A report's content items in reading order, and how many were left out (at least)."""

    items: tuple[Item, ...]
    left_out: int

    def below(self) -> Mapping[int, Sequence[int]]:
        """For each item that has any, the indices of the items right below it."""
        found: dict[int, list[int]] = defaultdict(list)
        for index, item in enumerate(self.items):
            if item.parent >= 0:
                found[item.parent].append(index)
        return found


def content_tree(document: Elements) -> Tree:
    """The content items of an SR document or key object selection."""
    items: list[Item] = []
    left_out = 0
    waiting: list[tuple[Elements, tuple[int, ...], int]] = [(document, (1,), -1)]
    while waiting:
        elements, place, parent = waiting.pop()
        if len(items) == MOST_CONTENT_ITEMS:
            left_out += 1 + len(waiting)
            break
        try:
            children, fault = elements.passing("ContentSequence"), ""
        except ContentError as trouble:
            children, fault = [], trouble.happened
        index = len(items)
        items.append(_item(elements, place, parent, fault))
        if len(place) >= DEEPEST:
            left_out += len(children)
        else:
            numbered = enumerate(children, start=1)
            waiting.extend(reversed([(child, (*place, n), index) for n, child in numbered]))
    return Tree(tuple(items), left_out)


def written(tree: Tree) -> str:
    """The tree as text: one line per item, indented by its depth, texts of several lines below.

    An item that another one points at carries its position.
    """
    by_place = {item.place: item for item in tree.items}
    targets = {item.refers_to for item in tree.items if item.refers_to}
    lines: list[str] = []
    for item in tree.items:
        margin = "  " * item.depth
        label = f"[{_dotted(item.place)}] " if item.place in targets else ""
        first, *others = _line(item, by_place).rstrip("\n").split("\n")
        lines.append(f"{margin}{label}{first}")
        lines += [f"{margin}    {other}" for other in others]
        if item.fault:
            lines.append(f"{margin}  [unreadable: {item.fault}]")
    if tree.left_out:
        lines.append(
            f"[at least {tree.left_out:,} more content items left out: only the first "
            f"{MOST_CONTENT_ITEMS:,} items and {DEEPEST} levels are read]"
        )
    return "\n".join(lines)


def code(elements: Elements, keyword: str) -> Code:
    """The first entry of a code sequence (PS3.3 8.8), long and URN values too."""
    element = elements.element(keyword)
    if element is None:
        return Code()
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        return _same_code(element._replace(value_tell=0), elements.charset)
    return code_of(elements.first(keyword))


@lru_cache(maxsize=2048)  # long reports name the same few hundred concepts again and again
def _same_code(element: RawDataElement, charset: str) -> Code:
    dataset = Dataset({element.tag: element})
    return code_of(Elements(dataset, charset).first(keyword_for_tag(element.tag)))


def code_of(entry: Elements) -> Code:
    """An item of a code sequence."""
    value = next((found for keyword in _CODE_VALUES if (found := entry.text(keyword))), "")
    return Code(
        entry.text("CodeMeaning"),
        value,
        entry.text("CodingSchemeDesignator"),
        entry.text("CodingSchemeVersion"),
    )


def reference(entry: Elements) -> str:
    """An object referred to: its SOP class by name, both UIDs, frames, segments and channels."""
    sop_class = entry.text("ReferencedSOPClassUID")
    name = uid_name(sop_class)
    told = f"{name} ({sop_class})" if name else sop_class or "object"
    told += f" {entry.text('ReferencedSOPInstanceUID')}"
    for keyword, word in _PARTS.items():
        if numbers := entry.values(keyword):
            told += f", {word} {_some(numbers)}"
    if channels := entry.values("ReferencedWaveformChannels"):
        pairs = zip(channels[::2], channels[1::2], strict=False)
        told += f", channel {_some([f'{group}/{channel}' for group, channel in pairs])}"
    return told


_CODE_VALUES = ("CodeValue", "LongCodeValue", "URNCodeValue")

_PARTS = {"ReferencedFrameNumber": "frame", "ReferencedSegmentNumber": "segment"}


def _item(elements: Elements, place: tuple[int, ...], parent: int, fault: str) -> Item:
    kind = elements.text("ValueType").upper()
    pointed = tuple(int(number) for number in elements.numbers("ReferencedContentItemIdentifier"))
    try:
        value = _VALUE.get(kind, _unknown)(elements)
    except ContentError as trouble:
        value, fault = "", fault or trouble.happened
    needed = VALUE_OF.get(kind)
    if needed and not pointed and needed not in elements.dataset:
        fault = fault or f"it lacks its {needed}"
    return Item(
        place=place,
        kind=kind,
        relationship=elements.text("RelationshipType").upper(),
        concept=code(elements, "ConceptNameCodeSequence"),
        value=value,
        unit=_unit(elements),
        code=code(elements, "ConceptCodeSequence"),
        observed=elements.text("ObservationDateTime"),
        template=_template(elements),
        refers_to=pointed,
        parent=parent,
        fault=fault,
    )


def _unit(elements: Elements) -> Code:
    """The unit of a number; where there is no number it measures nothing."""
    measured = elements.first("MeasuredValueSequence")
    has_value = bool(measured.text("NumericValue"))
    return code(measured, "MeasurementUnitsCodeSequence") if has_value else Code()


def _template(elements: Elements) -> str:
    """The template a container follows (PS3.3 C.18.8)."""
    entry = elements.first("ContentTemplateSequence")
    number, resource = entry.text("TemplateIdentifier"), entry.text("MappingResource")
    return f"TID {number} ({resource})" if number else ""


def _line(item: Item, by_place: Mapping[tuple[int, ...], Item]) -> str:
    before = _RELATIONSHIP.get(item.relationship, f"{item.relationship.lower()}: ")
    if item.relationship == "":
        before = ""
    if item.refers_to:
        target = by_place.get(item.refers_to)
        named = f" {target.concept}" if target and target.concept.short else ""
        return f"{before}the item [{_dotted(item.refers_to)}]{named}"
    name = str(item.concept)
    if item.kind == "CONTAINER":
        line = name or "(no heading)"
    else:
        line = f"{name}: {item.value}" if name else item.value or f"(empty {item.kind})"
    if item.template:
        line += f" [{item.template}]"
    if item.observed:
        line += f" {{observed {item.observed}}}"
    return before + line


def _text(elements: Elements) -> str:
    return elements.text("TextValue").strip("\n")


def _number(elements: Elements) -> str:
    """A measured value in its unit (PS3.3 C.18.1), every other form of it, or why there is none."""
    measured = elements.first("MeasuredValueSequence")
    value, unit = measured.text("NumericValue"), code(measured, "MeasurementUnitsCodeSequence")
    told = f"{value} {unit}".strip() if value else ""
    if not value and str(unit):
        told = f"(no value; unit {unit})"  # never the unit "1" (no units) as if it were the value
    exact = measured.text("FloatingPointValue")
    if exact and measured.number("NumericValue") != measured.number("FloatingPointValue"):
        told += f" [exactly {exact}]"
    if numerator := measured.text("RationalNumeratorValue"):
        told += f" [{numerator}/{measured.text('RationalDenominatorValue')}]"
    if missing := str(code(elements, "NumericValueQualifierCodeSequence")):
        told = f"{told} [{missing}]".strip()
    return told or "(no value)"


def _code(elements: Elements) -> str:
    return str(code(elements, "ConceptCodeSequence"))


def _objects(elements: Elements) -> str:
    """COMPOSITE, IMAGE and WAVEFORM: what is referred to, the presentation state in words."""
    told: list[str] = []
    for entry in elements.items("ReferencedSOPSequence"):
        told.append(reference(entry))
        told += [
            f"as shown by {reference(state)}" for state in entry.items("ReferencedSOPSequence")
        ]
        told += [
            f"with {reference(mapping)}"
            for mapping in entry.items("ReferencedRealWorldValueMappingInstanceSequence")
        ]
    return "; ".join(told)


def _space(elements: Elements) -> str:
    """SCOORD and SCOORD3D (PS3.3 C.18.6, C.18.9): a shape and its points."""
    size = 3 if "ReferencedFrameOfReferenceUID" in elements else 2
    points = _points(elements.values("GraphicData"), size)
    told = f"{elements.text('GraphicType')} {points}"
    if frame := elements.text("ReferencedFrameOfReferenceUID"):
        told += f" in frame of reference {frame}"
    if fiducial := elements.text("FiducialUID"):
        told += f", fiducial {fiducial}"
    return told


def _time(elements: Elements) -> str:
    """TCOORD (PS3.3 C.18.7): samples, offsets in seconds or moments."""
    told = elements.text("TemporalRangeType")
    for keyword, word in _MOMENTS.items():
        if values := elements.values(keyword):
            told += f" {word} {_some(values)}"
    return told


_MOMENTS = {
    "ReferencedSamplePositions": "samples",
    "ReferencedTimeOffsets": "seconds",
    "ReferencedDateTime": "at",
}


def _table(elements: Elements) -> str:
    """TABLE (PS3.3 C.18.10): rows and columns by name, then every cell that has a value."""
    rows = [str(code(row, "ConceptNameCodeSequence")) for row in _all(elements, "Row")]
    columns = [str(code(column, "ConceptNameCodeSequence")) for column in _all(elements, "Column")]
    told = [f"{elements.text('NumberOfTableRows')} rows: {_some(rows)}"]
    told.append(f"{elements.text('NumberOfTableColumns')} columns: {_some(columns)}")
    for cell in elements.items("CellValuesSequence"):
        where = f"row {cell.text('TableRowNumber')}, column {cell.text('TableColumnNumber')}"
        value = _VALUE.get(cell.text("ValueType").upper(), _unknown)(cell)
        told.append(f"{where}: {value}")
    return "\n".join(told)


def _all(elements: Elements, axis: str) -> list[Elements]:
    return elements.items(f"Table{axis}DefinitionSequence")


def _unknown(elements: Elements) -> str:
    """What an item of a kind the standard does not know says all the same."""
    said = [
        value
        for keyword in ("TextValue", "PersonName", "DateTime", "Date", "Time", "UID")
        if (value := elements.text(keyword))
    ]
    said += [told for told in (_code(elements),) if told]
    if elements.items("MeasuredValueSequence"):
        said.append(_number(elements))
    if elements.items("ReferencedSOPSequence"):
        said.append(_objects(elements))
    return "; ".join(said)


def _attribute(keyword: str) -> Callable[[Elements], str]:
    return lambda elements: elements.text(keyword)


_VALUE: dict[str, Callable[[Elements], str]] = {
    "CONTAINER": lambda _: "",
    "TEXT": _text,
    "PNAME": _attribute("PersonName"),
    "NUM": _number,
    "CODE": _code,
    "DATE": _attribute("Date"),
    "TIME": _attribute("Time"),
    "DATETIME": _attribute("DateTime"),
    "UIDREF": _attribute("UID"),
    "COMPOSITE": _objects,
    "IMAGE": _objects,
    "WAVEFORM": _objects,
    "SCOORD": _space,
    "SCOORD3D": _space,
    "TCOORD": _time,
    "TABLE": _table,
}


def _points(values: Sequence[str], size: int) -> str:
    grouped = [values[start : start + size] for start in range(0, len(values), size)]
    return _some(["/".join(point) for point in grouped])


def _some(values: Iterable[str]) -> str:
    """The values with commas between them. Raises ContentError for more than any report has."""
    values = list(values)
    if len(values) > _MOST_NUMBERS:
        raise ContentError(f"{len(values):,} values of one item are not written out")
    return ", ".join(values)


def _dotted(place: tuple[int, ...]) -> str:
    return ".".join(map(str, place))
