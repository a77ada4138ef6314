"""Finds the source of the Lambda functions, in the wheel or beside this package in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def lambda_root() -> Path:
    """The folder with one folder for each function, one for the copier of weights and one for the playground."""
    installed = _PACKAGE / "_lambda"
    return installed if installed.is_dir() else _PACKAGE.parent / "lambda"
