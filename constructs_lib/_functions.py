"""Stages the code of the Lambda functions, and says what runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_cdk import BootstraplessSynthesizer
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as assets

from constructs_lib._arguments import type_name
from constructs_lib._code_archive import CodeArchive, code_archive
from constructs_lib._lambda_root import lambda_root
from constructs_lib.planning.validation.problem import Described, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

    from constructs_lib._stack_env import StackEnvironment


def lambda_asset(scope: Construct, *folders: str, deploy_time: bool = True) -> assets.Asset:
    """The code of one function, its folder itself at the root of the archive, without docstrings and comments.

    It reads a folder once, however many stacks an app has.

    Args:
        scope: The scope of the asset.
        folders: Names of the function's folder, and of others that it imports.
        deploy_time: Whether nothing but the deployment reads it, after which it may be deleted.

    Raises:
        FileNotFoundError: There is no such function.
    """
    archive = _archive(*folders)
    # As the CDK's Code.from_asset creates it.
    return assets.Asset(
        scope,
        "Code",
        path=str(archive.path),
        asset_hash=archive.digest,
        deploy_time=deploy_time,
        display_name=f"Lambda function {folders[0]}",
    )


def pack_functions(*folders: str) -> None:
    """Make the archives of functions, which the first stack would make otherwise.

    Args:
        folders: Names of the functions' folders.
    """
    for folder in folders:
        _archive(folder)


def _archive(*folders: str) -> CodeArchive:
    sources = [lambda_root() / folder for folder in folders]
    for source in sources:
        if not source.is_dir():
            raise FileNotFoundError(f"There is no Lambda function {source.name!r} in {source.parent}.")
    return code_archive(*sources)


def synthesizer_problems(place: StackEnvironment) -> Iterator[Problem]:
    """What is wrong with how the stack is synthesized: it has to carry the functions' code.

    Ask only about a construct that fails anyway: for a synthesizer that was given, each answer makes jsii print a
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


def newest_python_name() -> str:
    """The newest managed Python runtime that this release of aws-cdk-lib knows, as L1 functions name it."""
    major, minor = _newest_version()
    return f"python{major}.{minor}"


@cache
def _newest_version() -> tuple[int, int]:
    names = (re.fullmatch(r"PYTHON_(\d+)_(\d+)", name) for name in dir(lambda_.Runtime))
    return max((int(name[1]), int(name[2])) for name in names if name)


def policy_document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy that allows what the statements say, as templates have it."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
