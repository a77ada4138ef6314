"""Clients of TGI, and TGI's recorded requests, against the real server: what they get is what TGI answers."""

from __future__ import annotations

import pytest
import text_generation
from huggingface_hub import InferenceClient
from huggingface_hub.errors import ValidationError

from tests.conformance.emulated_front_door import Response
from tests.conformance.exchanges import Exchange
from tests.conformance.translation_rules import EXCHANGES, announced, check
from tests.conformance.vllm.expected import differing
from tests.conformance.vllm.recorded_requests import requests
from tests.conformance.vllm.vocabulary import read_vocabulary
from tests.engines.engine import Engine
from tests.engines.recording import ask
from tests.engines.tiny_llama import ANSWER, MAX_LENGTH

PROMPT = "What is deep learning?"
WORDS = ["Deep", " learning", " trains", " networks", " with", " many", " layers", " on", " raw", " data"]
TOKENS = [*WORDS, "", "", "", "🌍", ".", "<|end|>"]
READ_BY_API_GATEWAY = {"invalid utf8", "content-type ''"}
"""What API Gateway does not pass on as it is: bytes that are no text, and no content type."""

SEED = 15
"""Other random requests than those that are recorded."""


@pytest.fixture
def tgi(engine: Engine) -> text_generation.Client:
    engine.cloud.limiter.take(2)
    headers = {"Authorization": f"Bearer {engine.cloud.api_key}"}
    return text_generation.Client(engine.cloud.url, headers=headers, timeout=60)


@pytest.fixture
def hub(engine: Engine) -> InferenceClient:
    engine.cloud.limiter.take(2)
    return InferenceClient(base_url=engine.cloud.url, api_key=engine.cloud.api_key)


@pytest.mark.parametrize(
    "exchange",
    [exchange for exchange in EXCHANGES if exchange.name not in READ_BY_API_GATEWAY],
    ids=lambda exchange: exchange.name,
)
def test_a_recorded_request_has_tgis_answer(engine: Engine, exchange: Exchange) -> None:
    headers = {name.title(): value for name, value in exchange.headers.items()}
    answer = engine.cloud.request(exchange.request["method"], exchange.path, exchange.body, headers=headers)
    check(exchange, Response(answer.status, answer.headers, answer.body))


@pytest.mark.usefixtures("credentials")
def test_random_requests_have_the_answers_that_tgi_makes_of_the_same_tokens(engine: Engine) -> None:
    vocabulary = read_vocabulary()
    answers = list(ask(engine.version, engine.server.url, requests(SEED)))
    wrong = {}
    for pair, response in answers:
        if not pair.exchanges[-1].is_error:
            wrong[pair.name] = differing(vocabulary, pair, pair.exchanges[-1].sent, response)
    assert {name: found for name, found in wrong.items() if found} == {}
    assert len(wrong) > 0.9 * len(answers)


def test_tgis_client_gets_a_text_with_its_tokens(tgi: text_generation.Client) -> None:
    answer = tgi.generate(PROMPT, max_new_tokens=40, decoder_input_details=True)
    assert answer.generated_text == ANSWER
    details = answer.details
    assert (details.finish_reason, details.generated_tokens, details.seed) == ("eos_token", len(TOKENS), None)
    assert [token.text for token in details.tokens] == TOKENS
    assert [token.special for token in details.tokens] == [False] * (len(TOKENS) - 1) + [True]
    assert [token.text for token in details.prefill[:3]] == ["<|begin|>", "W", "h"]
    assert details.prefill[0].logprob is None


def test_tgis_client_streams(tgi: text_generation.Client) -> None:
    events = list(tgi.generate_stream(PROMPT, max_new_tokens=40))
    assert [event.token.text for event in events] == TOKENS
    assert [event.generated_text for event in events] == [None] * (len(TOKENS) - 1) + [ANSWER]
    assert events[-1].details is not None
    assert (events[-1].details.finish_reason, events[-1].details.generated_tokens) == ("eos_token", len(TOKENS))


