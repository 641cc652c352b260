"""`dicom-mcp privacy table`: what is done with each attribute, and which rule says so."""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain

from ..attributes import keyword_of
from ..privacy.profile import EDITION, PRIVATE, profile
from ..privacy.rules import repeating, rule_of
from ..privacy.treatment import Mode, Option, Treatment
from ..standard.dictionary import attribute, attribute_of_tag, keywords
from .show import as_json, rows_as_csv

type Row = dict[str, str]


def show_table(
    options: frozenset[Option],
    modes: Sequence[Mode] = tuple(Mode),
    names: Sequence[str] = (),
    *,
    json: bool = False,
    csv: bool = False,
) -> None:
    """Every attribute by its tag, or those named, in these modes and with these options of the
    profile: one line each. Raises BadAttribute for a name that is none."""
    wanted = {name if name in repeating() else keyword_of(name) for name in names}
    rows = [row for row in table(options, modes) if not wanted or row["keyword"] in wanted]
    retained = ", ".join(sorted(options)) or "nothing"
    source = f"{EDITION}, table E.1-1; retained: {retained}"
    done = {row[mode] for row in rows for mode in modes}
    means = {name: str(treatment) for treatment in Treatment if (name := _name(treatment)) in done}
    if json:
        as_json({"source": source, "rows": rows, "means": means})
        return
    if csv:
        rows_as_csv({"rows": rows})
        return
    head = {name: name for name in rows[0]}
    widths = {name: max(len(row[name]) for row in (head, *rows)) for name in head}
    for row in (head, *rows):
        line = "  ".join(row[name].ljust(widths[name]) for name in row)
        sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.write(f"\n{source}\n")
    for name in sorted(means):
        sys.stdout.write(f"{name}: {means[name]}\n")


def table(options: frozenset[Option], modes: Sequence[Mode]) -> list[Row]:
    """A row for each attribute: tag, keyword, VR, what is done in each mode, and why."""
    return sorted(
        chain(_of_dictionary(options, modes), _of_profile_alone(modes)), key=lambda row: row["tag"]
    )


def _of_dictionary(options: frozenset[Option], modes: Sequence[Mode]) -> Iterator[Row]:
    several = {keyword: (f"{tag:08X}", vr) for keyword, (tag, vr) in repeating().items()}
    for keyword in (*keywords(), *several):
        known = attribute(keyword)
        tag, vr = (f"{known.tag:08X}", known.vr) if known else several[keyword]
        rules = {mode: rule_of(keyword, "", mode, options) for mode in modes}
        decides = rules.get(Mode.PSEUDONYM) or rules[modes[-1]]
        done = {str(mode): _name(rule.treatment) for mode, rule in rules.items()}
        yield {"tag": _shown(tag), "keyword": keyword, "vr": vr, **done, "why": decides.why}


def _of_profile_alone(modes: Sequence[Mode]) -> Iterator[Row]:
    """Rows of the profile about what the dictionary does not have, or not by its keyword."""
    for tag, row in profile().items():
        if tag == PRIVATE:
            vr, shown = "", "odd groups"
            name = "safe ones with safe-private"
        elif "x" in tag or attribute_of_tag(int(tag, 16)):
            continue
        else:
            vr, shown, name = "", _shown(tag), "(newer than the dictionary)"
        done = {
            str(mode): _name(Treatment.KEPT if mode is Mode.FULL else Treatment.WITHHELD)
            for mode in modes
        }
        yield {"tag": shown, "keyword": name, "vr": vr, **done, "why": f"E.1-1: {row}"}


def _shown(tag: str) -> str:
    return f"({tag[:4]},{tag[4:]})"


def _name(treatment: Treatment) -> str:
    return treatment.name.lower()
