"""What the front door has of its function: the engines that it speaks to, the description of its API, its assets."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import BootstraplessSynthesizer

from constructs_lib._arguments import type_name
from constructs_lib._lambda_root import lambda_root
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from constructs_lib._stack_env import StackEnvironment


def synthesizer_problems(place: StackEnvironment) -> Iterator[Problem]:
    """What is wrong with how the stack is synthesized: it has to carry the functions' code.

    Ask only about a front door that fails anyway: for a synthesizer that was given, each answer makes jsii print a
    warning about its own bookkeeping.

    Args:
        place: Where the functions go.
    """
    stack = place.stack
    # The assets of a nested stack are its parent's.
    while parent := stack.nested_stack_parent:
        stack = parent
    synthesizer = stack.synthesizer
    # By the method, as a class that is derived from it may have found a way.
    if getattr(type(synthesizer), "add_file_asset", None) is BootstraplessSynthesizer.add_file_asset:
        yield Problem(
            "synthesizer",
            Described(type_name(synthesizer)),
            "cannot carry file assets, and the code of the functions is one",
            "Give the stack a DefaultStackSynthesizer or CliCredentialsStackSynthesizer, with the bucket of your own"
            " bootstrap in file_assets_bucket_name if you have one.",
        )


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
