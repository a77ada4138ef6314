"""Bodies that no model's server sends: pages of proxies, tracebacks, broken JSON. No client gets their text."""

import json
from typing import Any, NamedTuple

import pytest

from tests.lambda_.conftest import ApiClient, ClientResponse
from tests.lambda_.protocols.openai.events import ANSWER, COMPLETION
from tests.lambda_.sagemaker_double import HEAD, Reply, SageMakerDouble, chunk, error, part, plain_response

SECRET = "s3cret"
BODIES = {
    "HTML": f"<html>\n<body>\n\n<h1>{SECRET}: Bad Gateway</h1></body></html>",
    "a traceback": f'Traceback (most recent call last):\n  File "{SECRET}.py", line 1\n\nRuntimeError: {SECRET}\n',
    "empty": "",
    "truncated JSON": f'{{"error":"{SECRET}","error_ty',
    "a list": f'["{SECRET}"]',
    "a number": "7",
    "a detail": f'{{"detail":"{SECRET}"}}',
    "an error of another form": f'{{"error":"{SECRET}"}}',
    "an error that is a number": '{"error":7,"error_type":"validation"}',
    "an error with another message": f'{{"error":{{"msg":"{SECRET}"}}}}',
}
KINDS = {
    "HTML": "HTML",
    "a traceback": "not JSON",
    "empty": "empty",
    "truncated JSON": "not JSON",
}


class Route(NamedTuple):
    """A kind of request."""

    path: str
    body: dict[str, Any]
    invokes_buffered: bool = False

    @property
    def is_openai(self) -> bool:
        return "/v1/" in self.path


CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
ROUTES = {
    "generate": Route("/generate", {"inputs": "Hi"}),
    "generate_stream": Route("/generate_stream", {"inputs": "Hi"}),
    "root": Route("/", {"inputs": "Hi"}),
    "root, streamed": Route("/", {"inputs": "Hi", "stream": True}),
    "invocations": Route("/invocations", {"inputs": "Hi"}),
    "best_of": Route("/generate", {"inputs": "Hi", "parameters": {"best_of": 2, "do_sample": True}}, True),
    "chat": Route("/v1/chat/completions", CHAT),
    "chat, streamed": Route("/v1/chat/completions", {**CHAT, "stream": True}),
    "chat, two choices": Route("/v1/chat/completions", {**CHAT, "n": 2}),
    "chat, two choices, streamed": Route("/v1/chat/completions", {**CHAT, "n": 2, "stream": True}),
    "completion": Route("/models/llama/v1/completions", {"prompt": "Hi"}),
    "completion, streamed": Route("/v1/completions", {"prompt": "Hi", "stream": True}),
    "completion, logprobs": Route("/v1/completions", {"prompt": "Hi", "logprobs": 1}),
    "completion, logprobs, streamed": Route("/v1/completions", {"prompt": "Hi", "logprobs": 1, "stream": True}),
    "completion, best_of": Route("/v1/completions", {"prompt": "Hi", "best_of": 2}),
    "completion, echoed logprobs": Route("/v1/completions", {"prompt": "Hi", "logprobs": 1, "echo": True}, True),
}
STATUSES = {500: 502, 502: 502, 503: 503, 404: 502, 400: 400, 422: 422, 429: 429}


def send(api: ApiClient, sagemaker: SageMakerDouble, route: Route, reply: Reply) -> tuple[ClientResponse, Any]:
    """The response, and the line of the log; neither may have the text."""
    sagemaker.replies, sagemaker.repeats = [reply], True
    answer = api.send(route.path, route.body)
    (line,) = api.log()
    assert SECRET not in answer.body.decode()
    assert SECRET not in json.dumps(line)
    return answer, line


