"""Modalities (PS3.3 C.7.3.1.1.1) and the words people have for them.

Where several codes are what a word means, all are given, and a record with any of them is meant:
an x-ray is CR, DX or RG. What several words together mean is in `modalities`.
"""

import re
import unicodedata
from functools import cache

from ..errors import BadArgument
from ..standard.values import MAXIMUM_LENGTH, code, shown

# Defined terms of Modality (0008,0060), retired ones last: archives hold old studies.
MODALITIES: dict[str, str] = {
    "ANN": "annotation",
    "AR": "autorefraction",
    "ASMT": "content assessment results",
    "AU": "audio",
    "BDUS": "bone densitometry by ultrasound",
    "BI": "biomagnetic imaging",
    "BMD": "bone densitometry by x-ray",
    "CFM": "confocal microscopy",
    "CT": "computed tomography",
    "CTPROTOCOL": "CT protocol (performed)",
    "DG": "diaphanography",
    "DMS": "dermoscopy",
    "DOC": "document",
    "DX": "digital radiography",
    "ECG": "electrocardiography",
    "EEG": "electroencephalography",
    "EMG": "electromyography",
    "EOG": "electrooculography",
    "EPS": "cardiac electrophysiology",
    "ES": "endoscopy",
    "FID": "fiducials",
    "GM": "general microscopy",
    "HC": "hard copy",
    "HD": "haemodynamic waveform",
    "IO": "intra-oral radiography",
    "IOL": "intraocular lens data",
    "IVOCT": "intravascular optical coherence tomography",
    "IVUS": "intravascular ultrasound",
    "KER": "keratometry",
    "KO": "key object selection",
    "LEN": "lensometry",
    "LS": "laser surface scan",
    "M3D": "model for 3D manufacturing",
    "MG": "mammography",
    "MR": "magnetic resonance",
    "NM": "nuclear medicine",
    "OAM": "ophthalmic axial measurements",
    "OCT": "optical coherence tomography (not of the eye)",
    "OP": "ophthalmic photography",
    "OPM": "ophthalmic mapping",
    "OPT": "ophthalmic tomography",
    "OPTBSV": "ophthalmic tomography B-scan volume analysis",
    "OPTENF": "ophthalmic tomography en face",
    "OPV": "ophthalmic visual field",
    "OSS": "optical surface scanner",
    "OT": "other",
    "PA": "photoacoustic",
    "PLAN": "plan",
    "POS": "position sensor",
    "PR": "presentation state",
    "PT": "positron emission tomography",
    "PX": "panoramic x-ray",
    "REG": "registration",
    "RESP": "respiratory waveform",
    "RF": "radio fluoroscopy",
    "RG": "radiography on film",
    "RTDOSE": "radiotherapy dose",
    "RTIMAGE": "radiotherapy image",
    "RTINTENT": "radiotherapy intent",
    "RTPLAN": "radiotherapy plan",
    "RTRAD": "radiotherapy radiation",
    "RTRECORD": "radiotherapy treatment record",
    "RTSEGANN": "radiotherapy segment annotation",
    "RTSTRUCT": "radiotherapy structure set",
    "RWV": "real world value map",
    "SEG": "segmentation",
    "SM": "slide microscopy",
    "SMR": "stereometric relationship",
    "SR": "structured report document",
    "SRF": "subjective refraction",
    "STAIN": "automated slide stainer",
    "TEXTUREMAP": "texture map",
    "TG": "thermography",
    "US": "ultrasound",
    "VA": "visual acuity",
    "XA": "x-ray angiography",
    "XAPROTOCOL": "XA protocol (performed)",
    "XC": "photography with an external camera",
    "AS": "angioscopy (retired)",
    "CD": "colour flow Doppler (retired)",
    "CF": "cinefluorography (retired)",
    "CP": "culposcopy (retired)",
    "CS": "cystoscopy (retired)",
    "DD": "duplex Doppler (retired)",
    "DF": "digital fluoroscopy (retired)",
    "DM": "digital microscopy (retired)",
    "DS": "digital subtraction angiography (retired)",
    "EC": "echocardiography (retired)",
    "FA": "fluorescein angiography (retired)",
    "FS": "fundoscopy (retired)",
    "LP": "laparoscopy (retired)",
    "MA": "magnetic resonance angiography (retired)",
    "MS": "magnetic resonance spectroscopy (retired)",
    "OPR": "ophthalmic refraction (retired)",
    "ST": "single-photon emission computed tomography (retired)",
    "VF": "videofluorography (retired)",
}


