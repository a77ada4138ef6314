"""From when on TGI runs a model, and which of SageMaker's images do, as messages say it."""

from __future__ import annotations

from collections.abc import Callable

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.engines.tgi.context import trusts_remote_code
from constructs_lib.planning.images.catalogue import Version, format_version, parse_version
from constructs_lib.planning.models.architecture import Implementation
from constructs_lib.planning.models.architectures import first_version, implementation
from constructs_lib.planning.models.facts import ModelFacts


def added_in(ctx: EngineContext, facts: ModelFacts, wanted: Callable[[Implementation], bool]) -> str | None:
    """The first later version of TGI that runs a model in a wanted way; None if there is none yet."""
    version = first_version(facts, wanted, after=ctx.version, remote_code=_runs_remote_code(ctx, facts))
    return format_version(version) if version else None


def image_with(ctx: EngineContext, is_right: Callable[[Version], bool]) -> str | None:
    """How to choose the oldest of SageMaker's images that is newer and right; None if there is none."""
    images = ctx.engine.images
    later = [text for text in images.versions if (version := parse_version(text)) and ctx.version < version]
    found = next((text for text in later if is_right(parse_version(text) or ctx.version)), None)
    if found is None:
        return None
    choice = f"{images.construct}.version({found!r})"
    return f"Use {choice}." if found == images.newest else f"Use {choice} or a newer image."


def image_that_runs(ctx: EngineContext, facts: ModelFacts, wanted: Callable[[Implementation], bool]) -> str | None:
    """The same for an image that runs a model in a wanted way."""
    remote = _runs_remote_code(ctx, facts)
    return image_with(ctx, lambda version: wanted(implementation(facts, version, remote_code=remote)))


def _runs_remote_code(ctx: EngineContext, facts: ModelFacts) -> bool:
    return facts.auto_map and trusts_remote_code(ctx)
