"""Several endpoints behind one model's name: which of them a front door sends a request to.

A value of `FrontDoor(models=…)` is an endpoint, or one of these around endpoints: a Mirror may contain a Split, and
that Fallbacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from constructs_lib.endpoint.interface import IModelEndpoint


# Compared by identity, so that they can be keys.
@dataclass(frozen=True, slots=True, eq=False)
class Fallback:
    """Endpoints in the order in which they are tried.

    The next one gets a request that SageMaker or the container of the one before refused before anything was generated:
    no capacity, throttled, a full queue, an endpoint that is missing or not in service. It gets it in its own engine's
    words. Only at the last one a request is repeated, or waits for a model that wakes.

    Args:
        endpoints: At least two, of any engine and, by `from_endpoint_arn`, of any Region.
    """

    endpoints: Sequence[IModelEndpoint]

    def __post_init__(self) -> None:
        # A list of the caller's may change before the synthesis, when it has been checked and permitted already.
        if isinstance(self.endpoints, list):
            object.__setattr__(self, "endpoints", list(self.endpoints))


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Shares of the callers: each gets one of several endpoints, and keeps it.

    The caller is the header `x-session-id`, else the API key, subject or principal; without any of them each request is
    a caller of its own. With few callers the shares of requests are not those of the weights: send the header. A weight
    that is raised moves callers to that endpoint and moves no others.

    Args:
        weights: The weight of each endpoint, or Fallback; its share is the weight divided by the sum. 0: it gets none.
            At least one weight must be above 0.
    """

    weights: Mapping[IModelEndpoint | Fallback, float]

    def __post_init__(self) -> None:
        # Likewise.
        if isinstance(self.weights, Mapping):
            object.__setattr__(self, "weights", dict(self.weights))


@dataclass(frozen=True, slots=True, eq=False)
class Mirror:
    """Copies of requests for a second endpoint, whose answers nobody gets.

    A copy is made after the first event of the answer, by another function, so that it neither delays nor fails the
    request. It is never repeated. What came of it is in the log and in metrics of its own. Until it is sent, Lambda
    keeps the copy, prompt included, in its queue of asynchronous invocations, for at most a minute.

    Args:
        primary: What answers the clients: an endpoint, a Split or a Fallback.
        to: The endpoint that gets the copies. None of those in `primary`.
        percent: The share of the requests that are copied, from 0 to 100, chosen at random.
    """

    primary: IModelEndpoint | Split | Fallback
    to: IModelEndpoint = field(kw_only=True)
    percent: float = field(kw_only=True)


RoutedModel: TypeAlias = "IModelEndpoint | Split | Fallback | Mirror"
"""What answers for one name: an endpoint, or what chooses among several."""


def is_routed(model: object) -> bool:
    """Whether it chooses among endpoints, and is none itself."""
    return isinstance(model, Split | Fallback | Mirror)


def answering_endpoints(model: RoutedModel) -> tuple[IModelEndpoint, ...]:
    """The endpoints whose answers clients get, each once."""
    return _each_once(_answering(model))


def endpoints_of(model: RoutedModel) -> tuple[IModelEndpoint, ...]:
    """All endpoints of a model, each once: those whose answers clients get, and the one of its Mirror."""
    return _each_once((*_answering(model), *([model.to] if isinstance(model, Mirror) else ())))


def all_endpoints(models: Iterable[RoutedModel]) -> tuple[IModelEndpoint, ...]:
    """All endpoints of several models, each once."""
    return _each_once(endpoint for model in models for endpoint in endpoints_of(model))


def waiting_endpoints(model: RoutedModel) -> tuple[IModelEndpoint, ...]:
    """The endpoints at which a client waits, or is refused, while they have no copy: of a Fallback the last one."""
    return _each_once(_waiting(model))


def mirrors_of(models: Mapping[str, RoutedModel]) -> dict[str, Mirror]:
    """The Mirrors among models, by the models' names."""
    return {name: model for name, model in models.items() if isinstance(model, Mirror)}


def has_fallback(model: RoutedModel) -> bool:
    """Whether an endpoint of a model gets what another one refuses."""
    if isinstance(model, Mirror):
        return has_fallback(model.primary)
    choices = model.weights if isinstance(model, Split) else [model]
    return any(isinstance(choice, Fallback) for choice in choices)


def without_shares(model: RoutedModel) -> RoutedModel:
    """The same endpoints in the same places, as they are for any weights and any share of copies."""
    if isinstance(model, Mirror):
        primary: Any = without_shares(model.primary)
        return Mirror(primary, to=model.to, percent=100)
    return Split(dict.fromkeys(model.weights, 1)) if isinstance(model, Split) else model


def target_name(endpoint: Any) -> str:
    """What a routed model calls an endpoint: its construct path, which synth knows, else its name."""
    path = construct_path(endpoint)
    return str(endpoint.endpoint_name) if path is None else path


def construct_path(value: object) -> str | None:
    """The path of a construct in the tree; None of anything else."""
    path = getattr(getattr(value, "node", None), "path", None)
    return path if isinstance(path, str) else None


def _answering(model: RoutedModel) -> Iterator[IModelEndpoint]:
    if isinstance(model, Mirror):
        yield from _answering(model.primary)
    elif isinstance(model, Split):
        for choice in model.weights:
            yield from _answering(choice)
    elif isinstance(model, Fallback):
        yield from model.endpoints
    else:
        yield model


def _waiting(model: RoutedModel) -> Iterator[IModelEndpoint]:
    if isinstance(model, Mirror):
        yield from _waiting(model.primary)
    elif isinstance(model, Split):
        for choice in model.weights:
            yield from _waiting(choice)
    else:
        yield model.endpoints[-1] if isinstance(model, Fallback) else model


def _each_once(endpoints: Iterable[IModelEndpoint]) -> tuple[IModelEndpoint, ...]:
    # By identity: two imports of one endpoint are two targets.
    return tuple({id(endpoint): endpoint for endpoint in endpoints}.values())