def test_tgis_client_samples_and_gets_the_seed(tgi: text_generation.Client) -> None:
    answer = tgi.generate("Say", max_new_tokens=5, do_sample=True, temperature=1.7, seed=7)
    again = tgi.generate("Say", max_new_tokens=5, do_sample=True, temperature=1.7, seed=7)
    assert answer.details.seed == 7
    assert answer.generated_text == again.generated_text


def test_tgis_client_gets_the_best_of_two(tgi: text_generation.Client) -> None:
    answer = tgi.generate("Say", max_new_tokens=5, do_sample=True, temperature=1.7, best_of=2)
    assert answer.details.best_of_sequences is not None
    (other,) = answer.details.best_of_sequences
    best, second = (sum(token.logprob or 0 for token in tokens) for tokens in (answer.details.tokens, other.tokens))
    assert best >= second


def test_tgis_client_stops_at_a_sequence_that_is_a_part_of_the_text(tgi: text_generation.Client) -> None:
    answer = tgi.generate(PROMPT, max_new_tokens=40, stop_sequences=["learning trains"])
    assert (answer.generated_text, answer.details.finish_reason) == ("Deep learning trains", "stop_sequence")


def test_tgis_client_raises_its_own_errors(tgi: text_generation.Client) -> None:
    with pytest.raises(text_generation.errors.ValidationError, match=f"{MAX_LENGTH}"):
        tgi.generate("x" * (2 * MAX_LENGTH))
    with pytest.raises(text_generation.errors.ValidationError, match="top_n_tokens"):
        tgi.generate(PROMPT, top_n_tokens=2)
    with pytest.raises(text_generation.errors.ValidationError, match="watermark"):
        list(tgi.generate_stream(PROMPT, watermark=True))


def test_the_hub_client_gets_a_text_with_and_without_details(hub: InferenceClient) -> None:
    # At `/`, where this client calls, TGI returns the prompt too unless it is told not to.
    assert hub.text_generation(PROMPT, max_new_tokens=40) == PROMPT + ANSWER
    assert hub.text_generation(PROMPT, max_new_tokens=40, return_full_text=False) == ANSWER
    answer = hub.text_generation(PROMPT, max_new_tokens=40, details=True, decoder_input_details=True)
    assert answer.generated_text == PROMPT + ANSWER
    assert answer.details is not None
    assert answer.details.finish_reason == "eos_token"
    assert [token.text for token in answer.details.tokens] == TOKENS
    assert len(answer.details.prefill) == 13


def test_the_hub_client_streams_texts_and_details(hub: InferenceClient) -> None:
    assert list(hub.text_generation(PROMPT, max_new_tokens=40, stream=True)) == TOKENS
    events = list(hub.text_generation(PROMPT, max_new_tokens=40, stream=True, details=True))
    assert [event.token.text for event in events] == TOKENS
    assert events[-1].generated_text == PROMPT + ANSWER
    assert events[-1].details is not None
    assert events[-1].details.input_length == 13


def test_the_hub_client_gets_an_answer_by_a_grammar(hub: InferenceClient) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    grammars = {'{"city": ""}': {"type": "json", "value": schema}, "000": {"type": "regex", "value": "[0-9]{3}"}}
    for text, grammar in grammars.items():
        assert hub.text_generation(PROMPT, max_new_tokens=60, grammar=grammar, return_full_text=False) == text  # type: ignore[arg-type]


def test_the_hub_client_reports_what_cannot_be(hub: InferenceClient) -> None:
    with pytest.raises(ValidationError, match="typical_p"):
        hub.text_generation(PROMPT, typical_p=0.5)


def test_an_answer_says_in_which_parameters_it_may_not_be_tgis(engine: Engine) -> None:
    def differences(**parameters: object) -> list[str]:
        body = {"inputs": PROMPT, "parameters": {"max_new_tokens": 3, **parameters}}
        return announced(engine.cloud.request("POST", "/generate", body))

    assert differences() == []
    assert differences(temperature=0.5, details=True) == []  # the server reports what it chose from
    assert differences(do_sample=True, seed=1) == ["seed"]
    assert differences(frequency_penalty=0.5, stop=["a"]) == ["frequency_penalty", "stop"]
