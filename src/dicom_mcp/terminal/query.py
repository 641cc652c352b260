"""`dicom-mcp query`: a person asks what an assistant would ask, and sees what it would see.

The options are the tools' own arguments, taken from their signatures: a new argument of a tool is
an option here by itself.
"""

import argparse
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic.fields import FieldInfo
from rich.console import Console
from rich.text import Text

from ..attributes import returned_keywords
from ..charts.chart import Chart
from ..config import Settings
from ..content.plain import plain_text
from ..deadline import Deadline
from ..door.answer import Pictures
from ..door.arguments import NODE, SOURCE, SOURCES, Arguments, parameters_of
from ..door.house import House, Session
from ..door.meant import in_our_form
from ..door.request import Request, logged
from ..door.rows import names_of
from ..door.telling import told
from ..errors import BadType, DicomMcpError, NotAllowed
from ..index.reader import reading
from ..node import node_at
from ..standard.counted import counted
from ..standard.levels import Level
from ..standard.worklist import FIELDS
from ..studies.dimension import dimensions
from ..studies.interval import SINCE
from ..studies.study import ROW
from ..tools import TOOLS, Entry
from ..tools.cohort import CohortFound, find_cohort
from ..tools.resolve import resolve_list
from ..tools.sql import query_sql
from ..tools.worklist import ARRIVED
from .bars import bars
from .show import as_json, rows_as_csv, show

# The word a person types for a tool; what is not here is not asked of an archive's records.
WORDS: Mapping[str, str] = {
    "query_patients": "patients",
    "query_studies": "studies",
    "query_series": "series",
    "query_instances": "instances",
    "resolve_list": "list",
    "query_worklist": "worklist",
    "count_studies": "count",
    "patient_timeline": "timeline",
    "study_overview": "overview",
    "compare_nodes": "compare",
    "read_report": "report",
    "read_header": "header",
    "sample_headers": "headers",
    "view_image": "image",
    "view_series": "pictures",
    "find_cohort": "cohort",
    "query_sql": "sql",
    "find_problems": "problems",
}

# What a row of these is, for the columns of a table.
_LEVELS: Mapping[str, Level] = {
    "query_patients": Level.PATIENT,
    "query_studies": Level.STUDY,
    "query_series": Level.SERIES,
    "query_instances": Level.IMAGE,
}