def codes(text: str, *, argument: str) -> tuple[str, ...]:
    """The modality codes that a code or a word means; any of the codes is meant.

    "" and "any" are (). A text with a wildcard is one key, in capitals. A short code that no table
    has is taken as it is: archives have their own. Several words that are modalities each are any
    of these. Raises BadArgument, with the nearest that is right, for other words, and for what is
    no code string (PS3.5 6.2).
    """
    text = text.strip()
    if set(text) & set("*?"):
        key = code(text, argument=argument)
        return (key,) if key else ()
    if not text or plain(text) in _ANY:
        return ()
    if found := known(text):
        return found
    pieces = [piece for piece in text.split() if plain(piece, noise=False)]
    several = [known(piece) for piece in pieces]
    if len(pieces) > 1 and all(several):
        return tuple(dict.fromkeys(code for found in several for code in found))
    own = pieces[0].upper() if len(pieces) == 1 else ""
    near = "" if re.search("[0-9_]", own) or len(own) < 4 else _nearest(own.lower())
    if near or len(own) > _LONGEST_CODE or not re.fullmatch("[A-Z0-9_]+", own):
        raise _refused(text, argument)
    return (own,)


_ANY = frozenset({"all", "any", "alle", "every", "everything", "anything"})

# At most so long is a code of an archive's own; the longest are words somebody mistyped.
_LONGEST_CODE = 8


_X_RAY = "CR DX RG"
_RADIOTHERAPY = "RTPLAN RTDOSE RTSTRUCT RTIMAGE RTRECORD"

