"""Whether the changelog names what a change of the public API breaks."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from scripts.changelog import unreleased

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scripts.public_api.breaking import Break

_KINDS = ("Changed", "Removed")
_CONSTRUCTOR = "__init__"


def missing(breaks: Iterable[Break], changelog: str) -> list[str]:
    """What breaks and is not named below "Changed" or "Removed" of what is unreleased, one line each.

    An entry names it if it has, in code, the name of what is lost (the parameter, the member or the public name), and
    one of the public names that lose it.

    Args:
        breaks: What breaks.
        changelog: The text of the changelog.
    """
    entries = unreleased(changelog) or {}
    named = [set(_names(entry)) for kind in _KINDS for entry in entries.get(kind, [])]
    lines = []
    for _, group in groupby(sorted(breaks, key=_loss), key=_loss):
        lost = list(group)
        if not any({lost[0].subject} <= names and names & {each.owner for each in lost} for names in named):
            lines.append(f"{' and '.join(sorted({str(each) for each in lost}))}. Name {_wanted(lost)} in an entry.")
    return lines


def _loss(each: Break) -> tuple[str, str, str, str]:
    """Classes that lose the same, as they have it from the same place, are one loss."""
    whole = not each.member
    return (
        each.subject,
        "" if each.parameter and each.member == _CONSTRUCTOR else each.member,
        each.what,
        each.owner * whole,
    )


def _wanted(lost: list[Break]) -> str:
    owners = " or ".join(sorted({f"`{each.owner}`" for each in lost}))
    subject = f"`{lost[0].subject}`"
    return owners if subject == owners else f"{subject} and {owners}"


def _names(entry: str) -> Iterator[str]:
    """The identifiers in the code of an entry."""
    for code in re.findall(r"`([^`]+)`", entry):
        yield from re.findall(r"[A-Za-z_]\w*", code)
