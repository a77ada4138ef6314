"""The changes of each argument of a Rollout, of a DataCapture and of a further variant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Size
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_s3 as s3

from constructs_lib import (
    CapacityReservation,
    DataCapture,
    InstanceType,
    Rollout,
    Routing,
    TgiEndpoint,
    TgiImage,
    TgiOptions,
)
from tests.update_safety.endpoint_cases import MISTRAL, PLAN, add_endpoint, in_s3, key
from tests.update_safety.subjects import Change, Subject, added, change, fixed, nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from tests.update_safety.subjects import Given


def alarm(stack: Stack, name: str) -> cloudwatch.IAlarm:
    """An alarm that exists."""
    return cloudwatch.Alarm.from_alarm_name(stack, f"Alarm-{name}", name)


def with_alarms(stack: Stack) -> Given:
    return {"alarms": [alarm(stack, "errors")]}


def rollout(name: str) -> Callable[[Stack, Given], object]:
    """Adds an endpoint with a rollout of that name."""
    return lambda stack, given: add_endpoint(stack, {"instance_count": 4, "rollout": getattr(Rollout, name)(**given)})


TIMES = {
    "time_limit": [added("time_limit", Duration.hours(3))],
    "alarms": [Change(nothing, with_alarms), Change(with_alarms, fixed(alarms=[]))],
}
TERMINATION = {"termination_wait": [added("termination_wait", Duration.minutes(10))]}
BATCHES: dict[str, list[Change]] = {
    "count": [change("count", 1, 2)],
    "percent": [change("percent", 25, 50)],
    "wait": [added("wait", Duration.minutes(7))],
}


def of(name: str, cases: dict[str, list[Change]]) -> Subject:
    return Subject(f"Rollout.{name}", rollout(name), cases, getattr(Rollout, name))


ROLLOUTS = (
    of("all_at_once", {**TIMES, **TERMINATION}),
    of("canary", {**TIMES, **TERMINATION, **BATCHES}),
    of("linear", {**TIMES, **TERMINATION, **BATCHES}),
    of("rolling", {**TIMES, **BATCHES, "rollback_in_batches": [added("rollback_in_batches", True)]}),
)


def add_capturing_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint that captures into a bucket that exists."""
    bucket: Any = {"bucket": s3.Bucket.from_bucket_name(stack, "Captured", "captured")}
    add_endpoint(stack, {"data_capture": DataCapture(**(bucket | given))})


CAPTURE = Subject(
    "DataCapture",
    add_capturing_endpoint,
    takes=DataCapture,
    cases={
        "bucket": [Change(nothing, lambda stack: {"bucket": s3.Bucket.from_bucket_name(stack, "Other", "captured-2")})],
        "prefix": [added("prefix", "samples")],
        "sampling_percentage": [added("sampling_percentage", 50)],
        "what": [added("what", "input")],
        "key": [Change(nothing, lambda stack: {"key": key(stack, "one")})],
        "json_content_types": [added("json_content_types", [])],
    },
)


def add_two_variants(stack: Stack, given: Given) -> None:
    """An endpoint with a further variant, or without if that is what changes."""
    endpoint = add_endpoint(stack, {})
    if given:
        arguments: Any = {"id": "trial", "weight": 1} | given
        endpoint.add_variant(arguments.pop("id"), **arguments)


VARIANT = Subject(
    "add_variant",
    add_two_variants,
    takes=TgiEndpoint.add_variant,
    cases={
        "on or off": [Change(nothing, fixed(weight=1)), Change(fixed(weight=1), nothing)],
        "id": [change("id", "trial", "other")],
        "weight": [change("weight", 1, 2)],
        "model": [added("model", MISTRAL, weight=1)],
        "image": [added("image", TgiImage.version("3.3.4"), weight=1)],
        "options": [added("options", TgiOptions(max_input_tokens=2000, max_total_tokens=3000), weight=1)],
        "instance_type": [added("instance_type", InstanceType.G6_2XLARGE, weight=1)],
        "instance_count": [change("instance_count", 1, 2, weight=1)],
        "environment": [added("environment", {"HF_HUB_DISABLE_TELEMETRY": "1"}, weight=1)],
        "startup_timeout": [added("startup_timeout", Duration.minutes(45), weight=1)],
        "model_download_timeout": [
            Change(
                lambda stack: {"weight": 1, "model": in_s3(stack)},
                lambda stack: {"weight": 1, "model": in_s3(stack), "model_download_timeout": Duration.minutes(45)},
            )
        ],
        "volume_size": [
            added("volume_size", Size.gibibytes(200), weight=1, instance_type=InstanceType.G7_2XLARGE),
        ],
        "inference_ami_version": [added("inference_ami_version", "al2-ami-sagemaker-inference-gpu-2", weight=1)],
        "routing": [added("routing", Routing.prefix_aware(shared_bytes=4096, threshold=16), weight=1)],
        "capacity_reservation": [
            added("capacity_reservation", CapacityReservation(arn=PLAN.format("one")), weight=1),
        ],
        "instance_provision_timeout": [added("instance_provision_timeout", Duration.minutes(20), weight=1)],
    },
)

ROLLOUT_SUBJECTS = (*ROLLOUTS, CAPTURE, VARIANT)
