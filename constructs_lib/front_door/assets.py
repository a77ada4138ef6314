"""What the front door has of its function: the engines that it speaks to, and the description of its API."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

from constructs_lib._lambda_root import lambda_root


@cache
def openapi_text() -> str:
    """The OpenAPI document that the function serves at `GET /openapi.json`, as JSON."""
    return Path(__file__).with_name("openapi.json").read_text(encoding="utf-8")


def openapi_document() -> dict[str, Any]:
    """The same, decoded."""
    document: dict[str, Any] = json.loads(openapi_text())
    return document


@cache
def known_engines() -> tuple[str, ...]:
    """The engines whose protocols the function speaks: the names in its registry."""
    registry = lambda_root() / "front_door" / "engines" / "__init__.py"
    tree = ast.parse(registry.read_text(encoding="utf-8"))
    # Read and not imported: constructs do not run the function's code.
    (names,) = (
        [ast.literal_eval(key) for key in node.value.keys if key is not None]
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    )
    return tuple(sorted(names))
