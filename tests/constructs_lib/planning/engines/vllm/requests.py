"""A valid request for vLLM, which tests change in one respect at a time."""

from __future__ import annotations

from typing import Any

from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.engines.vllm.images import HUGGING_FACE
from constructs_lib.planning.engines.vllm.options import VllmOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan

LLAMA = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
FROM_S3 = ModelChoice(source="s3", hub_id=LLAMA.hub_id, bucket="weights")
NEWEST_OF_HUGGING_FACE = ImageChoice(version="0.29.0", family=HUGGING_FACE)


def planned(
    *, version: str | None = None, hub_id: str | None = None, changes: dict[str, Any] | None = None, **options: Any
) -> EndpointPlan:
    """The plan of a valid request with other options, and with further changes."""
    request: dict[str, Any] = {"model": LLAMA, "instance": InstanceType.G6E_XLARGE, "region": "eu-west-1"}
    request["options"] = VllmOptions(**options)
    if version is not None:
        request["image"] = ImageChoice(version=version, uri_override=version not in VLLM.images.versions)
    if hub_id is not None:
        request["model"] = ModelChoice(source="hub", hub_id=hub_id, has_token=True)
    return plan(EndpointRequest(engine=VLLM, **request | (changes or {})))


def refusals(**changes: Any) -> list[str]:
    """The message of every problem of such a plan."""
    return [str(problem) for problem in planned(**changes).problems]


def warned(**changes: Any) -> dict[str, str]:
    """The text of every warning of such a plan, which has no problem, by its id."""
    found = planned(**changes)
    assert found.problems == ()
    return {one.id.removeprefix("tgi-endpoint:"): one.message for one in found.warnings}
