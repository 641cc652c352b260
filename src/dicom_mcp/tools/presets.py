"""What the presets return."""

from typing import get_args

from ..attributes import Preset, preset_keywords
from ..door.answer import Answer
from ..door.call import Call
from ..standard.levels import HIERARCHY


class Presets(Answer):
    """What `get_attribute_presets` answers: preset, level, keywords."""

    default: str
    presets: dict[str, dict[str, list[str]]]


def get_attribute_presets(call: Call) -> Presets:  # noqa: ARG001 - every tool is given its call
    """List the attributes each preset returns at each level."""
    return Presets(
        default="standard",
        presets={
            preset: {
                level.name.lower(): list(preset_keywords(level, preset)) for level in HIERARCHY
            }
            for preset in get_args(Preset.__value__)
        },
        notes=["Other attributes: additional_attributes takes any DICOM keyword or tag."],
    )
