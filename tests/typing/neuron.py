"""Endpoints on Neuron devices as a caller types them. Never run: mypy checks that each line is accepted or rejected."""

from __future__ import annotations

from typing import assert_type

from aws_cdk import App, Duration, Size, Stack

from constructs_lib import (
    AutoCastType,
    IModelEndpoint,
    InstanceType,
    Model,
    NeuronOptions,
    TgiImage,
    TgiNeuronEndpoint,
    TgiNeuronImage,
    TgiOptions,
)

stack = Stack(App(), "Team")
model = Model.from_hub("org/model")

assert_type(TgiNeuronImage.version("0.3.0"), TgiNeuronImage)
SIZES = NeuronOptions(num_cores=2, auto_cast_type=AutoCastType.BF16, max_batch_size=4, max_total_tokens=4096)
assert_type(SIZES, NeuronOptions)
least = TgiNeuronEndpoint(stack, "Least", model=model, instance_type=InstanceType.INF2_8XLARGE)
every: IModelEndpoint = TgiNeuronEndpoint(
    stack,
    "Every",
    model=model,
    instance_type=[InstanceType.INF2_8XLARGE, InstanceType.INF2_24XLARGE],
    image=TgiNeuronImage.version("0.3.0"),
    options=SIZES,
    startup_timeout=Duration.minutes(30),
    volume_size=Size.gibibytes(256),
)
assert_type(least.engine, str)
NeuronOptions(num_shard=2)  # type: ignore[call-arg]
NeuronOptions(auto_cast_type="bf16")  # type: ignore[arg-type]
TgiNeuronEndpoint(stack, "Gpu", model=model, instance_type="ml.inf2.xlarge")  # type: ignore[arg-type]
TgiNeuronEndpoint(
    stack,
    "Other",
    model=model,
    instance_type=InstanceType.INF2_8XLARGE,
    image=TgiImage.version("3.3.6"),  # type: ignore[arg-type]
    options=TgiOptions(),  # type: ignore[arg-type]
)
