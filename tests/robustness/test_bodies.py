"""Any body gets a response: an error if it is invalid, and never an internal error."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.robustness.checked_client import LLAMA, CheckedClient, CheckedResponse
from tests.robustness.corpus import (
    INVALID_BYTES,
    NOT_OBJECTS,
    POST_PATHS,
    VALUES,
    minimal_body,
    prompt_member,
    valid_body,
    with_prompt_text,
    with_unknown_member,
)
from tests.robustness.wrong_values import WRONG_VALUES, paths_in, with_value_at

MAX_SECONDS = 10.0


def send(client: CheckedClient, path: str, body: str, **event: Any) -> CheckedResponse:
    """Send a body and check that it is either rejected or reaches the model as one request."""
    client.sagemaker.received.clear()
    response = client.send(path, body, **event)
    assert response.status < 500, response.body
    assert response.seconds < MAX_SECONDS
    assert len(client.sagemaker.received) == (1 if response.status == 200 else 0)
    assert client.sagemaker.violations == []
    return response


@pytest.mark.parametrize("name", VALUES)
def test_a_wrong_value_is_rejected_or_sent_to_the_model_once(client: CheckedClient, name: str) -> None:
    for path in POST_PATHS:
        send(client, path, VALUES[name])
        send(client, path, with_prompt_text(path, VALUES[name]))
        send(client, path, with_unknown_member(path, VALUES[name]))


@pytest.mark.parametrize("path", POST_PATHS)
def test_a_body_that_is_not_a_json_object_is_rejected(client: CheckedClient, path: str) -> None:
    for body in NOT_OBJECTS.values():
        assert send(client, path, body).status == 400
    for raw in INVALID_BYTES.values():
        encoded = base64.b64encode(raw).decode()
        assert send(client, path, encoded, isBase64Encoded=True).status == 400


@pytest.mark.parametrize("encoded", ["=", "é", "e30", "e3 0=", "e30=e30=", "\ud800", "e" * 4001])
def test_a_body_that_is_not_base64_is_rejected(client: CheckedClient, encoded: str) -> None:
    for path in POST_PATHS:
        assert send(client, path, encoded, isBase64Encoded=True).status == 400


@pytest.mark.parametrize("depth", [50, 100, 10**3, 10**5])
def test_a_nested_body_is_sent_or_rejected_by_its_depth(client: CheckedClient, depth: int) -> None:
    for path in POST_PATHS:
        response = send(client, path, with_unknown_member(path, "[" * depth + "]" * depth))
        if depth == 10**5:
            assert response.status == 400
            assert b"recursion limit exceeded" in response.body


@pytest.mark.parametrize("text", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity", "1" + "0" * 5000])
def test_a_number_that_serde_rejects_is_rejected(client: CheckedClient, text: str) -> None:
    for path in (path for path in POST_PATHS if not path.endswith("/count_tokens")):  # which has no temperature
        body = json.dumps(minimal_body(path))[:-1]
        member = f'"parameters":{{"temperature":{text}}}' if "inputs" in body else f'"temperature":{text}'
        response = send(client, path, f"{body},{member}}}")
        assert response.status == 400
        assert b"number out of range" in response.body or b"temperature" in response.body


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_not_json_is_rejected_in_any_member(client: CheckedClient, text: str) -> None:
    for path in POST_PATHS:
        response = send(client, path, with_unknown_member(path, text))
        assert response.status == 400
        assert b"number out of range" in response.body


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00 \\ud800"', '"x\\udfff"'])
def test_a_lone_surrogate_in_the_prompt_is_rejected(client: CheckedClient, text: str) -> None:
    for path in POST_PATHS:
        response = send(client, path, with_prompt_text(path, text))
        assert response.status == 400
        assert b"lone surrogate" in response.body or b"unknown" in response.body.lower()


@pytest.mark.parametrize("path", POST_PATHS)
def test_of_duplicate_members_the_last_is_used_and_sent(client: CheckedClient, path: str) -> None:
    """The front door decides by the same value that the container gets."""
    name = "messages" if "/v1/" in path and not path.endswith("/v1/completions") else prompt_member(path)
    members = json.dumps(minimal_body(path))[1:-1]
    last = members.replace("Hello", "the last")
    for stream in ("false", "true"):
        other = "true" if stream == "false" else "false"
        body = f'{{{members},"stream":{other},{last},"stream":{stream}}}'
        response = send(client, path, body)
        (sent,) = client.sagemaker.received
        assert response.status == 200
        assert "the last" in json.dumps(sent.json()[name])
        assert sent.body.count(f'"{name}":'.encode()) == 1
        assert sent.body.count(b'"stream":') == 1
        is_fixed = path.endswith(("/generate", "/generate_stream", "/count_tokens"))
        assert response.is_stream == (path.endswith("/generate_stream") if is_fixed else stream == "true")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses"])
def test_of_duplicate_models_the_last_is_used(client: CheckedClient, path: str) -> None:
    members = json.dumps(minimal_body(path))[1:-1]
    assert send(client, path, f'{{"model":"other",{members},"model":"llama"}}').status == 200
    rejected = send(client, path, f'{{"model":"llama",{members},"model":"other"}}')
    assert (rejected.status, rejected.json()["error"]["code"]) == (404, "model_not_found")


NOT_FOUND = ("model_not_found", "not_found_error")
LARGE_PATHS = ["/generate", "/generate_stream", *(path for path in POST_PATHS if path.startswith("/v1/"))]


@pytest.mark.parametrize("path", LARGE_PATHS)
@pytest.mark.parametrize("letter", ["x", "\\", "é", "\0", "💥"])
def test_a_huge_prompt_is_sent_completely_or_rejected_as_too_large(
    client: CheckedClient, path: str, letter: str
) -> None:
    written = json.dumps(letter, ensure_ascii=False)[1:-1]
    for difference in (-100_000, 100_000):
        count = (LLAMA.max_body_bytes + difference) // len(written.encode())
        body = json.dumps(minimal_body(path)).replace("Hello", json.dumps(letter * count)[1:-1])
        response = send(client, path, body)
        if difference < 0:
            assert response.status == 200
            assert client.sagemaker.received[0].body.decode().count(written) >= count
        else:
            assert response.status == 413
            assert str(LLAMA.max_body_bytes) in response.body.decode()


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/messages", "/v1/messages/count_tokens"])
def test_a_wrong_value_is_refused_by_the_name_of_its_member(client: CheckedClient, path: str) -> None:
    valid = valid_body(path)
    refused = set()
    for place in paths_in(valid):
        for wrong in WRONG_VALUES:
            response = client.send(path, with_value_at(valid, place, wrong))
            if response.status == 200:
                continue
            refused.add(place[0])
            error = response.json()["error"]
            assert response.status == (404 if error.get("code", error["type"]) in NOT_FOUND else 400), response.body
            is_json = "Failed to parse" not in error["message"]  # NaN is none, wherever it is
            assert not is_json or str(place[0]) in error["message"], (place, wrong, error)
    assert {"model", "tools", "tool_choice"} < refused


def test_the_size_limit_is_exact(client: CheckedClient) -> None:
    client.send("/generate", {"inputs": ""})
    overhead = len(client.sagemaker.received[-1].body)
    for more, status in ((0, 200), (1, 413)):
        text = "x" * (LLAMA.max_body_bytes - overhead + more)
        assert send(client, "/generate", json.dumps({"inputs": text})).status == status