# Words for modalities in English, German, French, Spanish, Italian, Portuguese and Dutch.
_WORDS: dict[str, str] = {
    "CT": """
        cat; cat scan; ct angiography; cta; ctpa; hrct; cect; ncct; cbct; cone beam ct; dvt
        computed tomography; computer tomography; computerized tomography; computerised tomography
        computertomographie; computertomografie; scanner; tdm; tomodensitometrie; tac; tc
        tomografia computarizada; tomografia computerizzata; tomografia computadorizada; tomografia
        """,
    "MR": """
        mri; mrt; nmr; mra; mrcp; fmri; magnetic resonance; magnetic resonance imaging
        magnetic resonance tomography; magnetic resonance angiography; mr angiography
        mri angiography; magnetic resonance spectroscopy; kernspin; kernspintomographie
        kernspintomografie; magnetresonanz; magnetresonanztomographie; magnetresonanztomografie; irm
        imagerie par resonance magnetique; resonance magnetique; rm; rmn; resonancia
        resonancia magnetica; risonanza; risonanza magnetica; ressonancia; ressonancia magnetica
        """,
    "US": """
        usg; ultrasound; ultrasonography; ultrasonogram; sonography; sonogram; sono; echo
        echocardiography; echocardiogram; echography; doppler; duplex
        duplex doppler; color doppler; colour doppler; colour flow doppler; us scan; tte; tee
        ultraschall; sonographie; sonografie; echokardiographie; echokardiografie; echographie
        echocardiographie; ecografia; ecocardiografia; ecocardiograma; ecografo; ultrasonido
        ultrasonidos; eco
        ultrassom; ultrassonografia; echografie
        """,
    _X_RAY: """
        x ray; xray; radiograph; radiography; plain film; plain radiograph; plain radiography
        conventional radiography; projection radiography; roentgen; roentgenogram; rontgen
        rontgenbild; roentgenbild; rontgenaufnahme; konventionelles rontgen; rx; radiographie
        radiographie standard; radio; rayons x; radiografia; rayos x; raios x; raggi x; rontgenfoto
        """,
    "XR " + _X_RAY: "xr",
    "DX DR": "dr; digital radiography; digital radiograph",
    "MG": """
        mammography; mammogram; mammo; tomosynthesis; breast tomosynthesis; digital mammography; dbt
        mammographie; mammografie; mamografia; mammografia; tomosynthese; senologie
        """,
    "PT": """
        pet; pet scan; fdg pet
        positron emission tomography
        positronen emissions tomographie; positronenemissionstomographie; tep
        tomographie par emission de positons; tomografia por emision de positrones
        tomografia a emissione di positroni
        """,
    "NM": """
        nuclear medicine; nuc med; nuclear; spect
        single photon emission computed tomography; scintigraphy; scintigram; scintigraph
        bone scan; gamma camera; nuklearmedizin; szintigraphie; szintigrafie; szintigramm
        medecine nucleaire; scintigraphie; medicina nuclear; medicina nucleare; gammagrafia
        scintigrafia; cintilografia; nucleaire geneeskunde
        """,
    "XA": """
        angio; angiography; angiogram; arteriography; x ray angiography; dsa; digital subtraction
        digital subtraction angiography; coronary angiography; cath; cath lab; catheterization
        catheterisation; cardiac catheterization; coro; angiographie; angiografie; angiografia
        arteriographie; coronarographie; koronarangiographie; herzkatheter; coronarografia
        """,
    "RF": """
        fluoro; fluoroscopy; radiofluoroscopy; radio fluoroscopy; videofluoroscopy; barium swallow
        durchleuchtung; radioscopie; fluoroscopie; fluoroscopia; radioscopia; doorlichting
        """,
    "SR DOC": """
        report; befund; befunde; bericht; compte rendu; rapport; informe; referto; laudo; verslag
        radiology report
        """,
    "SR": """
        structured report; structured reporting; dose report; dose sr; rdsr; strukturierter befund
        """,
    "DOC": "document; pdf; encapsulated document; encapsulated pdf; dokument; documento",
    "KO": "key object; key image; key object selection; key image note",
    "PR": "presentation state; gsps; softcopy presentation state",
    "SEG": "segmentation; segmentierung; segmentacion",
    "REG": "registration; spatial registration",
    _RADIOTHERAPY: """
        rt; radiotherapy; radiation therapy; radiation oncology; strahlentherapie; radiotherapie
        radioterapia; bestrahlung
        """,
    "RTPLAN": "rt plan; radiotherapy plan; treatment plan; bestrahlungsplan",
    "RTDOSE": "rt dose; radiotherapy dose; dosimetry",
    "RTSTRUCT": "rt struct; rtss; rt structure set; structure set; contours",
    "RTIMAGE": "rt image; portal image",
    "RTRECORD": "rt record; treatment record",
    "ECG": """
        ekg; electrocardiography; electrocardiogram; elektrokardiogramm; electrocardiogramme
        electrocardiograma; elettrocardiogramma
        """,
    "EEG": "electroencephalography; electroencephalogram; elektroenzephalogramm",
    "EMG": "electromyography; electromyogram",
    "EPS": "electrophysiology; cardiac electrophysiology",
    "HD": "hemodynamics; haemodynamics; hemodynamic waveform",
    "BMD": """
        bone density; bone densitometry; bone mineral density; densitometry; dexa; dxa
        osteodensitometry; knochendichte; knochendichtemessung; osteodensitometrie; densitometrie
        densitometria; densitometria osea; densitometria ossea; mineralometria ossea; moc
        """,
    "ES": """
        endoscopy; endoscopic; colonoscopy; gastroscopy; bronchoscopy; laparoscopy; cystoscopy
        arthroscopy; angioscopy
        endoskopie; koloskopie; gastroskopie; endoscopie; endoscopia; coloscopie; colonoscopia
        """,
    "SM GM": """
        pathology; digital pathology; histology; histopathology; microscopy; digital microscopy
        microscope; pathologie; histologie; mikroskopie; microscopie; anatomopathologie; patologia
        histologia
        microscopia
        """,
    "SM": "slide microscopy; slide; whole slide; whole slide image; whole slide imaging; wsi",
    "OCT OPT": "oct; optical coherence tomography; optische koharenztomographie",
    "OP OPT": "ophthalmology; ophthalmic; eye; augen; ophtalmologie; oftalmologia",
    "OP": """
        fundus; fundus photography; fundus photo; retinal photography; fundoscopy; retinography
        fluorescein angiography
        """,
    "OPT": "ophthalmic tomography; retinal oct; macular oct; eye oct",
    "OPV": "visual field; perimetry",
    "IVUS": "intravascular ultrasound",
    "IVOCT": "intravascular oct; intravascular optical coherence tomography",
    "IO PX": "dental; dental x ray; dental radiography; zahnrontgen",
    "IO": "intraoral; intra oral; bitewing; periapical; zahnfilm",
    "PX": """
        panoramic; panoramic x ray; panorama; opg; orthopantomogram; orthopantomography; opt dental
        orthopantomogramm; panoramique; panoramica; ortopantomografia; panoramaschichtaufnahme
        """,
    "XC": "photo; photograph; photography; clinical photo; medical photography; fotografie; camera",
    "DMS XC": "dermatology; dermatologie; dermatologia",
    "DMS": "dermoscopy; dermatoscopy; dermatoskopie",
    "TG": "thermography; thermographie; termografia",
    "OT": "other; secondary capture; screenshot; screen capture; sonstige; autre; otro",
    "AU": "audio; dictation",
}

