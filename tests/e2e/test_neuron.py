"""TGI on Inferentia 2, deployed by the CDK CLI and called."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("neuron"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "neuron"
CHAT = {"model": "llama", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnApp]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setenv("PYTHONPATH", str(ROOT))
        with OwnApp(APP, tmp_path_factory.mktemp("neuron"), runner) as deployed:
            yield deployed


def test_the_model_answers_within_its_sizes_and_refuses_what_it_does_not_have(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        status, _, info = await api.request("GET", "/info")
        facts = ("model_id", "version", "max_input_tokens", "max_total_tokens", "max_best_of")
        assert status == 200
        assert [info[name] for name in facts] == ["NousResearch/Meta-Llama-3.1-8B-Instruct", "3.3.6", 1000, 4096, 1]
        status, _, answer = await api.request("POST", "/v1/chat/completions", CHAT)
        assert (status, answer["usage"]["completion_tokens"]) == (200, 3)
        status, _, answer = await api.request(
            "POST", "/v1/chat/completions", {**CHAT, "response_format": {"type": "json_object"}}
        )
        assert (status, "grammar is not supported" in answer["error"]["message"]) == (400, True)
        request = {"inputs": "Hi", "parameters": {"max_new_tokens": 2, "details": True}}
        status, _, answer = await api.request("POST", "/generate", request)
        assert (status, {token["logprob"] for token in answer["details"]["tokens"]}) == (200, {0.0})
        long = {"inputs": "Hi " * 1200, "parameters": {"max_new_tokens": 2}}
        status, _, answer = await api.request("POST", "/generate", long)
        assert (status, answer["error_type"]) == (422, "validation")

    log = stacks.serve("Neuron", client)
    assert not [line for line in log if "Traceback" in line]
