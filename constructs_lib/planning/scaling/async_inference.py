"""Asynchronous inference: how much of its queue an instance takes, when instances come and go, and what is wrong.

SageMaker keeps the requests in a queue; each instance takes as many from it as it may have at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from constructs_lib.planning.request import EndpointPlan
from constructs_lib.planning.scaling.limits import limit_problems, longest_request, request_tokens_problems
from constructs_lib.planning.scaling.pools import is_list
from constructs_lib.planning.scaling.startup import start_seconds
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, Number, String, problem
from constructs_lib.planning.validation.unknown import UNKNOWN, Unknown

MAX_INVOCATIONS = 1000
"""Source: botocore 1.44.5, sagemaker 2017-07-24, MaxConcurrentInvocationsPerInstance."""

LONGEST_URI = 512
"""Characters of s3://<bucket>/<prefix>. Source: botocore 1.44.5, sagemaker 2017-07-24, DestinationS3Uri."""

_LONGEST_BUCKET = 63

UNKNOWN_INVOCATIONS = 4
"""Requests in progress at once on an instance of which the plan does not know how many it holds. AWS's example of
MaxConcurrentInvocationsPerInstance (SageMaker guide, "Create an Asynchronous Inference Endpoint")."""

BACKLOG_FACTOR = 4
"""Requests of the backlog for each one in progress, above which another instance is added: what one instance is through
with in four times the time of a request. With fewer, instances start for what is done before they serve."""

START_MARGIN = 1.5
SHORTEST_COOLDOWN, LONGEST_COOLDOWN = 300, 900
"""Seconds between two additions: the estimated start and half of it, as an instance that does not serve yet takes
nothing from the queue. The longest is the time after which target tracking removes an idle instance, so that the next
request wakes it at once."""

TOPICS = {"success": "SUCCESS_NOTIFICATION_TOPIC", "error": "ERROR_NOTIFICATION_TOPIC"}
"""Source: botocore 1.44.5, sagemaker 2017-07-24, AsyncNotificationTopicTypes."""

