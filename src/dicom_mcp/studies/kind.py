"""What a series or an object is, in words: images, localizer, report, dose report, key images, …

Its SOP class tells (PS3.4 B.5), and where that is not known its modality (PS3.3 C.7.3.1.1.1); a
description and ImageType (PS3.3 C.7.6.1.1.2) tell some more of images.
"""

import re
from collections.abc import Iterable, Sequence

IMAGES, REPORT, DOSE = "images", "report", "dose report"

# What may be a report, measurements or a report on dose: neither class nor description told.
UNTOLD = "structured report"

_OTHER = "other structured document"

# Objects that hold text for a reader.
READABLE = frozenset(
    {
        REPORT,
        DOSE,
        UNTOLD,
        _OTHER,
        "CAD report",
        "document",
        "key images",
        "measurements",
        "procedure log",
    }
)

# What accompanies the images of a study, made from or about them.
APART = ("SR", "DOC", "KO", "PR")

_STORAGE = "1.2.840.10008.5.1.4.1.1."

# By what stands behind _STORAGE: the longest beginning that fits.
_BY_CLASS: dict[str, str] = {
    "": IMAGES,
    "4.2": "spectroscopy",
    "7": "secondary capture",
    "8": "overlay",
    "9": "waveform",
    "9.4": "sound",
    "11": "presentation state",
    "66": "raw data",
    "66.1": "registration",
    "66.2": "fiducials",
    "66.3": "registration",
    "66.4": "segmentation",
    "66.5": "segmentation",
    "66.6": "tractography",
    "66.7": "segmentation",
    "67": "real world value map",
    "68": "surface scan",
    "77.1.5.3": "registration",
    "77.1.5.8": "eye measurements",
    "78": "eye measurements",
    "79": "eye measurements",
    "80": "eye measurements",
    "88": REPORT,
    "88.40": "procedure log",
    "88.50": "CAD report",
    "88.59": "key images",
    "88.65": "CAD report",
    "88.67": DOSE,
    "88.68": DOSE,
    "88.69": "CAD report",
    "88.71": _OTHER,
    "88.73": DOSE,
    "88.74": _OTHER,
    "88.75": _OTHER,
    "88.76": DOSE,
    "88.77": _OTHER,
    "90": "assessment",
    "91": "annotation",
    "104": "document",
    "104.3": "3D model",
    "104.4": "3D model",
    "104.5": "3D model",
    "131": "display layout",
    "200": "scan protocol",
    "201": "inventory",
    "481.1": "radiotherapy images",
    "481.2": "radiotherapy dose",
    "481.3": "radiotherapy structures",
    "481.4": "radiotherapy record",
    "481.5": "radiotherapy plan",
    "481.6": "radiotherapy record",
    "481.7": "radiotherapy record",
    "481.8": "radiotherapy plan",
    "481.9": "radiotherapy record",
    "481.23": "radiotherapy images",
    "481.24": "radiotherapy images",
    "481": "radiotherapy object",
}

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
    classes = list(dict.fromkeys(one for one in sop_classes if one))
    named = [_of_class(one) for one in classes] or [_BY_MODALITY.get(modality, IMAGES)]
    told = dict.fromkeys(_told_better(one, description, image_type) for one in named)
    return " and ".join(told)


def is_image(modality: str) -> bool:
    """Whether objects of this modality are pictures."""
    return modality not in _BY_MODALITY or modality == "RTIMAGE"


def _of_class(sop_class: str) -> str:
    if not sop_class.startswith(_STORAGE):
        return "private objects" if not sop_class.startswith("1.2.840.10008.") else "objects"
    parts = sop_class.removeprefix(_STORAGE).split(".")
    for count in range(len(parts), 0, -1):
        if found := _BY_CLASS.get(".".join(parts[:count])):
            return found
    return _BY_CLASS[""]


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
