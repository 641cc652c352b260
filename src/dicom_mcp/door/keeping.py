"""The pseudonyms that an operator set up, and where their map is."""

from pathlib import Path

from ..config import usual_file
from ..errors import BadConfiguration
from ..machine import at_home
from ..privacy.pseudonyms import Pseudonyms
from ..privacy.settings import PrivacySettings
from ..privacy.treatment import Mode


def folder_of(privacy: PrivacySettings) -> Path:
    """Where the map of the pseudonyms is."""
    if privacy.folder:
        return at_home(privacy.folder)
    return usual_file().parent / "privacy"


def pseudonyms_of(privacy: PrivacySettings) -> Pseudonyms | None:
    """The pseudonyms in this mode; None where there are none.

    Raises BadConfiguration without a key, and as Pseudonyms does.
    """
    if privacy.mode is not Mode.PSEUDONYM:
        return None
    if not privacy.key:
        raise BadConfiguration(
            "[privacy] names no key, from which pseudonyms are made",
            "Name key_file or key_env; dicom-mcp privacy key FILE makes one",
        )
    return Pseudonyms(privacy.key, folder_of(privacy))
