"""Deploys the example whose tests are in a module."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed_cloud import Cloud, Serve
from tests.examples.catalogue import Example, Kind, examples


@pytest.fixture(scope="module")
def example(request: pytest.FixtureRequest) -> Example:
    """The example that the module is named after."""
    module = Path(request.module.__file__).stem
    (found,) = [each for each in examples() if each.module == module]
    return found


@pytest.fixture(scope="module")
def cloud(
    example: Example, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """The emulated cloud with all stacks of an app, each of whose models has answered, streamed.

    A client gets LlamaTgiStack, or what the module's SERVE says: further arguments of `python -m local serve`. Its
    ENVIRONMENT has further variables.
    """
    log = tmp_path_factory.mktemp(example.name) / "log"
    app = ("--app", str(example.folder)) if example.kind is Kind.APP else ()
    environment = getattr(request.module, "ENVIRONMENT", {})
    with Serve(log, *app, *getattr(request.module, "SERVE", ()), **environment) as serve:
        served = Cloud.of(serve)
        assert served.models
        for model in served.models:
            assert_streams(served, model)
        yield served


def assert_streams(cloud: Cloud, model: str, **options: str) -> None:
    """A model answers a chat in pieces. One without a copy is asked again until it has one, as clients do."""
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8, "stream": True}
    deadline = time.monotonic() + 120
    while (response := cloud.request("POST", "/v1/chat/completions", body, **options)).status == 503:
        assert time.monotonic() < deadline, response.body
        time.sleep(0.5)
    assert response.status == 200, response.body
    texts = [choice["delta"].get("content") for event in response.events() for choice in event["choices"]]
    assert len([text for text in texts if text]) > 3, response.body
    assert response.body.rstrip().endswith(b"data: [DONE]")
