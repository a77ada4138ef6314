"""The plan of an endpoint in one line: what runs where, for how many tokens, at what price."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from constructs_lib.planning.capacity import Capacity
from constructs_lib.planning.cost import TOKENS_PER_STREAM
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.unknown import Unknown

METADATA = "tgi-endpoint:plan"
"""Type of the metadata under which an endpoint leaves its summary in the cloud assembly."""


FRONT_DOOR_METADATA = "tgi-endpoint:front-door"
"""Type of the metadata under which a front door leaves its function's memory in MiB, and the paths of its endpoints."""


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """A short description of an endpoint.

    Args:
        model: Repository on the hub; None for weights in S3, or an id that is not known at synth.
        instances: Names of the instance types, in the order of their priority.
        min_instances: The smallest number of instances; None if synth does not know it.
        max_instances: The largest number of instances; None if synth does not know it.
        accelerator: Marketing name of the GPUs of the first instance type.
        num_shard: GPUs, or Neuron devices, that one container takes.
        context: Longest request in tokens; None if the model is not known.
        stream_tokens: Tokens of one request at full load: as the endpoint is told, else 1024, at most `context`; None
            if the model is not known.
        streams: Requests of that many tokens that the largest number of instances serves concurrently, by memory; None
            if that is not known.
        min_usd_per_hour: What the smallest number of instances costs in us-east-1; None if no price is published.
        max_usd_per_hour: What the largest number costs, of the dearest instance type; None if no price is published.
        price_is_derived: Whether a price is worked out from EC2's.
        most_of_a_type: The most instances of one type, if that is not `max_instances`: with several variants. Default:
            it is.
    """

    model: str | None
    instances: list[str]
    min_instances: int | None
    max_instances: int | None
    accelerator: str
    num_shard: int
    context: int | None
    stream_tokens: int | None
    streams: int | None
    min_usd_per_hour: float | None
    max_usd_per_hour: float | None
    price_is_derived: bool
    most_of_a_type: int | None = None

    @property
    def quota_names(self) -> list[str]:
        """The SageMaker quotas that its instances count against, as Service Quotas names them; 0 in a new account.

        Source: SageMaker's error ResourceLimitExceeded, as in aws-samples/sagemaker-custom-project-templates issue 51.
        """
        return [f"{instance} for endpoint usage" for instance in self.instances]

    @property
    def quota_needed(self) -> int:
        """What each quota must allow for an update, which starts the new instances before it stops the old ones.

        Source: botocore 1.44.5, sagemaker 2017-07-24, UpdateEndpoint.
        """
        return 2 * (self.most_of_a_type or self.max_instances or 1)

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PlanSummary:
        """The summary from `to_json`, also of another version of this library, whose additions are ignored."""
        return cls(**{field.name: values.get(field.name) for field in fields(cls)})  # type: ignore[arg-type]


def summary(request: EndpointRequest, plan: EndpointPlan, capacity: Capacity) -> PlanSummary:
    """The summary of an endpoint.

    Args:
        request: What the caller asks for.
        plan: Its plan, without problems.
        capacity: How many instances it runs.
    """
    hub_id = request.model.hub_id
    tokens = stream_tokens(plan, capacity.request_tokens)
    return PlanSummary(
        model=None if _is_unknown(hub_id) else hub_id,
        instances=[instance.name for instance in capacity.instances],
        min_instances=capacity.min_instances,
        max_instances=capacity.max_instances,
        accelerator=capacity.instances[0].accelerator,
        num_shard=plan.accelerators,
        context=_context(plan),
        stream_tokens=tokens,
        streams=_streams(plan, capacity, tokens),
        min_usd_per_hour=capacity.min_usd_per_hour,
        max_usd_per_hour=capacity.max_usd_per_hour,
        price_is_derived=capacity.price_is_derived,
    )


def planned_capacity(request: EndpointRequest) -> Capacity:
    """The capacity of an endpoint that nothing scales.

    Args:
        request: What the caller asks for.
    """
    count = None if _is_unknown(request.instance_count) else request.instance_count
    return Capacity(instances=request.pools or (request.instance,), min_instances=count, max_instances=count)


def concurrent_requests(plan: EndpointPlan, tokens: int) -> int | None:
    """How many requests of a length one copy of the model serves concurrently; None if synth does not know it.

    Of several instance types, the one that serves the most counts.

    Args:
        plan: The plan of the endpoint.
        tokens: Prompt and answer of one request together; at most the context.
    """
    if plan.pools:
        served = [concurrent_requests(pool, tokens) for pool in plan.pools]
        return max((each for each in served if each is not None), default=None)
    if plan.memory is None:
        return None
    fitting, limit = plan.memory.concurrent_requests(tokens), plan.serving.max_concurrent_requests
    return max(1, fitting if limit is None else min(fitting, limit))


def stream_tokens(plan: EndpointPlan, request_tokens: int | None = None) -> int | None:
    """Tokens of the requests that are counted as streams; None if the longest request is not known.

    Args:
        plan: The plan of the endpoint.
        request_tokens: Prompt and answer of one request together, as clients send them. Default: 1024.
    """
    context = _context(plan)
    return None if context is None else min(context, request_tokens or TOKENS_PER_STREAM)


def _streams(plan: EndpointPlan, capacity: Capacity, tokens: int | None) -> int | None:
    concurrency = None if tokens is None else concurrent_requests(plan, tokens)
    copies = capacity.max_copies or capacity.max_instances
    return None if concurrency is None or copies is None else concurrency * copies


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown)


def _context(plan: EndpointPlan) -> int | None:
    """The longest request: as the options say, else what fits the GPUs' memory."""
    return plan.serving.max_total_tokens or (None if plan.memory is None else plan.memory.context)
