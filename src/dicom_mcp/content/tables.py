"""Measurements and radiation dose of a structured report as rows of a table."""

from collections.abc import Iterator, Mapping, Sequence

from .plain import capped
from .tree import Item, Tree

type Row = dict[str, str]

# PS3.16: what a group of measurements is called by (TID 1411, 1410, 1501).
_TRACKING_IDENTIFIER = ("112039", "DCM")

# Containers whose content is a row of dose: TID 10013, 10012, 10003, 10002, 10022, 10021.
DOSE = {
    ("113819", "DCM"): "CT Acquisition",
    ("113811", "DCM"): "CT Accumulated Dose Data",
    ("113706", "DCM"): "Irradiation Event X-Ray Data",
    ("113702", "DCM"): "Accumulated X-Ray Dose Data",
    ("113502", "DCM"): "Radiopharmaceutical Administration",
}

# What qualifies a group of numbers stands in the row of each: characters in a cell, and cells.
_LONGEST_CELL = 256
_MOST_CELLS = 40
_MORE = "(more in the text)"


def measurement_rows(tree: Tree) -> list[Row]:
    """A row for each number: what was measured, value, unit, group, and all that qualifies it.

    The group's texts and codes (tracking identifier, finding, site) and the number's own modifiers
    stand under their concept names. Numbers of dose are in `dose_rows`.
    """
    below = tree.below()
    rows: list[Row] = []
    for index, item in enumerate(tree.items):
        if item.kind != "NUM" or any(_key(above) in DOSE for above in _ancestors(tree, index)):
            continue
        row = {
            "measurement": item.concept.short,
            "value": _bare(item),
            "unit": item.unit.value or item.unit.meaning,
        }
        group = item.parent
        while group > 0 and tree.items[group].kind != "CONTAINER":
            group = tree.items[group].parent
        if group > 0:
            row["group"] = _group(tree, group, below)
            _add(row, _qualifiers(tree, group, below))
        while (group := tree.items[group].parent if group > 0 else 0) > 0:
            around = _qualifiers(tree, group, below)
            _add(
                row,
                (
                    qualifier
                    for qualifier in around
                    if qualifier.relationship not in ("CONTAINS", "")
                ),
            )
        _add(row, _qualifiers(tree, index, below))
        rows.append(row)
    return rows


def dose_rows(tree: Tree) -> list[Row]:
    """A row for each irradiation event and each accumulated dose, every value with its unit."""
    below = tree.below()
    rows: list[Row] = []
    for index, item in enumerate(tree.items):
        if (table := DOSE.get(_key(item))) is None:
            continue
        row = {"table": table}
        for leaf in _descendants(tree, index, below):
            if leaf.kind == "NUM":
                said = f"{_bare(leaf)} {leaf.unit.value}".strip()
            else:
                said = leaf.code.short or leaf.value
            if leaf.kind != "CONTAINER":
                name = _named(row, leaf)
                row[name] = f"{row[name]}; {said}" if name in row else said
        rows.append(row)
    return rows


def _group(tree: Tree, group: int, below: Mapping[int, Sequence[int]]) -> str:
    for child in below.get(group, ()):
        if _key(tree.items[child]) == _TRACKING_IDENTIFIER:
            return tree.items[child].value
    return tree.items[group].concept.short


def _qualifiers(tree: Tree, index: int, below: Mapping[int, Sequence[int]]) -> Iterator[Item]:
    """Texts and codes right below an item, and what modifies them in turn."""
    waiting = list(reversed(below.get(index, ())))
    while waiting:
        found = waiting.pop()
        item = tree.items[found]
        if item.kind not in ("NUM", "CONTAINER"):
            yield item
            waiting.extend(reversed(below.get(found, ())))


def _add(row: Row, items: Iterator[Item]) -> None:
    """What items next to or below a number say about it; nothing takes the place of the number."""
    for item in items:
        said = item.code.short or item.value
        if item.kind not in ("NUM", "CONTAINER", "") and said:
            name = _named(row, item)
            if name in row:
                row[name] = capped(f"{row[name]}; {said}", _LONGEST_CELL)
            elif len(row) < _MOST_CELLS:
                row[name] = capped(said, _LONGEST_CELL)
            else:
                row[_MORE] = "yes"


def _named(row: Row, item: Item) -> str:
    """The column that what an item says stands in."""
    name = capped(item.concept.short, _LONGEST_CELL) or "(no name)"
    return f"{name} (content)" if name in _OWN and name in row else name


_OWN = frozenset({"measurement", "value", "unit", "group", "table"})


def _bare(item: Item) -> str:
    """A number without its unit, with the reason where there is no number."""
    return item.value.replace(f" {item.unit}", "", 1) if str(item.unit) else item.value


def _key(item: Item) -> tuple[str, str]:
    return item.concept.value, item.concept.scheme


def _ancestors(tree: Tree, index: int) -> Iterator[Item]:
    while (index := tree.items[index].parent) >= 0:
        yield tree.items[index]


def _descendants(tree: Tree, index: int, below: Mapping[int, Sequence[int]]) -> Iterator[Item]:
    """Everything below an item in reading order, but not what makes a row of its own."""
    waiting = list(reversed(below.get(index, ())))
    while waiting:
        found = waiting.pop()
        if _key(tree.items[found]) in DOSE:
            continue
        yield tree.items[found]
        waiting.extend(reversed(below.get(found, ())))
