"""JSON with comments and commas at the end, as programs keep their settings: read with the place of
every member, so that one can be written or taken out and everything else stays as it is."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

_BLANK = re.compile(r"[ \t\r\n]*(?:(?://[^\r\n]*|/\*.*?\*/)[ \t\r\n]*)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# What may stand behind a value on its own line.
_SAME_LINE = re.compile(r"[ \t]*(?:/\*[^\r\n]*?\*/[ \t]*)*(?://[^\r\n]*)?")
_INDENT = re.compile(r"[ \t]*")


class NotJson(ValueError):
    """What is wrong, as a clause, and the line it is wrong in."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"{what} (line {line})")


@dataclass(slots=True)
class Value:
    """A value, from `start` to before `end`; of an object also its members, in order, and where a
    comma stands behind each (None where there is none)."""

    start: int
    end: int
    plain: Any
    members: dict[str, "Member"] = field(default_factory=dict[str, "Member"])

    @property
    def is_object(self) -> bool:
        return isinstance(self.plain, dict)


@dataclass(slots=True)
class Member:
    """A member of an object, from its key on."""

    start: int
    value: Value
    comma: int | None = None


def read(text: str) -> Value:
    """The value that the text is. Raises NotJson; a key that stands twice is refused too, as
    programs differ in which of them counts."""
    return _Reading(text).whole()


def written(text: str, path: Sequence[str], plain: object) -> str:
    """The text with the member at this path, in objects that are made where there are none.

    Raises NotJson, and ValueError where something on the way is no object.
    """
    whole = read(text)
    if not whole.is_object:
        raise ValueError("it is no object")
    return _with(text, whole, path, plain)


def without(text: str, path: Sequence[str]) -> str:
    """The text without that member; as it is where there is none. Raises NotJson."""
    holder, member = read(text), None
    for key in path:
        if member:
            holder = member.value
        member = holder.members.get(key)
        if member is None:
            return text
    assert member
    members = list(holder.members.values())
    at = members.index(member)
    start, end = _line_start(text, member.start), member.value.end
    if member.comma is not None:
        return text[:start] + text[member.comma + 1 :]
    before = members[at - 1].comma if at else None
    if before is None:
        return text[:start] + text[end:]
    return text[:before] + text[before + 1 : start] + text[end:]


def _with(text: str, holder: Value, path: Sequence[str], plain: object) -> str:
    key, *below = path
    member = holder.members.get(key)
    if member and below:
        if not member.value.is_object:
            raise ValueError(f'its "{key}" is no object')
        return _with(text, member.value, below, plain)
    for name in reversed(below):
        plain = {name: plain}
    unit = _unit(text)
    if member:
        indent = _indent_at(text, member.start)
        value = _dumped(plain, unit, indent, _line_end(text))
        return text[: member.value.start] + value + text[member.value.end :]
    return _with_new(text, holder, key, plain, unit)


def _with_new(text: str, holder: Value, key: str, plain: object, unit: str) -> str:
    line = _line_end(text)
    outer = _indent_at(text, holder.start)
    members = list(holder.members.values())
    indent = outer + unit
    if members and text[: members[0].start].rstrip(" \t").endswith(("\n", "\r")):
        indent = _indent_at(text, members[0].start)
    entry = f"{json.dumps(key, ensure_ascii=False)}: {_dumped(plain, unit, indent, line)}"
    close = holder.end - 1
    if members:
        last = members[-1]
        comma = last.value.end if last.comma is None else last.comma + 1
        found = _SAME_LINE.match(text, comma)
        assert found
        place = min(found.end(), close)
        head = text[:comma] + ("," if last.comma is None else "") + text[comma:place]
    else:
        place = len(text[:close].rstrip(" \t\r\n"))
        head = text[:place]
    rest = text[place:close]
    tail = rest if "\n" in rest or "\r" in rest else f"{line}{outer}"
    return f"{head}{line}{indent}{entry}{tail}{text[close:]}"


def _dumped(plain: object, unit: str, indent: str, line: str) -> str:
    told = json.dumps(plain, indent=unit, ensure_ascii=False)
    told = re.sub(r"\[\n[^][{}]*\]", lambda words: json.dumps(json.loads(words[0])), told)
    return told.replace("\n", line + indent)


def _unit(text: str) -> str:
    """What the text indents by, of its first line that is indented."""
    found = re.search(r"[{\[][ \t]*\r?\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_at(text: str, at: int) -> str:
    begin = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    found = _INDENT.match(text, begin, at)
    return found[0] if found else ""


def _line_start(text: str, at: int) -> int:
    """Where the blank before a member begins, its line end included."""
    before = text[:at].rstrip(" \t")
    if before.endswith("\r\n"):
        return len(before) - 2
    return len(before) - 1 if before.endswith(("\n", "\r")) else at


class _Reading:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Value:
        self._skip()
        try:
            value = self._value()
        except RecursionError:
            self._refuse("is nested too deeply")
        self._skip()
        if self._at < len(self._text):
            self._refuse("goes on where it should end")
        return value

    def _value(self) -> Value:
        start = self._at
        kind = self._text[start : start + 1]
        if kind == "{":
            return self._object(start)
        if kind == "[":
            return self._array(start)
        found = (_STRING if kind == '"' else _SCALAR).match(self._text, start)
        if not found:
            self._refuse("has no value where one should be")
        self._at = found.end()
        return Value(start, self._at, self._loaded(found[0]))

    def _object(self, start: int) -> Value:
        members: dict[str, Member] = {}

        def member() -> None:
            begin = self._at
            found = _STRING.match(self._text, begin)
            if not found:
                self._refuse("has no name in quotes where one should be")
            self._at = found.end()
            key = self._loaded(found[0])
            if key in members:
                self._refuse("has a name twice in one object")
            self._skip()
            if not self._take(":"):
                self._refuse("lacks a colon")
            self._skip()
            members[key] = Member(begin, self._value())

        def comma(at: int) -> None:
            list(members.values())[-1].comma = at

        self._several("}", member, comma)
        plain = {key: member.value.plain for key, member in members.items()}
        return Value(start, self._at, plain, members)

    def _array(self, start: int) -> Value:
        plain: list[Any] = []
        self._several("]", lambda: plain.append(self._value().plain), lambda _: None)
        return Value(start, self._at, plain)

    def _several(self, end: str, element: Callable[[], None], comma: Callable[[int], None]) -> None:
        self._at += 1
        self._skip()
        while not self._take(end):
            element()
            self._skip()
            if self._take(","):
                comma(self._at - 1)
                self._skip()
            elif self._text[self._at : self._at + 1] != end:
                self._refuse(f"lacks a comma or {end}")

    def _take(self, letter: str) -> bool:
        if self._text[self._at : self._at + 1] != letter:
            return False
        self._at += 1
        return True

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        assert found
        self._at = found.end()

    def _loaded(self, literal: str) -> Any:
        try:
            return json.loads(literal)
        except ValueError:
            self._refuse("has a value that is none")

    def _refuse(self, what: str) -> NoReturn:
        raise NotJson(what, self._text.count("\n", 0, self._at) + 1) from None
