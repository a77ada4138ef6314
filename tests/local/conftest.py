"""Fixtures and settings for tests with servers and generated inputs."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.local.model_container.servers import Servers

# A deadline measures the load of the machine.
settings.register_profile("local", deadline=None)
settings.load_profile("local")


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers() as running:
        yield running
