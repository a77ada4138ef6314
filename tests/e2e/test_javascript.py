"""OpenAI's JavaScript client against the deployed URL."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_cloud import ROOT, Cloud

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def results(cloud: Cloud) -> Any:
    """The results of all calls of the client."""
    cloud.limiter.take(10)
    node = Path(sys.executable).with_name("node")
    script = Path(__file__).with_name("openai_client.mjs")
    done = subprocess.run(
        [str(node), str(script), f"{cloud.url}/v1", cloud.api_key],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_lists_the_models(results: Any) -> None:
    assert results["models"] == ["llama"]


def test_streaming_and_non_streaming_chats_are_equal(results: Any) -> None:
    assert results["text"]
    assert results["streamed"] == results["final"] == results["text"]
    assert (results["usage"], results["finish_reason"]) == (10, "length")


def test_it_completes(results: Any) -> None:
    assert results["completion"]


def test_it_calls_tools(results: Any) -> None:
    assert results["tool"]["name"] == "weather"
    assert isinstance(json.loads(results["tool"]["arguments"])["city"], str)
    assert results["tool_reason"] == "tool_calls"


def test_it_raises_its_own_errors(results: Any) -> None:
    model, parameter, key = results["errors"]
    assert model == ["model", "NotFoundError", 404, "model_not_found", "model"]
    assert parameter[:3] == ["parameter", "BadRequestError", 400]
    assert parameter[4] == "logit_bias"
    assert key == ["key", "AuthenticationError", 401, "invalid_api_key", None]
