"""The chest of the phantom, organ by organ, and what the demo hospital's patients have in it."""

from collections.abc import Iterator
from math import cos, inf, pi, sin
from random import Random

from .phantom import AIR, Ellipsoid

# Hounsfield units (CT numbers).
LUNG, FAT, SOFT_TISSUE, BLOOD, LIVER, BONE, NODULE = -850, -100, 40, 45, 60, 500, 30

# Where the growing nodule lies, in mm: the upper lobe of the right lung.
NODULE_CENTRE = (-92.0, -28.0, 48.0)

# The tumour that is irradiated, in the left lung, and what is left of it.
TUMOUR = Ellipsoid(78, 10, 28, 21, 20, 21, SOFT_TISSUE)
SCAR = Ellipsoid(78, 10, 28, 7, 4, 8, SOFT_TISSUE)


def nodule(diameter: float) -> Ellipsoid:
    """The growing nodule with a diameter in mm."""
    half = diameter / 2
    return Ellipsoid(*NODULE_CENTRE, half, half, half, NODULE)


def _ribs() -> Iterator[Ellipsoid]:
    """Twelve pairs, each a chain of short pieces falling from the spine to the front."""
    for level in range(12):
        for step in range(3, 28):
            angle = step / 30 * pi
            z = 150 - 24 * level - 55 * (step / 30)
            for side in (-1, 1):
                yield Ellipsoid(side * 148 * sin(angle), 94 * cos(angle), z, 9, 6, 5, BONE)


def _vessels() -> Iterator[Ellipsoid]:
    """Short stretches of vessels in both lungs, wider and closer together towards the hilum."""
    draw = Random(7)
    for side in (-1, 1):
        for _ in range(90):
            reach = draw.random() ** 1.5
            height = -5 + 66 * reach * sin(draw.uniform(-pi, pi))
            radius = 1.2 + 2.4 * (1 - reach)
            z, length = draw.uniform(-90, 90), draw.uniform(4, 22)
            yield Ellipsoid(side * (45 + 62 * reach), height, z, radius, radius, length, BLOOD)


def _masses() -> Iterator[Ellipsoid]:
    """Round masses of different size in both lungs."""
    for x, y, z, radius in (
        (-98, 12, 58, 15),
        (-62, 38, 18, 11),
        (-104, -18, -12, 18),
        (-70, 20, -42, 21),
        (96, 6, 48, 17),
        (104, 24, 8, 14),
        (72, 46, -32, 19),
    ):
        yield Ellipsoid(x, y, z, radius, radius, radius, SOFT_TISSUE)


CHEST: tuple[Ellipsoid, ...] = (
    Ellipsoid(0, 0, 0, 172, 116, inf, FAT),
    Ellipsoid(0, 0, 0, 160, 105, inf, SOFT_TISSUE),
    Ellipsoid(-78, -2, 0, 66, 84, 150, LUNG),
    Ellipsoid(78, -2, 0, 66, 84, 150, LUNG),
    *_vessels(),
    Ellipsoid(0, 10, 0, 24, 82, inf, SOFT_TISSUE),
    Ellipsoid(26, -32, -50, 62, 46, 68, BLOOD),  # heart
    Ellipsoid(-80, -10, -130, 66, 74, 75, LIVER),  # below the right dome of the diaphragm
    Ellipsoid(22, 52, 0, 12, 12, inf, BLOOD),  # descending aorta
    Ellipsoid(0, 16, 130, 9, 8, 95, AIR),  # trachea
    Ellipsoid(-22, 20, 22, 7, 6, 22, AIR),  # main bronchi
    Ellipsoid(22, 22, 18, 6, 6, 20, AIR),
    *_ribs(),
    Ellipsoid(0, -96, 0, 17, 6, inf, 350),  # breastbone
    Ellipsoid(0, 72, 0, 19, 16, inf, BONE),  # spine
    Ellipsoid(0, 72, 0, 16, 13, inf, 200),
    Ellipsoid(0, 104, 0, 6, 14, inf, BONE),
    Ellipsoid(0, 94, 0, 15, 11, inf, BONE),
    Ellipsoid(0, 94, 0, 9, 8, inf, NODULE),
)
MASSES: tuple[Ellipsoid, ...] = tuple(_masses())
