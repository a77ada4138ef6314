"""The plan of an endpoint in one line: what runs where, for how many tokens, at what price."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.unknown import Unknown

METADATA = "tgi-endpoint:plan"
"""Type of the metadata under which an endpoint leaves its summary in the cloud assembly."""


@dataclass(frozen=True, kw_only=True)
class PlanSummary:
    """A short description of an endpoint.

    Args:
        model: Repository on the hub; None for weights in S3, or an id that is not known at synth.
        instance: Name of the instance type.
        instance_count: Instances that are billed.
        accelerator: Marketing name of the GPUs.
        num_shard: GPUs that share the model.
        context: Longest request in tokens; None if the model is not known.
        price_usd_per_hour: What all instances cost in us-east-1; None if no price is published.
        price_is_derived: Whether the price is worked out from EC2's.
    """

    model: str | None
    instance: str
    instance_count: int
    accelerator: str
    num_shard: int
    context: int | None
    price_usd_per_hour: float | None
    price_is_derived: bool

    @property
    def quota_name(self) -> str:
        """The SageMaker quota that its instances count against, as Service Quotas names it; 0 in a new account.

        Source: SageMaker's error ResourceLimitExceeded, as in aws-samples/sagemaker-custom-project-templates issue 51.
        """
        return f"{self.instance} for endpoint usage"

    @property
    def quota_needed(self) -> int:
        """What that quota must allow for an update, which starts the new instances before it stops the old ones.

        Source: botocore 1.44.5, sagemaker 2017-07-24, UpdateEndpoint.
        """
        return 2 * self.instance_count

    def to_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PlanSummary:
        """The summary from `to_json`, also of another version of this library, whose additions are ignored."""
        return cls(**{field.name: values.get(field.name) for field in fields(cls)})  # type: ignore[arg-type]


def summary(request: EndpointRequest, plan: EndpointPlan) -> PlanSummary:
    """The summary of an endpoint.

    Args:
        request: What the caller asks for.
        plan: Its plan, without problems.
    """
    instance, hub_id = request.instance, request.model.hub_id
    count = 1 if _is_unknown(request.instance_count) else request.instance_count
    price = instance.price_usd_per_hour
    return PlanSummary(
        model=None if _is_unknown(hub_id) else hub_id,
        instance=instance.name,
        instance_count=count,
        accelerator=instance.accelerator,
        num_shard=plan.num_shard,
        context=_context(plan),
        price_usd_per_hour=None if price is None else price * count,
        price_is_derived=instance.price_is_derived,
    )


def _is_unknown(value: object) -> bool:
    return isinstance(value, Unknown)


def _context(plan: EndpointPlan) -> int | None:
    """The longest request: as the options say, else what fits the GPUs' memory."""
    return plan.serving.max_total_tokens or (None if plan.memory is None else plan.memory.context)
