"""How an endpoint serves its model: what clients may want to know, and what a front door checks requests against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, Rule, String, problem
from constructs_lib.planning.validation.unknown import Unknown


class ServingOptions(TypedDict, total=False):
    """The members of `ServingFacts`, as keywords."""

    version: str
    revision: str
    dtype: str
    quantize: str
    max_input_tokens: int
    max_total_tokens: int
    max_batch_total_tokens: int
    max_concurrent_requests: int
    max_best_of: int
    max_stop_sequences: int
    max_top_n_tokens: int
    max_client_batch_size: int
    enable_prefill_logprobs: bool
    reads_images: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingFacts:
    """How a model is served, by the names of TGI's launcher. None means not known at synth.

    Args:
        version: TGI's version, such as `3.3.6`.
        revision: Commit, tag or branch of the model's repository.
        dtype: Type in which it computes.
        quantize: How its weights are compressed.
        max_input_tokens: Longest prompt.
        max_total_tokens: Longest prompt and answer together.
        max_batch_total_tokens: Maximum number of tokens in one batch.
        max_concurrent_requests: Concurrent requests in one container; more get 429.
        max_best_of: Largest best_of of a request.
        max_stop_sequences: Most stop sequences of a request.
        max_top_n_tokens: Largest top_n_tokens of a request.
        max_client_batch_size: Most prompts of one /v1/completions request.
        enable_prefill_logprobs: Whether it computes log probabilities of a prompt's tokens, which `echo` with
            `logprobs` of /v1/completions needs.
        reads_images: Whether the model sees images; a front door rejects them if it does not.
    """

    version: str | None = None
    revision: str | None = None
    dtype: str | None = None
    quantize: str | None = None
    max_input_tokens: int | None = None
    max_total_tokens: int | None = None
    max_batch_total_tokens: int | None = None
    max_concurrent_requests: int | None = None
    max_best_of: int | None = None
    max_stop_sequences: int | None = None
    max_top_n_tokens: int | None = None
    max_client_batch_size: int | None = None
    enable_prefill_logprobs: bool | None = None
    reads_images: bool | None = None


def common_facts(serving: Sequence[ServingFacts]) -> ServingFacts:
    """What holds whichever of several serves: the smallest of numbers, what any lacks, and what all have alike.

    Args:
        serving: The facts of each; at least one.
    """
    names = [one.name for one in fields(ServingFacts)]
    return ServingFacts(**{name: common_value([getattr(facts, name) for facts in serving]) for name in names})


def common_value(values: Sequence[object]) -> Any:
    """One member of `common_facts`: the smallest number, False if any is, else what all have alike, else None.

    Args:
        values: The value of each; None where it is not known. At least one.
    """
    known = [value for value in values if value is not None]
    if any(value is False for value in known):  # 0 is equal to it
        return False
    numbers = [value for value in known if isinstance(value, int) and not isinstance(value, bool)]
    if numbers:
        return min(numbers)
    return values[0] if all(value == values[0] for value in values) else None


_COUNT = Integer(1)
_RULES: dict[str, Rule] = {
    "version": String("a full version such as 3.3.6", r"\d+\.\d+\.\d+", longest=32),
    "revision": String(longest=256),
    "max_input_tokens": _COUNT,
    "max_total_tokens": Integer(2),
    "max_batch_total_tokens": _COUNT,
    "max_concurrent_requests": _COUNT,
    "max_best_of": _COUNT,
    "max_stop_sequences": Integer(0),
    "max_top_n_tokens": Integer(0),
    "max_client_batch_size": _COUNT,
    "enable_prefill_logprobs": Boolean(),
    "reads_images": Boolean(),
}


def facts_problems(facts: ServingFacts, engine_rules: Mapping[str, Rule]) -> Iterator[Problem]:
    """What is wrong with facts that a caller gives of an endpoint that exists already.

    Args:
        facts: What the caller gives.
        engine_rules: What the engine accepts (`Engine.serving_rules`).
    """
    rules = {one.name: {**_RULES, **engine_rules}[one.name] for one in fields(ServingFacts)}
    for name, rule in rules.items():
        value = getattr(facts, name)
        if isinstance(value, Unknown):
            fix = "Write the value itself, or leave it out."
            yield Problem(name, value, "must be known at synth, because a front door passes it to its function", fix)
        elif value is not None and (found := problem(name, value, rule)):
            yield found
    longest_input, total = facts.max_input_tokens, facts.max_total_tokens
    if isinstance(longest_input, int) and isinstance(total, int) and longest_input >= total:
        fix = "Use the endpoint's own limits."
        yield Problem("max_input_tokens", longest_input, f"must be less than max_total_tokens={total}", fix)
