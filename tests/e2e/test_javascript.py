"""The JavaScript client of OpenAI's API against the deployed URL."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_cloud import ROOT, Cloud

pytestmark = pytest.mark.xdist_group("e2e")


@pytest.fixture(scope="module")
def seen(cloud: Cloud) -> Any:
    """What the client saw of all that it tried."""
    cloud.pace.take(10)
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


def test_it_lists_the_models(seen: Any) -> None:
    assert seen["models"] == ["llama"]


def test_it_chats_in_one_piece_and_streamed_alike(seen: Any) -> None:
    assert seen["whole"]
    assert seen["streamed"] == seen["final"] == seen["whole"]
    assert (seen["usage"], seen["finish_reason"]) == (10, "length")


def test_it_completes(seen: Any) -> None:
    assert seen["completion"]


def test_it_calls_tools(seen: Any) -> None:
    assert seen["tool"]["name"] == "weather"
    assert isinstance(json.loads(seen["tool"]["arguments"])["city"], str)
    assert seen["tool_reason"] == "tool_calls"


def test_it_raises_its_own_errors(seen: Any) -> None:
    model, parameter, key = seen["errors"]
    assert model == ["model", "NotFoundError", 404, "model_not_found", "model"]
    assert parameter[:3] == ["parameter", "BadRequestError", 400]
    assert parameter[4] == "logit_bias"
    assert key == ["key", "AuthenticationError", 401, "invalid_api_key", None]
