"""How SageMaker chooses the instance of a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.planning.request import EndpointPlan
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, problem

LEAST_OUTSTANDING = "LEAST_OUTSTANDING_REQUESTS"
PREFIX_AWARE = "PREFIX_AWARE"

SHARED_BYTES = Integer(1024, 65536, unit="bytes")
THRESHOLD = Integer(1, 1024)
"""Source of both: botocore 1.44.5, sagemaker 2017-07-24, PrefixAwareRoutingConfig."""

ONE_INSTANCE = "tgi-endpoint:prefixAwareOneInstance"
"""Id of the warning that a second instance makes obsolete."""

_WRITE = "Write Routing.least_outstanding() or Routing.prefix_aware(…)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """How SageMaker chooses the instance of a request: `Routing.least_outstanding()` or `Routing.prefix_aware(…)`.

    Args:
        strategy: The strategy, as SageMaker names it.
        shared_bytes: See `prefix_aware`.
        threshold: See `prefix_aware`.
    """

    strategy: str = LEAST_OUTSTANDING
    shared_bytes: int | None = None
    threshold: int | None = None

    @staticmethod
    def least_outstanding() -> Routing:
        """The instance with the fewest requests in progress, which suits most endpoints and any mix of instances."""
        return Routing()

    @staticmethod
    def prefix_aware(*, shared_bytes: int, threshold: int) -> Routing:
        """The instance that had the last request with the same beginning, whose prompt it still has in its cache.

        It pays if many requests begin with one of several long texts, more of them than the cache of one instance holds
        and not more than the caches of all; otherwise each instance soon has every text, or none keeps any. It applies
        while two or more instances can serve. A front door sends what is shared first: a chat's tools, then its
        messages in their order; a completion's prompt; and everything that differs between requests of the same prompt
        after that. So requests with the same tools and the same first messages go to the same instance.

        Args:
            shared_bytes: How many bytes of a request's body are compared, 1024 to 65536: the tools and the system
                prompt in UTF-8, and as much of what differs as it takes to tell users or documents apart. A shorter
                body counts whole. With too few bytes all requests begin the same and go to one instance until it has
                reached the threshold; with too many, no two do.
            threshold: Requests in progress on that instance, 1 to 1024, from which on another one gets the request. Use
                the target of `on_concurrency`, about 0.8 times what the smallest instance holds: with more, requests
                wait on one instance while others are idle.
        """
        return Routing(strategy=PREFIX_AWARE, shared_bytes=shared_bytes, threshold=threshold)


def routing_problems(routing: object) -> Iterator[Problem]:
    """What is wrong with a routing.

    Args:
        routing: What the caller gives.
    """
    if not isinstance(routing, Routing):
        yield Problem("routing", routing, f"must be a Routing, not {type(routing).__name__}", _WRITE)
    elif routing.strategy == PREFIX_AWARE:
        for name, rule in (("shared_bytes", SHARED_BYTES), ("threshold", THRESHOLD)):
            if found := problem(f"routing.{name}", getattr(routing, name), rule):
                yield found
    elif routing != Routing():
        message = f"must be {LEAST_OUTSTANDING} without figures, or {PREFIX_AWARE} with both"
        yield Problem("routing", routing, message, _WRITE)


def routing_warnings(routing: Routing, instance_count: int, plan: EndpointPlan) -> Iterator[PlanWarning]:
    """What is legal but does not do what one may expect.

    Args:
        routing: A right one.
        instance_count: Instances of the endpoint, known or not.
        plan: The plan of the endpoint.
    """
    if routing.strategy != PREFIX_AWARE:
        return
    if plan.keeps_prefixes is False:
        yield PlanWarning(
            "tgi-endpoint:prefixAwareWithoutCache",
            "With these options and GPUs the model keeps no prompt in its cache for later ones, so that"
            " routing=Routing.prefix_aware(…) brings nothing and only loads the instances unevenly. Leave it out.",
        )
    if instance_count == 1:
        yield PlanWarning(
            ONE_INSTANCE,
            "routing=Routing.prefix_aware(…) applies only while two or more instances can serve, and this endpoint has"
            " one. Allow more by instance_count, auto_scale, max_copies of ScaleToZero, or instances of a fleet.",
        )
    if len(plan.pools) > 1:
        yield PlanWarning(
            "tgi-endpoint:prefixAwareInstancePools",
            "routing=Routing.prefix_aware(…) sends a request to the instance that had its beginning, however large that"
            " one is. For instance types of different sizes AWS recommends Routing.least_outstanding(), with which the"
            " faster ones get more requests.",
        )
