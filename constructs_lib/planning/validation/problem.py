"""What is wrong with a request, and what is legal but risky."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of the caller: the endpoint would not start, or would be refused.

    Args:
        keyword: The argument as the caller wrote it, such as `options.max_input_tokens` or `environment['API_KEY']`.
        value: What was given; a `Described` if that is too long, `HIDDEN` if it may be a secret.
        message: What is wrong with it and what is allowed, such as "must be less than max_total_tokens=4096".
        fix: What to change, as a sentence.
    """

    keyword: str
    value: object
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.keyword}={shown(self.value)}: {self.message}. {self.fix}"


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """One choice that is legal but risky.

    Args:
        id: Stable name under which it can be acknowledged, such as `tgi-endpoint:blackwellUntested`.
        message: What can happen and what to do about it.
    """

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class Described:
    """Takes the place of a value that is too long or too secret to be shown."""

    words: str

    def __repr__(self) -> str:
        return f"({self.words})"


HIDDEN = Described("not shown")
"""Takes the place of a value that may be a secret."""

_MAX_SHOWN = 120
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+(?=>)")


def shown(value: object) -> str:
    """The value for a message: its repr, on one line, without addresses in memory, cut if it is long."""
    try:
        text = _ADDRESS.sub("", repr(value))
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = "(too long to show)"
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}… ({len(text)} characters)"
