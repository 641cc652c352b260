"""What an archive did at our receiver while a move was under way."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Visit:
    """Whether it `came` at all, the SOP classes (by name) of which no context was accepted, how
    many objects it sent that nobody waited for, who else came (address and title, if told), and
    with whom there was no TLS, and why."""

    came: bool = False
    refused: set[str] = field(default_factory=set[str])
    unwanted: int = 0
    strangers: Counter[str] = field(default_factory=Counter[str])
    insecure: Counter[str] = field(default_factory=Counter[str])

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

    @property
    def others(self) -> str:
        """Who else came and was refused, as the end of a sentence; "" for nobody."""
        told = ""
        if self.insecure:
            told += f"; refused at our receiver for want of TLS: {_several(self.insecure)}"
        if self.strangers:
            told += (
                "; refused at our receiver, since they are not this archive: "
                f"{_several(self.strangers)} (who sends for it belongs in the receiver's senders)"
            )
        return told


def _several(those: Counter[str]) -> str:
    return ", ".join(f"{who} ({count})" for who, count in those.most_common(3))
