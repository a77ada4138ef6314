"""Completions over a SageMaker double."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from front_door import context
from front_door.errors import ApiError
from front_door.http.json import compact

from tests.lambda_.conftest import FALCON, LLAMA, ApiClient
from tests.lambda_.protocols.openai.bodies import completion_bodies
from tests.lambda_.protocols.openai.events import COMPLETION, DONE, USAGE, Read, completion_text, error
from tests.lambda_.sagemaker_double import SageMakerDouble, part, parts, slices, stream

PATH = "/v1/completions"
BODY = {"prompt": "Once"}
FACTS = {"max_stop_sequences": 4, "max_top_n_tokens": 3, "enable_prefill_logprobs": False}


def streamed(api: ApiClient, **more: Any) -> Read:
    answer = api.send(PATH, {**BODY, "stream": True, **more})
    assert answer.status == 200, answer.body
    return Read.of(answer.body)


def test_a_buffered_completion(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    completion = api.send(PATH, BODY).json()
    assert completion.pop("created") > 1.6e9
    assert completion == {
        "id": "cmpl-gateway-id",
        "object": "text_completion",
        "model": "llama",
        "system_fingerprint": "3.3.6",
        "choices": [{"index": 0, "text": "Un été 🧸", "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert sagemaker.received[0].json() == {"prompt": "Once", "max_tokens": 1024, "stream": True}
    assert api.log()[0]["GeneratedTokens"] == 2


def test_a_stream_is_the_same_wherever_the_slices_are_cut(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    events = b"".join(COMPLETION)
    for size in range(1, len(events), 11):
        sagemaker.replies.append(parts(*slices(events, size)))
        read = streamed(api)
        assert (read.text(), read.finish_reasons(), read.is_done) == ("Un été 🧸", ["stop"], True)
        assert len({chunk["id"] for chunk in read.chunks}) == 1
        assert {chunk["object"] for chunk in read.chunks} == {"text_completion"}


@pytest.mark.parametrize(
    ("reason", "last", "result"), [("eos_token", "", "stop"), ("stop_sequence", "!", "stop"), ("length", "!", "length")]
)
def test_the_last_token_is_text_unless_it_is_the_end_token(
    api: ApiClient, sagemaker: SageMakerDouble, reason: str, last: str, result: str
) -> None:
    sagemaker.replies += [parts(completion_text("Un"), completion_text("!", reason), DONE)] * 2
    choice = api.send(PATH, BODY).json()["choices"][0]
    assert (choice["text"], choice["finish_reason"]) == ("Un" + last, result)
    read = streamed(api)
    assert (read.text(), read.finish_reasons()) == ("Un" + last, [result])


def test_token_counts_are_streamed_only_on_request(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*COMPLETION)] * 2
    assert streamed(api).usage() == ["absent"] * 3
    assert streamed(api, stream_options={"include_usage": True}).usage() == [None, None, None, USAGE]


def test_an_echoed_prompt_begins_the_text(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [parts(*COMPLETION)] * 2
    assert api.send(PATH, {**BODY, "echo": True}).json()["choices"][0]["text"] == "OnceUn été 🧸"
    read = streamed(api, echo=True)
    assert [choice["text"] for choice in read.choices()] == ["Once", "Un été", " 🧸", ""]


def test_a_text_that_looks_like_an_event_is_text(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    odd = 'data: {"object":"text_completion","choices":[{"index":0,"text":"x","logprobs":null,"finish_reason":""}],'
    sagemaker.replies.append(parts(completion_text("a"), completion_text(odd) * 2, *COMPLETION[2:]))
    assert streamed(api).text() == "a" + odd + odd


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_error_instead_of_the_first_event_becomes_the_status(
    api: ApiClient, sagemaker: SageMakerDouble, is_streamed: bool
) -> None:
    sagemaker.replies.append(parts(error("Input validation error: `temperature` must be strictly positive"), DONE))
    answer = api.send(PATH, {**BODY, "stream": is_streamed})
    assert (answer.status, answer.json()["error"]["param"]) == (400, "temperature")


def test_an_error_in_the_middle_follows_the_text_so_far(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(completion_text("Un"), error("Request failed during generation: x"), DONE))
    read = streamed(api)
    assert (read.text(), read.errors[0]["error"]["code"], read.is_done) == ("Un", "generation", True)


def test_a_stream_without_an_end_is_an_error(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies += [stream([part(completion_text("Un"))])] * 2
    assert streamed(api).errors[0]["error"]["code"] == "incomplete_generation"
    assert api.send(PATH, BODY).status == 500


@pytest.mark.parametrize(("more", "written"), [({}, 1), ({"seed": 7}, 3)])
def test_choices_that_ask_for_the_same_are_one_body_in_memory(
    api: ApiClient, sagemaker: SageMakerDouble, monkeypatch: pytest.MonkeyPatch, more: dict[str, int], written: int
) -> None:
    bodies: list[bytes] = []
    at_work: list[int] = []

    def write(body: object) -> bytes:
        at_work.append(len(at_work))
        time.sleep(0.01)
        bodies.append(compact(body))
        assert at_work.pop() == 0, "two bodies are written at once"
        return bodies[-1]

    monkeypatch.setattr(context, "compact", write)
    sagemaker.replies += [parts(*COMPLETION)] * 3
    assert len(api.send(PATH, {**BODY, "n": 3, **more}).json()["choices"]) == 3
    assert len(bodies) == written
    assert len(sagemaker.received) == 3


def sent(body: dict[str, Any]) -> list[dict[str, Any]]:
    bodies = completion_bodies({**BODY, **body}, FACTS)
    assert all(each["stream"] is True for each in bodies)
    return [{name: value for name, value in each.items() if name != "stream"} for each in bodies]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [{"prompt": "Once"}]),
        ({"prompt": ["a", "b"]}, [{"prompt": "a"}, {"prompt": "b"}]),
        ({"n": 2, "best_of": 2}, [{"prompt": "Once"}] * 2),
        ({"prompt": ["a", "b"], "n": 2, "seed": 5}, [{"prompt": p, "seed": s} for p in "ab" for s in (5, 6)]),
        ({"best_of": 1, "logprobs": None, "suffix": None, "echo": False, "user": "u"}, [{"prompt": "Once"}]),
        ({"top_p": 1, "stop": "a", "logit_bias": {}, "presence_penalty": 0}, [{"prompt": "Once", "stop": ["a"]}]),
        (
            {"max_tokens": 5, "repetition_penalty": 1.1},
            [{"prompt": "Once", "max_tokens": 5, "repetition_penalty": 1.1}],
        ),
    ],
)
def test_openais_parameters_are_sent_as_tgi_accepts_them(body: dict[str, Any], expected: list[dict[str, Any]]) -> None:
    assert sent(body) == expected


@pytest.mark.parametrize(
    ("body", "param", "expected_message"),
    [
        ({"prompt": [1, 2, 3]}, "prompt", "arrays of tokens are not supported"),
        ({"prompt": [[1], [2]]}, "prompt", "arrays of tokens are not supported"),
        ({"prompt": []}, "prompt", "must be a string or an array with at least one string"),
        ({"prompt": None}, "prompt", "invalid type: null"),
        ({"prompt": ["a", 5]}, "prompt[1]", "invalid type: integer"),
        ({"prompt": ["a"] * 9}, "n", "n (1) times the number of prompts (9) is more than the 8 choices"),
        ({"prompt": ["a"] * 3, "n": 3}, "n", "n (3) times the number of prompts (3) is more than the 8 choices"),
        ({"suffix": "x"}, "suffix", "suffix is not supported: put what follows into the prompt"),
        ({"logprobs": 6}, "logprobs", "logprobs: 6 is not a number of alternatives from 0 to 5"),
        ({"logprobs": True}, "logprobs", "invalid type: boolean, expected a number of alternatives from 0 to 5"),
        ({"logprobs": 4}, "logprobs", "logprobs is 4, this model returns at most 3 alternatives"),
        ({"n": 3, "best_of": 2}, "best_of", "best_of (2) is less than n (3): raise it or leave it out"),
        ({"best_of": 9}, "best_of", "best_of (9) is more than the 8 texts that one request may generate"),
        (
            {"prompt": ["a", "b", "c"], "best_of": 3},
            "best_of",
            "best_of (3) times the number of prompts (3) is more than the 8 texts that one request may generate",
        ),
        ({"best_of": 2, "stream": True}, "best_of", "best_of above n cannot be streamed"),
        ({"echo": True, "logprobs": 1}, "logprobs", "deployed with enable_prefill_logprobs=True"),
        ({"echo": True, "logprobs": 1, "stream": True}, "logprobs", "cannot be streamed by this model's server"),
        ({"echo": True, "logprobs": 1, "truncate": 5}, "logprobs", "truncate is allowed without logprobs"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "this model accepts at most 4"),
        ({"messages": []}, "messages", "Unrecognized request argument supplied: messages"),
        ({"max_completion_tokens": 5}, "max_completion_tokens", "Unrecognized request argument supplied"),
    ],
)
def test_parameters_that_tgi_does_not_support_are_rejected_by_name(
    body: dict[str, Any], param: str, expected_message: str
) -> None:
    with pytest.raises(ApiError) as raised:
        sent(body)
    assert (raised.value.status, raised.value.param) == (400, param)
    assert expected_message in raised.value.message


def test_the_path_of_a_model_decides_whatever_the_body_names(
    api_for: Callable[..., ApiClient], sagemaker: SageMakerDouble
) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    answer = api_for(LLAMA, FALCON).send(f"/models/falcon{PATH}", {**BODY, "model": "llama"})
    assert (answer.status, answer.json()["model"]) == (200, "falcon")


def test_a_completion_requires_a_prompt(api: ApiClient) -> None:
    answer = api.send(PATH, {"made_up": 1})
    expected_message = "prompt: missing field `prompt`; Unrecognized request argument supplied: made_up"
    assert (answer.status, answer.json()["error"]["message"]) == (400, expected_message)


def test_a_prompt_on_tgis_route_is_a_completion(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    answer = api.send("/invocations", {**BODY, "made_up": 1})
    assert (answer.status, answer.json()["object"]) == (200, "text_completion")
