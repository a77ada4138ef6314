"""The options of TGI on the command line: `--option max_total_tokens=8192`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from constructs_lib.cli.errors import nearest
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.validation.problem import Problem


def read_tgi_options(given: Iterable[str], problems: list[Problem]) -> dict[str, Any]:
    """The options by their names in `TgiOptions`, checked for their names alone.

    Args:
        given: Texts such as `max_total_tokens=8192`. A value is JSON (`true`, `0.9`, `[1, 2]`) or a text.
        problems: Where what is wrong is added.
    """
    names = [field.name for field in fields(TgiOptions)]
    found: dict[str, Any] = {}
    for text in given:
        name, has_value, value = text.partition("=")
        if not has_value:
            problems.append(Problem("--option", text, "has no value", "Write NAME=VALUE."))
        elif name not in names:
            fix = nearest(name, names, "Use a name of TgiOptions, such as max_total_tokens.")
            problems.append(Problem("--option", name, "is no option of TGI", fix))
        else:
            found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