# Exit statuses beside 0: it failed, the command line is wrong, it answered but not completely.
FAILED, MISUSED, INCOMPLETE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a tool: what it may be, what it says of itself, and its default."""

    name: str
    annotation: Any
    default: Any

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def is_required(self) -> bool:
        return self.default is inspect.Parameter.empty

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        kind, told = self._kind()
        words = (told.description or "").replace("%", "%%") if told else ""
        extra = told.json_schema_extra if told else None
        choices: Any = (
            cast("dict[str, Any]", extra).get("enum") if isinstance(extra, dict) else None
        )
        is_several = get_origin(kind) is list
        if (self.is_required and not is_several) or self.name == "sql":  # a word, or an option
            parser.add_argument(self.name, nargs="?", help=words, default=argparse.SUPPRESS)
            parser.add_argument(self.option, metavar="TEXT", help="the same", default=None)
        elif kind is bool:
            parser.add_argument(
                self.option, action=argparse.BooleanOptionalAction, help=words, default=None
            )
        elif is_several:
            parser.add_argument(self.option, action="append", help=f"{words} (may be repeated)")
        else:
            parser.add_argument(
                self.option, help=words, choices=choices, metavar=None if choices else "TEXT"
            )

    def _kind(self) -> tuple[Any, FieldInfo | None]:
        if get_origin(self.annotation) is not Annotated:
            return self.annotation, None
        kind, *told = get_args(self.annotation)
        return kind, next((part for part in told if isinstance(part, FieldInfo)), None)


def add_commands(query: argparse.ArgumentParser) -> None:
    """A command below `query` for each tool that asks an archive."""
    below = query.add_subparsers(title="what to ask for", metavar="WHAT", required=True)
    for entry in TOOLS:
        word = WORDS.get(entry.function.__name__)
        if word is None:
            continue
        said = inspect.getdoc(entry.function) or ""
        parser = below.add_parser(
            word, help=entry.title, description=" ".join(said.split()).replace("%", "%%")
        )
        for argument in _arguments(entry.function):
            argument.add_to(parser)
        parser.add_argument(
            "--node",
            default="",
            help="where: a name of `dicom-mcp nodes`, several with commas, all, TITLE@host:port, "
            "or the URL of a DICOMweb server",
        )
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="the answer as an assistant gets it")
        form.add_argument("--csv", action="store_true", help="the rows alone; notes go to stderr")
        if entry.has_source:
            parser.add_argument(
                "--source",
                choices=SOURCES,
                default=SOURCES[0],
                help="ask the archive for all, or only the index, where there is one",
            )
        if entry.chart:
            parser.add_argument("--chart", action="store_true", help="draw it, below the rows")
        if entry.function is resolve_list:
            parser.add_argument(
                "--file", metavar="FILE", help="read them there; - is standard input"
            )
        if entry.function in (query_sql, find_cohort):
            form.add_argument(
                "--parquet", metavar="FILE", help="write every row (of a cohort: study) there"
            )
        if entry.shows_pictures:
            parser.add_argument("--save", metavar="FOLDER", help="write the pictures there")
        parser.set_defaults(run=partial(_run, entry, parser))


def settings_at(settings: Settings, where: str) -> Settings:
    """The settings, with the node at an address where `where` is one and no name.

    Raises BadConfiguration for what is neither.
    """
    if not where or any(name.strip() in (*settings.nodes, "all") for name in where.split(",")):
        return settings
    if "@" not in where and ":" not in where:
        return settings  # a name nobody knows, which is told with those there are
    node = replace(node_at(where), name=where)
    return replace(settings, others=(*settings.others, node))


def as_for_a_person(settings: Settings) -> Settings:
    """The same settings, with what a person at this terminal may know."""
    privacy = settings.privacy
    if privacy is None or privacy.terminal is None:
        return settings
    return replace(settings, privacy=replace(privacy, mode=privacy.terminal))


def _run(entry: Entry, parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    if entry.function is resolve_list:
        chosen.values = _pasted(parser, chosen.file) if chosen.values is None else chosen.values
    required = [argument for argument in _arguments(entry.function) if argument.is_required]
    if absent := [argument.name for argument in required if getattr(chosen, argument.name) is None]:
        parser.error(f"the following arguments are required: {', '.join(absent)}")
    with chosen.in_force(chosen) as settings:
        settings = settings_at(settings, chosen.node)
        sys.exit(_ask(entry, chosen, as_for_a_person(settings)))


def _pasted(parser: argparse.ArgumentParser, file: str | None) -> str | None:
    """What stands in the file, or comes on standard input where nobody types it."""
    try:
        if file and file != "-":
            return Path(file).read_text(encoding="utf-8-sig", errors="replace")
        return sys.stdin.read() if file or not sys.stdin.isatty() else None
    except OSError as error:
        parser.error(f"{file} cannot be read: {error.strerror}")


def _ask(entry: Entry, chosen: argparse.Namespace, settings: Settings) -> int:
    given = {
        argument.name: getattr(chosen, argument.name) for argument in _arguments(entry.function)
    }
    if entry.asks_archive:
        given[NODE] = chosen.node
    if entry.has_source:
        given[SOURCE] = chosen.source
    try:
        with closing(House(settings)) as house, logged(entry.function.__name__):
            session = house.session()
            file = getattr(chosen, "parquet", None)
            if file and entry.function is query_sql:
                return _export(chosen.sql or "", chosen.node, Path(file), session)
            answer = _request(entry, given, session).answer()
            if file and isinstance(answer, CohortFound):
                kept = house.cohorts.get(session.identifier, answer.cohort)
                status = _export(_OF_COHORT, chosen.node, Path(file), session, kept.studies)
                show({**told(answer), "rows": []})
                return status
    except BadType as error:
        sys.stderr.write(f"dicom-mcp: --{error.happened.replace('_', '-')}\n")
        return MISUSED
    except DicomMcpError as error:
        sys.stderr.write(plain_text(str(error), lines=True) + "\n")
        return FAILED
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
    said = answer.said if isinstance(answer, Pictures) else answer
    if isinstance(answer, Pictures):
        _save(answer, chosen.save)
    facts = told(said)
    if chosen.json:
        as_json(facts)
    elif chosen.csv:
        rows_as_csv(facts, _columns(entry, given))
    else:
        show(facts)
        if entry.chart and chosen.chart:
            _draw(entry.chart(facts))
    return 0 if facts.get("complete", True) else INCOMPLETE


# Every study of a cohort.
_OF_COHORT = "SELECT * FROM studies SEMI JOIN cohort USING (study_uid) ORDER BY ALL"


def _export(
    sql: str, where: str, file: Path, session: Session, cohort: Sequence[str] | None = None
) -> int:
    """Write all that a statement brings, and say how much and of what."""
    if session.house.translation():
        raise NotAllowed(
            "a file would name patients, whom this configuration does not name",
            'Have its operator write terminal = "full" into [privacy]',
        )
    names = session.names(where)
    nodes = [session.nodes[name] for name in names]
    with reading(session.house.settings, nodes, Deadline(session.seconds(names))) as index:
        index.cohort = cohort
        count = index.export(sql, file)
        notes = index.notes()
    for line in (f"{counted(count, 'row')} in {file}", *map(str, notes)):
        sys.stderr.write(plain_text(line, lines=True) + "\n")
    return INCOMPLETE if any(note.lacks for note in notes) else 0


def _draw(chart: Chart) -> None:
    console = Console()
    if chart.is_empty:
        console.print("There is nothing to draw in this answer.")
        return
    for line in ("", *bars(chart, console.width)):
        console.print(Text(line), soft_wrap=True)


def _columns(entry: Entry, given: Mapping[str, Any]) -> Sequence[str]:
    """What the rows of an answer to this question may have, as far as the question says."""
    if "group_by" in given:
        names = in_our_form("group_by", list(given["group_by"] or ()), list[str])
        return (*(dimension.name for dimension in dimensions(names)), "count")
    if (name := entry.function.__name__) == "query_worklist":
        return names_of((*FIELDS, *(ARRIVED if given["arrived"] else ())))
    if name == "patient_timeline":
        if given["prior_to"]:
            return names_of(("reason", "days_before", *ROW))
        return names_of((*ROW, *SINCE))
    level = _LEVELS.get(name)
    if level is None:
        return ()
    return returned_keywords(
        level,
        given["attribute_preset"] or "standard",
        additional=given["additional_attributes"] or (),
        exclude=given["exclude_attributes"] or (),
    )


def _request(entry: Entry, given: Mapping[str, Any], session: Session) -> Request:
    arguments = Arguments(
        entry.function, asks_archive=entry.asks_archive, has_source=entry.has_source
    )
    return Request(entry.function, arguments, given, session, _report)


def _report(_: int, __: int | None, words: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()


def _save(answer: Pictures, folder: str | None) -> None:
    if not answer.pictures:
        return
    if folder is None:
        sys.stderr.write(
            f"{counted(len(answer.pictures), 'picture')}; --save FOLDER writes "
            f"{'it' if len(answer.pictures) == 1 else 'them'}.\n"
        )
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, (content, kind) in enumerate(answer.pictures, start=1):
        path = Path(folder, f"{number}.{kind.partition('/')[2]}")
        path.write_bytes(content)
        sys.stderr.write(f"{path}\n")


def _arguments(function: Callable[..., Any]) -> list[_Argument]:
    return [
        _Argument(name, parameter.annotation, parameter.default)
        for name, parameter in parameters_of(function).items()
    ]
