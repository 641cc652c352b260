"""The note that says a thing, wherever among its fellows it stands."""

from collections.abc import Iterable


def the_note(notes: Iterable[object], *says: str) -> str:
    """The one note that says all of this; fails where none does, or several."""
    said = [str(note) for note in notes]
    found = [note for note in said if all(part in note for part in says)]
    assert len(found) == 1, f"{len(found)} notes say {says}: {said}"
    return found[0]
