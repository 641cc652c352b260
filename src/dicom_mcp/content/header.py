"""An object's attributes as rows to be read: sequences nested, private ones named, bulk counted."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from ..errors import BadAttribute
from ..standard.dictionary import attribute, attribute_of_tag
from .elements import BULK, Bytes, Element, Elements, held, multiplicity, uid_name
from .error import ContentError
from .plain import capped, plain_text

MOST_ROWS = 3000
LONGEST_VALUE = 1024
MOST_VALUES = 64
DEEPEST = 16

# Looked at for a chosen attribute; an enhanced object of 1,000 frames has 50,000 elements.
_MOST_SEARCHED = 200_000

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute: `depth` 0 stands in the object itself, `place` says in which items it lies
    ("SharedFunctionalGroupsSequence[1]"), "" at the top. A private one has its creator's name."""

    tag: str
    keyword: str
    name: str
    vr: str
    value: str
    depth: int = 0
    place: str = ""

    def __str__(self) -> str:
        called = self.keyword or self.name or "unknown"
        return f"{'  ' * self.depth}{self.tag} {self.vr} {called}: {self.value}"


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A value of an attribute, "" where it is missing or empty, and how many objects have it."""

    attribute: str
    value: str
    objects: int


@dataclass(frozen=True, slots=True)
class Header:
    """The rows of an object and whether they are all there are."""

    rows: tuple[Row, ...]
    complete: bool

    def __str__(self) -> str:
        told = "\n".join(map(str, self.rows))
        return told if self.complete else f"{told}\n[more attributes left out]"


def header(dataset: Dataset, wanted: Sequence[str] = ()) -> Header:
    """All attributes in their order, at most MOST_ROWS of them; or those wanted by keyword or tag
    ("KVP", "0018,0060"), wherever they stand.

    Raises BadAttribute for one that is neither a keyword nor a tag.
    """
    tags = frozenset(map(_tag, wanted))
    rows: list[Row] = []
    for searched, (row, tag) in enumerate(_rows(dataset)):
        if len(rows) == MOST_ROWS or searched > _MOST_SEARCHED:
            return Header(tuple(rows), complete=False)
        if not tags or tag in tags:
            rows.append(row)
    return Header(tuple(rows), complete=True)


def value_counts(datasets: Sequence[Dataset], keywords: Sequence[str]) -> list[ValueCount]:
    """A table for questions of protocol: each value of each attribute and how many objects have it,
    the most frequent first.

    An attribute that stands in functional groups counts with each of its values. Raises
    BadAttribute for a keyword that does not exist.
    """
    rows: list[ValueCount] = []
    for keyword in keywords:
        tag = _tag(keyword)
        counted: Counter[str] = Counter()
        for dataset in datasets:
            counted.update(_found(dataset, tag) or {""})
        shown = counted.most_common(MOST_VALUES)
        rows += [ValueCount(keyword, value, count) for value, count in shown]
        if (left := len(counted) - len(shown)) > 0:
            rest = counted.total() - sum(count for _, count in shown)
            rows.append(ValueCount(keyword, f"({left} more values)", rest))
    return rows


def _found(dataset: Dataset, tag: int) -> set[str]:
    """The values of an attribute: the object's own, else those in its sequences."""
    if tag in dataset:
        elements = Elements.of(dataset)
        element = held(dataset, tag)
        return (
            {_value(elements, element, elements.vr_of(element))} if element is not None else set()
        )
    return {row.value for row, found in _rows(dataset) if found == tag}


def _tag(wanted: str) -> int:
    """The tag of a keyword, or of a tag as people write it."""
    if known := attribute(wanted):
        return known.tag
    if written := _TAG.fullmatch(wanted.strip()):
        return int(written[1] + written[2], 16)
    raise BadAttribute(
        f"{wanted[:64]!r} is neither the keyword of an attribute nor a tag",
        "Give a keyword such as SliceThickness, or a tag such as 0018,0050",
    )


