"""How an endpoint serves its model: what clients may want to know, and what a front door checks requests against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypedDict

from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.rules import Boolean, Integer, ListOf, OneOf, Rule, String, problem
from constructs_lib.planning.validation.unknown import Unknown


class StreamFormat(StrEnum):
    """How a container writes a stream."""

    SSE = "sse"
    """Server-sent events: each begins with `data:` and ends with an empty line."""

    JSON_LINES = "jsonlines"
    """One JSON object in a line."""


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
    processed_logprobs: bool
    reads_images: bool
    tools: bool
    chat: bool
    completions: bool
    adapters: Sequence[str]
    overload_statuses: Sequence[int]
    stream_format: StreamFormat


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
        processed_logprobs: Whether log probabilities are of what a token was drawn from, after temperature, penalties
            and the like, as TGI's are: with vLLM by `logprobs_mode`. A front door marks answers to TGI's clients in
            which they differ.
        reads_images: Whether the model sees images; a front door rejects them if it does not.
        tools: Whether the container reads the model's tool calls: with TGI always, with other engines if they are
            started with a tool parser. A front door rejects tools if it does not.
        chat: Whether the container answers chats.
        completions: Whether it answers completions of a prompt.
        adapters: Names of the LoRA adapters that the container loads at its start. Clients call one as model
            `name:adapter`.
        overload_statuses: HTTP statuses with which the container refuses a request because it has too many.
        stream_format: How the container writes a stream. None: as its engine does.
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
    processed_logprobs: bool | None = None
    reads_images: bool | None = None
    tools: bool | None = None
    chat: bool | None = None
    completions: bool | None = None
    adapters: Sequence[str] | None = None
    overload_statuses: Sequence[int] | None = None
    stream_format: StreamFormat | None = None


def common_facts(serving: Sequence[ServingFacts]) -> ServingFacts:
    """What holds whichever of several serves: the smallest of numbers, what any lacks, and what all have alike.

    Of lists it is what all of them have.

    Args:
        serving: The facts of each; at least one.
    """
    names = [one.name for one in fields(ServingFacts)]
    return ServingFacts(**{name: common_value([getattr(facts, name) for facts in serving]) for name in names})


def common_value(values: Sequence[object]) -> Any:
    """One member of `common_facts`: the smallest number, False if any is, else what all have alike, else None.

    Of lists it is what all have, in the order of the first.

    Args:
        values: The value of each; None where it is not known. At least one.
    """
    known = [value for value in values if value is not None]
    if any(value is False for value in known):  # 0 is equal to it
        return False
    numbers = [value for value in known if isinstance(value, int) and not isinstance(value, bool)]
    if numbers:
        return min(numbers)
    lists = [value for value in values if isinstance(value, list | tuple)]
    if len(lists) == len(values):
        return tuple(one for one in lists[0] if all(one in other for other in lists))
    return values[0] if all(value == values[0] for value in values) else None


ADAPTER_NAME = String("a name without spaces and colons", r"[!-9;-~]+", longest=256)
"""A LoRA adapter's name: with a colon, `name:adapter` would have two meanings."""

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
    "processed_logprobs": Boolean(),
    "reads_images": Boolean(),
    "tools": Boolean(),
    "chat": Boolean(),
    "completions": Boolean(),
    "adapters": ListOf(ADAPTER_NAME, when_empty=""),
    "overload_statuses": ListOf(Integer(400, 599), when_empty=""),
    "stream_format": OneOf(StreamFormat),
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
    if facts.chat is False and facts.completions is False:
        yield Problem(
            "chat", False, "leaves nothing that the container answers, with completions=False", "Leave one out."
        )
    longest_input, total = facts.max_input_tokens, facts.max_total_tokens
    if isinstance(longest_input, int) and isinstance(total, int) and longest_input >= total:
        fix = "Use the endpoint's own limits."
        yield Problem("max_input_tokens", longest_input, f"must be less than max_total_tokens={total}", fix)
