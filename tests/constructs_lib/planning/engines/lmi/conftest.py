"""A valid request for LMI, which tests change in one respect at a time."""

from collections.abc import Callable
from typing import Any

import pytest

from constructs_lib.planning.engines.lmi.engine import LMI
from constructs_lib.planning.engines.lmi.options import LmiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")
IN_S3 = ModelChoice(source="s3", hub_id=QWEN.hub_id, bucket="weights")
NEWEST = "27.0.0"
"""The newest version in the catalogue whose vLLM is known."""


def planned(*, version: str = NEWEST, options: object = None, **changes: Any) -> EndpointPlan:
    if isinstance(options, dict):
        options = LmiOptions(**options)
    image = ImageChoice(version=version, family=LMI.images)
    request: dict[str, Any] = {"engine": LMI, "model": QWEN, "instance": InstanceType.G6E_2XLARGE, "image": image}
    return plan(EndpointRequest(**request | {"options": options} | changes))


@pytest.fixture
def planning() -> Callable[..., EndpointPlan]:
    """Plans a valid request with the changes given; `options` may be a dict."""
    return planned


@pytest.fixture
def refusals() -> Callable[..., list[str]]:
    """The message of every problem of such a plan."""
    return lambda **changes: [str(problem) for problem in planned(**changes).problems]


@pytest.fixture
def warnings() -> Callable[..., dict[str, str]]:
    """The messages of every warning of such a plan, which has no problem, by their ids."""

    def by_id(**changes: Any) -> dict[str, str]:
        result = planned(**changes)
        assert result.problems == ()
        return {warning.id: warning.message for warning in result.warnings}

    return by_id
