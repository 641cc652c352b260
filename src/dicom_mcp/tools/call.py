"""What a tool is given besides its arguments."""

from dataclasses import dataclass

from ..config import Node, Settings
from ..deadline import Deadline
from ..dicom_api import Archive, connect
from ..errors import NotAllowed


class House:
    """The archive in force and what the operator allows; one for the life of the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.archive: Archive = connect(settings.node)

    def configure(self, node: Node) -> None:
        """Ask another archive from now on. Raises NotAllowed when the operator forbids it."""
        allowed = self.settings.configurable_hosts
        if allowed is not None and node.host.lower() not in allowed:
            raise NotAllowed(
                "the operator of this server does not allow it to be pointed at that host",
                f"Allowed: {', '.join(sorted(allowed)) or 'no host'} (DICOM_CONFIGURABLE_HOSTS)",
            )
        previous, self.archive = self.archive, connect(node)
        previous.close()

    def close(self) -> None:
        """Give back every connection."""
        self.archive.close()


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: the house it happens in and how long it may take."""

    house: House
    deadline: Deadline

    @property
    def archive(self) -> Archive:
        """The archive in force."""
        return self.house.archive
