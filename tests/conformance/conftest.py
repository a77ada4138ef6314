from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door


@pytest.fixture(scope="module", autouse=True)
def _credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_SESSION_TOKEN", "token")
        yield


@pytest.fixture(scope="module")
def client() -> Iterator[FrontDoorClient]:
    """A client of a front door with one model."""
    with start_front_door("llama") as client:
        yield client
