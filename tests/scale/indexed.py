"""The index of the archive of a million series, kept from one run to the next."""

from contextlib import closing
from datetime import UTC
from pathlib import Path

from dicom_mcp.config import Settings
from dicom_mcp.dicom_api import connect
from dicom_mcp.index.kept import folder_of, written
from dicom_mcp.index.sync import Sync
from dicom_mcp.index_settings import IndexSettings
from dicom_mcp.node import AnyNode
from tests.scale.load import FOLDER

KEPT = FOLDER / "index"


def take_over(settings: Settings, kept: Path = KEPT) -> bool:
    """Give this archive, which is at another port each time, the index of the run before; whether
    there was one."""
    before = [*kept.glob("*/ledger.sqlite")]
    if before:
        before[0].parent.rename(folder_of(settings, settings.node))
    return bool(before)


def indexed(node: AnyNode) -> Settings:
    """Settings under which this archive has an index that is up to date."""
    settings = Settings(node, time_zone=UTC, index=IndexSettings(folder=str(KEPT)))
    take_over(settings)
    with written(settings, node) as kept, closing(connect(node)) as archive:
        sync = Sync(archive, kept.store, kept.ledger, zone=UTC)
        while sync.step():
            pass
    return settings
