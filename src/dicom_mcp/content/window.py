"""Which values become which grey: windows, their functions and their names (PS3.3 C.11.2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .error import ContentError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINEAR, LINEAR_EXACT, SIGMOID = "LINEAR", "LINEAR_EXACT", "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """A centre and a width in the unit of the modality, the function between them and a name."""

    center: float
    width: float
    function: str = LINEAR
    name: str = ""

    def __post_init__(self) -> None:
        if self.function not in (LINEAR, LINEAR_EXACT, SIGMOID):
            raise ContentError(
                f"{self.function} is no VOI LUT function",
                "Use LINEAR, LINEAR_EXACT or SIGMOID (PS3.3 C.11.2.1.3)",
            )
        least = 1.0 if self.function == LINEAR else 0.0
        if not self.width >= least or (least == 0 and self.width == 0):
            raise ContentError(
                f"A window {self.width:g} wide shows nothing",
                "Use a width of at least 1",
            )

    def __str__(self) -> str:
        told = f"centre {self.center:g}, width {self.width:g}"
        if self.function != LINEAR:
            told += f", {self.function}"
        return f"{self.name} ({told})" if self.name else told

    def greys(self, values: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """The values as shares from 0 to 1 (PS3.3 C.11.2.1.2, C.11.2.1.3)."""
        import numpy as np

        if self.function == SIGMOID:
            slope = np.clip(-4.0 * (values - self.center) / self.width, -700.0, 700.0)
            return 1.0 / (1.0 + np.exp(slope))
        if self.function == LINEAR_EXACT:
            return np.clip((values - self.center) / self.width + 0.5, 0.0, 1.0)
        if self.width == 1:
            return np.asarray(values > self.center - 0.5, np.float64)
        scaled = (values - (self.center - 0.5)) / (self.width - 1.0) + 0.5
        return np.clip(scaled, 0.0, 1.0)


# Windows of CT in Hounsfield units, as departments commonly set them: centre and width.
PRESETS: Mapping[str, Window] = {
    name: Window(center, width, name=name)
    for name, center, width in (
        ("lung", -600.0, 1500.0),
        ("mediastinum", 40.0, 400.0),
        ("abdomen", 50.0, 400.0),
        ("liver", 60.0, 160.0),
        ("brain", 40.0, 80.0),
        ("stroke", 35.0, 40.0),
        ("subdural", 75.0, 215.0),
        ("posterior fossa", 40.0, 150.0),
        ("bone", 400.0, 1800.0),
        ("temporal bone", 600.0, 2800.0),
        ("spine", 50.0, 250.0),
        ("angio", 300.0, 600.0),
        ("soft tissue", 40.0, 350.0),
        ("fat", -60.0, 400.0),
    )
}
