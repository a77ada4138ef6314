"""The variants and inference components that can be invoked, and the copies of their containers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from local.sagemaker_runtime import errors

if TYPE_CHECKING:
    from local.sagemaker_runtime.async_queue import AsyncQueue

_VARIANT = "AllTraffic"


@dataclass(slots=True, eq=False)
class Copy:
    """A container that serves.

    Args:
        url: Its base URL.
        in_flight: The requests that it has not answered yet, with those that wait in it.
        adapters: The adapters that it has loaded.
        loading: Held while it loads one.
    """

    url: str
    in_flight: int = 0
    adapters: set[str] = field(default_factory=set)
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)


class Fleet:
    """The copies behind an endpoint's variant or an inference component.

    Args:
        record: Receives the names and values of metrics. Default: none are kept.

    Attributes:
        copies: The copies that serve; one that is removed answers what it has.
    """

    def __init__(self, *copies: Copy, record: Callable[[str, float], None] = lambda _name, _value: None) -> None:
        self.copies = list(copies)
        self._record = record

    def of(self, copies: Sequence[Copy]) -> Fleet:
        """A fleet of other copies that records to the same metrics."""
        return Fleet(*copies, record=self._record)

    @contextmanager
    def route(self) -> Iterator[Copy]:
        """The copy with the fewest requests, for one request.

        Raises:
            ServiceError: There is no copy.
        """
        if not self.copies:
            self._record("NoCapacityInvocationFailures", 1)
            raise errors.no_capacity()
        copy = min(self.copies, key=lambda each: each.in_flight)
        self._record("Invocations", 1)
        self._record("InvocationsPerInstance", 1 / len(self.copies))
        self._record("InvocationsPerCopy", 1 / len(self.copies))
        copy.in_flight += 1
        try:
            yield copy
        finally:
            copy.in_flight -= 1


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant.

    Args:
        name: Its name.
        fleet: The copies of its model.
        weight: Of all requests it gets this much divided by the sum of the weights of all variants.
        adapter: The adapter that answers, of an inference component that is one.
    """

    name: str
    fleet: Fleet
    weight: float = 1
    adapter: str | None = None


class Endpoints:
    """The endpoints by name: each with variants that have a model, or with a fleet for each inference component."""

    def __init__(self) -> None:
        self._variants: dict[str, list[Variant]] = {}
        self._components: dict[str, dict[str, Variant]] = {}
        self._random = Random(0)  # noqa: S311 - the same requests reach the same variants again
        self._queues: dict[str, AsyncQueue] = {}

    @classmethod
    def of(cls, urls: Mapping[str, str]) -> Endpoints:
        """Endpoints with one container each, by name."""
        endpoints = cls()
        for name, url in urls.items():
            endpoints.add(name, Variant(_VARIANT, Fleet(Copy(url))))
        return endpoints

    def add(self, endpoint: str, *variants: Variant) -> None:
        """Adds an endpoint whose variants have a model each."""
        self._variants[endpoint] = list(variants)

    def add_components(
        self,
        endpoint: str,
        components: Mapping[str, Fleet],
        variant: str = _VARIANT,
        adapters: Mapping[str, str] | None = None,
    ) -> None:
        """Adds an endpoint whose variant has inference components, by name.

        Args:
            endpoint: The endpoint.
            components: The copies of each component.
            variant: The variant.
            adapters: The component whose copies have an adapter, by the name of the adapter's component.
        """
        found = {name: Variant(variant, fleet) for name, fleet in components.items()}
        for adapter, base in (adapters or {}).items():
            if base in components:
                found[adapter] = Variant(variant, components[base], adapter=adapter)
        self._components[endpoint] = found

    def add_queue(self, endpoint: str, queue: AsyncQueue) -> None:
        """Adds an asynchronous endpoint."""
        self._queues[endpoint] = queue

    def find_queue(self, endpoint: str) -> AsyncQueue:
        """The queue of an asynchronous endpoint.

        Raises:
            ServiceError: ValidationError: there is none.
        """
        if endpoint not in self._queues:
            if endpoint in self.names():
                raise errors.validation_error(f"Endpoint {endpoint} is not an asynchronous endpoint.")
            raise errors.validation_error(f"Endpoint {endpoint} of account {errors.ACCOUNT} not found.")
        return self._queues[endpoint]

    def remove(self, endpoint: str) -> None:
        """Removes an endpoint."""
        for kind in (self._variants, self._components, self._queues):
            kind.pop(endpoint, None)

    def copies(self, endpoint: str) -> list[Copy]:
        """The containers that serve the variants of an endpoint."""
        return [copy for variant in self._variants[endpoint] for copy in variant.fleet.copies]

    def names(self) -> list[str]:
        """The names of the endpoints."""
        return [*self._variants, *self._components]

    def asynchronous(self) -> list[str]:
        """The names of the asynchronous endpoints."""
        return list(self._queues)

    def find(self, endpoint: str, component: str | None, target: str | None = None) -> Variant:
        """The variant that gets a request, or that of the inference component which it names.

        Args:
            endpoint: The endpoint.
            component: The inference component that the request names.
            target: The variant that the request names, whatever the weights are. Default: none.

        Raises:
            ServiceError: ValidationError: there is none.
        """
        if endpoint in self._queues:
            raise errors.validation_error(f"Endpoint {endpoint} can only receive asynchronous invocations.")
        if endpoint in self._variants:
            if component:
                raise errors.validation_error(f"Endpoint {endpoint} has no inference components.")
            return self._choose(endpoint, target)
        found = self._components.get(endpoint)
        if found is None:
            raise errors.validation_error(f"Endpoint {endpoint} of account {errors.ACCOUNT} not found.")
        if not component:
            raise errors.component_required()
        if component not in found:
            raise errors.validation_error(f"Inference Component {component} of account {errors.ACCOUNT} not found.")
        return found[component]

    def _choose(self, endpoint: str, target: str | None) -> Variant:
        variants = self._variants[endpoint]
        if target:
            named = next((variant for variant in variants if variant.name == target), None)
            if named is None:
                raise errors.validation_error(f"Endpoint {endpoint} has no production variant {target}.")
            return named
        if not any(variant.weight for variant in variants):
            raise errors.validation_error(f"Endpoint {endpoint} has no production variant with a weight above 0.")
        (chosen,) = self._random.choices(variants, [variant.weight for variant in variants])
        return chosen
