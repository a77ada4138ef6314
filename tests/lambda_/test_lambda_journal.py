"""One log line for each request, and never a word of what was said."""

import json
from typing import Any

import pytest
from conftest import Door
from sagemaker_double import SageMakerDouble, error, exception, part, parts, stream, whole

CANARY = "c4n4ry-été"
HI = {"messages": [{"role": "user", "content": CANARY, "name": CANARY}], "user": CANARY, "stop": [CANARY]}
GENERATE = {"inputs": CANARY, "parameters": {"stop": [CANARY], "adapter_id": CANARY}}


def generation(text: str = CANARY) -> bytes:
    details = {"finish_reason": "length", "generated_tokens": 1, "seed": None, "input_length": 6}
    token = {"id": 1, "text": text, "logprob": -1, "special": False}
    return f"data: {json.dumps({'index': 1, 'token': token, 'generated_text': text, 'details': details})}\n\n".encode()


def chat(text: str = CANARY) -> list[bytes]:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    chunks = [{"choices": [choice], "usage": None}, {"choices": [], "usage": usage}]
    return [*(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks), b"data: [DONE]\n\n"]


def test_a_request_is_one_line(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(generation()))
    door.ask("/generate", GENERATE)
    (line,) = door.log()
    times = {name: line.pop(name) for name in ("upstream_ms", "duration_ms")}
    assert 0 < times["upstream_ms"] <= times["duration_ms"] < 5000
    assert line.pop("request_bytes") > 0
    assert line == {
        "level": "INFO",
        "request_id": "gateway-id",
        "lambda_request_id": "lambda-id",
        "api_key_id": "key-id",
        "route": "POST /generate",
        "model": "llama",
        "endpoint": "llama-endpoint",
        "status": 200,
        "prompt_tokens": 6,
        "generated_tokens": 1,
        "finish_reason": "length",
    }


def test_a_stream_is_one_line_that_is_written_at_its_end(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(*chat()))
    body = iter(door.begin("/v1/chat/completions", {**HI, "stream": True}).body)
    next(body)
    assert door.log() == []
    list(body)
    (line,) = door.log()
    assert (line["streamed"], line["status"], line["prompt_tokens"], line["generated_tokens"]) == (True, 200, 9, 1)
    assert line["first_byte_ms"] <= line["duration_ms"]


def test_a_stream_that_nobody_reads_to_its_end_is_a_line_too(door: Door, sagemaker: SageMakerDouble) -> None:
    sagemaker.replies.append(parts(generation(), generation()))
    body: Any = iter(door.begin("/generate_stream", GENERATE).body)
    next(body)
    body.close()
    assert len(door.log()) == 1


def test_every_answer_tells_the_id_that_the_log_has(door: Door) -> None:
    assert door.ask("/nope", {}).headers["x-request-id"] == "gateway-id"
    assert door.ask("/v1/models", requestContext=None).headers["x-request-id"] == "lambda-id"
    assert [line["request_id"] for line in door.log()] == ["gateway-id", "lambda-id"]


MODEL_ERROR = {"Message": CANARY, "OriginalStatusCode": 422, "OriginalMessage": CANARY}
UPSTREAM = {
    "an answer": [parts(generation())],
    "a chat": [parts(*chat())],
    "an error event": [parts(f'data: {{"error":"{CANARY}","error_type":"generation"}}\n\n'.encode())],
    "a chat's error event": [parts(f'data: {{"error":{{"message":"{CANARY}"}}}}\n\n'.encode(), b"data: [DONE]\n\n")],
    "no end": [parts(generation()[:-2])],
    "a broken stream": [stream([part(generation()), exception("ModelStreamError", Message=CANARY, ErrorCode="x")])],
    "no JSON": [parts(f"data: {CANARY}\n\n".encode())],
    "a model error": [error(424, "ModelError", **MODEL_ERROR)],
    "a validation error": [error(400, "ValidationError", Message=CANARY)],
    "an unknown error": [error(400, "Unknown", Message=CANARY)],
    "no SageMaker": [whole(CANARY.encode(), 500)],
}


@pytest.mark.parametrize("upstream", UPSTREAM)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/", GENERATE),
        ("/", {**GENERATE, "stream": True}),
        ("/generate", GENERATE),
        ("/generate_stream", GENERATE),
        ("/generate", {**GENERATE, "parameters": {"best_of": 2, "seed": CANARY}}),
        ("/generate", {**GENERATE, "parameters": {"best_of": 2}}),
        ("/v1/chat/completions", HI),
        ("/v1/chat/completions", {**HI, "stream": True}),
        ("/v1/chat/completions", {**HI, "model": CANARY}),
        ("/" + CANARY, HI),
    ],
)
def test_nothing_that_was_said_is_logged(
    door: Door, sagemaker: SageMakerDouble, upstream: str, path: str, body: dict[str, Any]
) -> None:
    sagemaker.replies += UPSTREAM[upstream]
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {CANARY}", "X-Canary": CANARY}
    door.ask(path, body, headers=headers, queryStringParameters={"q": CANARY})
    captured = door.capsys.readouterr()
    assert captured.err == ""
    assert len(captured.out.splitlines()) == 1
    assert "c4n4ry" not in captured.out
    assert "key-secret" not in captured.out


@pytest.mark.parametrize("body", [CANARY, f'{{"inputs": "{CANARY}', f'["{CANARY}"]', f'{{"inputs": ["{CANARY}"]}}'])
def test_a_body_that_cannot_be_read_is_not_logged(door: Door, body: str) -> None:
    assert door.ask("/generate", raw=body).status in (400, 422)
    assert "c4n4ry" not in door.capsys.readouterr().out
