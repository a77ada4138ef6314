"""Holds an answer against what TGI makes of the same tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.conformance.emulated_front_door import Response
from tests.conformance.translation_rules import announced
from tests.conformance.vllm.generate_pairs import Pair
from tests.conformance.vllm.reference import Chosen, Text, f32, generate, prefill
from tests.conformance.vllm.vocabulary import Vocabulary

_FLOAT = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-?\d+")


class Number(float):
    """A number of an answer; its text is checked."""

    def __new__(cls, text: str) -> Number:
        assert _FLOAT.fullmatch(text), f"{text} is not a number as TGI writes it"
        return super().__new__(cls, text)


def parse(text: str) -> Any:
    """A JSON value of an answer.

    Raises:
        AssertionError: A number is not written as TGI writes it.
    """
    return json.loads(text, parse_float=Number)


def differing(vocabulary: Vocabulary, pair: Pair, sent: dict[str, Any], response: Response) -> list[str]:
    """What of an answer is not as TGI's would be.

    Args:
        vocabulary: The model's tokens.
        pair: The request, and the container's answer to it.
        sent: What the container got.
        response: The answer.
    """
    texts = response.body.decode()
    if response.status != 200:
        return [f"status {response.status}: {texts}"]
    chosen, limit = pair.exchanges[-1].chosen(), sent["max_tokens"]
    found = [(each, generate(vocabulary, each, limit, pair.parameters.get("stop", ()))) for each in chosen]
    first = sent.get("seed")
    # vLLM draws each next text with the next number.
    seeds = [None if first is None else first + at for at in range(len(found))]
    answers = [_Answer(vocabulary, pair, each, text, seed) for (each, text), seed in zip(found, seeds, strict=True)]
    answers.sort(key=lambda answer: -answer.chosen.mean)
    if any(answer.is_cut_in_a_token for answer in answers) and "stop" not in announced(response):
        return ["x-tgi-difference does not say that a stop sequence ended the text inside a token"]
    expected = list(_events(answers[0])) if pair.is_stream else [_whole(answers)]
    actual = [parse(data) for data in response.data()] if pair.is_stream else [parse(texts)]
    if not pair.is_stream and pair.path != "/generate":
        (actual,) = actual
    return list(_differences(expected, actual)) or (
        [] if _order(expected) == _order(actual) else ["the order of the members"]
    )


class _Answer:
    """One text with its details."""

    def __init__(self, vocabulary: Vocabulary, pair: Pair, chosen: Chosen, text: Text, seed: int | None) -> None:
        self._vocabulary = vocabulary
        self.pair = pair
        self.chosen = chosen
        self.text = text
        self.seed = seed

    @property
    def is_cut_in_a_token(self) -> bool:
        """Whether the container has found a stop sequence where TGI looks for none."""
        return self.text.finish_reason is None

    @property
    def finish_reason(self) -> str:
        return self.text.finish_reason or "stop_sequence"

    @property
    def generated_text(self) -> str:
        wanted = self.pair.parameters.get("return_full_text")
        full = self.pair.path in ("/", "/invocations") if wanted is None else wanted
        text = self.text.text
        return (self.pair.body["inputs"] if full else "") + text[: len(text) - self._behind_stop]

    @property
    def tokens(self) -> list[dict[str, Any]]:
        *before, last = self.text.tokens
        return [*before, {**last, "text": last["text"][: len(last["text"]) - self._behind_stop]}]

    @property
    def _behind_stop(self) -> int:
        """How many characters of the last token are behind the stop sequence inside it."""
        if not self.is_cut_in_a_token:
            return 0
        text = self.text.text
        return len(text) - min(text.find(stop) + len(stop) for stop in self.pair.parameters["stop"] if stop in text)

    def details(self) -> dict[str, Any]:
        """What the details have of it."""
        wants_prefill = bool(self.pair.parameters.get("decoder_input_details"))
        return {
            "finish_reason": self.finish_reason,
            "generated_tokens": len(self.text.tokens),
            "seed": self.seed,
            "prefill": prefill(self._vocabulary, self.chosen) if wants_prefill else [],
            "tokens": self.tokens,
        }


def _whole(answers: list[_Answer]) -> dict[str, Any]:
    first, *others = answers
    value: dict[str, Any] = {"generated_text": first.generated_text}
    parameters = first.pair.parameters
    if parameters.get("details") or parameters.get("decoder_input_details"):
        value["details"] = first.details()
        if others:
            value["details"]["best_of_sequences"] = [
                {"generated_text": other.generated_text, **other.details()} for other in others
            ]
    return value


def _events(answer: _Answer) -> Iterator[dict[str, Any]]:
    for index, token in enumerate(answer.tokens, 1):
        is_last = index == len(answer.tokens)
        details = {
            "finish_reason": answer.finish_reason,
            "generated_tokens": index,
            "seed": answer.seed,
            "input_length": len(answer.chosen.prompt),
        }
        yield {
            "index": index,
            "token": token,
            "generated_text": answer.generated_text if is_last else None,
            "details": details if is_last and answer.pair.parameters.get("details") else None,
        }


def _differences(expected: Any, actual: Any, at: str = "") -> Iterator[str]:
    """The places where two values differ; log probabilities as numbers of 32 bits."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name in expected.keys() | actual.keys():
            if name in expected and name in actual:
                yield from _differences(expected[name], actual[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}: only in {'expected' if name in expected else 'actual'}"
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{at}: {len(actual)} elements, not {len(expected)}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from _differences(one, other, f"{at}[{index}]")
    elif isinstance(expected, float) and isinstance(actual, float):
        if f32(actual) != expected or len(repr(actual)) > len(_shortest(expected)) + 2:
            yield f"{at}: {actual!r}, not {_shortest(expected)}"
    elif expected != actual or type(expected) is not type(actual):
        yield f"{at}: {actual!r}, not {expected!r}"


def _shortest(value: float) -> str:
    """The shortest text of a number of 32 bits."""
    return next(text for digits in range(1, 10) if f32(float(text := f"{value:.{digits}g}")) == value)


def _order(value: Any) -> Any:
    """The names of members alone, in their order."""
    if isinstance(value, dict):
        return [(name, _order(each)) for name, each in value.items()]
    return [_order(each) for each in value] if isinstance(value, list) else None
