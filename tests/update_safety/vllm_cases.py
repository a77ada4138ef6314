"""The changes of each argument of VllmEndpoint that it does not share with other endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3

from constructs_lib import InstanceType, LoraAdapter, Model, ScaleToZero, VllmEndpoint, VllmImage, VllmOptions
from tests.update_safety.subjects import Change, Subject, change

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def add_vllm_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint for a model of the hub."""
    arguments: Any = {"model": QWEN, "instance_type": InstanceType.G6E_XLARGE} | given
    VllmEndpoint(stack, arguments.pop("id", "Qwen"), **arguments)


def with_adapters(**keys: str) -> Callable[[Stack], Given]:
    """Adapters by their names, on an endpoint that may have any."""

    def given(stack: Stack) -> Given:
        bucket = s3.Bucket.from_bucket_name(stack, "Adapters", "team-adapters")
        adapters = [LoraAdapter.from_s3_archive(name, bucket, key) for name, key in keys.items()]
        return {"scale_to_zero": ScaleToZero(), "adapters": adapters}

    return given


ONE = with_adapters(sql="sql.tar.gz")
VLLM_ENDPOINT = Subject(
    "VllmEndpoint",
    add_vllm_endpoint,
    cases={
        "id": [change("id", "Qwen", "Other")],
        "model": [change("model", QWEN, Model.from_hub("Qwen/Qwen2.5-7B-Instruct", revision="main"))],
        "instance_type": [change("instance_type", InstanceType.G6E_XLARGE, InstanceType.G6E_12XLARGE)],
        "image": [
            change("image", None, VllmImage.version("0.29.0")),
            change("image", VllmImage.version("0.29.0"), VllmImage.hugging_face("0.29.0")),
        ],
        "options": [
            change("options", None, VllmOptions(max_model_len=8192)),
            change("options", None, VllmOptions(lora_modules=["a=owner/a"])),
        ],
        "environment": [change("environment", None, {"TEAM_SETTING": "on"})],
        "adapters": [
            Change(ONE, with_adapters(sql="newer.tar.gz")),
            Change(ONE, with_adapters(law="sql.tar.gz")),
            Change(ONE, with_adapters(sql="sql.tar.gz", law="law.tar.gz")),
        ],
        "startup_timeout": [change("startup_timeout", None, Duration.minutes(40))],
    },
)
