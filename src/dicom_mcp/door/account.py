"""What an answer must say of itself."""

from dataclasses import dataclass, field

from ..standard.note import Note, incomplete, perhaps, remark
from ..standard.query import Match, Matches
from ..standard.shapes import SEPARATOR

# Values of a list that are shown as sent.
_MOST_SENT = 6


@dataclass(slots=True)
class Account:
    """The answers to all ways of one question, as one: its matches, where they are held, whether
    that is all, what to know, and what was asked."""

    matches: list[Match] = field(default_factory=list[Match])
    complete: bool = True
    notes: list[Note] = field(default_factory=list[Note])
    sent: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    absent: set[str] = field(default_factory=set[str])
    empty: set[str] = field(default_factory=set[str])
    # Why it may not be complete, where no note says so.
    doubt: str = "the archive did not say that this is all."
    # Values of lists that nothing matches.
    missing: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def keys(self) -> dict[str, str]:
        """What was sent, alternatives separated by a bar; of a list its length and its ends. What
        had to be empty was not."""
        sent = {keyword: " | ".join(map(_short, keys)) for keyword, keys in self.sent.items()}
        return {**sent, **dict.fromkeys(sorted(self.empty), "(empty)")}

    def alone(self) -> dict[str, str]:
        """The keys that were sent in no form but one."""
        return {keyword: keys[0] for keyword, keys in self.sent.items() if len(keys) == 1}

    def join(self, answer: Matches) -> None:
        """Add what one answer says of itself."""
        self.complete = self.complete and answer.complete
        self.note(*answer.notes)
        self.absent.update(answer.absent)
        self.empty.update(answer.query.empty)
        for keyword, key in answer.query.keys.items():
            if key not in self.sent.setdefault(keyword, []):
                self.sent[keyword].append(key)

    def add(self, other: "Account") -> None:
        """Add what the answers to another question say of themselves, but for its matches."""
        self.complete = self.complete and other.complete
        self.note(*other.notes)
        self.absent |= other.absent
        self.empty |= other.empty
        for keyword, keys in other.sent.items():
            sent = self.sent.setdefault(keyword, [])
            sent += [key for key in keys if key not in sent]

    def lack(self, *notes: Note | str) -> None:
        """Something is missing, for these reasons; a text says what."""
        self.complete = False
        self.note(*(incomplete(note) if isinstance(note, str) else note for note in notes))

    def told(self) -> list[Note]:
        """The notes, each once; of an answer that is not complete one says so."""
        notes = [*dict.fromkeys(self.notes)]
        if self.complete or any(note.lacks for note in notes):
            return notes
        return [perhaps(self.doubt), *notes]

    def note(self, *notes: Note | str) -> None:
        """Add what is not said yet; a text is a remark."""
        told = [remark(note) if isinstance(note, str) else note for note in notes]
        self.notes += [note for note in told if note not in self.notes]


def _short(key: str) -> str:
    values = key.split(SEPARATOR)
    if len(values) <= _MOST_SENT:
        return key
    return f"{SEPARATOR.join((*values[:2], '…', values[-1]))} ({len(values)} values)"
