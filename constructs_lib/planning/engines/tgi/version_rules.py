"""What a version of TGI cannot run yet, or cannot run any more.

Sources: TGI at each tag, below `server/text_generation_server`: `models/__init__.py` (get_model), `models/*.py` and
`utils/weights.py` (how the settings of compressed weights are found), `utils/layers.py` and later `layers/rotary.py`
(rope_scaling), `models/model.py` (warmup); and what models/transformers.py says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import implementation_of, support_of, trusts_remote_code
from constructs_lib.planning.engines.tgi.newer_versions import added_in, image_that_runs, image_with
from constructs_lib.planning.engines.tgi.options import Quantization
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version
from constructs_lib.planning.models.architecture import Backend, Implementation
from constructs_lib.planning.models.architectures import implementation
from constructs_lib.planning.models.facts import ModelFacts
from constructs_lib.planning.models.transformers import transformers_of
from constructs_lib.planning.validation.problem import Problem

_LIMITS = ("max_input_tokens", "max_total_tokens")

_ROPE_SINCE: dict[str, Version] = {
    "yarn": (1, 2, 0),
    "su": (2, 0, 3),
    "longrope": (2, 2, 0),
    "llama3": (2, 2, 0),
}
"""Ways of stretching positions that older versions stop at; they ignore or know the others."""

_PUBLISHED_SINCE: dict[str, Version] = {
    Quantization.GPTQ: (0, 8, 0),
    Quantization.AWQ: (1, 1, 0),
    Quantization.EXL2: (2, 1, 0),
    Quantization.FP8: (2, 2, 0),
    Quantization.COMPRESSED_TENSORS: (2, 3, 1),
}
"""First version that loads weights which were published so. v2.3.1 and v2.4.0 take compressed-tensors for fp8."""

_DETECTED_SINCE: dict[str, Version] = {Quantization.GPTQ: (2, 0, 0), Quantization.AWQ: (2, 0, 0)}
"""First version that sees it in config.json, if that is later; older ones have to be told."""

_AWQ_SETTINGS_SINCE: Version = (1, 3, 0)
"""The code of 1.1.0 looks into config.json as well, but public reports of the images of 1.1.0 and 1.2 end in "weight
gptq_bits does not exist" for weights of Llama's class whose settings are there (01-ai/Yi#170, a comment on #1322 of
TGI). Those with a quant_config.json start (#1067)."""


@dataclass(frozen=True)
class _Trait:
    """Something about a model that versions of TGI's own class do not handle.

    Args:
        name: Its name in `TgiSupport.reads`.
        words: What a message calls it.
        has: Whether a model has it.
        since: First version for classes that say nothing about it. Default: every version.
    """

    name: str
    words: Callable[[ModelFacts], str]
    has: Callable[[EngineContext, ModelFacts], bool]
    since: Version = (0, 0, 0)


_TRAITS = (
    _Trait(
        "head_dim",
        lambda facts: f"a head_dim of {facts.head_dim} beside hidden_size {facts.hidden} and {facts.heads} heads",
        lambda _, facts: facts.heads * facts.head_dim != facts.hidden,
    ),
    _Trait(
        "grouped_heads",
        lambda facts: f"fewer key-value heads ({facts.kv_heads}) than attention heads ({facts.heads})",
        lambda _, facts: facts.kv_heads < facts.heads,
    ),
    _Trait(
        "tied_embeddings",
        lambda _: "an output layer that is the embedding of the input (tie_word_embeddings)",
        lambda _, facts: facts.tied_embeddings,
    ),
    _Trait(
        "awq",
        lambda _: "weights that were published as awq",
        lambda _, facts: facts.quantization == Quantization.AWQ,
    ),
    _Trait(
        "awq_settings",
        lambda _: "settings of awq in config.json alone, without a quant_config.json,",
        lambda _, facts: facts.quantization == Quantization.AWQ and facts.settings_in_config,
        _AWQ_SETTINGS_SINCE,
    ),
    _Trait(
        "quantize",
        lambda _: "compressed weights",
        lambda ctx, facts: ctx.given("quantize") or facts.published_quantization is not None,
    ),
)


def version_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Why this version of TGI does not start with the model."""
    if ctx.facts is None:
        return
    runs_with = implementation_of(ctx, ctx.facts)
    if not runs_with.runs:
        yield _does_not_run(ctx, ctx.facts, runs_with.fault)
        return
    if runs_with.remote_config and not trusts_remote_code(ctx):
        yield _remote_config(ctx, ctx.facts)
    if runs_with.backend is Backend.OWN:
        yield from _trait_problems(ctx, ctx.facts)
        yield from _rope_problems(ctx, ctx.facts)
        yield from _published_problems(ctx, ctx.facts)
    if not runs_with.takes_limits and (given := [name for name in _LIMITS if ctx.given(name)]):
        yield _limits(ctx, ctx.facts, given[-1])


def _tgi(ctx: EngineContext) -> str:
    return f"TGI {format_version(ctx.version)}"


def _does_not_run(ctx: EngineContext, facts: ModelFacts, fault: str | None) -> Problem:
    """With the version that does, else with the way to run the repository's code, if it brings any."""
    why = (
        f"{_tgi(ctx)} does not run {facts.hub_id}: {fault}"
        if fault
        else f"{_tgi(ctx)} does not have {facts.model_type}"
    )
    if added := added_in(ctx, facts, lambda one: one.runs):
        fix = image_that_runs(ctx, facts, lambda one: one.runs) or "Use an image of that version."
        return Problem(
            "image",
            format_version(ctx.version),
            f"{why}; {added} does" if fault else f"{why}; it was added in {added}",
            fix,
        )
    if fault is None:
        why += f", nor has its transformers {format_version(transformers_of(ctx.version))}"
    if implementation(facts, ctx.version, remote_code=facts.auto_map).runs:
        trust = "Set options.trust_remote_code to run the code of its repository, slowly and on one GPU"
        return Problem("model", facts.hub_id, why, f"{trust}, and pin its revision.")
    return Problem("model", facts.hub_id, why, "Use a model that TGI runs, or another engine.")


def _remote_config(ctx: EngineContext, facts: ModelFacts) -> Problem:
    fix = image_that_runs(ctx, facts, lambda one: one.runs and not one.remote_config)
    trust = "Set it to True, and pin the model's revision."
    return Problem(
        "options.trust_remote_code",
        ctx.shown("trust_remote_code"),
        f"{_tgi(ctx)} does not have the configuration of {facts.model_type} models and needs the code of the"
        " repository for it",
        f"{trust} Or: {fix}" if fix else trust,
    )


def _trait_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    reads = support_of(facts).reads
    for trait in _TRAITS:
        since = reads.get(trait.name, trait.since)
        if trait.has(ctx, facts) and (since is None or ctx.version < since):
            yield _too_old(ctx, facts, trait.words(facts), since)


def _rope_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    reads = {**_ROPE_SINCE, **support_of(facts).reads}
    since = reads.get(facts.rope or "")
    if since and ctx.version < since:
        yield _too_old(ctx, facts, f"rope_scaling of the type {facts.rope!r}", since)


def _too_old(ctx: EngineContext, facts: ModelFacts, words: str, since: Version | None) -> Problem:
    message = f"{_tgi(ctx)} does not support {words} in {facts.model_type} models"
    if since is None:
        fix = "Use another model: no version of TGI does."
        return Problem("model", facts.hub_id, message, fix)
    fix = image_with(ctx, lambda version: version >= since) or "Use a newer image."
    return Problem("image", format_version(ctx.version), f"{message}; that came with {format_version(since)}", fix)


def _published_problems(ctx: EngineContext, facts: ModelFacts) -> Iterator[Problem]:
    kind = facts.published_quantization
    if kind is None:
        return
    since, detected = _PUBLISHED_SINCE.get(kind), _DETECTED_SINCE.get(kind)
    if since and ctx.version < since:
        yield _too_old(ctx, facts, f"weights that were published as {kind}", since)
    elif detected and ctx.version < detected and ctx.given("dtype") and not ctx.given("quantize"):
        yield Problem(
            "options.dtype",
            ctx.text("dtype"),
            f"{_tgi(ctx)} has to be told that the weights of {facts.hub_id} were published as {kind}, and then takes no"
            f" type; from {format_version(detected)} on it sees that",
            "Leave it out.",
        )


def _limits(ctx: EngineContext, facts: ModelFacts, option: str) -> Problem:
    images = ctx.engine.images
    able = [
        text
        for text in images.versions
        if (version := parse_version(text)) and _starts_with_limits(implementation(facts, version))
    ]
    leave = "leave out max_input_tokens and max_total_tokens: TGI then takes them from max_batch_prefill_tokens."
    return Problem(
        f"options.{option}",
        ctx.shown(option),
        f"{_tgi(ctx)} never starts {facts.model_type} models with limits: its warm-up ends in \"TypeError: 'NoneType'"
        ' object is not iterable"',
        f"Use {images.construct}.version({able[-1]!r}), the newest image that does, or {leave}",
    )


def _starts_with_limits(one: Implementation) -> bool:
    return one.runs and one.takes_limits
