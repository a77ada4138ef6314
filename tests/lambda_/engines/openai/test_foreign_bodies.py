"""Bodies that no server of OpenAI's protocol sends: pages of proxies, tracebacks. No client gets their text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from front_door.config import Model

from tests.lambda_.conftest import ApiClient
from tests.lambda_.protocols.openai.natives import ANSWER, CONTAINER, HI, LMI, VLLM
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, part
from tests.lambda_.sagemaker_double import error as sagemaker_error
from tests.lambda_.test_foreign_bodies import BODIES, KINDS, SECRET

MODELS = {"vllm": VLLM, "lmi": LMI, "container": CONTAINER}
STATUSES = {500: 502, 502: 502, 404: 502, 400: 400, 422: 400, 429: 429, 503: 429}
Api = Callable[..., ApiClient]


def send(api: ApiClient, sagemaker: SageMakerDouble, reply: Reply, *, stream: bool) -> tuple[int, bytes, Any]:
    sagemaker.replies, sagemaker.repeats = [reply], True
    answer = api.send("/v1/chat/completions", {**HI, "stream": stream})
    (line,) = api.log()
    assert SECRET not in answer.body.decode()
    assert SECRET not in json.dumps(line)
    return answer.status, answer.body, line


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("stream", [False, True])
def test_an_error_that_is_not_the_servers_has_a_mapped_status_and_a_plain_message(
    api_for: Api, sagemaker: SageMakerDouble, stream: bool, body: str, status: int
) -> None:
    reply = sagemaker_error(424, "ModelError", Message="m", OriginalStatusCode=status, OriginalMessage=BODIES[body])
    got, content, line = send(api_for(VLLM), sagemaker, reply, stream=stream)
    assert got == STATUSES[status]
    plain = "The model's server failed." if status >= 500 else f"The model responded with status {status}."
    expected = "Model is overloaded" if status in (429, 503) else plain
    assert json.loads(content)["error"]["message"] == expected
    size = "" if body == "empty" else f", {len(BODIES[body])} bytes"
    assert line["cause"] == f"ModelError {status}: {KINDS.get(body, 'JSON of another form')}{size}"


@pytest.mark.parametrize(
    "content_type", ["text/event-stream", "application/json", "application/jsonlines", "text/html"]
)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_success_that_is_not_the_servers_is_an_error(
    api_for: Api, sagemaker: SageMakerDouble, model: Model, stream: bool, body: str, content_type: str
) -> None:
    head = HEAD.replace(b"text/event-stream", content_type.encode())
    reply = Reply([head, chunk(part(BODIES[body].encode())), b"0\r\n\r\n"])
    status, content, line = send(api_for(model), sagemaker, reply, stream=stream)
    assert status in (500, 502) or (status == 200 and b'"error_type":"' in content), content
    assert line["cause"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_stream_that_goes_on_with_something_else_ends_with_an_error(
    api_for: Api, sagemaker: SageMakerDouble, stream: bool, body: str
) -> None:
    pieces = [HEAD, chunk(part(ANSWER[1])), chunk(part(BODIES[body].encode())), b"0\r\n\r\n"]
    status, content, line = send(api_for(VLLM), sagemaker, Reply(pieces), stream=stream)
    assert status in ((200,) if stream else (500, 502))
    assert not stream or "été".encode() in content
    assert b'"error_type":"' in content
    assert line["cause"]
