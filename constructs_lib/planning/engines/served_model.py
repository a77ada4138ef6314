"""What is said to clients of the model that an engine serves, where engines do not differ."""

from __future__ import annotations

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.validation.unknown import Unknown


def revision_of(ctx: EngineContext) -> str | None:
    """The revision of the model's repository, or what the template has for it."""
    revision: object = ctx.model.revision
    if isinstance(revision, Unknown):
        return revision.text
    return revision if isinstance(revision, str) else None


def quantization_of(ctx: EngineContext, option: str) -> str | None:
    """How weights are compressed: by the option, else as they were published."""
    if ctx.given(option):
        return ctx.text(option)
    return ctx.facts.published_quantization if ctx.facts else None


def length_of(ctx: EngineContext, option: str) -> int | None:
    """The longest request: by the option, else the model's longest context; None if it is not known."""
    if ctx.given(option):
        return ctx.number(option)
    return ctx.facts.max_positions if ctx.facts else None