def _rows(dataset: Dataset) -> Iterator[tuple[Row, int]]:
    """Every attribute with its tag, items of sequences after the sequence, without recursion."""
    meta = cast("Dataset | None", getattr(dataset, "file_meta", None))
    waiting: list[tuple[Elements, Iterator[BaseTag], int, str]] = []
    for part in (dataset, meta):
        if part is not None:
            elements = Elements.of(part)
            waiting.append((elements, iter(sorted(part.keys())), 0, ""))
    while waiting:
        elements, tags, depth, place = waiting[-1]
        tag = next(tags, None)
        if tag is None:
            waiting.pop()
            continue
        element = held(elements.dataset, tag)
        if element is None or (tag.element == 0 and tag.group > 2):
            continue
        vr, keyword, name = _named(elements, element)
        if vr != "SQ":
            row = Row(_shown(tag), keyword, name, vr, _value(elements, element, vr), depth, place)
            yield row, tag
            continue
        try:
            items = elements.passed(element)
            value = f"{len(items)} item{'s' * (len(items) != 1)}"
        except ContentError as trouble:
            items, value = [], trouble.happened
        if depth >= DEEPEST and items:
            items, value = [], f"{value}, too deep to be shown"
        yield Row(_shown(tag), keyword, name, vr, value, depth, place), tag
        called = keyword or _shown(tag)
        for number in range(len(items), 0, -1):
            item = items[number - 1]
            within = f"{place}.{called}[{number}]".removeprefix(".")
            waiting.append((item, iter(sorted(item.dataset.keys())), depth + 1, within))


def _named(elements: Elements, element: Element) -> tuple[str, str, str]:
    """VR, keyword and name; of a private attribute the creator and the name others know it by."""
    tag = element.tag
    if not tag.is_private:
        known = attribute_of_tag(tag)
        vr = elements.vr_of(element)
        return (vr, known.keyword, known.name) if known else (vr, "", "")
    if tag.is_private_creator:
        return "LO", "", "private creator"
    vr, creator = elements.vr_of(element), _creator(elements.dataset, tag)
    if not creator:
        return vr, "", "private, of no named creator"
    from pydicom.datadict import private_dictionary_description, private_dictionary_VR

    known_as = _creators().get(creator.casefold(), creator)
    try:
        name = private_dictionary_description(tag, known_as)
        if vr == "UN" and isinstance(element, RawDataElement):
            choice = private_dictionary_VR(tag, known_as).split(" or ")
            is_signed = elements.signed and "SS" in choice
            vr = "OW" if "OW" in choice else "SS" if is_signed else choice[0]
    except KeyError:
        name = "private"
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    return vr, "", f"{name} ({plain_text(creator)})"


@cache
def _creators() -> dict[str, str]:
    """Private creators as pydicom's dictionary writes them, by their names in small letters."""
    from pydicom._private_dict import private_dictionaries

    return {name.casefold(): name for name in private_dictionaries}


def _creator(dataset: Dataset, tag: BaseTag) -> str:
    """Who reserved the block a private attribute is in (PS3.5 7.8.1)."""
    reserved = held(dataset, Tag(tag.group, tag.element >> 8))
    value = None if reserved is None else cast(Any, reserved).value
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return str(value or "").strip(" \0")


def _value(elements: Elements, element: Element, vr: str) -> str:
    """The value in one line; bulk as its size, a UID the standard names with its name."""
    if vr in BULK:
        held = cast(Any, element).value
        size = len(cast("Bytes", held)) if isinstance(held, bytes | bytearray | memoryview) else 0
        if element.is_raw and size <= 64 and isinstance(held, bytes) and _is_words(held):
            return plain_text(held.decode("ascii").strip(" \0"))
        return f"{size:,} bytes" if size else ""
    if vr == "SQ":
        return ""
    if isinstance(element, RawDataElement) and vr != element.VR:
        element = element._replace(VR=vr)
    values = [" ⏎ ".join(text.split("\n")) for text in elements.texts(element)]
    if vr == "UI":
        values = [f"{value} ({name})" if (name := uid_name(value)) else value for value in values]
    told = "\\".join(values[:MOST_VALUES])
    if len(values) > MOST_VALUES:
        left = max(multiplicity(element, vr), len(values)) - MOST_VALUES
        told += f" … [{left:,} more values left out]"
    return capped(told, LONGEST_VALUE)


def _is_words(value: bytes) -> bool:
    """Whether bytes of an unknown VR are letters a person can read."""
    text = value.rstrip(b" \0")
    return len(text) > 1 and all(32 <= byte < 127 for byte in text)


def _shown(tag: BaseTag) -> str:
    return f"({tag.group:04X},{tag.element:04X})"
