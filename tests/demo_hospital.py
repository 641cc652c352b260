"""The demo hospital on one day, made once in each process of a test run.

Nobody changes these objects: they are everybody's. A test that wants other values copies first.
"""

from datetime import date
from functools import cache

from pydicom.dataset import Dataset

from dicom_mcp.demo.hospital import hospital

TODAY = date(2026, 3, 31)


@cache
def pacs() -> tuple[Dataset, ...]:
    """Every object of its PACS."""
    return tuple(hospital(TODAY).pacs())


@cache
def vna() -> tuple[Dataset, ...]:
    """Every object of its second archive."""
    return tuple(hospital(TODAY).vna())
