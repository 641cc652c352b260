"""A patient's studies over time, in a lane for each modality."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..standard.counted import counted
from .chart import Chart, Point, day_of, doubted, person

_UNKNOWN = "not known"


def chart_of_timeline(answer: Mapping[str, Any]) -> Chart:
    """The chart of what `patient_timeline` answers; a study of two modalities is in two lanes."""
    current: Mapping[str, Any] = answer.get("study") or {}
    studies = [(row, "") for row in answer["records"]]
    studies += [(current, "current")] if current else []
    dated = [(row, state) for row, state in studies if len(str(row.get("date", ""))) == 8]
    points = [
        Point(day_of(row["date"]), lane, _words(row), state)
        for row, state in sorted(dated, key=lambda pair: (pair[0]["date"], pair[0].get("time", "")))
        for lane in row.get("modality") or [_UNKNOWN]
    ]
    several = Counter(point.lane for point in points)
    ranked = sorted(points, key=lambda point: (-several[point.lane], point.lane))
    name = person(answer["patient"].get("patient_name", ""))
    undated = len(studies) - len(dated)
    summary = counted(len(dated), "study") + f"; {undated} without a date not drawn" * bool(undated)
    title = f"Studies of {name or 'one patient'}"
    return doubted(Chart("lanes", title, summary, points=ranked), answer)


def _words(row: Mapping[str, Any]) -> str:
    told = [
        str(row.get("description") or row.get("body_part") or "no description"),
        counted(row["images"], "image") if isinstance(row.get("images"), int) else "",
        "with a report" if row.get("report") else "",
    ]
    return ", ".join(part for part in told if part)
