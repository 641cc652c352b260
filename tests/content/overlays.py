"""Overlay planes, added to images."""

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

type Array = np.ndarray[Any, Any]


def add_plane(
    dataset: Dataset, mask: Array, *, group: int = 0x6000, kind: str = "G", **given: Any
) -> None:
    """An overlay plane: rows by columns, or frames of them."""
    dataset.add_new(group << 16 | 0x0010, "US", mask.shape[-2])
    dataset.add_new(group << 16 | 0x0011, "US", mask.shape[-1])
    dataset.add_new(group << 16 | 0x0040, "CS", kind)
    dataset.add_new(group << 16 | 0x0050, "SS", given.get("origin", [1, 1]))
    dataset.add_new(group << 16 | 0x0100, "US", 1)
    dataset.add_new(group << 16 | 0x0102, "US", 0)
    if mask.ndim == 3:
        dataset.add_new(group << 16 | 0x0015, "IS", len(mask))
        dataset.add_new(group << 16 | 0x0051, "US", given.get("first", 1))
    packed = np.packbits(mask.ravel(), bitorder="little").tobytes()
    dataset.add_new(group << 16 | 0x3000, "OW", packed + b"\0" * (len(packed) % 2))