_FEW = 4
_INVOCATIONS = Integer(1, MAX_INVOCATIONS, unit="requests")
_BACKLOG = Number("above 0", above=0)
_PREFIX = String(
    "a folder inside the bucket, of letters, digits and !_.*'()/-, without a slash first",
    r"(?!/)(?!.*//)[A-Za-z0-9!_.*'()/-]*",
    longest=LONGEST_URI - _LONGEST_BUCKET - len("s3:///"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncRequest:
    """How an endpoint is to take requests from a queue.

    Args:
        prefixes: Folders of requests, answers and failures by argument, of one bucket those that can overlap.
        max_concurrent_invocations: Requests in progress at once on one instance. None: as many as it holds.
        request_tokens: Prompt and answer of one request together. None: the longest request.
        min_instances: The smallest number of instances.
        max_instances: The largest number of instances.
        backlog_per_instance: Requests of the backlog for each instance. None: as the plan works it out.
        topics: The notifications that have a topic: members of `TOPICS`.
        include_response_in: The notifications that contain the answer.
        has_own_input_bucket: Whether requests are in another bucket than answers.
    """

    prefixes: dict[str, str]
    max_concurrent_invocations: int | None
    request_tokens: int | None
    min_instances: int
    max_instances: int
    backlog_per_instance: float | None
    topics: frozenset[str]
    include_response_in: tuple[str, ...]
    has_own_input_bucket: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncPlan:
    """What a construct renders.

    Args:
        max_concurrent_invocations: Requests in progress at once on one instance.
        backlog_per_instance: Requests of the backlog for each instance, above which another one is added.
        scale_out_cooldown: Seconds between two additions.
    """

    max_concurrent_invocations: int
    backlog_per_instance: float
    scale_out_cooldown: int


def plan_async(request: AsyncRequest, plan: EndpointPlan) -> AsyncPlan:
    """The plan of a request without problems.

    Args:
        request: How it takes requests.
        plan: The plan of the endpoint.
    """
    invocations = request.max_concurrent_invocations or default_invocations(plan, request.request_tokens)
    return AsyncPlan(
        max_concurrent_invocations=invocations,
        backlog_per_instance=request.backlog_per_instance or BACKLOG_FACTOR * invocations,
        scale_out_cooldown=_cooldown(plan),
    )


def default_invocations(plan: EndpointPlan, request_tokens: int | None) -> int:
    """The requests that one instance has in progress at once, if the caller does not say it.

    As many as the GPUs' memory holds and the container accepts, 1 to 1000; 4 if the plan does not know the memory.

    Args:
        plan: The plan of the endpoint; of several instance types the one that holds the least counts.
        request_tokens: Prompt and answer of one request together. None: the longest request.
    """
    tokens = request_tokens or longest_request(plan)
    held = None if plan.memory is None or tokens is None else plan.memory.concurrent_requests(tokens)
    limits = [UNKNOWN_INVOCATIONS if held is None else held, MAX_INVOCATIONS]
    if plan.serving.max_concurrent_requests is not None:
        limits.append(plan.serving.max_concurrent_requests)
    return max(1, min(limits))


def async_problems(request: AsyncRequest, plan: EndpointPlan) -> Iterator[Problem]:
    """What is wrong with a request.

    Args:
        request: How it takes requests, with tokens hidden.
        plan: The plan of the endpoint.
    """
    yield from _prefix_problems(request)
    yield from _invocation_problems(request.max_concurrent_invocations, plan)
    yield from request_tokens_problems(request.request_tokens, plan)
    yield from _response_problems(request)
    backlog: object = request.backlog_per_instance
    figures: tuple[tuple[str, object], ...] = (
        ("min_instances", request.min_instances),
        ("max_concurrent_invocations", request.max_concurrent_invocations),
        ("backlog_per_instance", backlog),
    )
    for keyword, value in figures:
        if isinstance(value, Unknown):
            message = "must be known at synth, as others are worked out from it"
            yield Problem(keyword, UNKNOWN, message, "Write it as a number.")
    if backlog is not None and (found := problem("backlog_per_instance", backlog, _BACKLOG)):
        yield found
    minimum, maximum = request.min_instances, request.max_instances
    keywords = ("min_instances", "max_instances")
    yield from limit_problems(minimum, maximum, keywords=keywords, unit="instances", lowest=0)


def async_warnings(request: AsyncRequest, plan: EndpointPlan, reaches_s3: bool | None = None) -> Iterator[PlanWarning]:
    """What is legal but slow or risky about a request without problems.

    Args:
        request: How it takes requests.
        plan: The plan of the endpoint.
        reaches_s3: Whether the endpoint's subnets reach S3. None: not known, or no VPC.
    """
    if reaches_s3 is False:
        yield PlanWarning(
            "tgi-endpoint:asyncNeedsS3",
            "The endpoint's subnets do not reach S3, and AWS does not say whether SageMaker reads requests and writes"
            " answers through them: add a gateway endpoint for S3 to the VPC.",
        )
    invocations = default_invocations(plan, request.request_tokens)
    if request.max_concurrent_invocations or request.request_tokens or plan.memory is None or invocations >= _FEW:
        return
    some = "1 request" if invocations == 1 else f"{invocations} requests"
    yield PlanWarning(
        "tgi-endpoint:fewConcurrentInvocations",
        f"An instance has {some} in progress at once, as the longest request has {longest_request(plan)} tokens;"
        " shorter requests then use little of the GPU and wait in the queue. Set request_tokens to what your clients"
        " send, max_total_tokens in the options, or max_concurrent_invocations.",
    )


def _cooldown(plan: EndpointPlan) -> int:
    """In whole minutes."""
    seconds = START_MARGIN * start_seconds(plan.load_seconds)
    return int(min(LONGEST_COOLDOWN, max(SHORTEST_COOLDOWN, -(-seconds // 60) * 60)))


def _invocation_problems(given: object, plan: EndpointPlan) -> Iterator[Problem]:
    keyword, accepted = "max_concurrent_invocations", plan.serving.max_concurrent_requests
    if given is None:
        return
    if found := problem(keyword, given, _INVOCATIONS):
        yield found
    elif accepted is not None and isinstance(given, int) and given > accepted:
        message = f"is more than the container accepts at once: {accepted} requests (max_concurrent_requests)"
        yield Problem(keyword, given, message, f"Lower it to {accepted}, as requests above that fail, or raise both.")


def _prefix_problems(request: AsyncRequest) -> Iterator[Problem]:
    """Folders that are none, and folders that contain another one: who may write requests could then write answers."""
    right = {}
    for keyword, prefix in request.prefixes.items():
        if prefix == "":
            right[keyword] = ""
        elif found := problem(keyword, prefix, _PREFIX):
            yield found
        elif isinstance(prefix, str):
            right[keyword] = f"{prefix.rstrip('/')}/"
    for one, other in combinations(right, 2):
        if request.has_own_input_bucket and "input_prefix" in (one, other):
            continue
        for inner, outer in ((other, one), (one, other)):
            if right[inner].startswith(right[outer]):
                message = f"is inside {outer}={request.prefixes[outer]!r} of the same bucket"
                fix = "Give requests, answers and failures a folder each, none inside another."
                yield Problem(inner, request.prefixes[inner], message, fix)
                break


def _response_problems(request: AsyncRequest) -> Iterator[Problem]:
    keyword, given = "include_response_in", request.include_response_in
    if not is_list(given):
        message = f"must be a list of {' and '.join(map(repr, TOPICS))}, not {type(given).__name__}"
        yield Problem(keyword, given, message, 'Write ["success"], for example.')
        return
    for name in given:
        if name not in TOPICS:
            yield Problem(keyword, name, f"must be one of {', '.join(map(repr, TOPICS))}", "Use one of those.")
        elif name not in request.topics:
            message = f"requires {name}_topic: there is no such notification"
            yield Problem(keyword, name, message, f"Set {name}_topic, or leave it out.")
