"""SGLang and LMI from the construct to the URL: deployed by the CDK CLI, called as OpenAI's clients call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("engines"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "engines"
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("engines"), runner) as deployed:
            yield deployed


def chat(model: str, **others: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, **others}


def test_clients_of_openai_are_answered_whatever_runs_in_the_container(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        for model in ("sglang", "lmi"):
            status, _, answer = await api.request("POST", "/v1/chat/completions", chat(model))
            assert (status, answer["model"], answer["usage"]["completion_tokens"]) == (200, model, 3)
            status, _, stream = await api.request("POST", "/v1/chat/completions", chat(model, stream=True))
            assert status == 200
            assert stream.rstrip().endswith("data: [DONE]")
            assert '"usage"' not in stream.replace('"usage":null', "")
            long = chat(model, messages=[{"role": "user", "content": "Hi " * 40_000}])
            status, _, answer = await api.request("POST", "/v1/chat/completions", long)
            assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")

    log = stacks.serve("Engines", client)
    assert not [line for line in log if "Traceback" in line]


def test_what_an_engine_cannot_is_said(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        prompt = {"prompt": "Hi", "max_tokens": 3}
        status, _, answer = await api.request("POST", "/v1/completions", prompt | {"model": "sglang"})
        assert (status, answer["error"]["code"]) == (400, "engine_cannot")
        status, _, answer = await api.request("POST", "/v1/completions", prompt | {"model": "lmi"})
        assert (status, answer["usage"]["completion_tokens"]) == (200, 3)
        status, _, answer = await api.request("POST", "/v1/chat/completions", chat("lmi", tools=[TOOL]))
        assert status == 400  # no parser reads its tool calls
        status, _, answer = await api.request("POST", "/v1/chat/completions", chat("sglang", tools=[TOOL]))
        assert status == 200

    stacks.serve("Engines", client)
