"""Finds the source of the Lambda functions: inside the wheel, or beside this package in a checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aws_cdk import IgnoreMode
from aws_cdk import aws_lambda as lambda_

_PACKAGE = Path(__file__).resolve().parent


def lambda_code(folder: str) -> lambda_.Code:
    """The code of one function folder, the folder itself at the root of the archive.

    Compiled files stay out: installers write them, and the asset's hash has to be the same from a checkout and from
    an installed wheel, or every team that installs it would see its functions change.

    Args:
        folder: Name of the function's folder, such as `front_door`.

    Raises:
        FileNotFoundError: There is no such function.
    """
    root = _lambda_root()
    if not (root / folder).is_dir():
        raise FileNotFoundError(f"There is no Lambda function {folder!r} in {root}.")
    return lambda_.Code.from_asset(
        str(root),
        exclude=["/*", f"!/{folder}", "__pycache__", "*.pyc"],
        ignore_mode=IgnoreMode.GIT,
    )


def openapi_document() -> dict[str, Any]:
    """What the front door serves, as its function describes it at `GET /openapi.json`."""
    document: dict[str, Any] = json.loads((_lambda_root() / "front_door" / "openapi.json").read_text(encoding="utf-8"))
    return document


def _lambda_root() -> Path:
    installed = _PACKAGE / "_lambda"
    return installed if installed.is_dir() else _PACKAGE.parent / "lambda"
