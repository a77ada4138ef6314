"""The deployed front doors, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.robustness.generated.doors import DeployedDoor, deployed_doors


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[DeployedDoor]]:
    """Both front doors."""
    with deployed_doors(tmp_path_factory.mktemp("generated")) as deployed:
        yield deployed
