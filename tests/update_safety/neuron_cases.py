"""The changes of each argument of TgiNeuronEndpoint that it does not share with other endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Size
from aws_cdk import aws_s3 as s3

from constructs_lib import AutoCastType, InstanceType, Model, NeuronOptions, TgiNeuronEndpoint, TgiNeuronImage
from tests.update_safety.subjects import Change, Subject, added, change, nothing

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

QWEN, LLAMA = Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), Model.from_hub("NousResearch/Meta-Llama-3-8B")


def sizes(batch: int) -> NeuronOptions:
    """Those of a compiled model."""
    return NeuronOptions(num_cores=2, auto_cast_type=AutoCastType.BF16, max_batch_size=batch, max_total_tokens=4096)


def exported(stack: Stack) -> Given:
    """An exported model in a bucket that exists."""
    bucket = s3.Bucket.from_bucket_name(stack, "Weights", "weights")
    return {"model": Model.from_s3(bucket, "qwen/", like="Qwen/Qwen2.5-7B-Instruct")}


def add_neuron_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint with the sizes of a compiled model."""
    arguments: Any = {"model": QWEN, "instance_type": InstanceType.INF2_8XLARGE, "options": sizes(4)} | given
    TgiNeuronEndpoint(stack, arguments.pop("id", "Llama"), **arguments)


NEURON = Subject(
    "TgiNeuronEndpoint",
    add_neuron_endpoint,
    cases={
        "id": [change("id", "Llama", "Other")],
        "model": [change("model", QWEN, LLAMA), Change(nothing, exported), Change(exported, nothing)],
        "instance_type": [
            added("instance_type", InstanceType.INF2_48XLARGE),
            added("instance_type", InstanceType.TRN1_2XLARGE),
        ],
        "image": [added("image", TgiNeuronImage.version("0.2.0"))],
        "options": [change("options", sizes(4), sizes(8)), change("options", sizes(4), None)],
        "volume_size": [added("volume_size", Size.gibibytes(512))],
    },
)
