"""Codes of one letter or two, as people say them: female for F."""

# What people say for codes (PS3.3 C.7.1.1, C.7.3.1, C.7.6.1.1.5), in small letters.
_CODES: dict[str, dict[str, str]] = {
    "PatientSex": {
        **dict.fromkeys(
            ("female", "woman", "women", "girl", "weiblich", "frau", "w", "femme", "mujer"), "F"
        ),
        **dict.fromkeys(("male", "man", "men", "boy", "männlich", "mann", "homme", "hombre"), "M"),
        **dict.fromkeys(("other", "diverse", "divers", "intersex"), "O"),
    },
    "Laterality": {
        **dict.fromkeys(("left", "links", "gauche", "izquierda", "sinistra"), "L"),
        **dict.fromkeys(("right", "rechts", "droite", "derecha", "destra"), "R"),
    },
    "LossyImageCompression": {
        **dict.fromkeys(("yes", "true", "lossy", "1"), "01"),
        **dict.fromkeys(("no", "false", "lossless", "0"), "00"),
    },
}
_CODES["ImageLaterality"] = _CODES["Laterality"]


def code_of(keyword: str, word: str) -> str:
    """The code of this attribute that a word means, or the word."""
    return _CODES.get(keyword, {}).get(word.casefold(), word)
