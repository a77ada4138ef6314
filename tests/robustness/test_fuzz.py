"""Generated bodies, headers and paths: never an internal error, and no more requests to the model than expected."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.robustness.checked_client import CheckedClient
from tests.robustness.corpus import CHAT, COMPLETION, POST_PATHS, VALUES, valid_body
from tests.robustness.wrong_values import WRONG_VALUES, paths_in, with_value_at

GENERATED = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**32, 2**63, 2**64, -(2**63) - 1, 10**400, -1, 0, 1e308, -0.0, 5e-324])
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(codec=None, exclude_categories=[]), max_size=20)
)
JSON_VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FRAGMENTS = [
    *"{}[]:,",
    *('"inputs"', '"messages"', '"prompt"', '"parameters"', '"role"', '"content"', '"user"', '"stream"', '"model"'),
    *(
        '"llama"',
        "true",
        "null",
        "1",
        "-0",
        "1e400",
        '"\\ud800"',
        '"\\u0000"',
        " ",
        "\n",
        '"',
        "\\",
        "NaN",
        "é",
        "\ufeff",
    ),
]


def send(client: CheckedClient, path: str, body: str | None, *, max_requests: int = 1, **event: Any) -> int:
    """Send a body and check that it is either rejected or reaches the model."""
    client.sagemaker.received.clear()
    response = client.send(path, body, **event)
    assert response.status < 500, (path, body, response.body)
    assert response.seconds < 10, (path, body)
    sent = len(client.sagemaker.received)
    assert sent <= max_requests, (path, body)
    assert (sent > 0) == (response.status == 200), (path, body)
    assert client.sagemaker.violations == [], (path, body)
    return response.status


def requests_for(body: Any) -> int:
    """The maximum number of requests to the model for a body: one for each choice of each prompt."""
    if not isinstance(body, dict):
        return 1
    n, prompt = body.get("n"), body.get("prompt")
    prompts = len(prompt) if isinstance(prompt, list) else 1
    return max(1, prompts) * max(1, n if isinstance(n, int) else 1)


REQUESTS = [(path, valid_body(path)) for path in POST_PATHS]
REQUESTS += [("/invocations", CHAT), ("/invocations", COMPLETION)]


@pytest.mark.parametrize(("path", "valid"), REQUESTS)
def test_any_wrong_value_in_any_member(client: CheckedClient, path: str, valid: dict[str, Any]) -> None:
    assert send(client, path, json.dumps(valid)) == 200
    for place in paths_in(valid):
        for wrong in WRONG_VALUES:
            body = with_value_at(valid, place, wrong)
            send(client, path, json.dumps(body), max_requests=requests_for(body))


@settings(GENERATED, max_examples=500)
@given(data=st.data(), path=st.sampled_from(POST_PATHS), stream=st.booleans())
def test_generated_values_in_random_members(
    client: CheckedClient, data: st.DataObject, path: str, stream: bool
) -> None:
    body = {**valid_body(path), "stream": stream}
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(paths_in(body))))
        body = with_value_at(body, place, data.draw(JSON_VALUES))
    send(client, path, json.dumps(body), max_requests=min(requests_for(body), 200))


@settings(GENERATED, max_examples=400)
@given(
    path=st.sampled_from(POST_PATHS), fragments=st.lists(st.sampled_from([*FRAGMENTS, *VALUES.values()]), max_size=25)
)
def test_generated_json_fragments(client: CheckedClient, path: str, fragments: list[str]) -> None:
    send(client, path, "".join(fragments), max_requests=200)


@settings(GENERATED, max_examples=300)
@given(path=st.sampled_from(POST_PATHS), raw=st.binary(max_size=200))
def test_generated_bytes(client: CheckedClient, path: str, raw: bytes) -> None:
    send(client, path, base64.b64encode(raw).decode(), isBase64Encoded=True)


@settings(GENERATED, max_examples=300)
@given(data=st.data(), path=st.sampled_from(POST_PATHS))
def test_valid_bodies_with_random_bytes_changed(client: CheckedClient, data: st.DataObject, path: str) -> None:
    raw = bytearray(json.dumps(valid_body(path)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=4))
    send(client, path, base64.b64encode(raw).decode(), max_requests=200, isBase64Encoded=True)


HEADER_NAMES = st.sampled_from(
    [
        *(
            "content-type",
            "Content-Type",
            "CONTENT-TYPE",
            "content-length",
            "Transfer-Encoding",
            "authorization",
            "host",
        ),
        *("X-Request-Id", "Idempotency-Key", "Origin", "Accept", "X-Amz-Target", "X-Amzn-SageMaker-Inference-Id"),
        *("X-Amzn-SageMaker-Target-Model", "X-Amzn-SageMaker-Custom-Attributes", "X-Forwarded-For", "Expect"),
    ]
) | st.text(max_size=30)
HEADER_VALUES = st.sampled_from(
    [
        *("application/json", "application/json; charset=utf-16", "application/vnd.api+json", "text/plain", "", " "),
        *("x\r\nX-Evil: 1", "x\nX-Evil: 1", "\0", "é", "💥", "\ud800", "chunked", "0", "-1", "*", "null", "a" * 20_000),
    ]
) | st.text(max_size=40)


@settings(GENERATED, max_examples=400)
@given(
    path=st.sampled_from(POST_PATHS),
    headers=st.dictionaries(HEADER_NAMES, st.lists(HEADER_VALUES, min_size=1, max_size=3), max_size=6),
    is_multiple=st.booleans(),
)
def test_generated_headers(client: CheckedClient, path: str, headers: dict[str, list[str]], is_multiple: bool) -> None:
    single = {name: values[-1] for name, values in headers.items()}
    event: dict[str, Any] = {"headers": single, "multiValueHeaders": headers if is_multiple else None}
    send(client, path, json.dumps({**valid_body(path), "tools": None}), **event)
    for request in client.sagemaker.received:
        names = {"host", "content-length", "content-type", "authorization", "accept", "x-amz-date"}
        names |= {"x-amz-security-token", "x-amzn-sagemaker-accept", "x-amzn-sagemaker-inference-id"}
        assert request.headers.keys() <= names
        assert len(request.headers.get("x-amzn-sagemaker-inference-id", "")) <= 64


SEGMENTS = st.sampled_from(
    [
        *(
            "v1",
            "models",
            "llama",
            "generate",
            "chat",
            "completions",
            "..",
            ".",
            "",
            "%2e%2e",
            "%2F",
            "%00",
            "%",
            "%ff",
        ),
        *("generate_stream", "{model}", "{proxy+}", "\ud800", "é", "a\r\nb", "x" * 5000, "health", "info"),
    ]
)


@settings(GENERATED, max_examples=300)
@given(
    segments=st.lists(SEGMENTS, max_size=6),
    method=st.sampled_from(["GET", "POST", "OPTIONS", "HEAD", "PUT", "", "post", "X" * 300, "\ud800", "A\r\nB"]),
    resource=st.sampled_from([None, "/{proxy+}", "/models/{model}/generate", "/v1/models/{model}", "/nope", ""]),
    parameters=st.none() | st.dictionaries(st.sampled_from(["model", "proxy"]), SEGMENTS, max_size=2),
)
def test_generated_paths(
    client: CheckedClient, segments: list[str], method: str, resource: str | None, parameters: dict[str, str] | None
) -> None:
    event: dict[str, Any] = {"httpMethod": method, "resource": resource, "pathParameters": parameters}
    client.sagemaker.received.clear()
    response = client.send("/" + "/".join(segments), "{}", **event)
    assert response.status < 500, response.body
    assert all(request.path == "/" for request in client.sagemaker.received)
