"""An archive in which every text attribute tells of somebody, each of whom can be recognised."""

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.content import documents as made
from tests.content.samples import gradient, image

# Names that are nobody's word, in the alphabets that people are written in, and some that are
# words: those are told apart from what they mean by the other name beside them.
_PATIENTS = (
    "Canarius^Wilhelmine",
    "Vogelsang^Ottokar^Fürchtegott",
    "Кенарев^Святослав",
    "金絲雀^太郎=金絲雀^太郎",
    "كناري^يوسفعلي",
    "Long^Zebulon",
    "Grey^Quintilia",
    "CT^Zephyrine",
)
_PHYSICIANS = (
    *("Quillfeather", "Ainsleybury", "Brockhampton"),
    *("Cholmondeston", "Drumlanrigg", "Eglinthorpe"),
)

TEXT = ("LO", "SH", "ST", "LT", "UT", "UC")
DAY = "20260301"


def archive() -> list[Dataset]:
    """A report and a picture of each patient."""
    return [part for number in range(len(_PATIENTS)) for part in _study(number)]


def recognised() -> list[str]:
    """What no answer may have: words of names, IDs, numbers, dates of birth, UIDs."""
    found: list[str] = []
    for number, name in enumerate(_PATIENTS):
        words = [word for group in name.split("=") for word in group.split("^")]
        found += [word for word in words if word not in ("Long", "Grey", "CT")]
        found += [_id(number), _accession(number), _born(number), f"2.25.9{number}"]
        found += [f"{_born(number)[6:]}.{_born(number)[4:6]}.{_born(number)[:4]}"]
    return [*dict.fromkeys(found), *_PHYSICIANS]


def series_of(number: int) -> str:
    """The series of pictures of a patient."""
    return f"2.25.9{number}00000002"


def study_of(number: int) -> str:
    """The study of a patient."""
    return f"2.25.9{number}00000000"


def _study(number: int) -> Iterator[Dataset]:
    name = _PATIENTS[number]
    whose = name.split("=")[0]
    words = whose.replace("^", " ")
    said = f"{words} {_id(number)} geb. {_german(_born(number))}, Dr. {_doctor(number)}"
    report = made.document(made.text(f"{said}: a nodule of {words}"))
    picture = image(gradient(0, 200, "u1"), modality="CT")
    for place, each in enumerate((report, picture), start=1):
        each.SpecificCharacterSet = "ISO_IR 192"
        _plant(each, number, said)
        each.PatientName, each.PatientID = name, _id(number)
        each.PatientBirthDate, each.StudyDate = _born(number), DAY
        each.AccessionNumber = _accession(number)
        each.StudyInstanceUID = study_of(number)
        each.SeriesInstanceUID = f"2.25.9{number}0000000{place}"
        each.SOPInstanceUID = f"2.25.9{number}0000001{place}"
        each.ReferringPhysicianName = f"{_doctor(number)}^Ada"
        each.OtherPatientIDsSequence = Sequence([_other(number, said)])
        each.add_new(0x00091010, "LO", said[:60])
        each.add_new(0x00090010, "LO", "ZZ CANARY")
        each.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        yield each


def _plant(dataset: Dataset, number: int, said: str) -> None:
    """Write of this person into every text attribute that the object has not, and into those that
    an archive is asked for."""
    for tag, (vr, _, _, retired, keyword) in cast("dict[int, Any]", DicomDictionary).items():
        if retired or not keyword_for_tag(tag) or tag >> 16 in (0x0002, 0x0004):
            continue
        if vr in TEXT and 0x0008 <= tag >> 16 <= 0x0040 and keyword not in dataset:
            limit = {"SH": 16, "LO": 64}.get(vr, 1000)
            setattr(dataset, keyword, said[:limit])
        elif vr == "PN" and keyword not in dataset:
            setattr(dataset, keyword, f"{_doctor(number)}^Ada")


def _other(number: int, said: str) -> Dataset:
    item = Dataset()
    item.PatientID, item.IssuerOfPatientID = _id(number), said[:60]
    return item


def _doctor(number: int) -> str:
    return _PHYSICIANS[number % len(_PHYSICIANS)]


def _id(number: int) -> str:
    return f"00ZQ{number}81726"


def _accession(number: int) -> str:
    return f"ACN{number}55172"


def _born(number: int) -> str:
    return f"194{number}0917"


def _german(date: str) -> str:
    return f"{date[6:]}.{date[4:6]}.{date[:4]}"


def configured(folder: Path, port: int, mode: str = "pseudonym", **more: str) -> str:
    """A configuration of an archive at this port, with an index and pseudonyms."""
    (folder / "key").write_text(base64.b64encode(os.urandom(32)).decode())
    (folder / "key").chmod(0o600)
    lines = "".join(f'{name} = "{value}"\n' for name, value in more.items())
    file = folder / "config.toml"
    file.write_text(
        f'index = {{ folder = "{folder.as_posix()}/kept", pause = 0.001, keep = false }}\n'
        f'[privacy]\nmode = "{mode}"\nkey_file = "key"\nfolder = "{folder.as_posix()}/map"\n{lines}'
        f'[nodes.pacs]\nhost = "127.0.0.1"\nport = {port}\ncalled_ae_title = "ANY-SCP"\n'
    )
    return str(file)
