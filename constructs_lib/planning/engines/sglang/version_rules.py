"""Which models and parsers a version of SGLang has.

Source: server_arguments.json, from SGLang's `python/sglang/srt/models`, `srt/function_call/function_call_parser.py` and
`srt/parser/reasoning_parser.py`. A model without a class of its own SGLang runs with that of transformers, if it can.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.encoder_decoders import encoder_decoder_problems
from constructs_lib.planning.engines.server_arguments import arguments_of, releases_of
from constructs_lib.planning.engines.sglang.arguments import is_known
from constructs_lib.planning.engines.sglang.images import AWS, HUGGING_FACE
from constructs_lib.planning.images.catalogue import format_version, parse_version
from constructs_lib.planning.validation.problem import PlanWarning, Problem

_PARSERS = ("tool_call_parser", "reasoning_parser")


def version_problems(ctx: EngineContext) -> Iterator[Problem]:
    """Which parsers this version does not have, at which SGLang stops, and which models no version runs."""
    yield from encoder_decoder_problems(ctx, f"SGLang {format_version(ctx.version)}")
    for option in _PARSERS if is_known(ctx.version) else ():
        given, known = ctx.text(option), arguments_of(f"sglang_{option}", ctx.version)
        if given is not None and given not in known:
            yield Problem(
                f"options.{option}",
                given,
                f"SGLang {format_version(ctx.version)} has no such parser; it has {', '.join(sorted(known))}",
                "Choose one of them, or leave it out.",
            )


def version_warnings(ctx: EngineContext) -> Iterator[PlanWarning]:
    """That nothing is known of this version, or that it has no class of its own for the model."""
    facts = ctx.facts
    if not is_known(ctx.version):
        first, last = map(format_version, releases_of("sglang"))
        yield PlanWarning(
            "tgi-endpoint:unknownRelease",
            f"What this library knows of SGLang is from {first} to {last}, so arguments, parsers and models were not"
            f" checked for {format_version(ctx.version)}.",
        )
        return
    if facts is None or facts.model_type in arguments_of("sglang_model_types", ctx.version):
        return
    yield PlanWarning(
        "tgi-endpoint:noOptimizedImplementation",
        f"SGLang {format_version(ctx.version)} has no class of its own for {facts.model_type} models. It tries the"
        f" class of transformers, slower and not for every model. {_newer_image(facts.model_type)}",
    )


def reads_images(ctx: EngineContext) -> bool | None:
    """Whether the model sees images; None if the model, or what a newer version sees, is not known."""
    if ctx.facts is None:
        return None
    return ctx.facts.model_type in arguments_of("sglang_image_types", ctx.version) or (
        False if is_known(ctx.version) else None
    )


def _newer_image(model_type: str) -> str:
    for images in (AWS, HUGGING_FACE):
        for text in reversed(images.versions):
            if model_type in arguments_of("sglang_model_types", parse_version(text) or (0, 0, 0)):
                return f"{images.construct}.{images.method}({text!r}) has one."
    return "Look at the container's log after the first deployment."
