"""A valid request for SGLang, which tests change in one respect at a time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from constructs_lib.planning.engines.sglang.engine import SGLANG
from constructs_lib.planning.engines.sglang.images import HUGGING_FACE
from constructs_lib.planning.engines.sglang.options import SglangOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan

QWEN = ModelChoice(source="hub", hub_id="Qwen/Qwen2.5-7B-Instruct")


def planned(*, version: str | None = None, options: object = None, **changes: Any) -> EndpointPlan:
    if version is not None:
        family = HUGGING_FACE if version in HUGGING_FACE.versions else SGLANG.images
        changes["image"] = ImageChoice(version=version, family=family)
    if isinstance(options, dict):
        options = SglangOptions(**options)
    request: dict[str, Any] = {"engine": SGLANG, "model": QWEN, "instance": InstanceType.G6E_2XLARGE}
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


def s3_model(**changes: Any) -> ModelChoice:
    """Weights in S3 of the same shape."""
    return replace(ModelChoice(source="s3", hub_id=QWEN.hub_id, bucket="weights"), **changes)
