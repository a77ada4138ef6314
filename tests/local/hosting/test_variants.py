"""Deployed variants: model containers for each, with its own environment, instances and scaling."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_endpoint import read_endpoints
from local.deployment.deployed_scaling import DeployedScaling
from local.errors import UserError
from tests.local.deployment.scaled_stack import ENDPOINT, model, tracking_policy
from tests.local.hosting.test_hosting import GENERATE, Served, plane, play

__all__ = ["plane"]

pytestmark = [pytest.mark.xdist_group("control_plane"), pytest.mark.timeout(120)]


def variant(name: str, model: str, **changes: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": [model, "ModelName"]},
        "InstanceType": "ml.g5.xlarge",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1,
        **changes,
    }


def varied_template(**environment: str) -> dict[str, Any]:
    """Two variants, of which the second has an environment and scales to two instances."""
    variants = [variant("Green", "Model"), variant("blue", "Second", InitialVariantWeight=0)]
    track = tracking_policy("Target", "Track")
    predefined = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    track["Properties"]["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"] = predefined
    return {
        "Resources": {
            "Model": model(),
            "Second": model(**environment),
            "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {"ProductionVariants": variants}},
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
            },
            "Target": {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": {
                    "ServiceNamespace": "sagemaker",
                    "ResourceId": {"Fn::Join": ["", ["endpoint/", ENDPOINT, "/variant/blue"]]},
                    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
                    "MinCapacity": 1,
                    "MaxCapacity": 2,
                },
            },
            "Track": track,
        }
    }


def test_each_variant_answers_from_its_own_environment_and_scales_by_its_own_requests(
    plane: ControlPlane, tmp_path: Path
) -> None:
    body = {"inputs": "Hi", "parameters": {"max_new_tokens": 20}}
    limits = {"MAX_INPUT_TOKENS": "20", "MAX_TOTAL_TOKENS": "50"}

    async def script(served: Served) -> None:
        (endpoint,) = served.hosting.endpoints.names()
        long = {**GENERATE, "parameters": {"max_new_tokens": 60}}
        assert [(await served.invoke("", long, variant=name))[0] for name in ("", "Green", "blue")] == [200, 200, 424]
        busy = [asyncio.create_task(served.invoke("", body, variant="blue")) for _ in range(6)]
        await served.until(f"scaling: {endpoint}, blue: 2 instances serve")
        assert {status for status, _ in await asyncio.gather(*busy)} == {200}
        assert served.log[0] == f"scaling: {endpoint}, blue: 1 → 2 instances (Track)"
        assert not any("Green" in line for line in served.log)

    play(plane, tmp_path, varied_template(TOY_TOKENS_PER_SECOND="10", TOY_MIN_WORDS="100", **limits), script)


def test_a_variant_whose_container_exits_keeps_the_endpoint_from_starting(plane: ControlPlane, tmp_path: Path) -> None:
    async def script(_served: Served) -> None:
        raise AssertionError("it must not serve")

    with pytest.raises(UserError, match=r"The container of the endpoint \S+ exited"):
        play(plane, tmp_path, varied_template(MAX_INPUT_TOKENS="9", MAX_TOTAL_TOKENS="8"), script)


def test_the_failure_of_an_endpoint_that_nobody_waits_for_is_only_logged(plane: ControlPlane, tmp_path: Path) -> None:
    async def script(served: Served) -> None:
        (endpoint,) = await asyncio.to_thread(read_endpoints, plane)
        environment = {"MAX_INPUT_TOKENS": "100", "MAX_TOTAL_TOKENS": "50"}
        variants = [
            replace(each, container=replace(each.container, environment=environment)) for each in endpoint.variants
        ]
        changed = {endpoint.name: replace(endpoint, config="new", variants=variants)}
        problem = f"The container of the endpoint {endpoint.name} exited with "
        await served.hosting.follow(changed, DeployedScaling(), {}, awaited={"another"})
        assert served.log[-1].startswith(problem)
        with pytest.raises(UserError, match=problem):
            await served.hosting.follow(changed, DeployedScaling(), {}, awaited={endpoint.name})
        assert (await served.invoke(""))[0] == 200

    play(plane, tmp_path, varied_template(), script)
