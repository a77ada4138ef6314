"""The changes of each argument of AsyncTgiEndpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, Size
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from constructs_lib import AsyncTgiEndpoint, InstanceType, Rollout, TgiImage, TgiOptions
from tests.update_safety.endpoint_cases import (
    KEEPS_TYPE,
    KEEPS_VARIANT,
    MISTRAL,
    NO_NVME,
    QWEN,
    in_s3,
    key,
    role,
    security_group,
    subnets,
    vpc,
)
from tests.update_safety.subjects import Change, Subject, added, change, fixed, nothing

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given


def bucket(stack: Stack, name: str) -> s3.IBucket:
    """A bucket that exists."""
    return s3.Bucket.from_bucket_name(stack, f"Bucket-{name}", name)


def topic(stack: Stack, name: str) -> sns.ITopic:
    """A topic that exists."""
    return sns.Topic.from_topic_arn(stack, f"Topic-{name}", f"arn:aws:sns:eu-west-1:123456789012:{name}")


def add_async_endpoint(stack: Stack, given: Given) -> None:
    """An asynchronous endpoint."""
    defaults: Any = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE}
    arguments = defaults | given
    if "bucket" not in arguments:
        arguments["bucket"] = bucket(stack, "batches")
    AsyncTgiEndpoint(stack, arguments.pop("id", "Batch"), **arguments)


ASYNC = Subject(
    "AsyncTgiEndpoint",
    add_async_endpoint,
    takes=AsyncTgiEndpoint.__init__,
    cases={
        "id": [change("id", "Batch", "Other")],
        "model": [change("model", QWEN, MISTRAL)],
        "instance_type": [added("instance_type", InstanceType.G6_2XLARGE, KEEPS_TYPE)],
        "bucket": [Change(nothing, lambda stack: {"bucket": bucket(stack, "other")})],
        "input_prefix": [added("input_prefix", "requests")],
        "output_prefix": [added("output_prefix", "answers")],
        "failure_prefix": [added("failure_prefix", "failed")],
        "input_bucket": [Change(nothing, lambda stack: {"input_bucket": bucket(stack, "requests")})],
        "output_key": [Change(nothing, lambda stack: {"output_key": key(stack, "one")})],
        "success_topic": [Change(nothing, lambda stack: {"success_topic": topic(stack, "done")})],
        "error_topic": [Change(nothing, lambda stack: {"error_topic": topic(stack, "failed")})],
        "include_response_in": [
            Change(
                lambda stack: {"success_topic": topic(stack, "done")},
                lambda stack: {"success_topic": topic(stack, "done"), "include_response_in": ["success"]},
            )
        ],
        "max_concurrent_invocations": [
            change("max_concurrent_invocations", 4, 8, backlog_per_instance=16),
        ],
        "request_tokens": [change("request_tokens", 2000, 1000)],
        "min_instances": [change("min_instances", 0, 1)],
        "max_instances": [change("max_instances", 2, 3)],
        "backlog_per_instance": [change("backlog_per_instance", 16, 32)],
        "image": [added("image", TgiImage.version("3.3.4"))],
        "options": [added("options", TgiOptions(max_input_tokens=2000, max_total_tokens=3000))],
        "environment": [added("environment", {"HF_HUB_DISABLE_TELEMETRY": "1"})],
        "startup_timeout": [added("startup_timeout", Duration.minutes(45))],
        "model_download_timeout": [
            Change(
                lambda stack: {"model": in_s3(stack)},
                lambda stack: {"model": in_s3(stack), "model_download_timeout": Duration.minutes(45)},
            )
        ],
        "volume_size": [added("volume_size", Size.gibibytes(200), **NO_NVME)],
        "volume_key": [Change(fixed(**NO_NVME), lambda stack: {**NO_NVME, "volume_key": key(stack, "one")})],
        "vpc": [Change(nothing, lambda stack: {"vpc": vpc(stack, "one")})],
        "vpc_subnets": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "vpc_subnets": subnets(stack, "subnet-0123456789abcde31")},
            )
        ],
        "security_groups": [
            Change(
                lambda stack: {"vpc": vpc(stack, "one")},
                lambda stack: {"vpc": vpc(stack, "one"), "security_groups": [security_group(stack, "one")]},
            )
        ],
        "network_isolation": [
            Change(
                lambda stack: {"model": in_s3(stack)},
                lambda stack: {"model": in_s3(stack), "network_isolation": True},
            )
        ],
        "inference_ami_version": [added("inference_ami_version", "al2-ami-sagemaker-inference-gpu-2")],
        "instance_provision_timeout": [added("instance_provision_timeout", Duration.minutes(20))],
        "rollout": [added("rollout", Rollout.all_at_once(termination_wait=Duration.minutes(10)))],
        "detailed_observability": [added("detailed_observability", True)],
        "variant_name": [change("variant_name", "AllTraffic", "Main", KEEPS_VARIANT)],
        "endpoint_name": [added("endpoint_name", "batch"), change("endpoint_name", "batch", "batch-2")],
        "role": [Change(nothing, lambda stack: {"role": role(stack, "one")})],
        "tags": [added("tags", {"team": "search"})],
    },
)
