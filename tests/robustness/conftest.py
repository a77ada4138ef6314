from __future__ import annotations

from collections.abc import Iterator

import pytest
from front_door.sagemaker import retry

from tests.robustness.checked_client import FRONT_DOOR, CheckedClient, create_client
from tests.robustness.expected_responses import healthy_response
from tests.robustness.fake_sagemaker import FakeSageMaker


@pytest.fixture(scope="module")
def sagemaker() -> Iterator[FakeSageMaker]:
    """A healthy SageMaker."""
    fake = FakeSageMaker(healthy_response)
    yield fake
    fake.close()
    assert fake.violations == []


@pytest.fixture(scope="module")
def client(sagemaker: FakeSageMaker) -> Iterator[CheckedClient]:
    """A client of a front door with one model, shared by all tests of a module to find what leaks between requests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_SESSION_TOKEN", "token")
        patch.setenv("FRONT_DOOR", FRONT_DOOR)
        patch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.001)
        checked_client = create_client(sagemaker)
        yield checked_client
        checked_client.app.sagemaker.close()


@pytest.fixture(autouse=True)
def _restore_health(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "sagemaker" in request.fixturenames:
        sagemaker: FakeSageMaker = request.getfixturevalue("sagemaker")
        sagemaker.respond = healthy_response
        sagemaker.received.clear()
