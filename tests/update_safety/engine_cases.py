"""The changes of what endpoints with other engines than TGI do not share with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import (
    InstanceType,
    LmiEndpoint,
    LmiImage,
    LmiOptions,
    Model,
    SglangEndpoint,
    SglangImage,
    SglangOptions,
)
from tests.update_safety.subjects import Subject, added, change

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
MISTRAL = Model.from_hub("mistralai/Mistral-7B-Instruct-v0.3")


def add_sglang_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint with SGLang."""
    _add(SglangEndpoint, stack, given)


def add_lmi_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint with LMI."""
    _add(LmiEndpoint, stack, given)


def _add(construct: Any, stack: Stack, given: Given) -> None:
    arguments: Any = {"model": QWEN, "instance_type": InstanceType.G6E_2XLARGE} | given
    construct(stack, arguments.pop("id", "Qwen"), **arguments)


SGLANG = Subject(
    "SglangEndpoint",
    add_sglang_endpoint,
    cases={
        "id": [change("id", "Qwen", "Other")],
        "model": [change("model", QWEN, MISTRAL)],
        "instance_type": [added("instance_type", InstanceType.G6E_12XLARGE)],
        "image": [added("image", SglangImage.version("0.5.19")), added("image", SglangImage.hugging_face("0.5.8"))],
        "options": [added("options", SglangOptions(max_running_requests=32, extra_args={"ep_size": "1"}))],
    },
)
LMI = Subject(
    "LmiEndpoint",
    add_lmi_endpoint,
    cases={
        "id": [change("id", "Qwen", "Other")],
        "model": [change("model", QWEN, MISTRAL)],
        "instance_type": [added("instance_type", InstanceType.G6E_12XLARGE)],
        "image": [added("image", LmiImage.version("27.0.0"))],
        "options": [added("options", LmiOptions(max_rolling_batch_size=32, extra_args={"seed": "7"}))],
    },
)
ENGINE_SUBJECTS = (SGLANG, LMI)
