"""Between which numbers of instances or copies something scales, and for which requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_lib.planning.scaling.concurrency import concurrency_target
from constructs_lib.planning.validation.problem import PlanWarning, Problem
from constructs_lib.planning.validation.rules import Integer, problem
from constructs_lib.planning.validation.unknown import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib.planning.request import EndpointPlan

_LOW_TARGET = 4


def limit_problems(
    minimum: object, maximum: object, *, keywords: tuple[str, str], unit: str, lowest: int = 1
) -> Iterator[Problem]:
    """What is wrong with a smallest and a largest number.

    Args:
        minimum: The smallest number.
        maximum: The largest number, at least 1.
        keywords: Both arguments as the caller wrote them.
        unit: What is counted, such as `instances`.
        lowest: The least that the smallest number may be.
    """
    found = [
        problem(keyword, value, Integer(least, unit=unit))
        for keyword, value, least in zip(keywords, (minimum, maximum), (lowest, max(1, lowest)), strict=True)
    ]
    yield from (each for each in found if each)
    if not any(found) and isinstance(minimum, int) and isinstance(maximum, int) and minimum > maximum:
        fix = f"Lower {keywords[0]}, or raise {keywords[1]}."
        yield Problem(keywords[0], minimum, f"must be at most {keywords[1]}={maximum}", fix)


def count_problems(count: object, minimum: object, maximum: object) -> Iterator[Problem]:
    """What is wrong with the instances of a new endpoint that is scaled between two numbers.

    Args:
        count: The instances of a new endpoint.
        minimum: The smallest number.
        maximum: The largest number.
    """
    if not (isinstance(count, int) and isinstance(minimum, int) and isinstance(maximum, int)):
        return
    if 1 <= minimum <= maximum and not minimum <= count <= maximum:
        message = f"must be from min_instances={minimum} to max_instances={maximum}, between which the endpoint scales"
        yield Problem("instance_count", count, message, f"Set instance_count={minimum} on the endpoint.")


def request_tokens_problems(request_tokens: object, plan: EndpointPlan | None) -> Iterator[Problem]:
    """What is wrong with the tokens of a request, by which the default target is worked out.

    Args:
        request_tokens: Prompt and answer of one request together. None: the longest request.
        plan: The plan of the endpoint; None if it has none.
    """
    if request_tokens is None:
        return
    if isinstance(request_tokens, Unknown):
        message = "must be known at synth, as the target is worked out from it"
        yield Problem("request_tokens", request_tokens, message, "Write it as a number.")
    elif plan is None:
        message = "requires an endpoint of this app: of an imported one nothing is known to work a target out from"
        yield Problem("request_tokens", request_tokens, message, "Leave it out, and give on_concurrency(target=…).")
    elif found := problem("request_tokens", request_tokens, Integer(1, longest_request(plan) or 2**32 - 1, "tokens")):
        yield found


def longest_request(plan: EndpointPlan) -> int | None:
    """Tokens of the longest request, prompt and answer together; None if synth does not know it."""
    return plan.serving.max_total_tokens or (None if plan.memory is None else plan.memory.context)


def default_target(plan: EndpointPlan | None, request_tokens: int | None) -> int | None:
    """The concurrent requests of one instance or copy at which to add another one (`concurrency_target`).

    Args:
        plan: The plan of the container; None if it has none.
        request_tokens: Prompt and answer of one request together. None: the longest request.

    Returns:
        The target; None if the plan does not know what the GPUs hold.
    """
    tokens = None if plan is None else request_tokens or longest_request(plan)
    if plan is None or plan.memory is None or tokens is None:
        return None
    return concurrency_target(plan.memory, tokens, plan.serving.max_concurrent_requests)


def target_warnings(target: float, plan: EndpointPlan | None, request_tokens: int | None) -> Iterator[PlanWarning]:
    """What is risky about a target that `default_target` works out.

    Args:
        target: The target.
        plan: The plan of the container.
        request_tokens: Prompt and answer of one request together. None: the longest request.
    """
    if plan is not None and request_tokens is None and target < _LOW_TARGET:
        requests = "1 request" if target == 1 else f"{target} requests"
        yield PlanWarning(
            "tgi-endpoint:lowConcurrencyTarget",
            f"Scaling keeps {requests} in progress on each, as the longest request has {longest_request(plan)} tokens;"
            " shorter requests then pay for far more than they need. Set request_tokens to what your clients send, or"
            " max_total_tokens in the options.",
        )
