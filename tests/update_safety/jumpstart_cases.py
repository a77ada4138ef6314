"""The changes of each argument of JumpStartEndpoint that it does not share with other endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_lib import FrontDoor, InstanceType, JumpStartEndpoint, JumpStartModel
from constructs_lib.planning.engines.jumpstart.spec import pin
from tests.constructs_lib.planning.engines.jumpstart.specs import LMI, PYTORCH, images, open_spec, spec, uses
from tests.update_safety.subjects import Change, Subject, change, fixed

if TYPE_CHECKING:
    from aws_cdk import Stack

    from tests.update_safety.subjects import Given


def model_of(published: dict[str, Any]) -> JumpStartModel:
    """A pinned model whose licence agreement is accepted."""
    return JumpStartModel(pin({"eu-west-1": published}).model, accept_eula=True)


GATED, OPEN = model_of(spec()), model_of(open_spec())
NEWER = model_of(
    open_spec(
        version="3.0.0",
        hosting_prepacked_artifact_key="team/llama/artifacts/inference-prepack/v2.0.0/",
        hosting_instance_type_variants={"regional_aliases": images(gpu=LMI), "variants": {"g5": uses("gpu")}},
    )
)
UNKNOWN = model_of(
    open_spec(hosting_instance_type_variants={"regional_aliases": images(gpu=PYTORCH), "variants": {"g5": uses("gpu")}})
)


def add_jumpstart_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint for a pinned model, behind a front door with a consumer."""
    arguments: Any = {"model": OPEN, "instance_type": InstanceType.G5_2XLARGE} | given
    endpoint = JumpStartEndpoint(stack, arguments.pop("id", "Llama"), **arguments)
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("Team")


JUMPSTART = Subject(
    "JumpStartEndpoint",
    add_jumpstart_endpoint,
    cases={
        "id": [change("id", "Llama", "Other")],
        "model": [
            Change(fixed(model=OPEN), fixed(model=NEWER)),
            Change(fixed(model=OPEN), fixed(model=GATED)),
            Change(fixed(model=GATED), fixed(model=OPEN)),
        ],
        "instance_type": [
            change("instance_type", InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE),
            change("instance_type", InstanceType.G5_2XLARGE, [InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE]),
        ],
        "environment": [change("environment", None, {"MAX_TOTAL_TOKENS": "3000"})],
        "engine": [change("engine", "tgi", "openai", model=UNKNOWN)],
    },
)
