"""What is wrong with a request, and what is legal but risky."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of the caller: the endpoint would not start, or would be refused.

    Args:
        keyword: The argument as the caller wrote it, such as `options.max_input_tokens` or `environment['API_KEY']`.
        value: What was given; a `Described` where that is too long, `HIDDEN` where it may be a secret.
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
    """Stands for a value that is too long or too secret to be shown, by a word about it."""

    words: str

    def __repr__(self) -> str:
        return f"({self.words})"


HIDDEN = Described("not shown")
"""Stands for a value that may be a secret."""

_LONGEST = 120


def shown(value: object) -> str:
    """The value for a message: its repr, on one line, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of thousands of digits
        text = "(too long to show)"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
