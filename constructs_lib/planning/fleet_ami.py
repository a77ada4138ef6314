"""The machine image that the hosts of a fleet have in common."""

from __future__ import annotations

from collections.abc import Mapping

from constructs_lib.planning.hardware import host_ami
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.problem import Described, Problem


def fleet_ami(
    requests: Mapping[str, EndpointRequest], plans: Mapping[str, EndpointPlan]
) -> tuple[str | None, tuple[Problem, ...]]:
    """The AMI of the fleet's hosts, and why there is none.

    Args:
        requests: What each model of the fleet is asked for.
        plans: Their plans.
    """
    first, *_ = plans.values()
    if any(planned.problems for planned in plans.values()):
        return first.inference_ami_version, ()
    needs = {
        name: (plans[name].inference_ami_version, request.images.cuda(request.image_choice.version))
        for name, request in requests.items()
    }
    try:
        return host_ami.shared_ami(needs.values()), ()
    except ValueError:
        return None, (_ami_problem(needs),)


def _ami_problem(needs: Mapping[str, tuple[str | None, tuple[int, int]]]) -> Problem:
    parts = ", ".join(
        f"models[{name!r}] (CUDA {cuda[0]}.{cuda[1]}) {ami or 'the one that SageMaker chooses'}"
        for name, (ami, cuda) in needs.items()
    )
    return Problem(
        "models",
        Described(f"{len(needs)} models"),
        f"need different machine images, and the instances of an endpoint have one: {parts}",
        "Use images of neighbouring versions, or put the models on two fleets.",
    )
