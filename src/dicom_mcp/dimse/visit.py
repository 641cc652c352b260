"""What an archive did at our receiver while a move was under way."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Visit:
    """Whether it `came` at all, the SOP classes (by name) of which no context was accepted, and how
    many objects it sent that nobody waited for."""

    came: bool = False
    refused: set[str] = field(default_factory=set[str])
    unwanted: int = 0

    @property
    def trouble(self) -> str:
        """What was refused it there, as the end of a sentence; "" for nothing."""
        told: list[str] = []
        if self.refused:
            classes = ", ".join(sorted(self.refused))
            told.append(f"it offered {classes} in no transfer syntax that is taken there")
        if self.unwanted:
            told.append(f"it sent {self.unwanted} that had not been asked for")
        return " and ".join(told)
