"""Random requests of TGI's clients: a model on vLLM answers with the bytes with which it answers on TGI.

Both stand-ins generate with the same toy.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from local.model_container.launcher import read_settings
from local.model_container.openai.engines import ENGINES, Image
from tests.conformance.answers import reduce_body
from tests.conformance.emulated_front_door import FrontDoorClient, Response, start_front_door
from tests.conformance.test_translated_exchanges import ENVIRONMENT, FACTS
from tests.conformance.translation_rules import announced
from tests.conformance.vllm.generate_requests import random_request

EXAMPLES = 300
PROMPTS = (
    "What is deep learning?",
    "a b",
    "🌍 emoji teddy",
    'tab\tquote" back\\slash\nline',
    " ",
    "<|begin_of_text|>x",
)
STOPS = (" toy", "model", "ode", "language model", ".", "🌍", "a", "no such text")
TGI = {
    "HF_MODEL_ID": "tiny/llama",
    "MAX_INPUT_TOKENS": "16383",
    "MAX_TOTAL_TOKENS": "16384",
    "ENABLE_PREFILL_LOGPROBS": "true",
    "TOY_TOKENS_PER_SECOND": "0",
}


@pytest.fixture(autouse=True)
def no_constants_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis also draws constants of the modules that happen to be loaded: each run would send other requests."""
    nothing = providers.Constants()
    monkeypatch.setattr(providers, "_get_local_constants", lambda: nothing)


@pytest.fixture(scope="module")
def tgi() -> Iterator[FrontDoorClient]:
    with start_front_door("llama", limits=read_settings(TGI)) as client:
        yield client


@pytest.fixture(scope="module")
def vllm() -> Iterator[FrontDoorClient]:
    container = ENGINES["vllm"](ENVIRONMENT, Image("vllm", "0.30.0"))
    with start_front_door("llama", container=container, **FACTS) as client:
        yield client


def with_seed(body: dict[str, Any]) -> dict[str, Any]:
    """The request with a seed, so that both draw the same; TGI takes none with `best_of`."""
    body = copy.deepcopy(body)
    if body["parameters"].get("best_of") is None:
        body["parameters"].setdefault("seed", 3)
    return body


def test_the_answers_are_the_same(tgi: FrontDoorClient, vllm: FrontDoorClient) -> None:
    compared: Counter[str] = Counter()

    @seed(20240229)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False), st.sampled_from(PROMPTS) | st.text(min_size=1, max_size=20))
    def compare(random: Random, prompt: str) -> None:
        path, body = random_request(random, [prompt], STOPS)
        body = with_seed(body)
        expected, found = tgi.post(path, body), vllm.post(path, body)
        assert (found.status, found.content_type) == (expected.status, expected.content_type), found.body
        if body["parameters"].get("best_of") is not None:
            compared["best_of"] += 1
            assert reduced(body, found) == reduced(body, expected)
        elif "stop" in announced(found) and found.body != expected.body:
            compared["stop in a token"] += 1
            assert is_cut_short(found, expected)
        else:
            compared["equal"] += 1
            assert found.body.decode() == expected.body.decode()

    compare()
    assert compared["equal"] > 0.8 * EXAMPLES
    assert min(compared.values()) > 0


def reduced(body: dict[str, Any], response: Response) -> Any:
    """The answer without the values that a drawn seed decides."""
    return reduce_body(response.content_type, response.body.decode(), body)


def is_cut_short(found: Response, expected: Response) -> bool:
    """Whether an answer has the first of the other one's tokens, the last of them to the end of a stop sequence."""
    (tokens, text), (others, whole) = (_tokens_and_text(each) for each in (found, expected))
    if tokens:
        last, other = tokens.pop(), others[len(tokens)]
        if tokens != others[: len(tokens)] or last["id"] != other["id"] or not other["text"].startswith(last["text"]):
            return False
    return whole.startswith(text)


def _tokens_and_text(response: Response) -> tuple[list[dict[str, Any]], str]:
    if response.content_type == "text/event-stream":
        events = response.events()
        return [event["token"] for event in events], events[-1]["generated_text"]
    answer = response.json()
    answer = answer[0] if isinstance(answer, list) else answer
    return answer.get("details", {}).get("tokens", []), answer["generated_text"]


def test_a_drawn_seed_is_reported(vllm: FrontDoorClient) -> None:
    body = {"inputs": "Hi", "parameters": {"do_sample": True, "details": True, "max_new_tokens": 2}}
    seeds = {vllm.post("/generate", body).json()["details"]["seed"] for _ in range(3)}
    assert len(seeds) == 3
    assert all(isinstance(each, int) and 0 <= each < 2**63 for each in seeds)
