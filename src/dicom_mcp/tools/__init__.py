"""What a model can do: one function for each tool, in the order a client lists them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..charts.chart import Drawing
from ..charts.counts import chart_of_counts
from ..charts.patient import chart_of_timeline
from ..charts.scheduled import chart_of_worklist
from .cohort import find_cohort
from .compare import compare_nodes
from .count import count_studies
from .diagnosis import diagnose
from .header import read_header
from .nodes import configure_dicom_server, list_dicom_nodes, verify_connection
from .overview import study_overview
from .presets import get_attribute_presets
from .problems import find_problems
from .query import query_instances, query_patients, query_series, query_studies
from .report import read_report
from .resolve import resolve_list
from .sampling import sample_headers
from .sql import query_sql
from .timeline import patient_timeline
from .view import view_image, view_series
from .worklist import query_worklist


@dataclass(frozen=True, slots=True)
class Entry:
    """A tool: its function, its title, the toolset of `setting.TOOLSETS` it is switched off with,
    whether it changes which archive is asked, whether it answers with pictures, which are no
    structured content, whether clients that can show the viewer beside them, how an answer
    is drawn, whether it is offered only where the operator keeps an index, whether one may
    answer it beside the archive, and whether it can be asked about the studies of a cohort."""

    function: Callable[..., Any]
    title: str
    toolset: str
    read_only: bool = True
    asks_archive: bool = True
    shows_pictures: bool = False
    has_viewer: bool = False
    chart: Drawing | None = None
    needs_index: bool = False
    has_source: bool = False
    takes_cohort: bool = False


TOOLS: tuple[Entry, ...] = (
    Entry(
        configure_dicom_server,
        "Choose the DICOM archive",
        "connection",
        read_only=False,
        asks_archive=False,
    ),
    Entry(list_dicom_nodes, "List the archives", "connection", asks_archive=False),
    Entry(verify_connection, "Test the connection", "connection"),
    Entry(diagnose, "Find out what is wrong, and what an archive can do", "connection"),
    Entry(query_patients, "Find patients", "queries"),
    Entry(query_studies, "Find studies", "queries", has_source=True, takes_cohort=True),
    Entry(query_series, "Find series", "queries", has_source=True, takes_cohort=True),
    Entry(query_instances, "Find instances", "queries"),
    Entry(resolve_list, "Look up a pasted list", "queries", has_source=True),
    Entry(
        count_studies,
        "Count studies, series, images or patients",
        "counts",
        chart=chart_of_counts,
        has_source=True,
        takes_cohort=True,
    ),
    Entry(query_worklist, "Find what is scheduled", "worklist", chart=chart_of_worklist),
    Entry(patient_timeline, "Studies of one patient", "history", chart=chart_of_timeline),
    Entry(study_overview, "What a study consists of", "history"),
    Entry(compare_nodes, "Compare archives", "comparison", takes_cohort=True),
    Entry(read_report, "Read reports", "reports", shows_pictures=True, takes_cohort=True),
    Entry(read_header, "Read a header", "headers"),
    Entry(sample_headers, "Compare headers", "headers", takes_cohort=True),
    Entry(view_image, "Look at an image", "images", shows_pictures=True, has_viewer=True),
    Entry(
        view_series,
        "Look at a series, or at two side by side",
        "images",
        shows_pictures=True,
        has_viewer=True,
    ),
    Entry(find_cohort, "Find a cohort of patients", "archive", needs_index=True),
    Entry(query_sql, "Ask the index in SQL", "archive", needs_index=True),
    Entry(find_problems, "Find what is wrong with the archive", "archive", needs_index=True),
    Entry(get_attribute_presets, "List attribute presets", "queries", asks_archive=False),
)
