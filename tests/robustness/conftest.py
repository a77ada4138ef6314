from __future__ import annotations

from collections.abc import Iterator

import pytest
from front_door.sagemaker import retry

from tests.robustness.checked_door import DOOR, HostileDoor, open_door
from tests.robustness.expected_responses import true
from tests.robustness.model_double import ModelDouble


@pytest.fixture(scope="module")
def double() -> Iterator[ModelDouble]:
    """A SageMaker in which all is well."""
    double = ModelDouble(true)
    yield double
    double.close()
    assert double.violations == []


@pytest.fixture(scope="module")
def door(double: ModelDouble) -> Iterator[HostileDoor]:
    """A door with one model, kept for all tests of a module: what one of them leaves behind, the next one meets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_SESSION_TOKEN", "token")
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", DOOR)
        patch.setattr(retry, "FIRST_PAUSE_SECONDS", 0.001)
        opened = open_door(double)
        yield opened
        opened.app.sagemaker.close()


@pytest.fixture(autouse=True)
def _all_is_well_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "double" in request.fixturenames:
        double: ModelDouble = request.getfixturevalue("double")
        double.answers = true
        double.received.clear()
