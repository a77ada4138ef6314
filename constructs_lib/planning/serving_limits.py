"""What the clients of an endpoint may want to know of it, and what a front door checks before it sends a request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TypedDict

from constructs_lib.planning.engines.tgi.context import EngineContext
from constructs_lib.planning.engines.tgi.launcher_options import OPTIONS
from constructs_lib.planning.engines.tgi.options import Dtype, Quantization
from constructs_lib.planning.images.version import dotted
from constructs_lib.planning.models.quantization import quantization_of
from constructs_lib.planning.validation.problem import AT_DEPLOYMENT, Problem
from constructs_lib.planning.validation.rules import Integer, OneOf, Rule, String, problem

_FLOAT16_ONLY = (Quantization.AWQ, Quantization.EXL2, Quantization.GPTQ, Quantization.MARLIN)

# TGI 3.3.6 `launcher/src/main.rs`, struct Args; the same since the option came.
_DEFAULTS = {
    "max_concurrent_requests": 128,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_top_n_tokens": 5,
    "max_client_batch_size": 4,
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingFacts:
    """How a model is served, by the names of TGI's launcher. None stands for what is not known at synth.

    Args:
        version: TGI's version, such as `3.3.6`.
        revision: Commit, tag or branch of the model's repository.
        dtype: Type in which it computes.
        quantize: How its weights are compressed.
        max_input_tokens: Longest prompt.
        max_total_tokens: Longest prompt and answer together.
        max_batch_total_tokens: Most tokens in one batch.
        max_concurrent_requests: Requests in one container at once; more get 429.
        max_best_of: Largest best_of of a request.
        max_stop_sequences: Most stop sequences of a request.
        max_top_n_tokens: Largest top_n_tokens of a request.
        max_client_batch_size: Most prompts of one /v1/completions request.
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


_COUNT = Integer(1)
_CHECKS: dict[str, Rule] = {
    "version": String("a full version such as 3.3.6", r"\d+\.\d+\.\d+", longest=32),
    "revision": String(longest=256),
    "dtype": OneOf(Dtype),
    "quantize": OneOf(Quantization),
    "max_input_tokens": _COUNT,
    "max_total_tokens": Integer(2),
    "max_batch_total_tokens": _COUNT,
    "max_concurrent_requests": _COUNT,
    "max_best_of": _COUNT,
    "max_stop_sequences": Integer(0),
    "max_top_n_tokens": Integer(0),
    "max_client_batch_size": _COUNT,
}


def facts_problems(facts: ServingFacts, is_token: Callable[[object], bool]) -> Iterator[Problem]:
    """What is wrong with facts that a caller states of an endpoint that exists already."""
    given = {name: value for name, value in asdict(facts).items() if value is not None}
    for name, value in given.items():
        if is_token(value):
            fix = "Write it as it is, or leave it out."
            yield Problem(name, AT_DEPLOYMENT, "must be known at synth: a front door tells its function", fix)
        elif found := problem(name, value, _CHECKS[name]):
            yield found
    longest_input, total = facts.max_input_tokens, facts.max_total_tokens
    if isinstance(longest_input, int) and isinstance(total, int) and longest_input >= total:
        fix = "Give the endpoint's own limits."
        yield Problem("max_input_tokens", longest_input, f"must be less than max_total_tokens={total}", fix)


def serving_facts(ctx: EngineContext, batch_setting: int | None) -> ServingFacts:
    """What is certain about how TGI will serve; what it measures when it starts is not.

    Args:
        ctx: The situation.
        batch_setting: The most tokens in one batch, where we tell TGI.
    """
    kind = _quantization(ctx)
    return ServingFacts(
        version=dotted(ctx.version),
        revision=ctx.model.revision if isinstance(ctx.model.revision, str) else None,
        dtype=_dtype(ctx, kind),
        quantize=kind.value if kind else None,
        max_input_tokens=ctx.number("max_input_tokens"),
        max_total_tokens=ctx.number("max_total_tokens"),
        max_batch_total_tokens=_batch_total(ctx, batch_setting),
        **{name: _limit(ctx, name, default) for name, default in _DEFAULTS.items()},
    )


def _batch_total(ctx: EngineContext, batch_setting: int | None) -> int | None:
    measures = ctx.version >= (3, 0, 0) and (ctx.facts is None or ctx.facts.flash)
    return None if measures else ctx.number("max_batch_total_tokens") or batch_setting


def _limit(ctx: EngineContext, name: str, default: int) -> int | None:
    has = any(option.keyword == name and option.is_in(ctx.version) for option in OPTIONS)
    return ctx.number(name) if ctx.given(name) or not has else default


def _quantization(ctx: EngineContext) -> Quantization | None:
    if ctx.given("quantize"):
        given = ctx.text("quantize")
        return Quantization(given) if given else None
    return quantization_of(ctx.facts, None) if ctx.facts else None


def _dtype(ctx: EngineContext, kind: Quantization | None) -> str | None:
    if ctx.given("dtype"):
        return ctx.text("dtype")
    # What TGI takes otherwise, each of its model classes decides for itself.
    return Dtype.FLOAT16.value if kind in _FLOAT16_ONLY else None
