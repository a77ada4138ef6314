"""What the plan says of what is deployed: that it does not fit, or that its engine does not start it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from constructs_lib.planning.diagnosis.catalogue import finding
from constructs_lib.planning.diagnosis.cause import Evidence, Finding, Weight
from constructs_lib.planning.diagnosis.deployed_request import deployed_request
from constructs_lib.planning.diagnosis.signals import Signals
from constructs_lib.planning.plan import plan
from constructs_lib.planning.request import EndpointPlan, EndpointRequest
from constructs_lib.planning.validation.problem import Problem

_GIB = 2**30
_STREAM_TOKENS = 1024

# By what the problem is about: the cause whose words in a log it explains. The first that matches counts.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    ("", r"GiB short|cannot hold", "out-of-memory"),
    ("", r"paged attention on Ampere|Ampere GPUs|has no bfloat16|compute capability", "gpu-too-old"),
    ("", r"does not (?:have|know|support|run)|never starts|leaves .* to transformers|no image of", "image-too-old"),
    ("", r"bitsandbytes has compressed|published (?:in|as)|kernels for \d", "published-compression"),
    ("options.trust_remote_code", "", "remote-code"),
    ("", r"split|evenly|has \d+ GPUs?\b", "shards"),
    ("inference_ami_version", "", "driver"),
    ("volume_size", "", "disk"),
    ("image", "", "image-too-old"),
    ("model", r"token|gated", "hub-token"),
    ("options.", "", "option-rejected"),
    ("environment", "", "option-rejected"),
)

# Problems of a request that nothing deployed has: what cannot be read from variables.
_NOT_OF_DEPLOYED = ("model.from", "endpoint_name", "instance_count", "model_download_timeout")


@dataclass(frozen=True, kw_only=True)
class PlanOfDeployed:
    """What is deployed, planned again.

    Args:
        name: The variant or component.
        request: What was asked for, as far as it can be read from what is deployed.
        plan: Its plan.
        unread: Variables whose values are not of their option's type.
    """

    name: str
    request: EndpointRequest
    plan: EndpointPlan
    unread: tuple[str, ...]

    @property
    def streams(self) -> int | None:
        """Requests of 1,024 tokens that an instance serves at one time; None if that is not known."""
        memory = self.plan.memory
        return memory.concurrent_requests(min(_STREAM_TOKENS, memory.context)) if memory and memory.fits else None

    def words(self) -> str:
        """What was planned, on one line."""
        engine, version = self.request.engine.display_name, self.request.image_choice.version
        model = self.request.model.hub_id or "weights in S3"
        memory = self.plan.memory
        fits = "its memory is not known" if memory is None else _fit(memory.slack, memory.shortfall)
        return f"{model} on {engine} {version}, {self.request.instance.name}: {fits}"


def plans_of(signals: Signals) -> tuple[PlanOfDeployed, ...]:
    """The plan of each variant and component whose image and instance type are known."""
    found = []
    for one in signals.deployed:
        if read := deployed_request(one, signals.region):
            planned = PlanOfDeployed(name=one.name, request=read.request, plan=plan(read.request), unread=read.unread)
            found.append(planned)
    return tuple(found)


def planned_findings(plans: tuple[PlanOfDeployed, ...], *, serves: bool) -> Iterator[Finding]:
    """What the plans speak for.

    Args:
        plans: What is deployed, planned again.
        serves: Whether the endpoint serves, so that nothing keeps it from starting.
    """
    for one in plans:
        weight = Weight.SYMPTOM if serves else Weight.PLANNED
        for variable in one.unread:
            yield _planned("option-rejected", f"{variable} has a value of another type", "Correct it.", weight)
        for problem in one.plan.problems:
            if not problem.keyword.startswith(_NOT_OF_DEPLOYED):
                yield _of_problem(problem, weight)
        memory = one.plan.memory
        if memory is not None and memory.is_tight:
            fix = f"Use {one.request.engine.hardware.larger}, or lower {_sizes(one.request)}."
            yield _planned("out-of-memory", _fit(memory.slack, memory.shortfall), fix, weight - 20)


def _of_problem(problem: Problem, weight: int) -> Finding:
    short = re.search(r"(\d+(?:\.\d+)? GiB) short[^:,.]*(?:\.\d)?[^:,.]*", problem.message)
    words = f"does not fit: {short[0]}" if short else f"{problem.keyword}: {problem.message}"
    return _planned(_cause_of(problem), words, problem.fix, weight)


def _cause_of(problem: Problem) -> str:
    for keyword, message, cause in _CAUSES:
        if problem.keyword.startswith(keyword) and re.search(message, problem.message):
            return cause
    return "plan-problem"


def _planned(cause: str, words: str, fix: str, weight: int) -> Finding:
    return finding(cause, Evidence(source="plan", text=words), weight=weight, fix=fix)


def _fit(slack: int, shortfall: int) -> str:
    if shortfall:
        return f"does not fit: {shortfall / _GIB:.1f} GiB short"
    return f"fits, with {slack / _GIB:.1f} GiB to spare on each GPU"


def _sizes(request: EndpointRequest) -> str:
    return " or ".join(request.engine.memory_model.option_names.sizes[:2]) or "the sizes of requests"
