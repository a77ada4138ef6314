from __future__ import annotations

import ast
from pathlib import Path

import pytest

import constructs_lib


@pytest.mark.parametrize("name", constructs_lib.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(constructs_lib, name) is not None


def test_type_checkers_see_the_names_that_python_sees() -> None:
    tree = ast.parse(Path(constructs_lib.__file__).read_text())
    (checking,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in checking.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(constructs_lib.__all__) == set(dir(constructs_lib))
    assert list(constructs_lib.__all__) == sorted(constructs_lib.__all__)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'NoEndpoint'"):
        _ = constructs_lib.NoEndpoint  # type: ignore[attr-defined]
