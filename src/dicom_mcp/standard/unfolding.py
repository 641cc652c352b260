"""How far what strangers wrote may unfold while it is read, whatever it is written in.

A few bytes can stand for a data set of any size: deflated, or as items of no length. So elements,
items and levels are counted by whoever reads them, and beyond these bounds nothing is read: they
are far from what honest objects have, and within what a call may cost (a kilobyte and 20
microseconds for an item, a quarter of both for an element).
"""

from dataclasses import dataclass

# An enhanced object of 10,000 frames has 600,000 elements and 100,000 items, a report of five
# million characters 300,000 items.
MOST_ELEMENTS = 1_000_000
MOST_ITEMS = 400_000

# Those of one sequence, or of one data set: they are held at once.
MOST_BESIDE = 100_000

# Levels of sequences.
DEEPEST = 100

# Values of one element.
MOST_VALUES = 262_144

# Content items of a report.
MOST_CONTENT_ITEMS = 100_000


class Unfolded(Exception):
    """A bound was met; the text says which."""


@dataclass(slots=True)
class Count:
    """What has been read of one object."""

    elements: int = 0
    items: int = 0

    def element(self, beside: int) -> None:
        """One more element, beside so many. Raises Unfolded."""
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            raise Unfolded(f"it has more than {MOST_ELEMENTS:,} elements")
        if beside > MOST_BESIDE:
            raise Unfolded(f"it has more than {MOST_BESIDE:,} elements in one data set")

    def item(self, beside: int) -> None:
        """One more item of a sequence, beside so many. Raises Unfolded."""
        self.items += 1
        if self.items > MOST_ITEMS:
            raise Unfolded(f"it has more than {MOST_ITEMS:,} items of sequences")
        if beside > MOST_BESIDE:
            raise Unfolded(f"it has more than {MOST_BESIDE:,} items in one sequence")
