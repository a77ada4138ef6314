"""Rules for single values: what is wrong, what to write instead, and how an environment variable has the value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from typing import Protocol

from constructs_lib.planning.validation.problem import Problem, shown
from constructs_lib.planning.validation.unknown import Unknown

UINT32 = 2**32 - 1
_LARGEST = 3e38  # TGI reads 32-bit floats

# An environment variable cannot contain control characters, and a template cannot contain half a surrogate pair.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Rule(Protocol):
    """One kind of value."""

    def validate(self, value: object) -> tuple[str, str] | None:
        """What is wrong with the value and what to do about it; None if it is right."""

    def to_env(self, value: object) -> str:
        """A right value as the text of an environment variable."""


def problem(keyword: str, value: object, rule: Rule) -> Problem | None:
    """What is wrong with a value by a rule; None for a right one, and for one that is known only at deployment."""
    found = None if isinstance(value, Unknown) else rule.validate(value)
    return Problem(keyword, value, *found) if found else None


@dataclass(frozen=True)
class Integer:
    """A whole number within limits."""

    minimum: int
    maximum: int = UINT32
    unit: str = ""

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, bool) or not isinstance(value, int):
            is_number = isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value)
            return (f"must be a whole number, not {_type(value)}", f"Write {value}." if is_number else "Give an int.")
        if not self.minimum <= value <= self.maximum:
            return (f"must be from {self.minimum} to {self.maximum}{self._unit}", self._nearest(value))
        return None

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return str(value)

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""

    def _nearest(self, value: int) -> str:
        if value < self.minimum:
            return f"Raise it to {self.minimum} or more."
        return f"Lower it to {self.maximum} or less."


@dataclass(frozen=True)
class Number:
    """A finite number; `allowed` says in words which ones."""

    allowed: str
    above: float = -math.inf
    below: float = math.inf
    inclusive_maximum: float | None = None
    inclusive_minimum: float | None = None

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return (f"must be a number, not {_type(value)}", "Give a float, or leave it out.")
        within = self._within(value)
        if within and abs(value) < _LARGEST:
            return None
        limit = f", up to {_LARGEST:.0e}" if within and abs(value) < math.inf else ""
        return (f"must be {self.allowed}{limit}", "Choose a number in that range, or leave it out.")

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return str(value)

    def _within(self, value: float) -> bool:
        maximum, minimum = self.inclusive_maximum, self.inclusive_minimum
        return (
            self.above < value < self.below
            and (maximum is None or value <= maximum)
            and (minimum is None or value >= minimum)
        )


@dataclass(frozen=True)
class Boolean:
    """True or False."""

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, bool):
            return None
        return (f"must be True or False, not {_type(value)}", "Give a bool, or leave it out.")

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return "true" if value else "false"


@dataclass(frozen=True)
class OneOf:
    """A member of an enumeration, or exactly its text.

    Args:
        kind: The enumeration.
        other_names: What people also call members, in lower case, such as `fp16`.
        members: The members that are allowed. Default: all of them.
    """

    kind: type[StrEnum]
    other_names: Mapping[str, StrEnum] = field(default_factory=dict, hash=False)
    members: tuple[StrEnum, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", self.members or tuple(self.kind))

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, str) and value in list(self.members):
            return None
        return (f"must be {'one of ' if len(self.members) > 1 else ''}{', '.join(self.members)}", self._fix(value))

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return str(value)

    def _fix(self, value: object) -> str:
        meant = self.meant(value)
        if meant is None:
            return f"Use a member of {self.kind.__name__}, or leave it out."
        return f"Did you mean {self.kind.__name__}.{meant.name}?"

    def meant(self, value: object) -> StrEnum | None:
        """The allowed member that a wrong value most likely means, if any."""
        if not isinstance(value, str | bool):
            return None
        name = str(value).lower().replace("_", "-")
        if self.other_names.get(name) in self.members:
            return self.other_names[name]
        by_name = {member.lower().replace("_", "-"): member for member in self.members}
        near = get_close_matches(name, by_name, n=1)
        return by_name[near[0]] if near else None


@dataclass(frozen=True)
class String:
    """A non-empty string of a given form if there is one; on one line unless it may have several."""

    form: str = ""
    pattern: str = r"(?s).+"
    longest: int = 1024
    lines: bool = False

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if not isinstance(value, str):
            return (f"must be a string, not {_type(value)}", "Give a str, or leave it out.")
        if not value.strip():
            return ("must not be empty", "Give it a value, or leave it out.")
        if _UNWRITABLE.search(re.sub(r"[\n\r\t]", "", value) if self.lines else value):
            return ("must not contain control characters or invalid Unicode", "Remove them.")
        if len(value) > self.longest:
            return (f"must have at most {self.longest} characters, has {len(value)}", "Shorten it.")
        if not re.fullmatch(self.pattern, value):
            return (f"must be {self.form}", "Write it in that form, or leave it out.")
        return None

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return str(value)


@dataclass(frozen=True)
class ListOf:
    """A sequence of values under one rule, written with commas between them."""

    each: Rule
    when_empty: str | None = None

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            return (f"must be a list, not {_type(value)}", "Put it in square brackets.")
        if not value and self.when_empty is None:
            return ("must not be empty", "Give it a value, or leave it out.")
        for item in value:
            if validate := self.each.validate(item):
                return (f"has the item {shown(item)}, which {validate[0]}", validate[1])
        return None

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        if not isinstance(value, Sequence):
            raise TypeError(f"expected a sequence, got {value!r}")
        return ",".join(self.each.to_env(item) for item in value) if value else str(self.when_empty)


@dataclass(frozen=True)
class JsonObject:
    """A mapping that JSON can express, as its text without blanks."""

    def validate(self, value: object) -> tuple[str, str] | None:
        """See `Rule.validate`."""
        if not isinstance(value, Mapping):
            return (f"must be a mapping, not {_type(value)}", 'Write {"name": …}.')
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            return (
                f"cannot be written as JSON ({error})",
                "Use texts, numbers, True, False, None, lists and dicts only.",
            )
        return None

    def to_env(self, value: object) -> str:
        """See `Rule.to_env`."""
        return json.dumps(value, separators=(",", ":"))


PATH = String("an absolute path of printable ASCII characters", r"/[!-~]*")


def _type(value: object) -> str:
    return "None" if value is None else type(value).__name__
