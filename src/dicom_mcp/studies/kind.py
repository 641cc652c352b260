"""What a series or an object is, in words: images, localizer, report, dose report, key images, …

Its SOP class tells (PS3.4 B.5), and where that is not known its modality (PS3.3 C.7.3.1.1.1); a
description and ImageType (PS3.3 C.7.6.1.1.2) tell some more of images.
"""

import re
from collections.abc import Iterable, Sequence

from ..standard.sop_classes import DOSE, IMAGES, OTHER_DOCUMENT, REPORT, sop_class

# What may be a report, measurements or a report on dose: neither class nor description told.
UNTOLD = "structured report"

# Objects that hold text for a reader.
READABLE = frozenset(
    {
        REPORT,
        DOSE,
        UNTOLD,
        OTHER_DOCUMENT,
        "CAD report",
        "document",
        "key images",
        "measurements",
        "procedure log",
    }
)

# What accompanies the images of a study, made from or about them.
ACCOMPANYING = ("SR", "DOC", "KO", "PR")

_BY_MODALITY: dict[str, str] = {
    "ANN": "annotation",
    "ASMT": REPORT,
    "AU": "sound",
    "CTPROTOCOL": "scan protocol",
    "DOC": "document",
    "FID": "fiducials",
    "IOL": "eye measurements",
    "KO": "key images",
    "M3D": "3D model",
    "PLAN": "plan",
    "PR": "presentation state",
    "REG": "registration",
    "RTDOSE": "radiotherapy dose",
    "RTIMAGE": "radiotherapy images",
    "RTINTENT": "radiotherapy object",
    "RTPLAN": "radiotherapy plan",
    "RTRAD": "radiotherapy object",
    "RTRECORD": "radiotherapy record",
    "RTSEGANN": "radiotherapy object",
    "RTSTRUCT": "radiotherapy structures",
    "RWV": "real world value map",
    "SEG": "segmentation",
    "SMR": "registration",
    "SR": UNTOLD,
    "TEXTUREMAP": "3D model",
    "XAPROTOCOL": "scan protocol",
    **dict.fromkeys(("ECG", "EEG", "EMG", "EOG", "EPS", "HD", "POS", "RESP"), "waveform"),
    **dict.fromkeys(("AR", "KER", "LEN", "OAM", "OPM", "OPV", "SRF", "VA"), "eye measurements"),
}

# What a description says of images, in words that scanners and people use.
_SAID: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(words, re.IGNORECASE))
    for kind, words in (
        (
            "localizer",
            r"(?:\b|_)(?:scout|topogram\w*|topo|scano\w*|survey|localis\w+|localiz\w+|loc|"
            r"surview|scanogram|lokalis\w+|locali[sz]ador\w*|rep[eé]rage)(?:\b|_)",
        ),
        (
            "reconstruction",
            r"(?:\b|_)(?:m[ipn]*ip|mpr|vrt?|3d ?vr|reformat\w*|recon\w*|reko\w*|ssd|cpr)(?:\b|_)",
        ),
        ("screen of measurements", r"(?:\b|_)(?:screen ?save|screenshot\w*|smart ?brush)(?:\b|_)"),
    )
)
_DOSE = re.compile(
    r"(?:\b|_)(?<!low )(?<!low-)(?<!low_)(?:dose|dosis|dosi|rdsr|x-?ray radiation)(?:\b|_)",
    re.IGNORECASE,
)
_MEASURED = re.compile(r"measure|messung|mesure|medici|misur|\btid ?1500\b", re.IGNORECASE)
_REPORTED = re.compile(
    r"report|befund|compte|\bcr\b|informe|referto|relat[oó]rio|laudo|verslag|finding|letter|arztbrief",
    re.IGNORECASE,
)

_RECONSTRUCTED = frozenset(
    {"MPR", "MIP", "MINIP", "MNIP", "PROJECTION IMAGE", "REFORMATTED", "VOLUME", "CSA MPR", "VRT"}
)


def kind(
    modality: str,
    description: str,
    *,
    sop_classes: Iterable[str] = (),
    image_type: Sequence[str] = (),
) -> str:
    """What a series with objects of these SOP classes is; several kinds are all named."""
    classes = list(dict.fromkeys(sop_class for sop_class in sop_classes if sop_class))
    named = [sop_class(uid).kind for uid in classes] or [_BY_MODALITY.get(modality, IMAGES)]
    told = dict.fromkeys(_told_better(name, description, image_type) for name in named)
    return " and ".join(told)


def is_image(modality: str) -> bool:
    """Whether objects of this modality are pictures."""
    return modality not in _BY_MODALITY or modality == "RTIMAGE"


def _told_better(said: str, description: str, image_type: Sequence[str]) -> str:
    if said in (REPORT, UNTOLD):
        if _DOSE.search(description):
            return DOSE
        if _MEASURED.search(description):
            return "measurements"
        return REPORT if _REPORTED.search(description) else said
    if said not in (IMAGES, "secondary capture"):
        return said
    if said == "secondary capture":
        return f"{said} (dose report)" if _DOSE.search(description) else said
    if "LOCALIZER" in image_type:
        return "localizer"
    for better, words in _SAID:
        if words.search(description):
            return better
    if _RECONSTRUCTED & set(image_type):
        return "reconstruction"
    return "derived images" if "DERIVED" in image_type[:1] else said
