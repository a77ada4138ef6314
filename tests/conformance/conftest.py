from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.emulated_door import Door, open_door


@pytest.fixture(scope="module", autouse=True)
def _credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_SESSION_TOKEN", "token")
        yield


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """A door with one model."""
    with open_door("llama") as opened:
        yield opened
