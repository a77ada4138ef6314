"""What a container would download from the hub that does not reach it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.validation.problem import Problem

_FIX = "Put it beside the weights, and write its path, /opt/ml/model/…."


def why_offline(ctx: EngineContext) -> str | None:
    """Why the container does not reach the hub; None if it may."""
    if ctx.model.source == "s3":
        return "weights come from S3 with HF_HUB_OFFLINE=1"
    return "network isolation cuts the container off" if ctx.network_isolation else None


def download_problems(
    ctx: EngineContext, keyword: str, value: object, wanted: str, *, what: str = ""
) -> Iterator[Problem]:
    """That something is downloaded which the container cannot download.

    Args:
        ctx: The context.
        keyword: The option that names it.
        value: The option's value.
        wanted: The hub id, or the path in the container.
        what: What it is of the value, for the message. Default: the value itself.
    """
    offline = why_offline(ctx)
    if offline is not None and not wanted.startswith("/"):
        yield Problem(keyword, value, f"{what}is downloaded from the hub, but {offline}", _FIX)


def draft_problems(ctx: EngineContext, option: str) -> Iterator[Problem]:
    """That the model which guesses tokens ahead is downloaded, by vLLM's speculative configuration.

    Args:
        ctx: The context.
        option: The option with the configuration, a mapping or the text of a JSON object.
    """
    given = ctx.values.get(option)
    config = _parsed(given) if isinstance(given, str) else given
    draft = config.get("model") if isinstance(config, Mapping) else None
    if isinstance(draft, str) and option not in ctx.unknown:
        yield from download_problems(ctx, f"options.{option}", given, draft, what=f"its model, {draft}, ")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
