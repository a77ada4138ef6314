from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scripts.every_stack import Template, every_stack
from tests.policies.documents import Statement, statements

if TYPE_CHECKING:
    from collections.abc import Mapping


@pytest.fixture(scope="session")
def templates() -> Mapping[str, Template]:
    """Every stack as it is."""
    return every_stack()


@pytest.fixture(scope="session")
def every_statement(templates: Mapping[str, Template]) -> list[Statement]:
    """Every statement of every policy of them."""
    return list(statements(templates))
