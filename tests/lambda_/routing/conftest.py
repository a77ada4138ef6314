"""A front door whose model has several endpoints, each a SageMaker double of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from front_door.app import App

from tests.lambda_.conftest import OPENAPI_FILE, ApiClient
from tests.lambda_.routing.entries import endpoint, read
from tests.lambda_.sagemaker_double import Received, Reply, SageMakerDouble


class Targets:
    """The endpoints by name: `replies` is what each answers, `received` what it got."""

    def __init__(self) -> None:
        self._doubles: dict[str, SageMakerDouble] = {}

    def entry(self, name: str, engine: str = "vllm", **members: Any) -> dict[str, Any]:
        """An endpoint's entry."""
        url = self._double(name).url
        return endpoint(name, engine, **{"runtime_url": url, "sagemaker_url": url, **members})

    def reply(self, name: str, *replies: Reply) -> None:
        """Answer the next requests to an endpoint."""
        self._double(name).replies += replies

    def forget(self, name: str) -> None:
        """Take back the answers that an endpoint was not asked for."""
        self._double(name).replies.clear()

    def received(self, name: str) -> list[Received]:
        """The requests to an endpoint."""
        return self._double(name).received

    def counts(self) -> dict[str, int]:
        """How many requests each endpoint got."""
        return {name: len(double.received) for name, double in self._doubles.items()}

    def close(self) -> None:
        for double in self._doubles.values():
            double.close()

    def _double(self, name: str) -> SageMakerDouble:
        return self._doubles.setdefault(name, SageMakerDouble())


@dataclass
class Door(ApiClient):
    """The front door."""

    def generated(self) -> dict[str, Any]:
        """The one log line of a request."""
        (line,) = self.log()
        return line


@pytest.fixture
def targets() -> Iterator[Targets]:
    found = Targets()
    yield found
    found.close()


@pytest.fixture
def door_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Door]]:
    """Front doors by the entry of their model."""
    apps = []

    def make(entry: dict[str, Any], environment: dict[str, str | None] | None = None, **settings: Any) -> Door:
        config = read(tmp_path, environment, llama=entry)
        apps.append(App(replace(config, openapi_file=str(OPENAPI_FILE), **settings)))
        return Door(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()
