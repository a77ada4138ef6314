"""How much of a response that is not streamed is kept until its end."""

from __future__ import annotations

from typing import Any

import pytest
from front_door.http import sse

from tests.lambda_.conftest import ApiClient
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, part

TOKEN = b'data: {"index":1,"token":{"id":5,"text":" a","logprob":-0.5,"special":false},"generated_text":null}\n\n'
CHAT = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null}]}\n\n'
HI = {"messages": [{"role": "user", "content": "Hi"}]}
INPUTS: dict[str, Any] = {"inputs": "Hi"}


@pytest.mark.parametrize(
    ("path", "body", "event"),
    [
        ("/generate", INPUTS, TOKEN),
        ("/", INPUTS, TOKEN),
        ("/v1/chat/completions", HI, CHAT),
        ("/v1/chat/completions", {**HI, "n": 2}, CHAT),
    ],
)
def test_a_response_that_has_no_end_is_an_error_and_not_kept(
    api: ApiClient,
    sagemaker: SageMakerDouble,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
    event: bytes,
) -> None:
    monkeypatch.setattr(sse, "MAX_KEPT_BYTES", 10 * len(event))
    for _ in range(body.get("n", 1)):
        sagemaker.replies.append(Reply([HEAD, *[chunk(part(event))] * 11, b"0\r\n\r\n"]))
    response = api.send(path, body)
    assert response.status == 502
    assert b"The model's response is too large without streaming." in response.body
    assert api.log()[0]["cause"] == f"over {10 * len(event)} bytes"
