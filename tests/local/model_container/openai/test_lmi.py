"""LMI's answers: lines of JSON, and the errors of DJL Serving and of its handler."""

from __future__ import annotations

import json
from typing import Any

from local.model_container.openai.engines import ENGINES, Image
from tests.local.model_container.servers import Response, Servers, post

CHAT = {"messages": [{"role": "user", "content": "Hi"}], "temperature": 0}


def serve(servers: Servers, *, has_artifact: bool = False, **environment: str) -> str:
    variables = {"HF_MODEL_ID": "a/b", "TOY_TOKENS_PER_SECOND": "0", **environment}
    image = Image("djl-inference", "0.36.0-lmi27.0.0-cu130", has_artifact=has_artifact)
    return servers.serve(ENGINES["lmi"](variables, image))


def invoke(url: str, body: Any) -> Response:
    return post(f"{url}/invocations", body)


def test_an_answer_is_vllm_s_with_a_newline(servers: Servers) -> None:
    response = invoke(serve(servers), {**CHAT, "max_tokens": 2})
    assert response.text.endswith("}\n")
    assert (response.json["object"], response.json["model"]) == ("chat.completion", "lmi")


def test_a_stream_is_a_line_for_each_event_and_an_empty_one(servers: Servers) -> None:
    body = {**CHAT, "max_tokens": 2, "stream": True, "stream_options": {"include_usage": True}}
    response = invoke(serve(servers), body)
    assert response.headers["content-type"] == "application/jsonlines"
    *lines, empty, end = response.text.split("\n")
    assert (empty, end) == ("", "")
    events = [json.loads(line) for line in lines]
    assert [event["object"] for event in events] == ["chat.completion.chunk"] * 4
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert events[-1]["usage"]["completion_tokens"] == 2


def test_a_body_that_cannot_be_read_is_424_in_the_handler_s_words(servers: Servers) -> None:
    url = serve(servers)
    response = invoke(url, {"text": "Hi"})
    assert response.status == 424
    assert response.json == {
        "error": "Input parsing failed: invalid payload. must contain prompt, inputs, or messages",
        "code": 424,
    }
    assert invoke(url, {**CHAT, "max_tokens": "many"}).status == 424
    unknown = invoke(url, {**CHAT, "adapters": "nope"})
    assert unknown.json["error"] == (
        "Input parsing failed: LoRA adapter nope not found in registry. Available adapters: []"
    )


def test_an_error_of_vllm_is_500_with_its_representation(servers: Servers) -> None:
    response = invoke(serve(servers), {**CHAT, "top_p": 2})
    assert response.status == 500
    assert response.json == {
        "error": "error=ErrorInfo(message='top_p must be in (0, 1], got 2.0. (parameter=top_p, value=2.0)', "
        "type='BadRequestError', param='top_p', code=400)",
        "code": 500,
    }


def test_two_models_need_a_name_that_no_client_sends(servers: Servers) -> None:
    response = invoke(serve(servers, has_artifact=True), CHAT)
    assert (response.status, response.json["message"]) == (400, "Parameter model_name is required.")


def test_an_artifact_that_hf_model_id_names_as_well_is_one_model(servers: Servers) -> None:
    """So it is in JumpStart's models."""
    assert invoke(serve(servers, has_artifact=True, HF_MODEL_ID="/opt/ml/model"), CHAT).status == 200


def test_an_engine_that_dies_is_an_error_and_a_line_in_a_stream(servers: Servers) -> None:
    url = serve(servers, TOY_FAIL_AFTER_TOKENS="1")
    *_, error, empty, end = invoke(url, {**CHAT, "stream": True}).text.split("\n")
    assert json.loads(error)["error"]["message"].startswith("EngineCore encountered an issue.")
    assert (empty, end) == ("", "")
    assert invoke(url, CHAT).status == 500
