"""Stages the source of the Lambda functions."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import BootstraplessSynthesizer
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets

from constructs_lib._arguments import type_name
from constructs_lib._lambda_root import lambda_root
from constructs_lib.front_door.compact_source import compact_copy
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from constructs import Construct

    from constructs_lib._stack_env import StackEnvironment


def lambda_code(folder: str) -> lambda_.Code:
    """The code of one function, its folder itself at the root of the archive, without docstrings and comments.

    Every function needs its own: the CDK binds code to the stack of its first function. It reads a folder once all the
    same, however many stacks an app has.

    Args:
        folder: Name of the function's folder, such as `front_door`.

    Raises:
        FileNotFoundError: There is no such function.
    """
    return lambda_.Code.from_asset(_compact(folder), display_name=_display_name(folder))


def lambda_asset(scope: Construct, folder: str) -> assets.Asset:
    """The same as an asset, for an L1 function.

    Args:
        scope: The scope of the asset.
        folder: Name of the function's folder.

    Raises:
        FileNotFoundError: There is no such function.
    """
    # As Code.from_asset creates it; what CloudFormation deploys from may be deleted then.
    return assets.Asset(scope, "Code", path=_compact(folder), deploy_time=True, display_name=_display_name(folder))


def _compact(folder: str) -> str:
    source = lambda_root() / folder
    if not source.is_dir():
        raise FileNotFoundError(f"There is no Lambda function {folder!r} in {source.parent}.")
    return str(compact_copy(source))


def _display_name(folder: str) -> str:
    return f"Lambda function {folder}"


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
