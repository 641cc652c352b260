"""Matches made by hand."""

from pydicom.dataset import Dataset


def row(level: str, **values: str | None) -> Dataset:
    """One match; None leaves an attribute out."""
    answer = Dataset()
    answer.QueryRetrieveLevel = level
    for keyword, value in values.items():
        if value is not None:
            setattr(answer, keyword, value)
    return answer
