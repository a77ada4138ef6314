"""Front doors whose callers have limits, with a SageMaker double and moto's DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from front_door.app import App
from front_door.callers import read_callers
from front_door.config import Config, Model
from front_door.limits import admission, store

from tests.lambda_.conftest import FALCON, LLAMA, OPENAPI_FILE, ApiClient, ClientResponse
from tests.lambda_.limits.table import REGION, TABLE, Table
from tests.lambda_.sagemaker_double import SageMakerDouble

MODELS = {model.name: model for model in (LLAMA, FALCON)}
NOON = 1_795_651_200 + 12 * 3600
"""A Thursday of November 2026, at 12:00 UTC."""


@pytest.fixture(scope="session")
def _served() -> Iterator[Table]:
    table = Table()
    yield table
    table.close()


@pytest.fixture
def table(_served: Table) -> Table:
    _served.create()
    _served.updates, _served.faults = 0, []
    return _served


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto is slow, and so is a busy machine."""
    monkeypatch.setattr(admission, "RESERVE_SECONDS", 60)
    monkeypatch.setattr(admission, "SETTLE_SECONDS", 60)
    monkeypatch.setattr(store, "ATTEMPT_SECONDS", 60)


Doors = Callable[..., "Door"]


class Door(ApiClient):
    """A front door with limits."""

    def set_clock(self, now: float) -> None:
        """Let windows begin and places expire by another clock; that of sockets goes on."""
        assert self.app.limiter is not None
        self.app.limiter.clock = lambda: now

    def read(self, path: str, body: object = None, **event: Any) -> ClientResponse:
        """Send a request, read the response to its end, and release it, as Lambda's runtime does."""
        response = self.begin(path, body, **event)
        found = ClientResponse(response.status, response.headers, b"".join(response.body))
        close = getattr(response.body, "close", None)
        if close is not None:
            close()
        return found

    def line(self) -> dict[str, Any]:
        """The one log line since the last call."""
        (line,) = self.log()
        return line


@pytest.fixture
def door_for(sagemaker: SageMakerDouble, table: Table, capsys: pytest.CaptureFixture[str]) -> Iterator[Doors]:
    """Front doors by the content of their file of callers."""
    apps = []

    def make(callers: dict[str, Any], models: dict[str, Model] | None = None, **settings: Any) -> Door:
        served = models or MODELS
        config = Config(
            served,
            sagemaker.url,
            sagemaker.url,
            REGION,
            **{
                "openapi_file": str(OPENAPI_FILE),
                "callers": read_callers(callers, served),
                "limits_table": TABLE,
                "dynamodb_url": table.url,
                **settings,
            },
        )
        apps.append(App(config))
        return Door(apps[-1], capsys)

    yield make
    for app in apps:
        app.sagemaker.close()


def by_key(key_id: str | None) -> dict[str, Any]:
    """The `requestContext` of a caller with an API key."""
    return {"requestId": "gateway-id", "identity": {"apiKeyId": key_id}}


def by_token(scopes: str | None) -> dict[str, Any]:
    """That of a caller with a token; None: the authorizer has found no scopes in it."""
    context = {"principalId": "user-1", **({} if scopes is None else {"scopes": scopes})}
    return {"requestId": "gateway-id", "identity": {"apiKeyId": None}, "authorizer": context}


def team(
    name: str = "team-a", *, key: str = "key-id", on_store_failure: str = "closed", **entry: Any
) -> dict[str, Any]:
    """A file of callers with one consumer."""
    return {"consumers": {"team-a": {"keys": ["key-id"], **entry}}, "on_store_failure": on_store_failure}
