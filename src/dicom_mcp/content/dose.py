"""RT Dose (PS3.3 A.18.3, C.8.8.3): where how much of it lies on an image."""

from itertools import pairwise

from pydicom.dataset import Dataset

from .apart import Apart
from .elements import Elements
from .error import ContentError
from .layers import Colour, Layer, Patch, Target, elsewhere
from .modality import modality
from .pixels import frames_held, stored
from .placing import Placing
from .plain import capped
from .resampling import Resampling
from .tables import Row

# Shares of the largest dose of the object from which on a colour is shown.
_LEVELS: dict[float, Colour] = {
    0.1: (80, 120, 255),
    0.3: (40, 230, 230),
    0.5: (64, 220, 64),
    0.7: (255, 230, 40),
    0.8: (255, 150, 30),
    0.9: (255, 64, 64),
    0.95: (255, 70, 230),
}


class Dose:
    """A grid of dose."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._elements = Elements.of(dataset)
        self._syntax = str(dataset.file_meta.TransferSyntaxUID)
        self._frames = frames_held(dataset)
        self._known: tuple[float, float] | None = None
        self._unread = ""

    @property
    def title(self) -> str:
        """What it is: of a plan or a beam, physical or effective."""
        words = (
            self._elements.text(keyword).lower() for keyword in ("DoseSummationType", "DoseType")
        )
        comment = capped(self._elements.text("DoseComment"), 64)
        return " ".join(filter(None, ("dose", *words, comment)))

    @property
    def unit(self) -> str:
        """Gy, or relative; nothing for values that nothing scales."""
        if not self._elements.number("DoseGridScaling"):
            return ""
        said = self._elements.text("DoseUnits").upper()
        return "Gy" if said == "GY" else said.lower()

    @property
    def notes(self) -> list[str]:
        """What its table lacks."""
        told: list[str] = []
        if not self._elements.number("DoseGridScaling"):
            told.append("DoseGridScaling is missing: its values are as stored and no dose")
        if self._unread:
            told.append(f"Not all of its planes can be read, there may be more: {self._unread}")
        return told

    def rows(self, apart: Apart) -> list[Row]:
        """What there is of it, as a table of one row."""
        least, most = self._ends(apart)
        return [
            {
                "number": "1",
                "name": self.title,
                "kind": "dose",
                **({"least": f"{least:.4g} {self.unit}".strip()} if least < 0 else {}),
                "most": f"{most:.4g} {self.unit}".strip(),
                "images": str(self._frames),
            }
        ]

    def on(self, target: Target, apart: Apart) -> Layer:
        """The dose on a frame, in bands of colour."""
        import numpy as np

        least, most = self._ends(apart)
        layer = Layer(self.title, notes=self.notes)
        other = elsewhere(self._elements.text("FrameOfReferenceUID"), target)
        placing = Placing(self._elements)
        planes = {frame: placing.plane(frame) for frame in range(1, self._frames + 1)}
        lying = {frame: plane for frame, plane in planes.items() if plane}
        if target.grid is None or not lying or other:
            other = other or "It or the image does not say where it lies"
            layer.notes.append(f"{other}: where the dose is on the image is not known")
            return layer
        if len(lying) < self._frames:
            layer.notes.append(
                f"{self._frames - len(lying)} of its {self._frames} planes do not say where they "
                "lie: what they hold is not drawn"
            )
        first = next(iter(lying.values()))
        made = Resampling(target.grid, first, [plane.along for plane in lying.values()])
        for frame, plane in lying.items():
            if made.wants(plane.along):
                made.add(self._dataset, frame, apart)
        values = np.nan_to_num(made.values())
        if least < 0:
            layer.notes.append(
                f"Values below 0 are not drawn: the least of the whole grid is {least:.4g} "
                f"{self.unit}".strip()
            )
        if most <= 0 or not (values > 0).any():
            return layer
        bounds = [*_LEVELS, float("inf")]
        for (share, colour), (low, high) in zip(_LEVELS.items(), pairwise(bounds), strict=True):
            mask = (values >= low * most) & (values < high * most)
            if mask.any():
                name = f"from {low * most:.3g} {self.unit}".strip()
                layer.patches.append(Patch(name, colour, mask, f"{share:.0%} of the most"))
        layer.notes.append(
            f"The most dose on this image is {values.max():.4g}, of the whole grid "
            f"{most:.4g} {self.unit}".strip()
        )
        return layer

    def _ends(self, apart: Apart) -> tuple[float, float]:
        """The least and the largest value of all: that of a difference may be below 0 (C.8.8.3)."""
        if self._known is None:
            ends: list[float] = []
            for frame in range(1, self._frames + 1):
                try:
                    held = stored(self._elements, frame, self._syntax, apart)
                except ContentError as trouble:
                    if not ends:
                        raise
                    self._unread = str(trouble)
                    break
                transform, _, _ = modality(self._elements, frame, held)
                some = held.values.min(), held.values.max()
                ends += [float(transform(value.astype("f8"))) for value in some]
            self._known = min(ends), max(ends)
        return self._known
