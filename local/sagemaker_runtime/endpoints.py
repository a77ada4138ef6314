"""The endpoints and inference components that can be invoked, and the copies of their containers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from local.sagemaker_runtime import errors


@dataclass(slots=True, eq=False)
class Copy:
    """A container that serves.

    Args:
        url: Its base URL.
        in_flight: The requests that it has not answered yet, with those that wait in it.
    """

    url: str
    in_flight: int = 0


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

    @contextmanager
    def route(self) -> Iterator[str]:
        """The base URL of the copy with the fewest requests, for one request.

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
            yield copy.url
        finally:
            copy.in_flight -= 1


class Endpoints:
    """The endpoints by name: each with one fleet, or with one for each inference component."""

    def __init__(self) -> None:
        self._fleets: dict[str, Fleet | dict[str, Fleet]] = {}

    @classmethod
    def of(cls, urls: Mapping[str, str]) -> Endpoints:
        """Endpoints with one container each, by name."""
        endpoints = cls()
        for name, url in urls.items():
            endpoints.add(name, Fleet(Copy(url)))
        return endpoints

    def add(self, endpoint: str, fleet: Fleet) -> None:
        """Adds an endpoint whose variant has a model."""
        self._fleets[endpoint] = fleet

    def add_components(self, endpoint: str, components: Mapping[str, Fleet]) -> None:
        """Adds an endpoint with inference components, by name."""
        self._fleets[endpoint] = dict(components)

    def names(self) -> list[str]:
        """The names of the endpoints."""
        return list(self._fleets)

    def find(self, endpoint: str, component: str | None) -> Fleet:
        """The fleet that a request names.

        Raises:
            ServiceError: ValidationError: there is none.
        """
        found = self._fleets.get(endpoint)
        if found is None:
            raise errors.validation_error(f"Endpoint {endpoint} of account {errors.ACCOUNT} not found.")
        if isinstance(found, Fleet):
            if component:
                raise errors.validation_error(f"Endpoint {endpoint} has no inference components.")
            return found
        if not component:
            raise errors.component_required()
        if component not in found:
            raise errors.validation_error(f"Inference Component {component} of account {errors.ACCOUNT} not found.")
        return found[component]
