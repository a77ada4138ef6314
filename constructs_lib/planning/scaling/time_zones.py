"""Time zones by their IANA names, from a catalogue: a template must not depend on the machine that synthesizes it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from constructs_lib.planning.data_files import read
from constructs_lib.planning.validation.problem import Problem
from constructs_lib.planning.validation.unknown import Unknown

_CATALOGUE = "scaling/time_zones"
_UTC = "UTC0"


def time_zone_problems(keyword: str, name: object) -> Iterator[Problem]:
    """What is wrong with a time zone.

    Args:
        keyword: The argument as the caller wrote it.
        name: What was given.
    """
    if _zone(name) is not None:
        return
    if isinstance(name, Unknown):
        message = "must be known at synth, as it is looked up in the IANA database"
        yield Problem(keyword, name, message, "Write a name such as Europe/Berlin, or UTC.")
        return
    near = get_close_matches(name, [*_zones(), *_links()], n=1) if isinstance(name, str) else []
    fix = f"Did you mean {near[0]}?" if near else "Write a name such as Europe/Berlin, or UTC."
    yield Problem(keyword, name, "must be the name of a time zone in the IANA database", fix)


def posix_rule(name: str) -> str:
    """The zone as POSIX writes it in TZ, such as `CET-1CEST,M3.5.0,M10.5.0/3`.

    Args:
        name: A name without `time_zone_problems`.
    """
    return _zones()[_zone(name) or name]


def schedule_time_zone(name: str) -> str | None:
    """The zone as Application Auto Scaling takes it: without its other names, and None for UTC, its default.

    Source: botocore 1.44.5, application-autoscaling 2016-02-06, PutScheduledAction ("canonical names").

    Args:
        name: A name without `time_zone_problems`.
    """
    return None if posix_rule(name) == _UTC else _zone(name)


def _zone(name: object) -> str | None:
    if not isinstance(name, str):
        return None
    return name if name in _zones() else _links().get(name)


def _zones() -> dict[str, str]:
    zones: dict[str, str] = read(_CATALOGUE)["zones"]
    return zones


def _links() -> dict[str, str]:
    links: dict[str, str] = read(_CATALOGUE)["links"]
    return links
