"""What becomes of an option of TGI on another engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.images.catalogue import Version
from constructs_lib.planning.models.facts import ModelFacts


class Fate(StrEnum):
    """What becomes of an option."""

    SET = "set"
    """An option, or a variable, of the new engine takes its place."""

    BY_ITSELF = "by itself"
    """The new engine, or its plan, does it without an option."""

    FRONT_DOOR = "front door"
    """The front door keeps to it."""

    FALLS_AWAY = "falls away"
    """There is nothing left that it could change, or nobody notices."""

    BY_HAND = "by hand"
    """The new engine can do it, with something that only its owner has."""

    LOST = "lost"
    """The new engine cannot do it."""


@dataclass(frozen=True, kw_only=True)
class Becomes:
    """What becomes of the value of an option.

    Args:
        fate: What becomes of it.
        reason: Why, or what changes, as a sentence. Default: nothing is to be said.
        settings: Options of the new engine that take its place. Default: none.
        variables: Variables of the new container that take its place. Default: none.
    """

    fate: Fate
    reason: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The endpoint on TGI, as the rules for a single option see it, and the version of the new engine.

    Args:
        engine: Name of the new engine in messages.
        version: Its version.
        values: The options of TGI that are given, or that the plan sets.
        facts: The model; None if it is not known.
        instance: The instance type.
        own_compression: How weights of the owner's own are compressed, which no catalogue says; None if they are not.
    """

    engine: str
    version: Version
    values: Mapping[str, Any]
    facts: ModelFacts | None
    instance: InstanceType
    own_compression: str | None

    @property
    def capability(self) -> tuple[int, int]:
        """Compute capability of the GPUs; that of Ampere where it is not known."""
        return self.instance.compute_capability or (8, 0)


OptionRule = Callable[[Any, Origin], Becomes]
"""What becomes of a value of an option."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A row of the report: an option of TGI, a variable, or what the new engine wants beside, and what becomes of it.

    Args:
        option: Its name: that of `TgiOptions`, of an argument of the construct, or `environment[…]`.
        value: Its value.
        given: Whether the owner has given it; else the plan has set it.
        becomes: What becomes of it.
    """

    option: str
    value: object
    given: bool
    becomes: Becomes


def becomes_option(name: str, reason: str = "") -> OptionRule:
    """An option of another name with the same value."""
    return lambda value, _: setting(reason, **{name: value})


def setting(reason: str = "", **settings: object) -> Becomes:
    """Options of the new engine."""
    return Becomes(fate=Fate.SET, reason=reason, settings=settings)


def by_itself(reason: str) -> Becomes:
    """Nothing to set."""
    return Becomes(fate=Fate.BY_ITSELF, reason=reason)


def falls_away(reason: str) -> Becomes:
    """Nothing that anybody misses."""
    return Becomes(fate=Fate.FALLS_AWAY, reason=reason)


def by_hand(reason: str) -> Becomes:
    """Something that the owner has to do."""
    return Becomes(fate=Fate.BY_HAND, reason=reason)


def lost(reason: str) -> Becomes:
    """Nothing that the new engine has."""
    return Becomes(fate=Fate.LOST, reason=reason)


def always(becomes: Becomes) -> OptionRule:
    """The same for every value."""
    return lambda _value, _origin: becomes
