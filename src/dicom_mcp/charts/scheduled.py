"""A day's worklist: who is scheduled when, and who has arrived."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..standard.counted import counted
from .chart import Chart, Point, day_of, doubted, person

ARRIVED, WAITING, UNKNOWN = "arrived", "waiting", "unknown"


def chart_of_worklist(answer: Mapping[str, Any]) -> Chart:
    """The chart of what `query_worklist` answers."""
    common: Mapping[str, Any] = answer["common"]
    rows = [{**common, **row} for row in answer["records"]]
    days = sorted({str(row.get("date", "")) for row in rows})
    points = [
        Point(_when(row, several=len(days) > 1), _lane(row), _words(row), _state(row))
        for row in rows
    ]
    states = Counter(point.state for point in points)
    told = [f"{states[state]} {state}" for state in (ARRIVED, WAITING, UNKNOWN) if states[state]]
    if states[""]:
        told.append("who has arrived was not looked up (arrived=true)")
    title = "Scheduled" + (f" on {day_of(days[0])}" if len(days) == 1 and days[0] else "")
    summary = ", ".join([counted(len(points), "entry"), *told])
    return doubted(Chart("day", title, summary, points=points), answer)


def _state(row: Mapping[str, Any]) -> str:
    if "arrived" not in row:
        return ""
    if row["arrived"] in ("some", "unknown"):
        return ARRIVED if row["arrived"] == "some" else UNKNOWN
    return ARRIVED if row["arrived"] else WAITING


def _when(row: Mapping[str, Any], *, several: bool) -> str:
    time = str(row.get("time", ""))
    clock = f"{time[:2]}:{time[2:4]}" if len(time) >= 4 else "no time"
    return f"{day_of(str(row.get('date', '')))} {clock}" if several else clock


def _lane(row: Mapping[str, Any]) -> str:
    return str(row.get("station") or row.get("station_ae_title") or row.get("modality") or "")


def _words(row: Mapping[str, Any]) -> str:
    name = person(row.get("patient_name", "")) or str(row.get("patient_id", "no name"))
    return f"{name}: {row.get('procedure') or row.get('step') or row.get('modality', '')}"
