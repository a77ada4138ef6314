"""The summary of a fleet: what runs where, at what price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.cost import TOKENS_PER_STREAM
from constructs_lib.planning.fleet_plan import FleetPlan, FleetRequest
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.summary import PlanSummary, concurrent_requests, stream_tokens


def fleet_summary(request: FleetRequest, plan: FleetPlan, capacity: Capacity) -> PlanSummary:
    """The summary of a fleet: its models, and the GPUs of their least copies.

    Args:
        request: What the caller asks for.
        plan: Its plan, without problems.
        capacity: How many instances it runs.
    """
    copies: Mapping[str, Any] = request.copies
    served = [_served(planned, copies[name][1]) for name, planned in plan.models.items()]
    return PlanSummary(
        model=", ".join(_shown(name, one) for name, one in request.models.items()),
        instances=[instance.name for instance in capacity.instances],
        min_instances=capacity.min_instances,
        max_instances=capacity.max_instances,
        accelerator=capacity.instances[0].accelerator,
        num_shard=sum(planned.accelerators * copies[name][0] for name, planned in plan.models.items()),
        context=None,
        stream_tokens=TOKENS_PER_STREAM,
        streams=None if None in served else sum(each or 0 for each in served),
        min_usd_per_hour=capacity.min_usd_per_hour,
        max_usd_per_hour=capacity.max_usd_per_hour,
        price_is_derived=capacity.price_is_derived,
    )


def _served(plan: EndpointPlan, copies: int) -> int | None:
    """How many streams the copies of one model serve; None if synth does not know it."""
    tokens = stream_tokens(plan)
    each = None if tokens is None else concurrent_requests(plan, tokens)
    return None if each is None else each * copies


def _shown(name: str, request: EndpointRequest) -> str:
    """A model of a fleet: its repository, or the name that clients use."""
    hub_id: object = request.model.hub_id
    return hub_id if isinstance(hub_id, str) else name
