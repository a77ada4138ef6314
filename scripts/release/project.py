"""The one place that has the version, pyproject.toml, and the ranges that it declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


def version(text: str) -> str:
    """The version.

    Args:
        text: The text of pyproject.toml.
    """
    return str(tomllib.loads(text)["project"]["version"])


def with_version(text: str, version: str) -> str:
    """The text of pyproject.toml with another version.

    Args:
        text: The text of pyproject.toml.
        version: The version.

    Raises:
        ValueError: The text does not have exactly one line `version = "…"`.
    """
    changed, count = _VERSION.subn(f'version = "{version}"', text)
    if count != 1:
        raise ValueError(f'pyproject.toml: must have one line version = "…", not {count}')
    return changed


def oldest(text: str) -> dict[str, str]:
    """The lowest version that is declared for each dependency, by its name.

    Args:
        text: The text of pyproject.toml.
    """
    needed = [Requirement(each) for each in tomllib.loads(text)["project"]["dependencies"]]
    return {each.name: bound.version for each in needed for bound in each.specifier if bound.operator == ">="}


def read(root: Path) -> str:
    """The text of the pyproject.toml of a checkout.

    Args:
        root: The folder of the checkout.
    """
    return (root / "pyproject.toml").read_text(encoding="utf-8")
