"""What the front door makes of a real vLLM's answers is what the real TGI answered on the same weights."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from front_door.engines.openai.token_reader import OpenAiTokenReader
from front_door.protocols.tgi.generate_checks import read_request
from front_door.protocols.tgi.translated import Answer

RECORDED = json.loads((Path(__file__).parent / "recorded" / "tgi_same_weights.json").read_text(encoding="utf-8"))
PAIRS = {pair["name"]: pair for pair in RECORDED}
SAME = ("eos", "stream eos", "details", "stop", "temperature only")
"""Answers that are the same byte for byte, but for log probabilities that differ by 0.000002 at most."""

TEXT_ALONE = ("full text", "grammar regex", "truncate 2")
"""vLLM was not asked for the tokens of these."""

REFUSED = ("top_n_tokens", "typical", "watermark", "adapter unknown")
"""Requests that the front door refuses; vLLM would ignore what they ask for."""

NOT_RECORDED = ("decoder_input_details", "stop stream", "stream", "sample no seed")
"""Answers of vLLM to these are not among the records."""

MOST = 2e-6


def translated(pair: dict[str, Any], *, details: bool = True) -> str:
    """What the client gets."""
    is_stream = pair["path"] == "/generate_stream"
    parameters = dict(pair["json"]["parameters"])
    if not details:
        parameters = {name: value for name, value in parameters.items() if "details" not in name}
    body = {"inputs": pair["json"]["inputs"], "parameters": parameters}
    request = read_request(body, {}, stream=is_stream, full_text=False)
    reader = OpenAiTokenReader(request, request.max_new_tokens or 20)
    answer = Answer(SimpleNamespace(request=request, reader=reader))  # type: ignore[arg-type]
    theirs = pair["vllm"]["body"].encode()
    events = [event + b"\n\n" for event in theirs.split(b"\n\n") if event.startswith(b"data: ")]
    if is_stream:
        return b"".join(map(answer.translate, events)).decode()
    for event in events:
        reader.read(event)
    if not events:
        reader.read_buffered(theirs)
    assert reader.error is None, reader.error
    return answer.generation().decode()


def parse(body: str) -> list[Any]:
    """The JSON values of an answer, in which members keep their order."""
    texts = [text.removeprefix("data: ") for text in body.split("\n\n") if text]
    return [json.loads(text, object_pairs_hook=lambda members: members) for text in texts]


def values(body: str, name: str) -> list[Any]:
    """The values of all members of a name, from left to right."""
    found: list[Any] = []

    def keep(members: list[tuple[str, Any]]) -> None:
        found.extend(value for key, value in members if key == name)

    for text in body.split("\n\n"):
        if text:
            json.loads(text.removeprefix("data: "), object_pairs_hook=keep)
    return found


def without_logprobs(body: str) -> str:
    """The bytes with zero for each log probability."""
    return re.sub(r'"logprob":-?[0-9.e-]+', '"logprob":0', body)


@pytest.mark.parametrize("name", SAME)
def test_the_answer_is_tgis_byte_for_byte(name: str) -> None:
    pair = PAIRS[name]
    ours, theirs = translated(pair), pair["tgi"]["body"]
    assert without_logprobs(ours) == without_logprobs(theirs)
    assert values(ours, "logprob") == pytest.approx(values(theirs, "logprob"), abs=MOST)


def test_a_text_that_ends_inside_a_character_is_tgis_but_for_the_alternatives() -> None:
    pair = PAIRS["emoji stream top"]
    theirs = [json.loads(text.removeprefix("data: ")) for text in pair["tgi"]["body"].split("\n\n") if text]
    expected = [{name: value for name, value in event.items() if name != "top_tokens"} for event in theirs]
    compact = "".join(f"data: {json.dumps(event, ensure_ascii=False, separators=(',', ':'))}\n\n" for event in expected)
    assert without_logprobs(translated(pair)) == without_logprobs(compact)
    assert expected[-1]["generated_text"] == ""


@pytest.mark.parametrize("name", TEXT_ALONE)
def test_a_text_without_its_tokens_is_tgis(name: str) -> None:
    pair = PAIRS[name]
    theirs = json.loads(pair["tgi"]["body"])["generated_text"]
    assert json.loads(translated(pair, details=False)) == {"generated_text": theirs}


def test_with_a_penalty_only_the_log_probabilities_differ_unless_vllm_reports_processed_ones() -> None:
    pair = PAIRS["rep 1.3"]
    ours, theirs = translated(pair), pair["tgi"]["body"]
    assert without_logprobs(ours) == without_logprobs(theirs)
    assert values(ours, "logprob") != pytest.approx(values(theirs, "logprob"), abs=MOST)


def test_a_stop_sequence_inside_a_token_ends_the_text_there() -> None:
    pair = PAIRS["stop mid"]
    ours = json.loads(translated(pair, details=False))["generated_text"]
    assert ours == " This is a toy tex"
    assert json.loads(pair["tgi"]["body"])["generated_text"].startswith(ours)


@pytest.mark.parametrize("name", ["top_k only", "best_of", "sample seed"])
def test_another_draw_has_the_same_members(name: str) -> None:
    pair = PAIRS[name]
    has_tokens = "logprobs" in pair["vllm"]["json"]
    ours, theirs = translated(pair, details=has_tokens), pair["tgi"]["body"]
    if has_tokens:
        assert shape(parse(ours)[0]) == shape(parse(theirs)[0])
        assert values(ours, "seed")[0] == pair["json"]["parameters"].get("seed", values(ours, "seed")[0])
    assert json.loads(ours)["generated_text"]


def shape(value: Any) -> Any:
    """The names and types of a value; of its arrays the first item."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return [(name, shape(each)) for name, each in value]
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return type(value)


def test_every_answer_of_tgi_is_compared_or_named() -> None:
    compared = [*SAME, *TEXT_ALONE, "emoji stream top", "rep 1.3", "stop mid", "top_k only", "best_of", "sample seed"]
    assert sorted([*compared, *REFUSED, *NOT_RECORDED]) == sorted(PAIRS)
    assert [name for name in compared if PAIRS[name]["vllm"] is None] == []
