"""What may be shown of a line: not its secrets, and not what users have asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

MAX_SHOWN = 240
"""Characters of a line that are shown, around what was found in it."""

_HIDDEN = "(not shown)"
_SECRET_NAME = re.compile(r"TOKEN$|SECRET|PASSWORD|API[_-]?KEY|CREDENTIAL|PRIVATE", re.IGNORECASE)
_TOKENS = re.compile(
    r"\bhf_[A-Za-z0-9]{6,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|(?<=://)[^\s/@]+:[^\s/@]*(?=@)|\bsk-[\w-]{16,}"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=X-Amz-Signature=)[0-9a-f]+|(?<=X-Amz-Security-Token=)[^&\s]+"
)
_ASSIGNED = re.compile(
    r"(?P<name>[\w-]*(?:TOKEN|SECRET|PASSWORD|API[_-]?KEY|CREDENTIALS?)[\"']?\s*[:=]\s*(?:Some\(|\[)?\s*)"
    r"(?P<value>\(not shown\)|\"[^\"]*\"|'[^']*'|[^\s,;)}\]]+)",
    re.IGNORECASE,
)
# What a terminal obeys: engines colour their logs, and what is between the letters hides words from patterns.
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# What follows is of a request: vLLM and SGLang log prompts if they are told to, LMI logs bodies that it cannot read.
_PROMPT = re.compile(
    r"\b(?:prompts?|inputs?|messages|content|text|input_text|generated_text|completion|body)\b[\"']?"
    r"\s*[:=]\s*[bru]?[\"'\[{(].*",
    re.IGNORECASE | re.DOTALL,
)


def secret_values(environments: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """The values of variables that hold secrets by their name.

    Args:
        environments: The variables of containers.
    """
    found = {value for one in environments for name, value in one.items() if is_secret(name) and len(value) > 3}
    return tuple(sorted(found, key=len, reverse=True))


def is_secret(variable: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return _SECRET_NAME.search(variable) is not None


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """A line as it may be shown, on one line.

    Args:
        text: The line.
        secrets: Values that must not be shown, wherever they are.
    """
    text = _CONTROL.sub("", text)
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return " ".join(_PROMPT.sub(_HIDDEN, _TOKENS.sub(_HIDDEN, _ASSIGNED.sub(_without_value, text))).split())


def excerpt(text: str, what: re.Pattern[str] | None = None) -> str:
    """The part of a clean line that is shown.

    Args:
        text: The line.
        what: What was found in it. Default: the beginning matters.
    """
    if len(text) <= MAX_SHOWN:
        return text
    found = what.search(text) if what else None
    middle = (found.start() + min(found.end(), found.start() + MAX_SHOWN)) // 2 if found else 0
    begin = min(max(0, middle - MAX_SHOWN // 2), len(text) - MAX_SHOWN)
    end = begin + MAX_SHOWN
    return f"{'…' if begin else ''}{text[begin:end].strip()}{'…' if end < len(text) else ''}"


def _without_value(found: re.Match[str]) -> str:
    value = found["value"].strip("'\"")
    return found[0] if value.isdigit() or value in ("None", "null", _HIDDEN) else f"{found['name']}{_HIDDEN}"
