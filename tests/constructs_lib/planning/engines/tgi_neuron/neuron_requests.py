"""A valid request for TGI for Neuron, which tests change in one respect at a time."""

from typing import Any

from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi_neuron.options import AutoCastType, NeuronOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import ImageChoice
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointPlan, EndpointRequest, plan

NEURON = engine_named("tgi-neuron")
LLAMA = ModelChoice(source="hub", hub_id="meta-llama/Llama-3.1-8B-Instruct", has_token=True)
EXPORTED = ModelChoice(source="s3", hub_id="meta-llama/Llama-3.1-8B-Instruct")
SIZES: dict[str, Any] = {
    "num_cores": 2,
    "auto_cast_type": AutoCastType.BF16,
    "max_batch_size": 4,
    "max_total_tokens": 4096,
}


def sized(**changes: Any) -> NeuronOptions:
    """All sizes of a compiled model, changed; None leaves one out."""
    return NeuronOptions(**SIZES | changes)


def planned(*, version: str | None = None, hub_id: str | None = None, **changes: Any) -> EndpointPlan:
    if version is not None:
        changes["image"] = ImageChoice(version=version)
    if hub_id is not None:
        changes["model"] = ModelChoice(source="hub", hub_id=hub_id, has_token=True)
    request: dict[str, Any] = {
        "engine": NEURON,
        "model": LLAMA,
        "instance": InstanceType.INF2_8XLARGE,
        "options": sized(),
    }
    return plan(EndpointRequest(**request | changes))


def refusals(**changes: Any) -> list[str]:
    return [str(problem) for problem in planned(**changes).problems]


def warnings(**changes: Any) -> dict[str, str]:
    found = planned(**changes)
    assert found.problems == ()
    return {warning.id.removeprefix("tgi-endpoint:"): warning.message for warning in found.warnings}
