"""Finds the source of the Lambda functions, inside the wheel or beside this package in a checkout, and packs it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import AssetStaging, FileAssetPackaging, IgnoreMode
from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from aws_cdk import Stage

    from constructs_lib._place import Place

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class _Staged:
    """A folder's copy in the cloud assembly."""

    asset_hash: str
    path: str
    has_metadata: bool


# What this keeps alive, jsii does as well: it never lets go of an object.
_STAGED: dict[tuple[Stage, str], _Staged] = {}


def set_lambda_code(function: lambda_.Function, folder: str, place: Place) -> None:
    """Give a function the code of one folder, the folder itself at the root of the archive.

    This is what `Code.from_asset` does, without a reference to the assets' bucket: to make one, the CDK loads all that
    it knows of S3, KMS and every Region, which takes longer than anything else in the synthesis of one stack. And a
    folder is read once for all stacks.

    Args:
        function: The function; the code that it was made with is replaced.
        folder: Name of the function's folder, such as `front_door`.
        place: Where the function goes.

    Raises:
        FileNotFoundError: There is no such function.
    """
    staged = _staged(place, folder)
    location = place.stack.synthesizer.add_file_asset(
        source_hash=staged.asset_hash,
        file_name=staged.path,
        packaging=FileAssetPackaging.ZIP_DIRECTORY,
        display_name=f"Lambda function {folder}",
    )
    resource = function.node.default_child
    if not isinstance(resource, lambda_.CfnFunction):
        raise AssertionError("a function's default child is its resource")
    resource.code = lambda_.CfnFunction.CodeProperty(s3_bucket=location.bucket_name, s3_key=location.object_key)
    if staged.has_metadata:
        # As Code.from_asset leaves it for `sam local`, which looks for the code there.
        resource.add_metadata("aws:asset:path", staged.path)
        resource.add_metadata("aws:asset:is-bundled", False)
        resource.add_metadata("aws:asset:property", "Code")


def openapi_document() -> dict[str, Any]:
    """What the front door serves, as its function describes it at `GET /openapi.json`."""
    document: dict[str, Any] = json.loads((_lambda_root() / "front_door" / "openapi.json").read_text(encoding="utf-8"))
    return document


def _staged(place: Place, folder: str) -> _Staged:
    key = (place.stage, folder)
    if key not in _STAGED:
        _STAGED[key] = _stage(place, folder)
    return _STAGED[key]


def _stage(place: Place, folder: str) -> _Staged:
    root = _lambda_root()
    if not (root / folder).is_dir():
        raise FileNotFoundError(f"There is no Lambda function {folder!r} in {root}.")
    # Compiled files stay out: installers write them, and the asset's hash has to be the same from a checkout and from
    # an installed wheel, or every team that installs it would see its functions change.
    staging = AssetStaging(
        place.stage,
        f"LambdaFunction-{folder}",
        source_path=str(root),
        exclude=["/*", f"!/{folder}", "__pycache__", "*.pyc"],
        ignore_mode=IgnoreMode.GIT,
    )
    return _Staged(
        asset_hash=staging.asset_hash,
        path=staging.relative_staged_path(place.stack),
        has_metadata=bool(place.stage.node.try_get_context("aws:cdk:enable-asset-metadata")),
    )


def _lambda_root() -> Path:
    installed = _PACKAGE / "_lambda"
    return installed if installed.is_dir() else _PACKAGE.parent / "lambda"
