"""moto as it is published, also in a process in which the emulated cloud has patched it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from moto.cloudformation import models, parsing, responses
from moto.sagemaker import models as sagemaker

from local.deployment import moto_patches


def _owners() -> Iterator[Any]:
    for module in (models, parsing, responses, sagemaker):
        yield module
        yield from (
            each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__.startswith("moto.")
        )


# pytest imports all tests of a process before it runs the first, and patches are applied by running ones.
assert not moto_patches._ENGINES
_PUBLISHED = {owner: dict(vars(owner)) for owner in _owners() if isinstance(owner, type | ModuleType)}


def restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what the emulated cloud has patched, for one test."""
    for owner, published in _PUBLISHED.items():
        for name, value in published.items():
            if vars(owner).get(name) is not value:
                monkeypatch.setattr(owner, name, value)
