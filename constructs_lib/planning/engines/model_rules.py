"""Rules between an option and the model, of engines that take vLLM's and SGLang's formats of weights and lengths.

Sources: vLLM `vllm/config/model.py` (`_verify_quantization`, `get_and_verify_max_len`) at 0.8.4 to 0.26.0; SGLang
`python/sglang/srt/configs/model_config.py` at 0.5.8 to 0.5.20.
"""

from __future__ import annotations

from collections.abc import Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.validation.problem import Problem


def format_problems(ctx: EngineContext, option: str, needed: str | None, *, reader: str) -> Iterator[Problem]:
    """That weights were not published in the format that an option needs.

    Args:
        ctx: The context.
        option: The option.
        needed: The format; None if its value needs none.
        reader: Who reads it in config.json, for the message.
    """
    facts = ctx.facts
    if facts is None or needed is None or facts.published_quantization == needed:
        return
    has = f"published as {facts.published_quantization}" if facts.published_quantization else "not compressed"
    yield Problem(
        f"options.{option}",
        ctx.text(option),
        f"needs weights that were published in that format, but those of {facts.hub_id} are {has}",
        f"Leave it out: {reader} sees in config.json how weights are compressed. fp8 compresses while loading.",
    )


def length_problems(ctx: EngineContext, option: str, *, overrides: str) -> Iterator[Problem]:
    """That requests are longer than the model's positions, which the engine refuses.

    Args:
        ctx: The context.
        option: The option with the longest request.
        overrides: The option that replaces members of config.json, with which positions may be stretched.
    """
    length, facts = ctx.number(option), ctx.facts
    if length and facts and length > facts.max_positions and not ctx.given(overrides):
        yield Problem(
            f"options.{option}",
            length,
            f"must be at most {facts.max_positions}, the longest context of {facts.hub_id}",
            f"Lower it to {facts.max_positions} or less, or leave it out.",
        )
