"""Compares what a user reads with what is expected."""

from __future__ import annotations

import re
from typing import Any


def error_deviations(error: str | None, wanted: str | None) -> list[str]:
    """An error's words against the pattern that they have to match; None means that there is none."""
    if error is None:
        return [] if wanted is None else [f"no error, where {wanted!r} is expected"]
    if wanted is None:
        return [f"an unexpected error: {error}"]
    return [] if re.search(wanted, error) else [f"the error does not match {wanted!r}: {error}"]


def differences(found: Any, wanted: Any, where: str) -> list[str]:
    """Where `found` lacks what is wanted of it; more keys than wanted are no difference, and None means absent."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [text for key, value in wanted.items() for text in differences(found.get(key), value, f"{where}.{key}")]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = enumerate(zip(found, wanted, strict=True))
        return [text for place, (one, other) in pairs for text in differences(one, other, f"{where}[{place}]")]
    return [] if found == wanted else [f"{where} is {found!r}, not {wanted!r}"]
