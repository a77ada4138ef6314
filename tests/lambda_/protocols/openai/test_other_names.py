"""Names that are not OpenAI's: settings of clients are passed over, TGI's parameters are honoured or rejected."""

from typing import Any

import pytest
from front_door.errors import ApiError

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.bodies import chat_bodies, completion_bodies
from tests.lambda_.protocols.openai.events import COMPLETION, HI
from tests.lambda_.sagemaker_double import SageMakerDouble, parts

PROMPT = {"prompt": "Once"}
NEUTRAL: list[dict[str, Any]] = [
    {"return_full_text": False, "watermark": False, "details": True, "decoder_input_details": False},
    {"details": False, "best_of": 1, "top_n_tokens": 0, "repetition_penalty": 1, "typical_p": 1.0},
    {"top_k": 0, "typical_p": None, "truncate": None, "grammar": None, "adapter_id": None},
    {"top_k": -1, "do_sample": True},
    {"do_sample": True, "temperature": 0.5},
]


def sent(body: dict[str, Any]) -> dict[str, Any]:
    (chat,) = chat_bodies({**HI, **body}, {})
    return {name: value for name, value in chat.items() if name not in ("messages", "stream", "stream_options")}


# What litellm and dspy were seen to send, beside what the documentation names.
SETTINGS = ("max_retries", "num_retries", "timeout", "caching", "use_cache", "headers", "session_id", "drop_params")
SETTINGS += ("trace_id", "generation_name", "rollout_id", "cache_in_memory", "api_type", "wait_for_model")


@pytest.mark.parametrize("value", [None, 1, "x", True, {"a": "b"}, ["a"]])
def test_settings_of_clients_change_nothing(value: object) -> None:
    settings = dict.fromkeys(SETTINGS, value)
    assert chat_bodies({**HI, **settings}, {}) == chat_bodies(HI, {})
    assert completion_bodies({**PROMPT, **settings}, {}) == completion_bodies(PROMPT, {})


@pytest.mark.parametrize("body", NEUTRAL)
def test_tgis_parameters_at_their_defaults_change_nothing(body: dict[str, Any]) -> None:
    openais = {name: body[name] for name in ("temperature",) if name in body}
    assert chat_bodies({**HI, **body}, {}) == chat_bodies({**HI, **openais}, {})
    without = {name: value for name, value in body.items() if name != "repetition_penalty"}
    assert completion_bodies({**PROMPT, **without}, {}) == completion_bodies({**PROMPT, **openais}, {})


def test_do_sample_false_takes_the_likeliest_token() -> None:
    assert sent({"do_sample": False}) == {"temperature": 0}
    assert sent({"do_sample": False, "temperature": 0, "top_p": 1}) == {"temperature": 0}
    (completion,) = completion_bodies({**PROMPT, "do_sample": False}, {})
    assert completion == {"prompt": "Once", "temperature": 0, "stream": True}


def test_the_prompt_is_returned_as_return_full_text_says(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    completion = api.send("/v1/completions", {**PROMPT, "return_full_text": True}).json()
    assert completion["choices"][0]["text"] == "OnceUn été 🧸"


def problem(body: dict[str, Any]) -> tuple[str | None, str]:
    with pytest.raises(ApiError) as raised:
        (chat_bodies if "messages" in body else completion_bodies)(body, {})
    assert raised.value.status == 400
    return raised.value.param, raised.value.message


NOT_IN_CHAT = "{} is not supported by chat completions: leave it out, or use `POST /generate`"


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        *(
            ({**HI, name: value}, name, NOT_IN_CHAT.format(name))
            for name, value in {
                "top_k": 5,
                "typical_p": 0.5,
                "truncate": 5,
                "watermark": True,
                "adapter_id": "a",
                "return_full_text": True,
                "decoder_input_details": True,
                "best_of": 2,
                "repetition_penalty": 1.5,
            }.items()
        ),
        (
            {**HI, "grammar": {"type": "regex", "value": "a"}},
            "grammar",
            "grammar is not supported on this route: use `response_format`",
        ),
        ({**HI, "top_n_tokens": 2}, "top_n_tokens", "top_n_tokens is not supported on this route: use `top_logprobs`"),
        ({**PROMPT, "top_n_tokens": 2}, "top_n_tokens", "top_n_tokens is not supported on this route: use `logprobs`"),
        (
            {**PROMPT, "decoder_input_details": True},
            "decoder_input_details",
            "decoder_input_details is not supported on this route: use `echo` and `logprobs`",
        ),
        (
            {**PROMPT, "max_new_tokens": 5},
            "max_new_tokens",
            "max_new_tokens is not supported on this route: use `max_tokens`",
        ),
        (
            {**PROMPT, "do_sample": True, "temperature": 0},
            "do_sample",
            "do_sample is true, but temperature is 0: raise it or leave one of them out",
        ),
        (
            {**HI, "do_sample": False, "temperature": 0.5},
            "do_sample",
            "do_sample is false, which takes the likeliest token, but temperature is set: leave one of them out",
        ),
        (
            {**HI, "do_sample": False, "top_p": 0.5},
            "do_sample",
            "do_sample is false, which takes the likeliest token, but top_p is set: leave one of them out",
        ),
        (
            {**PROMPT, "echo": False, "return_full_text": True},
            "return_full_text",
            "return_full_text is true and means echo, which is false: set one of them",
        ),
        ({**PROMPT, "top_k": "5"}, "top_k", "top_k: invalid type: string, expected i32"),
        ({**PROMPT, "watermark": 1}, "watermark", "watermark: invalid type: integer, expected a boolean"),
        ({**PROMPT, "grammar": {"type": "regex"}}, "grammar", "grammar: missing field `value`"),
        (
            {**HI, "watermark": True, "max_retries": 2, "made_up": 1, "temperature": "hot"},
            "temperature",
            "temperature: invalid type: string, expected a number; "
            + NOT_IN_CHAT.format("watermark")
            + "; Unrecognized request argument supplied: made_up",
        ),
    ],
)
def test_what_would_change_the_response_is_rejected_with_what_to_use(
    body: dict[str, Any], param: str, message: str
) -> None:
    assert problem(body) == (param, message)


def test_tgis_route_ignores_them_as_tgi_does(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*COMPLETION))
    assert api.send("/invocations", {**PROMPT, "top_k": 5, "max_tokens": 5}).status == 200
    assert sagemaker.received[0].json() == {"prompt": "Once", "max_tokens": 5, "stream": True}
