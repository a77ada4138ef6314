"""The settings of the toy, which no real container has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.model_container.tgi.options import USIZE, LaunchError, parse_float


def read_toy_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings of the toy by the names that `Settings` has for them, from the variables TOY_….

    Raises:
        LaunchError: A value cannot be read.
    """
    options: dict[str, tuple[str, Callable[[str], Any]]] = {
        "TOY_TOKENS_PER_SECOND": ("tokens_per_second", parse_float),
        "TOY_FIRST_TOKEN_SECONDS": ("first_token_seconds", parse_float),
        "TOY_MIN_WORDS": ("min_words", USIZE),
        "TOY_TOOL": ("tool", str),
        "TOY_FAIL_AFTER_TOKENS": ("fail_after_tokens", USIZE),
    }
    found: dict[str, Any] = {}
    for variable, (name, parse) in options.items():
        if variable in environment:
            try:
                found[name] = parse(environment[variable])
            except ValueError as error:
                raise LaunchError(f"{variable}={environment[variable]!r}: {error}") from error
    return found
