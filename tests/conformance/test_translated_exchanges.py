"""In front of a model on vLLM, the requests recorded from TGI have TGI's answers, but for what is listed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.model_container.openai.engines import ENGINES, Image
from tests.conformance.emulated_front_door import FrontDoorClient, start_front_door
from tests.conformance.exchanges import Exchange
from tests.conformance.translation_rules import DIFFERENCES, EXCHANGES, LISTED, announced, check, names, tables

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    "SM_VLLM_MODEL": "tiny/llama",
    "SM_VLLM_MAX_MODEL_LEN": "16384",
    "TOY_TOKENS_PER_SECOND": "0",
}
FACTS = {
    "engine": "vllm",
    "version": "0.30.0",
    "model_id": "tiny/llama",
    "max_input_tokens": 16383,
    "max_total_tokens": 16384,
    "max_stop_sequences": 4,
}


@pytest.fixture(scope="module")
def client() -> Iterator[FrontDoorClient]:
    container = ENGINES["vllm"](ENVIRONMENT, Image("vllm", "0.30.0"))
    with start_front_door("llama", container=container, **FACTS) as client:
        yield client


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name)
def test_the_answer_is_tgis(client: FrontDoorClient, exchange: Exchange) -> None:
    check(exchange, client.request(exchange.request["method"], exchange.path, exchange.body, **exchange.headers))


def test_the_differences_are_of_recorded_exchanges_and_counted() -> None:
    assert LISTED.keys() <= {exchange.name for exchange in EXCHANGES}
    assert len(LISTED) == sum(len(difference.exchanges) for difference in DIFFERENCES), "none is listed twice"
    assert len({difference.name for difference in DIFFERENCES}) == len(DIFFERENCES)
    assert [each.name for each in DIFFERENCES if bool(each.differs) != bool(each.exchanges)] == []
    assert (len(DIFFERENCES), len(LISTED), len(EXCHANGES)) == (16, 15, 208)


# name in the header → a request that it applies to, and one that it does not apply to
ANNOUNCED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "frequency_penalty": ({"frequency_penalty": 0.5}, {"frequency_penalty": 0.0}),
    "seed": ({"do_sample": True, "seed": 1}, {"seed": 1}),
    "stop": ({"stop": ["x"]}, {"stop": []}),
    "grammar": (
        {"grammar": {"type": "json", "value": {"type": "object", "properties": {}}}},
        {"grammar": {"type": "regex", "value": "[0-9]"}},
    ),
    "logprobs": ({"details": True, "temperature": 0.5}, {"details": True, "temperature": 1.0}),
    "max_new_tokens": ({"max_new_tokens": None}, {"max_new_tokens": 16000}),
    "repetition_penalty": ({"repetition_penalty": 1.3}, {"repetition_penalty": 1.0}),
    "top_k": ({"top_k": 3}, {"temperature": 0.5}),
    "truncate": ({"truncate": 3}, {"return_full_text": True}),
}
OF_OTHER_SERVERS = {"repetition_penalty", "top_k", "truncate"}


@pytest.fixture(scope="module")
def other_client() -> Iterator[FrontDoorClient]:
    """Of a container that speaks OpenAI's protocol, of which nothing else is known."""
    container = ENGINES["vllm"](ENVIRONMENT, Image("vllm", "0.30.0"))
    with start_front_door("llama", container=container, **{**FACTS, "engine": "openai"}) as client:
        yield client


@pytest.mark.parametrize("name", ANNOUNCED)
@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
def test_an_answer_names_the_parameters_by_which_it_may_not_be_tgis(
    client: FrontDoorClient, other_client: FrontDoorClient, name: str, path: str
) -> None:
    asked = other_client if name in OF_OTHER_SERVERS else client
    applies, does_not = (
        announced(asked.post(path, {"inputs": "Hi", "parameters": {"max_new_tokens": 2, **parameters}}))
        for parameters in ANNOUNCED[name]
    )
    assert name in applies
    assert name not in does_not
    if name in OF_OTHER_SERVERS:
        others = announced(client.post(path, {"inputs": "Hi", "parameters": ANNOUNCED[name][0]}))
        assert name not in others, "vLLM reads it"


def test_an_answer_says_that_it_has_less_tokens_than_it_was_asked_for(client: FrontDoorClient) -> None:
    body = {"inputs": "Hi", "parameters": {"max_new_tokens": 100_000, "stop": [" "]}}
    assert "max_new_tokens" in announced(client.post("/generate", body))


def test_what_answers_can_name_is_listed() -> None:
    listed = [name for difference in DIFFERENCES for name in names(difference.header)]
    assert sorted(listed) == sorted(ANNOUNCED)


def test_the_page_about_the_move_quotes_what_differs() -> None:
    text = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
    for head, rows in tables().items():
        lines = text[text.index(f"| {head} |\n") :].split("\n\n")[0].splitlines()
        assert lines[2:] == [f"| {' | '.join(row)} |" for row in rows]
    assert f"{len(LISTED)} of the {len(EXCHANGES)} requests" in text
