"""What a server and its processes apart hold while several of the largest frames are looked at.

    python -m tests.faults.largest_frames --calls 4 --noise 30

JPEG 2000 of 16 bits, 31 million values each; with more noise they are less compressed.
"""

import argparse
import io
import sys

import numpy as np
from PIL import Image
from pydicom.encaps import encapsulate

from tests.content.samples import image
from tests.faults import hostile_ground
from tests.faults.hostile_ground import MOST_MEMORY, ground, say
from tests.faults.hostile_objects import J2K, Hostile, encoded

SIDE = 5600


def large(number: int, frame: bytes) -> Hostile:
    """An object of this frame."""
    told = image(np.zeros((2, 2), "u2"))
    told.Rows = told.Columns = SIDE
    told.StudyInstanceUID, told.SeriesInstanceUID = f"2.25.7{number}", f"2.25.8{number}"
    told.SOPInstanceUID = f"2.25.9{number}"
    told.PixelData = encapsulate([frame])
    told["PixelData"].VR, told["PixelData"].is_undefined_length = "OB", True
    return Hostile("large, sound", told, encoded(told), J2K)


def compressed(noise: int) -> bytes:
    """A gradient with noise of so many values."""
    values = np.add.outer(np.arange(SIDE) // 4, np.arange(SIDE) // 4).astype("u2")
    values += np.random.default_rng(1).integers(0, noise, values.shape, dtype="u2")
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG2000", no_jp2=True)
    content = file.getvalue()
    return content + bytes(len(content) % 2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--noise", type=int, default=30)
    chosen = parser.parse_args()
    hostile_ground.DEADLINE = 120.0  # what is measured is no time
    frame = compressed(chosen.noise)
    with ground() as there:
        looked = there.look_at_once([large(number, frame) for number in range(chosen.calls)])
        for seen in looked:
            say(f"{seen.how} {seen.faults or ''}")
    say(f"{len(frame) >> 20} MiB each, compressed; at most {there.most_memory >> 20} MiB held")
    sys.exit(there.most_memory > MOST_MEMORY or any(seen.how != "complete" for seen in looked))


if __name__ == "__main__":
    main()
