"""The embedded archive with habits that no answer may suffer from without a word."""

from typing import Any

from dicom_mcp.demo.habits import Habits
from dicom_mcp.demo.index import COMPUTED

BAD_HABITS = Habits(unreturned=frozenset(COMPUTED), most_matches=10)
# Archives that tell, that want to be asked otherwise, and that don't tell.
KINDS: dict[str, dict[str, Any]] = {
    "as it should be": {},
    "strict": {"hierarchy": "strict"},
    "answers nothing without the keys above": {"hierarchy": "silent"},
    "keeps no counts and no modalities": {
        "habits": Habits(unreturned=frozenset(COMPUTED), ignored_keys=frozenset(COMPUTED))
    },
    "stops silently after 10": {"habits": Habits(most_matches=10)},
    "is out of resources after 7": {"habits": Habits(most_matches=7, cap_status=0xA700)},
    "gives everything twice": {"habits": Habits(duplicated=True)},
    "has several bad habits": {"habits": BAD_HABITS},
}

# Archives whose answers cannot all be whole.
EXCUSED = frozenset({"is out of resources after 7", "has several bad habits"})
