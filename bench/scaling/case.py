"""What is simulated: a model on an instance type, and the requests that its clients send."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from bench.scaling.arrivals import Load, steady
from bench.scaling.autoscaling import ScalableTarget
from bench.scaling.container import Container, ContainerLimits
from bench.scaling.fleet import Fleet, Timing
from bench.scaling.measure import Summary, summarize
from bench.scaling.requests import CHAT, DOCUMENTS, Lengths, Request
from bench.scaling.routing import Route, least_outstanding
from bench.scaling.simulation import Outcome, Simulation
from bench.scaling.speed import Speed
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.engines.tgi.options import TgiOptions
from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.memory_plan import MemoryPlan
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.plan import EndpointRequest, plan
from constructs_lib.planning.scaling.concurrency import concurrency_target
from constructs_lib.planning.scaling.startup import INSTANCE, start_seconds

_RELEASE_SECONDS = 720
"""From no copy to no instance: measured by Hugging Face's skill `hf-cloud-sagemaker-production-defaults`, July 2026."""

_STREAM_SECONDS = 480
"""SageMaker ends a streamed answer then (SageMaker hosting FAQ)."""

LATE_SHARE = 0.05
"""The load test's limit: share of late requests at which latency is said to increase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model on an instance type with requests of some lengths.

    Args:
        name: As the tables show it.
        instance: The instance type.
        memory: The plan of each GPU.
        speed: The speed of one copy.
        limits: What its container holds.
        load_seconds: What image and weights take on a new instance.
        lengths: How long the requests are.
    """

    name: str
    instance: InstanceType
    memory: MemoryPlan
    speed: Speed
    limits: ContainerLimits
    load_seconds: int
    lengths: Lengths

    @property
    def start_seconds(self) -> int:
        """From the order of a new instance until it serves."""
        return start_seconds(self.load_seconds)

    @property
    def target(self) -> int:
        """The default target of concurrent requests."""
        target = concurrency_target(self.memory, self.lengths.request_tokens, self.limits.max_concurrent_requests)
        assert target is not None  # noqa: S101
        return target

    @property
    def held(self) -> int:
        """Requests that one container serves at a time, by the plan."""
        return min(self.limits.max_concurrent_requests, self.memory.concurrent_requests(self.lengths.request_tokens))

    def simulate(
        self,
        load: Load,
        target: ScalableTarget | None,
        *,
        begin: int,
        seed: int,
        hold: float = 0.0,
        components: bool = False,
        route: Callable[[random.Random], Route] = least_outstanding,
        change: Callable[[random.Random, Request], Request] = lambda _rng, request: request,
    ) -> Outcome:
        """One run. The requests depend on the load and the seed only.

        Args:
            load: When requests arrive.
            target: What scales; None for a fixed number.
            begin: Copies at the start.
            seed: Seed of everything random.
            hold: Seconds that a request waits for a copy if there is none.
            components: Whether the copies are inference components, whose instances stay for a while.
            route: The routing strategy.
            change: Changes each request, such as to one with a shared prefix.
        """
        rng = random.Random(seed)  # noqa: S311
        requests = [change(rng, self.lengths.draw(rng, time)) for time in load.times(rng)]
        timing = Timing(launch=INSTANCE, start=self.load_seconds, release=_RELEASE_SECONDS if components else 0.0)
        fleet = Fleet(timing, lambda: Container(self.speed, self.limits))
        fleet.begin(begin)
        others = random.Random(seed + 1)  # noqa: S311
        return Simulation(fleet, target, route(others), others, hold).run(requests, load.seconds)

    def summary(self, outcome: Outcome) -> Summary:
        """The figures of a run."""
        return summarize(outcome, self.speed, self.instance.price_usd_per_hour or 0.0)


@cache
def case(model: str, instance: str, lengths: Lengths, max_total_tokens: int = 16_384) -> Case:
    """A case by its plan, with the newest TGI and its default limits.

    Args:
        model: Repository on the hub.
        instance: Name of the instance type.
        lengths: How long the requests are.
        max_total_tokens: Longest request.
    """
    chosen = ModelChoice(source="hub", hub_id=model)
    facts = chosen.known_facts()
    options = TgiOptions(max_input_tokens=max_total_tokens * 3 // 4, max_total_tokens=max_total_tokens)
    found = InstanceType.named(instance)
    planned = plan(EndpointRequest(engine=engine_named("tgi"), model=chosen, instance=found, options=options))
    accepted = planned.serving.max_concurrent_requests
    assert planned.memory and facts and accepted  # noqa: S101, PT018
    return Case(
        name=f"{lengths.name}, {model.rpartition('/')[2]}, {instance}",
        instance=found,
        memory=planned.memory,
        speed=Speed.of(planned.memory, found, parameters=facts.parameters, shards=planned.num_shard),
        limits=ContainerLimits(
            cache_tokens=planned.memory.max_tokens,
            prefill_tokens=planned.memory.prefill_tokens,
            max_concurrent_requests=accepted,
            deadline=_STREAM_SECONDS,
        ),
        load_seconds=planned.load_seconds,
        lengths=lengths,
    )


@cache
def highest_rate(one: Case, seed: int) -> float:
    """Requests a second that one copy serves: the load test of SageMaker's guide.

    The rate at which latency increases, here at which more than one request in twenty is late; by bisection.

    Args:
        one: The case.
        seed: Seed of the requests.
    """

    def serves(rate: float) -> bool:
        outcome = one.simulate(steady(rate, hours=1), None, begin=1, seed=seed)
        return one.summary(outcome).late <= LATE_SHARE

    low, high = 0.0, 0.05
    while serves(high):
        low, high = high, high * 2
    for _ in range(5):
        middle = (low + high) / 2
        low, high = (middle, high) if serves(middle) else (low, middle)
    return low


LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
CASES = (
    (LLAMA_8B, "ml.g5.2xlarge", CHAT),
    (LLAMA_8B, "ml.g5.2xlarge", DOCUMENTS),
    (LLAMA_8B, "ml.g6e.2xlarge", DOCUMENTS),
)
"""Of the sweep: bound by the cache, by both, and by prefill."""
