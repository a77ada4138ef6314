"""Builds and forks of an engine that may differ from the version that they are based on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from constructs_lib.planning.engine import EngineContext
from constructs_lib.planning.images.catalogue import format_version
from constructs_lib.planning.validation.problem import PlanWarning, Problem, shown


def own_build_warnings(ctx: EngineContext, found: Iterable[Problem]) -> Iterator[PlanWarning]:
    """What the version as it was published could not run; whether the build can is not known.

    Args:
        ctx: The context.
        found: The problems of that version.
    """
    for one in found:
        yield PlanWarning(
            "tgi-endpoint:ownBuildUnchecked",
            f"{one.keyword}={shown(one.value)}: {one.message}. That is so for {ctx.engine.display_name}"
            f" {format_version(ctx.version)} as it was published; whether your build differs is not known.",
        )
