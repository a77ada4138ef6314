"""A model of vLLM and its adapter, deployed by the CDK CLI and called through the front door."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("vllm"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "vllm"
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("vllm"), runner) as deployed:
            yield deployed


def test_model_and_adapter_answer_and_an_unknown_adapter_does_not(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        async def ask(model: str, **more: object) -> tuple[int, dict]:
            body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8} | more
            status, _, answer = await api.request("POST", "/v1/chat/completions", body)
            return status, answer

        status, answer = await ask("qwen")
        assert (status, answer["usage"]["completion_tokens"]) == (200, 8)
        assert not answer["choices"][0]["message"]["content"].startswith(" Adapter")
        status, answer = await ask("qwen:sql")
        assert (status, answer["model"]) == (200, "qwen:sql")
        assert answer["choices"][0]["message"]["content"].startswith(" Adapter")
        status, answer = await ask("qwen:law")
        assert (status, answer["error"]["code"]) == (404, "model_not_found")
        assert (await ask("qwen", tools=[TOOL]))[0] == 200
        assert (await ask("qwen", max_tokens=5000))[0] == 400

    log = stacks.serve("Vllm", client)
    assert not [line for line in log if "Traceback" in line]