# Machines that are two at once: a study made by one has both.
HYBRIDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("pet ct", "petct", "pt ct", "fdg pet ct", "tep tdm", "tep scan"), ("PT", "CT")
    ),
    **dict.fromkeys(("pet mr", "petmr", "pet mri", "pet mrt", "pet irm", "tep irm"), ("PT", "MR")),
    **dict.fromkeys(("spect ct", "spectct", "nm ct"), ("NM", "CT")),
}

# Words that say nothing about the modality: "CT scan" is CT.
_NOISE = frozenset(
    word
    for words in (
        "scan scans scanning exam exams examination examinations study studies series image images",
        "imaging picture pictures modality data dicom film films test tests procedure the a an of",
        "any all untersuchung untersuchungen aufnahme aufnahmen bild bilder examen etude",
        "estudio estudios imagenes esame esami exame onderzoek patient patients those that which",
        "who have has having",
    )
    for word in words.split()
)


# Codes that one word means: CR/DX is either of them, CT/MR both.
ALTERNATIVES = tuple(frozenset(meant.split()) for meant in _WORDS if " " in meant)


@cache
def _table() -> dict[str, tuple[str, ...]]:
    """The codes by each word for them; a code is one too, and so is the meaning of those in use."""
    table = {
        plain(meaning): (code,)
        for code, meaning in MODALITIES.items()
        if not meaning.endswith("(retired)")
    }
    for words, meant in ((words, tuple(meant.split())) for meant, words in _WORDS.items()):
        table |= {word.strip(): meant for word in re.split(r"[;\n]", words) if word.strip()}
    table |= {code.lower(): (code,) for code in MODALITIES if code.lower() not in table}
    return table


def known(text: str) -> tuple[str, ...]:
    """The codes of a code or word, () when no table has it."""
    table = _table()
    if len(text) <= MAXIMUM_LENGTH["CS"] and text.upper() in MODALITIES and text.lower() != "oct":
        return table.get(text.lower(), (text.upper(),))
    for phrase in (plain(text), plain(text, noise=False)):
        for form in (phrase, phrase.removesuffix("s"), phrase.removesuffix("es")):
            if form in table:
                return table[form]
    return ()


def plain(text: str, *, noise: bool = True) -> str:
    """Small letters without accents, one space for whatever else stands between them; without
    `noise`, no words that say nothing of a modality either."""
    text = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(c for c in text if not "\u0300" <= c <= "\u036f")
    words = re.findall(r"[^\W_]+", bare)
    return " ".join(word for word in words if noise or word not in _NOISE)


def _refused(text: str, argument: str) -> BadArgument:
    near = _nearest(plain(text))
    said = f"{near} ({', '.join(_table()[near])})" if near else ""
    return BadArgument(
        f"{argument}={shown(text)} is no modality",
        f"Did you mean {said}?" if near else "Give a code, such as CT, MR, US, CR, DX, or its name",
    )


def _nearest(plain: str) -> str:
    """The known word nearest to a text, or the longest that stands in it; "" when none is near."""
    from rapidfuzz import fuzz, process

    table = _table()
    within = [word for word in table if len(word) > 1 and f" {word} " in f" {plain} "]
    if within:
        return max(within, key=len)
    words = [word for word in table if len(word) > 3]
    near = process.extractOne(plain, words, scorer=fuzz.ratio, score_cutoff=78)
    return near[0] if near else ""
