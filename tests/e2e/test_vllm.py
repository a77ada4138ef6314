"""A model of vLLM and its adapter, deployed by the CDK CLI and called through the front door, also by TGI's clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import text_generation
from huggingface_hub import InferenceClient
from text_generation.errors import ValidationError
from text_generation.types import FinishReason

from local.deployment.cdk_cli import ROOT
from tests.e2e.own_app import OwnApp, ServedApi

pytestmark = [pytest.mark.xdist_group("vllm"), pytest.mark.slow, pytest.mark.timeout(300)]

APP = Path(__file__).parent / "vllm"
PROMPT = "What is deep learning? 🧸"
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


def test_tgis_clients_notice_nothing(stacks: OwnApp) -> None:
    async def client(api: ServedApi) -> None:
        await asyncio.to_thread(call_with_tgis_client, api.cloud.url)
        await asyncio.to_thread(call_with_the_hubs_client, api.cloud.url)

    log = stacks.serve("Vllm", client)
    assert not [line for line in log if "Traceback" in line]


def call_with_tgis_client(url: str) -> None:
    client = text_generation.Client(url, timeout=60)
    answer = client.generate(PROMPT, max_new_tokens=12, decoder_input_details=True)
    details = answer.details
    assert (details.generated_tokens, details.finish_reason, details.seed) == (12, FinishReason.Length, None)
    assert len(details.tokens) == 12
    assert details.prefill[0].logprob is None
    assert all(token.logprob is not None for token in details.prefill[1:])
    events = list(client.generate_stream(PROMPT, max_new_tokens=12))
    assert [event.token for event in events] == details.tokens
    assert events[-1].generated_text == answer.generated_text
    assert "".join(event.token.text for event in events if not event.token.special) == answer.generated_text
    full = client.generate(PROMPT, max_new_tokens=12, return_full_text=True).generated_text
    assert full == PROMPT + answer.generated_text
    stop = details.tokens[3].text
    stopped = client.generate(PROMPT, max_new_tokens=12, stop_sequences=[stop])
    assert stopped.details.finish_reason == FinishReason.StopSequence
    assert stopped.generated_text.endswith(stop)
    ended = client.generate(PROMPT, max_new_tokens=2000)
    assert ended.details.finish_reason == FinishReason.EndOfSequenceToken
    assert [token.special for token in ended.details.tokens][-2:] == [False, True]
    sampled = [client.generate(PROMPT, max_new_tokens=12, do_sample=True, seed=seed) for seed in (7, 7)]
    assert sampled[0] == sampled[1]
    assert sampled[0].details.seed == 7
    best = client.generate(PROMPT, max_new_tokens=12, do_sample=True, best_of=2).details
    assert best.best_of_sequences is not None
    (other,) = best.best_of_sequences
    assert mean_logprob(best.tokens) >= mean_logprob(other.tokens)
    with pytest.raises(ValidationError, match="`typical_p`"):
        client.generate(PROMPT, typical_p=0.5)
    with pytest.raises(ValidationError, match="`typical_p`"):
        list(client.generate_stream(PROMPT, typical_p=0.5))


def mean_logprob(tokens: list[text_generation.types.Token]) -> float:
    return sum(token.logprob or 0 for token in tokens) / len(tokens)


def call_with_the_hubs_client(url: str) -> None:
    client = InferenceClient(base_url=url)
    answer = client.text_generation(PROMPT, max_new_tokens=12, details=True)
    events = list(client.text_generation(PROMPT, max_new_tokens=12, details=True, stream=True))
    assert [event.index for event in events] == list(range(1, 13))
    assert events[-1].generated_text == answer.generated_text
    assert events[-1].details is not None
    assert answer.details is not None
    assert (events[-1].details.finish_reason, answer.details.finish_reason) == ("length", "length")
    texts = list(client.text_generation(PROMPT, max_new_tokens=12, stream=True))
    # The client calls `POST /`, where TGI repeats the prompt in the whole text.
    assert PROMPT + "".join(texts) == answer.generated_text
