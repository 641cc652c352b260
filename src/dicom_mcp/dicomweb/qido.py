"""QIDO-RS: a query as the target of a GET (PS3.18 8.3.4, 10.6.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ..standard.dictionary import attribute
from ..standard.levels import UNIQUE_KEY, Level
from ..standard.query import Query
from ..standard.values import WILDCARD_VRS, is_uid

ACCEPT = "application/dicom+json"

# The resource that is searched for each level (PS3.18 10.6.1.1).
_RESOURCE: Mapping[Level, str] = {
    Level.STUDY: "studies",
    Level.SERIES: "series",
    Level.IMAGE: "instances",
}

# Attributes that every answer has without being asked (PS3.18 tables 10.6.3-3 to 10.6.3-5) are
# asked for all the same: not every server knows these tables.
_NOT_FIELDS = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet"})

# What a key may have as it is: besides what is never escaped, what a query component allows and
# no form gives a meaning (RFC 3986 3.4). Wildcards are among them.
_AS_IT_IS = "*?/:@!$'(),="


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server takes its parameters: attributes by tag or by keyword (PS3.18 8.3.4.1 has both),
    with what is to be included, with the length of a page and the kind of matching."""

    by_tag: bool = False
    with_fields: bool = True
    with_page: bool = True


STANDARD = Manner()


@dataclass(frozen=True, slots=True)
class Search:
    """Where a query is put: the path below the base URL, the parameters that are keys, the fields
    to include, and what the path says, by keyword."""

    path: str
    keys: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    in_path: Mapping[str, str]

    @property
    def is_across(self) -> bool:
        """Whether it searches across studies or series, which not every server offers."""
        return self.path.count("/") == 1 and not self.path.endswith("studies")

    def target(self, *, limit: int, offset: int, manner: Manner = STANDARD) -> str:
        """The path and query of a page of its answer."""
        named = _tag if manner.by_tag else str
        parameters = [(named(name), text) for name, text in self.keys]
        if manner.with_fields:
            parameters += [("includefield", named(field)) for field in self.fields]
        if manner.with_page:
            if any((found := attribute(name)) and found.vr == "PN" for name, _ in self.keys):
                parameters.append(("fuzzymatching", "false"))
            parameters.append(("limit", str(limit)))
        if offset:
            parameters.append(("offset", str(offset)))
        if not parameters:
            return self.path
        return f"{self.path}?{urlencode(parameters, quote_via=quote, safe=_AS_IT_IS)}"


def search(query: Query, separator: str = ",") -> Search:
    """How a query below the PATIENT level is put to a server, lists of values that are no UIDs
    with this `separator`.

    A single UID of a level above stands in the path, as far as there is one of each level above
    it (PS3.18 10.6.1.1); everything else is a parameter.
    """
    path = ""
    in_path: dict[str, str] = {}
    for level in query.level.above:
        if level is Level.PATIENT:
            continue
        uid = query.keys.get(UNIQUE_KEY[level], "")
        if not is_uid(uid):
            break
        path += f"/{_RESOURCE[level]}/{uid}"
        in_path[UNIQUE_KEY[level]] = uid
    keys = [
        # PS3.18 8.3.4.1: a list of UIDs is separated by commas.
        (keyword, text.replace("\\", "," if _is_uid(keyword) else separator))
        for keyword, text in query.keys.items()
        if keyword not in in_path and keyword not in _NOT_FIELDS
    ]
    fields = [keyword for keyword in query.returned if keyword not in _NOT_FIELDS]
    return Search(f"{path}/{_RESOURCE[query.level]}", tuple(keys), tuple(fields), in_path)


def needs_escapes(query: Query) -> bool:
    """Whether a key cannot stand in a URL as it is."""
    return any(_escaped(key) for key in query.keys.values())


def without_escapes(query: Query) -> Query:
    """The same query, wider, with keys that can stand in a URL as they are: `*` for what cannot,
    and nothing for a key in which that has no meaning."""
    keys: dict[str, str] = {}
    for keyword, key in query.keys.items():
        found = attribute(keyword)
        if not _escaped(key):
            keys[keyword] = key
        elif found and found.vr in WILDCARD_VRS:
            wider = "".join("*" if _escaped(character) else character for character in key)
            keys[keyword] = "" if set(wider) == {"*"} else re.sub(r"\*+", "*", wider)
    return Query(query.level, keys, (*query.wanted, *query.keys))


def escaped_uid(uid: str) -> str:
    """A search for one study by its UID, the first digit written as an escape: the same search to
    a server that decodes what it is sent (RFC 3986 6.2.2.2)."""
    return f"/studies?StudyInstanceUID=%{ord(uid[0]):02X}{uid[1:]}&limit=1"


def _escaped(text: str) -> bool:
    # A backslash becomes a comma in a list of UIDs.
    return quote(text.replace("\\", ","), safe=_AS_IT_IS) != text.replace("\\", ",")


def _tag(keyword: str) -> str:
    found = attribute(keyword)
    return f"{found.tag:08X}" if found else keyword


def _is_uid(keyword: str) -> bool:
    found = attribute(keyword)
    return found is not None and found.vr == "UI"


# A server tells that there is more (PS3.18 10.6.3.2), in one of many wordings; the one other
# warning there is says that fuzzy matching is not supported.
_MORE = re.compile(r"\b299\b.*(additional|more|further|exceed|truncat|limit)", re.IGNORECASE)


def tells_of_more(status: int, warning: str) -> bool:
    """Whether an answer says that it is not the whole one."""
    return status == 206 or _MORE.search(warning[:1000]) is not None
