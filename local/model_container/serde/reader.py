"""Reads JSON like serde_json 1.0.140, with the same errors at the same positions.

Python's json module is more lenient (NaN, lone surrogates, duplicate keys) and has other error messages. TGI returns
serde_json's messages to its clients as plain text.
"""

from __future__ import annotations

import re
from typing import Any

from local.model_container.serde.errors import JsonError, Path

_WHITESPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HEX4 = re.compile(rb"[0-9a-fA-F]{4}")
_SIMPLE_ESCAPES = {
    ord('"'): '"',
    ord("\\"): "\\",
    ord("/"): "/",
    ord("b"): "\b",
    ord("f"): "\f",
    ord("n"): "\n",
    ord("r"): "\r",
    ord("t"): "\t",
}
_IDENTIFIERS: dict[int, tuple[bytes, bool | None]] = {
    ord("n"): (b"null", None),
    ord("t"): (b"true", True),
    ord("f"): (b"false", False),
}
_RECURSION_LIMIT = 128


class JsonReader:
    """A cursor over a JSON text, with the primitives of serde_json's Deserializer."""

    def __init__(self, data: bytes, position: int = 0, path: Path = ()) -> None:
        self.data = data
        self.index = position
        self.path = path
        self._depth = 0
        self._ignoring = False

    def peek(self) -> int | None:
        """The next byte that is not white space, without consuming it; None at the end."""
        match = _WHITESPACE.match(self.data, self.index)
        if match:
            self.index = match.end()
        return self.data[self.index] if self.index < len(self.data) else None

    def locate(self, error: JsonError, index: int | None = None) -> JsonError:
        """Sets the position of an error, unless it has one."""
        if error.position is None:
            at = min(self.index if index is None else index, len(self.data))
            line_start = self.data.rfind(b"\n", 0, at) + 1
            error.position = (self.data.count(b"\n", 0, at) + 1, at - line_start)
        return error

    def syntax_error(self, message: str, *, peeked: bool = False) -> JsonError:
        """A syntax error; `peeked` if it concerns the next byte."""
        return self.locate(JsonError(message, self.path, syntax=True), self.index + peeked)

    def data_error(self, message: str) -> JsonError:
        """An error of the shape, positioned after the last byte read."""
        return self.locate(JsonError(message, self.path))

    def enter(self) -> None:
        """Enters a level of nesting."""
        self._depth += 1
        if self._depth >= _RECURSION_LIMIT:
            raise self.syntax_error("recursion limit exceeded", peeked=True)
        self.index += 1

    def leave(self) -> None:
        """Leaves a level of nesting."""
        self._depth -= 1

    def identifier(self, byte: int) -> bool | None:
        """Reads `null`, `true` or `false`; `byte` is the first letter."""
        word, value = _IDENTIFIERS[byte]
        for letter in word:
            if self.index >= len(self.data):
                raise self.syntax_error("EOF while parsing a value")
            self.index += 1
            if self.data[self.index - 1] != letter:
                raise self.syntax_error("expected ident")
        return value

    def number(self) -> int | float:
        """Reads a number: an integer if it fits 64 bits, else a float."""
        match = _NUMBER.match(self.data, self.index)
        following = self.data[match.end() : match.end() + 1] if match else b""
        if match is None or following in (b".", b"e", b"E") or following.isdigit():
            raise self._bad_number()
        self.index = match.end()
        if match.group(1) is None and match.group(2) is None:
            value = int(match.group())
            if -(2**63) <= value < 2**64 and match.group() != b"-0":
                return value
        result = float(match.group())
        if abs(result) == float("inf") and not self._ignoring:
            raise self.syntax_error("number out of range")
        return result

    def _bad_number(self) -> JsonError:
        """The error at the first byte that cannot continue the number."""
        match = re.compile(rb"-?(?:0|[1-9][0-9]*)?(?:(?<=[0-9])\.[0-9]*)?(?:(?<=[0-9])[eE][+-]?)?").match(
            self.data, self.index
        )
        self.index = match.end() if match else self.index
        if self.index >= len(self.data):
            return self.syntax_error("EOF while parsing a value")
        return self.syntax_error("invalid number", peeked=True)

    def string(self) -> str:
        """Reads a string; the cursor is at its opening quote."""
        self.index += 1
        pieces: list[str] = []
        while True:
            match = _PLAIN.match(self.data, self.index)
            end = match.end() if match else self.index
            raw = self.data[self.index : end]
            self.index = end
            if end >= len(self.data):
                raise self.syntax_error("EOF while parsing a string")
            byte = self.data[end]
            self.index += 1
            try:
                pieces.append(raw.decode(errors="replace" if self._ignoring else "strict"))
            except UnicodeDecodeError as error:
                raise self.syntax_error("invalid unicode code point") from error
            if byte == ord('"'):
                return "".join(pieces)
            if byte != ord("\\"):
                raise self.syntax_error("control character (\\u0000-\\u001F) found while parsing a string")
            pieces.append(self._escape())

    def _escape(self) -> str:
        if self.index >= len(self.data):
            raise self.syntax_error("EOF while parsing a string")
        letter = self.data[self.index]
        self.index += 1
        if letter in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[letter]
        if letter != ord("u"):
            raise self.syntax_error("invalid escape")
        return self._unicode_escape()

    def _unicode_escape(self) -> str:
        unit = self._hex4()
        if self._ignoring:
            return ""
        if 0xDC00 <= unit < 0xE000:
            raise self.syntax_error("lone leading surrogate in hex escape")
        if not 0xD800 <= unit < 0xDC00:
            return chr(unit)
        for expected in b"\\u":
            if self.index >= len(self.data):
                raise self.syntax_error("EOF while parsing a string")
            if self.data[self.index] != expected:
                self.index += 1
                raise self.syntax_error("unexpected end of hex escape")
            self.index += 1
        low = self._hex4()
        if not 0xDC00 <= low < 0xE000:
            raise self.syntax_error("lone leading surrogate in hex escape")
        return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))

    def _hex4(self) -> int:
        if self.index + 4 > len(self.data):
            self.index = len(self.data)
            raise self.syntax_error("EOF while parsing a string")
        match = _HEX4.match(self.data, self.index)
        self.index += 4
        if match is None:
            raise self.syntax_error("invalid escape")
        return int(match.group(), 16)

    def value(self) -> Any:
        """Reads any JSON value, as serde_json::Value (the last duplicate key wins)."""
        byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing a value", peeked=True)
        if byte == ord('"'):
            return self.string()
        if byte == ord("{"):
            return dict(self.members_of(JsonReader.value))
        if byte == ord("["):
            return list(self.elements_of(JsonReader.value))
        return self._scalar(byte)

    def ignore(self) -> None:
        """Skips a value: checks its syntax, but not whether its numbers and characters can be represented."""
        self._ignoring = True
        self.value()
        self._ignoring = False

    def _scalar(self, byte: int) -> Any:
        if byte in _IDENTIFIERS:
            return self.identifier(byte)
        if byte == ord("-") or 48 <= byte <= 57:
            return self.number()
        raise self.syntax_error("expected value", peeked=True)

    def members_of(self, read: Any) -> list[tuple[str, Any]]:
        """Reads an object; `read` reads each value."""
        members: list[tuple[str, Any]] = []
        outer = self.path
        self.enter()
        while (key := self.next_key(first=not members)) is not None:
            self.path = (*outer, key)
            self.colon()
            members.append((key, read(self)))
            self.path = outer
        self.index += 1
        self.leave()
        return members

    def elements_of(self, read: Any) -> list[Any]:
        """Reads an array; `read` reads each element."""
        elements: list[Any] = []
        outer = self.path
        self.enter()
        while self.next_element(first=not elements):
            self.path = (*outer, len(elements))
            elements.append(read(self))
            self.path = outer
        self.index += 1
        self.leave()
        return elements

    def next_key(self, *, first: bool) -> str | None:
        """Reads the next key of an object; None at its closing brace."""
        byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing an object", peeked=True)
        if byte == ord("}"):
            return None
        if not first:
            if byte != ord(","):
                raise self.syntax_error("expected `,` or `}`", peeked=True)
            self.index += 1
            byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing a value", peeked=True)
        if byte != ord('"'):
            wrong = "trailing comma" if byte == ord("}") else "key must be a string"
            raise self.syntax_error(wrong, peeked=True)
        return self.string()

    def colon(self) -> None:
        """Reads the colon after a key."""
        byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing an object", peeked=True)
        if byte != ord(":"):
            raise self.syntax_error("expected `:`", peeked=True)
        self.index += 1

    def next_element(self, *, first: bool) -> bool:
        """Whether another element of an array follows; the cursor is then in front of it."""
        byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing a list", peeked=True)
        if byte == ord("]"):
            return False
        if first:
            return True
        if byte != ord(","):
            raise self.syntax_error("expected `,` or `]`", peeked=True)
        self.index += 1
        byte = self.peek()
        if byte is None:
            raise self.syntax_error("EOF while parsing a value", peeked=True)
        if byte == ord("]"):
            raise self.syntax_error("trailing comma", peeked=True)
        return True