def message_of(answer: ClientResponse, route: Route) -> str:
    found = answer.json()["error"]
    message: str = found["message"] if route.is_openai else found
    return message


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_an_error_that_is_not_the_engines_has_a_mapped_status_and_a_plain_message(
    api: ApiClient, sagemaker: SageMakerDouble, route: str, body: str, status: int
) -> None:
    reply = error(424, "ModelError", Message="m", OriginalStatusCode=status, OriginalMessage=BODIES[body])
    answer, line = send(api, sagemaker, ROUTES[route], reply)
    expected = STATUSES[status]
    assert answer.status == (400 if expected == 422 and ROUTES[route].is_openai else expected)
    assert message_of(answer, ROUTES[route]) == f"The model responded with status {status}."
    assert set(answer.json()) == {"error", "error_type"}
    kind = KINDS.get(body, "JSON of another form")
    size = "" if body == "empty" else f", {len(BODIES[body])} bytes"
    assert line["cause"] == f"ModelError {status}: {kind}{size}"


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/html", ""])
@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_a_success_that_is_not_the_engines_is_an_error(
    api: ApiClient, sagemaker: SageMakerDouble, route: str, body: str, content_type: str
) -> None:
    content = BODIES[body].encode()
    if ROUTES[route].invokes_buffered:
        reply = plain_response(content)
    else:
        head = HEAD.replace(b"text/event-stream", content_type.encode())
        reply = Reply([head, chunk(part(content)), b"0\r\n\r\n"])
    answer, line = send(api, sagemaker, ROUTES[route], reply)
    assert answer.status in ((500, 502) if body == "empty" else (502,)), answer.body
    assert set(answer.json()) == {"error", "error_type"}
    assert line["cause"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_a_stream_that_goes_on_with_something_else_ends_with_an_error(
    api: ApiClient, sagemaker: SageMakerDouble, route: str, body: str
) -> None:
    about = ROUTES[route]
    if about.invokes_buffered:
        return
    token = {"index": 1, "token": {"id": 1, "text": "Un", "logprob": -1.0, "special": False}}
    generation = b"data:" + json.dumps({**token, "generated_text": None, "details": None}).encode() + b"\n\n"
    is_chunk = about.is_openai and "logprobs" not in about.body
    first = (COMPLETION if "prompt" in about.body else ANSWER)[0] if is_chunk else generation
    pieces = [HEAD, chunk(part(first)), chunk(part(BODIES[body].encode())), b"0\r\n\r\n"]
    answer, line = send(api, sagemaker, about, Reply(pieces))
    is_streamed = "stream" in about.path or about.body.get("stream")
    assert answer.status in ((200,) if is_streamed else (500, 502))
    assert not is_streamed or b"Un" in answer.body
    assert b'"error_type":"' in answer.body
    assert line["cause"]


def test_the_engines_own_errors_are_passed_on(api: ApiClient, sagemaker: SageMakerDouble) -> None:
    own = {"error": "Input validation error: x", "error_type": "validation"}
    for about in ROUTES.values():
        text = json.dumps(own)
        reply = error(424, "ModelError", OriginalStatusCode=422, OriginalMessage=text)
        answer, line = send(api, sagemaker, about, reply)
        assert message_of(answer, about) == own["error"]
        assert about.is_openai or answer.json() == own
        assert line["cause"] == "ModelError 422"


@pytest.mark.parametrize("route", ["generate_stream", "root, streamed"])
@pytest.mark.parametrize("body", [body for body, text in BODIES.items() if text.endswith("}")])
def test_the_first_event_of_tgis_stream_is_looked_at(
    api: ApiClient, sagemaker: SageMakerDouble, route: str, body: str
) -> None:
    event = b"data:" + BODIES[body].encode() + b"\n\n"
    answer, line = send(api, sagemaker, ROUTES[route], Reply([HEAD, chunk(part(event)), b"0\r\n\r\n"]))
    assert answer.status == 502
    assert answer.json() == {"error": "The model's response is not a generation.", "error_type": "upstream"}
    assert line["cause"] == "form of an event"
