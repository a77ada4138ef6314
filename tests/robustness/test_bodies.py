"""Whatever the body is, there is an answer: what is wrong with it is told, and nothing of ours breaks."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.robustness.checked_client import LLAMA, CheckedClient, CheckedResponse
from tests.robustness.corpus import (
    INVALID_BYTES,
    POST_PATHS,
    VALUES,
    WHOLE,
    minimal_body,
    prompt_member,
    with_prompt_text,
    with_unknown_member,
)

PATIENCE_SECONDS = 10.0


def harmless(client: CheckedClient, path: str, body: str, **event: Any) -> CheckedResponse:
    """Ask; where the body is wrong the client is told, and where it is not, it reached the model as one request."""
    client.sagemaker.received.clear()
    response = client.ask(path, body, **event)
    assert response.status < 500, response.body
    assert response.seconds < PATIENCE_SECONDS
    assert len(client.sagemaker.received) == (1 if response.status == 200 else 0)
    assert client.sagemaker.violations == []
    return response


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value_is_refused_or_harmless(client: CheckedClient, name: str) -> None:
    for path in POST_PATHS:
        harmless(client, path, VALUES[name])
        harmless(client, path, with_prompt_text(path, VALUES[name]))
        harmless(client, path, with_unknown_member(path, VALUES[name]))


@pytest.mark.parametrize("path", POST_PATHS)
def test_what_is_no_json_object_is_refused(client: CheckedClient, path: str) -> None:
    for body in WHOLE.values():
        assert harmless(client, path, body).status == 400
    for raw in INVALID_BYTES.values():
        encoded = base64.b64encode(raw).decode()
        assert harmless(client, path, encoded, isBase64Encoded=True).status == 400


@pytest.mark.parametrize("encoded", ["=", "é", "e30", "e3 0=", "e30=e30=", "\ud800", "e" * 4001])
def test_what_is_no_base64_is_refused(client: CheckedClient, encoded: str) -> None:
    for path in POST_PATHS:
        assert harmless(client, path, encoded, isBase64Encoded=True).status == 400


@pytest.mark.parametrize("depth", [50, 100, 10**3, 10**5])
def test_a_nested_body_never_reaches_the_model_deeper_than_it_is_read(client: CheckedClient, depth: int) -> None:
    for path in POST_PATHS:
        response = harmless(client, path, with_unknown_member(path, "[" * depth + "]" * depth))
        if depth == 10**5:
            assert response.status == 400
            assert b"recursion limit exceeded" in response.body


@pytest.mark.parametrize("text", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" + "0" * 5000])
def test_a_number_that_serde_would_not_read_is_refused(client: CheckedClient, text: str) -> None:
    for path in POST_PATHS:
        body = json.dumps(minimal_body(path))[:-1]
        read = f'"parameters":{{"temperature":{text}}}' if "inputs" in body else f'"temperature":{text}'
        response = harmless(client, path, f"{body},{read}}}")
        assert response.status == 400
        assert b"number out of range" in response.body or b"temperature" in response.body


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused_wherever_it_is(client: CheckedClient, text: str) -> None:
    for path in POST_PATHS:
        response = harmless(client, path, with_unknown_member(path, text))
        assert response.status == 400
        assert b"number out of range" in response.body


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00 \\ud800"', '"x\\udfff"'])
def test_half_a_character_is_refused_where_it_would_be_sent(client: CheckedClient, text: str) -> None:
    for path in POST_PATHS:
        response = harmless(client, path, with_prompt_text(path, text))
        assert response.status == 400
        assert b"lone surrogate" in response.body or b"unknown" in response.body.lower()


@pytest.mark.parametrize("path", POST_PATHS)
def test_of_a_name_that_comes_twice_everyone_reads_the_last(client: CheckedClient, path: str) -> None:
    """The door decides by the same value that the container gets."""
    name = prompt_member(path)
    least = json.dumps(minimal_body(path))[1:-1]
    last = least.replace("Hello", "the last")
    for stream in ("false", "true"):
        other = "true" if stream == "false" else "false"
        body = f'{{{least},"stream":{other},{last},"stream":{stream}}}'
        response = harmless(client, path, body)
        (sent,) = client.sagemaker.received
        assert response.status == 200
        assert "the last" in json.dumps(sent.json()[name])
        assert sent.body.count(f'"{name}":'.encode()) == 1
        assert sent.body.count(b'"stream":') == 1
        is_fixed = path.endswith(("/generate", "/generate_stream"))
        assert response.is_stream == (path.endswith("/generate_stream") if is_fixed else stream == "true")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
def test_of_two_models_the_last_is_asked(client: CheckedClient, path: str) -> None:
    least = json.dumps(minimal_body(path))[1:-1]
    assert harmless(client, path, f'{{"model":"other",{least},"model":"llama"}}').status == 200
    refused = harmless(client, path, f'{{"model":"llama",{least},"model":"other"}}')
    assert (refused.status, refused.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/v1/chat/completions", "/v1/completions"])
@pytest.mark.parametrize("letter", ["x", "\\", "é", "\0", "💥"])
def test_a_gigantic_prompt_is_sent_whole_or_refused_as_too_large(client: CheckedClient, path: str, letter: str) -> None:
    written = json.dumps(letter, ensure_ascii=False)[1:-1]
    for room in (-100_000, 100_000):
        count = (LLAMA.max_body_bytes + room) // len(written.encode())
        body = json.dumps(minimal_body(path)).replace("Hello", json.dumps(letter * count)[1:-1])
        response = harmless(client, path, body)
        if room < 0:
            assert response.status == 200
            assert client.sagemaker.received[0].body.decode().count(written) >= count
        else:
            assert response.status == 413
            assert str(LLAMA.max_body_bytes) in response.body.decode()


def test_the_limit_is_a_byte_wide(client: CheckedClient) -> None:
    client.ask("/generate", {"inputs": ""})
    least = len(client.sagemaker.received[-1].body)
    for more, status in ((0, 200), (1, 413)):
        text = "x" * (LLAMA.max_body_bytes - least + more)
        assert harmless(client, "/generate", json.dumps({"inputs": text})).status == status
