"""Typed reading of JSON with the rules and messages of serde 1.0.219's derive macros.

A type is a function that reads a value from a `JsonReader` or raises `JsonError`. Where serde buffers a value to try
several shapes (untagged enums, flattened structs), the value is read once for its syntax and then again for each shape.
"""

from __future__ import annotations

import json
import math
import struct as _struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.model_container.serde.errors import JsonError
from local.model_container.serde.reader import JsonReader

Type = Callable[[JsonReader], Any]
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct.

    Args:
        name: The key.
        type: The type of the value.
        default: Returns the value of a missing key; None if the key is required.
        aliases: Other keys of the field; two of them in one document are a duplicate.
        positional: Whether the default also applies if the struct is written as an array (`#[serde(default)]`).
    """

    name: str
    type: Type
    default: Callable[[], Any] | None = None
    aliases: tuple[str, ...] = ()
    positional: bool = True


def debug(text: str) -> str:
    """A string in the format of Rust's {:?}."""
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return '"' + "".join(escapes.get(c, c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text) + '"'


def compact(value: Any) -> str:
    """JSON without spaces and unnecessary escapes, as written by serde_json."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _ryu(value: float) -> str:
    """A float as serde_json writes it: no plus sign, no zero before the exponent, and none of -5 as an exponent."""
    digits, e, exponent = repr(value).partition("e")
    if not e:
        return digits
    if int(exponent) == -5:
        return f"{value:.{len(digits.lstrip('-').replace('.', '')) + 4}f}"
    return f"{digits}e{int(exponent)}"


def _unexpected(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{_ryu(value)}`"
    return f"string {debug(value)}"


def invalid_type(reader: JsonReader, expected: str) -> JsonError:
    """Serde's error for a value of the wrong type at the cursor."""
    byte = reader.peek()
    if byte == ord("["):
        return reader.data_error(f"invalid type: sequence, expected {expected}")
    if byte == ord("{"):
        return reader.data_error(f"invalid type: map, expected {expected}")
    return reader.data_error(f"invalid type: {_unexpected(reader.value())}, expected {expected}")


def _some(reader: JsonReader) -> int:
    byte = reader.peek()
    if byte is None:
        raise reader.syntax_error("EOF while parsing a value", peeked=True)
    return byte


def string(reader: JsonReader) -> str:
    """A String."""
    if _some(reader) != ord('"'):
        raise invalid_type(reader, "a string")
    return reader.string()


def boolean(reader: JsonReader) -> bool:
    """A bool."""
    byte = _some(reader)
    if byte not in b"tf":
        raise invalid_type(reader, "a boolean")
    return bool(reader.identifier(byte))


def _is_number(byte: int) -> bool:
    return byte == ord("-") or 48 <= byte <= 57


def float32(reader: JsonReader) -> float:
    """An f32: the nearest single-precision number."""
    if not _is_number(_some(reader)):
        raise invalid_type(reader, "f32")
    value = reader.number()
    try:
        return float(_struct.unpack("<f", _struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def integer(name: str, low: int, high: int) -> Type:
    """An integer type of Rust with its range."""

    def read(reader: JsonReader) -> int:
        if not _is_number(_some(reader)):
            raise invalid_type(reader, name)
        value = reader.number()
        if isinstance(value, float):
            raise reader.data_error(f"invalid type: {_unexpected(value)}, expected {name}")
        if not low <= value <= high:
            raise reader.data_error(f"invalid value: integer `{value}`, expected {name}")
        return value

    return read


U32 = integer("u32", 0, 2**32 - 1)
U64 = integer("u64", 0, 2**64 - 1)
USIZE = integer("usize", 0, 2**64 - 1)
I32 = integer("i32", -(2**31), 2**31 - 1)


def value(reader: JsonReader) -> Any:
    """A serde_json::Value."""
    return reader.value()


def option(inner: Type) -> Type:
    """An Option: null or the inner type."""

    def read(reader: JsonReader) -> Any:
        byte = reader.peek()
        return reader.identifier(byte) if byte == ord("n") else inner(reader)

    return read


def sequence(inner: Type) -> Type:
    """A Vec."""

    def read(reader: JsonReader) -> list[Any]:
        if _some(reader) != ord("["):
            raise invalid_type(reader, "a sequence")
        elements: list[Any] = _closed(reader, ord("]"), lambda: reader.elements_of(inner))
        return elements

    return read


def _closed(reader: JsonReader, bracket: int, read: Callable[[], Any]) -> Any:
    """Runs `read`; an error without a position gets the one after the closing bracket, as in serde_json."""
    try:
        return read()
    except JsonError as error:
        if error.position is None and reader.peek() == bracket:
            reader.index += 1
        raise reader.locate(error) from None


def structure(name: str, fields: Sequence[Field], build: Callable[[dict[str, Any]], Any] = dict) -> Type:
    """A struct, written as an object or, as serde also allows, as an array of its fields in order."""
    by_key = {key: field for field in fields for key in (field.name, *field.aliases)}

    def read(reader: JsonReader) -> Any:
        byte = _some(reader)
        if byte == ord("{"):
            return build(_closed(reader, ord("}"), lambda: _read_members(reader, fields, by_key)))
        if byte == ord("["):
            return build(_closed(reader, ord("]"), lambda: _read_positions(reader, name, fields)))
        raise invalid_type(reader, f"struct {name}")

    return read


def _read_members(reader: JsonReader, fields: Sequence[Field], by_key: Mapping[str, Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    outer = reader.path
    reader.enter()
    first = True
    while (key := reader.next_key(first=first)) is not None:
        first = False
        field = by_key.get(key)
        if field is not None and field.name in found:
            raise JsonError(f"duplicate field `{field.name}`", outer)
        reader.path = (*outer, key)
        reader.colon()
        if field is None:
            reader.ignore()
        else:
            found[field.name] = field.type(reader)
        reader.path = outer
    for field in fields:
        if field.name not in found:
            if field.default is None:
                raise JsonError(f"missing field `{field.name}`", outer)
            found[field.name] = field.default()
    reader.index += 1
    reader.leave()
    return found


def _read_positions(reader: JsonReader, name: str, fields: Sequence[Field]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    outer = reader.path
    reader.enter()
    for index, field in enumerate(fields):
        if reader.next_element(first=index == 0):
            reader.path = (*outer, index)
            found[field.name] = field.type(reader)
            reader.path = outer
        elif field.default is None or not field.positional:
            plural = "element" if len(fields) == 1 else "elements"
            raise JsonError(f"invalid length {index}, expected struct {name} with {len(fields)} {plural}", outer)
        else:
            found[field.name] = field.default()
    if reader.peek() != ord("]"):
        wrong = "trailing comma" if reader.peek() == ord(",") else "trailing characters"
        raise reader.syntax_error(wrong, peeked=True)
    reader.index += 1
    reader.leave()
    return found


def untagged(name: str, variants: Sequence[Type]) -> Type:
    """An untagged enum: the first variant that matches; if none does, serde does not report why."""

    def read(reader: JsonReader) -> Any:
        start, path = reader.index, reader.path
        reader.value()
        for variant in variants:
            try:
                return variant(JsonReader(reader.data, start, path))
            except JsonError:
                continue
        raise JsonError(f"data did not match any variant of untagged enum {name}", path)

    return read


def null(reader: JsonReader) -> None:
    """A unit variant: null."""
    if _some(reader) != ord("n"):
        raise invalid_type(reader, "unit")
    reader.identifier(ord("n"))


def parse_document(text: str) -> Any:
    """serde_json::from_str: one document and nothing behind it, with errors that name no path.

    Raises:
        JsonError: The text is not JSON.
    """
    reader = JsonReader(text.encode())
    try:
        document = reader.value()
        if reader.peek() is not None:
            raise reader.syntax_error("trailing characters", peeked=True)
    except JsonError as error:
        error.path = ()
        raise
    return document


def read_json(data: bytes, type_: Type) -> Any:
    """Reads a body. Anything after the document is ignored, as in axum 0.7.

    Raises:
        JsonError: The body is not JSON or has the wrong shape.
    """
    return type_(JsonReader(data))
