"""The changes of each argument of ModelFleet, and of one of its models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Size

from constructs_lib import (
    CapacityReservation,
    FleetModel,
    FrontDoor,
    InstanceType,
    ModelFleet,
    Rollout,
    Routing,
    ScaleToZero,
    TgiImage,
    TgiOptions,
)
from tests.update_safety.endpoint_cases import MISTRAL, PLAN, QWEN, in_s3, key, role, security_group, subnets, vpc
from tests.update_safety.subjects import Change, Subject, added, change, fixed, nothing

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

NO_NVME: Given = {"instance_type": InstanceType.G7_12XLARGE}
CHAT, CODE = FleetModel(model=QWEN), FleetModel(model=MISTRAL)


def add_fleet(stack: Stack, given: Given) -> ModelFleet:
    """A fleet of two models behind a front door, with room for an update."""
    defaults: Any = {
        "models": {"chat": CHAT, "code": CODE},
        "instance_type": InstanceType.G5_12XLARGE,
        "instances": (1, 2),
    }
    arguments = defaults | given
    fleet = ModelFleet(stack, arguments.pop("id", "Fleet"), **arguments)
    FrontDoor(stack, "Api", models=fleet.models).add_consumer("Team")
    return fleet


def weights_in_s3(stack: Stack) -> Given:
    return {"models": {"chat": FleetModel(model=in_s3(stack))}}


FLEET = Subject(
    "ModelFleet",
    add_fleet,
    takes=ModelFleet.__init__,
    cases={
        "id": [change("id", "Fleet", "Other")],
        "models": [
            change("models", {"chat": CHAT}, {"chat": CHAT, "code": CODE}),
            change("models", {"chat": CHAT, "code": CODE}, {"chat": CHAT}),
            change("models", {"chat": CHAT}, {"talk": CHAT}),
        ],
        "instance_type": [added("instance_type", InstanceType.G6_12XLARGE)],
        "instances": [change("instances", (1, 2), (1, 3)), change("instances", (1, 2), (2, 2))],
        "volume_size": [added("volume_size", Size.gibibytes(200), **NO_NVME)],
        "volume_key": [Change(fixed(**NO_NVME), lambda stack: {**NO_NVME, "volume_key": key(stack, "one")})],
        "vpc": [
            Change(nothing, lambda stack: {"vpc": vpc(stack, "one")}),
            Change(lambda stack: {"vpc": vpc(stack, "one")}, lambda stack: {"vpc": vpc(stack, "two")}),
        ],
        "vpc_subnets": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "vpc_subnets": subnets(stack, "subnet-0123456789abcdef3")},
            )
        ],
        "security_groups": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "security_groups": [security_group(stack, "one")]},
            )
        ],
        "network_isolation": [
            Change(weights_in_s3, lambda stack: {**weights_in_s3(stack), "network_isolation": True}),
        ],
        "inference_ami_version": [added("inference_ami_version", "al2-ami-sagemaker-inference-gpu-2")],
        "routing": [added("routing", Routing.prefix_aware(shared_bytes=4096, threshold=16))],
        "capacity_reservation": [added("capacity_reservation", CapacityReservation(arn=PLAN.format("one")))],
        "instance_provision_timeout": [added("instance_provision_timeout", Duration.minutes(20))],
        "detailed_observability": [added("detailed_observability", True)],
        "endpoint_name": [added("endpoint_name", "fleet"), change("endpoint_name", "fleet", "fleet-2")],
        "role": [Change(nothing, lambda stack: {"role": role(stack, "one")})],
        "tags": [added("tags", {"team": "search"})],
    },
)


def add_model(stack: Stack, given: Given) -> None:
    """A fleet with one model that changes and one that stays."""
    add_fleet(stack, {"models": {"chat": FleetModel(**({"model": QWEN} | given)), "code": CODE}})


FLEET_MODEL = Subject(
    "FleetModel",
    add_model,
    takes=FleetModel,
    cases={
        "model": [change("model", QWEN, MISTRAL)],
        "copies": [
            change("copies", (1, 1), (1, 2), request_tokens=2000),
            change("copies", (1, 2), (1, 1), request_tokens=2000),
            change("copies", (1, 1), (2, 2)),
        ],
        "options": [added("options", TgiOptions(max_input_tokens=2000, max_total_tokens=3000))],
        "image": [added("image", TgiImage.version("3.3.4"))],
        "environment": [added("environment", {"HF_HUB_DISABLE_TELEMETRY": "1"})],
        "startup_timeout": [added("startup_timeout", Duration.minutes(45))],
        "model_download_timeout": [
            Change(
                lambda stack: {"model": in_s3(stack)},
                lambda stack: {"model": in_s3(stack), "model_download_timeout": Duration.minutes(45)},
            )
        ],
        "request_tokens": [change("request_tokens", 2000, 1000, copies=(1, 2))],
        "rollout": [added("rollout", Rollout.rolling(percent=50, wait=Duration.minutes(7)), copies=(2, 2))],
        "concurrency_target": [change("concurrency_target", 5, 8, copies=(1, 2))],
        "scale_to_zero": [
            added("scale_to_zero", ScaleToZero()),
            change("scale_to_zero", ScaleToZero(), None),
            Change(
                fixed(copies=(1, 2), concurrency_target=5), fixed(scale_to_zero=ScaleToZero(max_copies=2, target=5))
            ),
        ],
    },
)

FLEET_SUBJECTS = (FLEET, FLEET_MODEL)
