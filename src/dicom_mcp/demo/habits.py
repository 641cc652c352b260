"""The bad habits of real archives, which the embedded archive can take on to be asked with them."""

from dataclasses import dataclass
from typing import Literal

from ..standard.levels import Model

# What an answer in UTF-8 says of its character set: the truth, ISO_IR 100, or nothing.
type Declaring = Literal["truly", "as Latin-1", "not at all"]

# A `*` by its place in a key, or a `?`.
type Wildcard = Literal["at the start", "inside", "at the end", "?"]

# What keys for names are compared with: "Doe^Jane", "Doe Jane", or "Jane^Doe".
type Names = Literal["as stored", "without carets", "given name first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How an archive answers C-FIND otherwise than the standard says; by default not at all."""

    # Keys that are not matched, as if they had been sent empty: dcmqrscp does it with
    # ModalitiesInStudy, many archives with descriptions and with physicians' names. PS3.4
    # C.2.2.1.3 allows it for optional keys only.
    ignored_keys: frozenset[str] = frozenset()

    # Attributes that are matched (unless ignored too) but left out of the answers: counts and
    # ModalitiesInStudy cost an archive a search and are often absent, UIDs of the levels above
    # too. The unique key of the level asked is always returned.
    unreturned: frozenset[str] = frozenset()

    # Every match has the status 0xFF01 (optional keys not supported), even where none is missing.
    optional_keys_status: bool = False

    # The most rows of one answer, and how an answer ends that would have had more: as a success
    # (most vendors', without a word), "out of resources" (0xA700) or "cancelled" (0xFE00).
    most_matches: int | None = None
    cap_status: int = 0x0000

    # The most rows of the level below that are looked at for what is answered from there, and what
    # they belong to is then the answer, a success of any length: series for `below_keys` of a
    # study, studies for any list of patients. Orthanc 1.10.1 does it with ModalitiesInStudy (see
    # search.py). With `joined` it is enough that such an attribute is asked for, at any level, and
    # what is looked at is what that counts.
    most_below: int | None = None
    below_keys: frozenset[str] = frozenset({"ModalitiesInStudy"})
    joined: bool = False

    # Keys that are compared only after so many candidates were taken by the others: what of these
    # matches is the answer, which ends with `cap_status` if there were more. Orthanc does it with
    # whatever is not in its index, other archives with text.
    most_candidates: int | None = None
    late_keys: frozenset[str] = frozenset()

    # Of a list of values in a key only so many are read.
    most_values: int | None = None

    # Over DICOMweb: the most rows of all pages together; the pages after them are empty.
    # orthanc-dicomweb 1.7 does it, after one more than LimitFindResults.
    most_of_all_pages: int | None = None

    # Answers leave in UTF-8 and are declared as something else: databases that were migrated.
    utf_8_declared: Declaring = "truly"

    # Text is compared byte for byte, in the character set of the request and of the object:
    # dcmqrscp. A name in Latin-1 is not found by the same name in UTF-8.
    by_bytes: bool = False

    # Names are compared with regard to case too, which PS3.4 C.2.2.2.1 leaves open.
    case_sensitive: bool = False

    # Keys that are compared as they are written: wildcards, ranges and lists of UIDs mean nothing
    # in them, and of several values the whole is compared. PS3.4 C.2.2.1.3 lets an archive do so
    # with optional keys; Azure's DICOM service has no wildcards.
    literal_keys: frozenset[str] = frozenset()

    # Wildcards that are plain characters: databases that search by the beginning of a text only.
    not_wild: frozenset[Wildcard] = frozenset()

    # A `*` ends and begins at words only: databases with a full-text index.
    whole_words: bool = False

    # Keys for names are compared with another form of them than is returned.
    names: Names = "as stored"

    # "20260101-" and "-20260131" are ranges too (PS3.4 C.2.2.2.5).
    open_ranges: bool = True

    # "-20260131" brings what has no date too: Orthanc, where the attribute is there and empty.
    undated_in_ranges: bool = False

    # Lists of values (PS3.4 C.2.2.2.2) are read for these keys too, as Orthanc does, and not only
    # for UIDs. To others such a key is one text that nothing has.
    listed_keys: frozenset[str] = frozenset()

    # Of a list the first or the last value is matched, or nothing, as if there were no key.
    first_of_list: bool = False
    last_of_list: bool = False
    ignores_lists: bool = False

    # Keys with more characters are read up to there, or refused with this status.
    longest_key: int | None = None
    long_key_status: int = 0x0000

    # ModalitiesInStudy lists images only, reports and the like where a study has nothing else.
    images_only: bool = False

    # Every match is sent twice: archives in front of several databases, or of online and offline
    # copies.
    duplicated: bool = False

    # Attributes of objects that a series is told with, those of its first object, and empty where
    # that has none: Orthanc, dcm4chee.
    told_of_series: frozenset[str] = frozenset()

    # The information models C-FIND is accepted in: many archives have Study Root only.
    models: frozenset[Model] = frozenset(Model)


NONE = Habits()
