"""How two planes lie to each other: what a reader who compares their images has to know."""

from dataclasses import dataclass
from math import atan2, degrees, hypot

from .placing import Plane, cross, dot

# Degrees up to which images look as if they lay alike, and beyond which a slice of one plane of the
# body is one of another.
ALIKE = 2.0
ANOTHER_PLANE = 45.0

# Below this nothing is said: scanners write six digits.
_TOLD = 0.05


@dataclass(frozen=True, slots=True)
class Facing:
    """Degrees between the planes (0 to 90) and by which the other image is turned in its own; it is
    `mirrored` where the two are looked at from opposite sides, and `opposite` where their positions
    count the other way."""

    tilt: float
    turn: float
    mirrored: bool
    opposite: bool

    @property
    def is_turned(self) -> bool:
        """Whether what is left in one picture is not left in the other."""
        return self.mirrored or abs(self.turn) > ALIKE

    def __str__(self) -> str:
        told = [f"angled by {self.tilt:.1f}°"] * (self.tilt >= _TOLD)
        told += [f"turned in their plane by {abs(self.turn):.1f}°"] * (abs(self.turn) >= _TOLD)
        told += ["seen from the other side"] * self.mirrored
        return ", ".join(told)


def facing(mine: Plane, other: Plane) -> Facing:
    """How the other plane lies to this one."""
    first, second = cross(mine.row, mine.column), cross(other.row, other.column)
    cosine = dot(first, second)
    tilt = degrees(atan2(hypot(*cross(first, second)), abs(cosine)))
    across = dot(other.row, mine.row), dot(other.row, mine.column)
    opposite = dot(mine.normal, other.normal) < 0
    return Facing(tilt, degrees(atan2(across[1], across[0])), cosine < 0, opposite)
