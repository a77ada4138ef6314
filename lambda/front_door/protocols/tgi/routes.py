"""TGI's own routes, answered as TGI 3.3.6 answers them (router/src/server.rs), through SageMaker's `/invocations`."""

from typing import Any

from front_door.config import Model
from front_door.context import JSON, Call
from front_door.delivery import Steps, collected, read_whole, relay
from front_door.errors import TGI, Failure, compact, tgi_failure
from front_door.http.response import Response
from front_door.http.sse import object_of, objects
from front_door.protocols.tgi import schema
from front_door.request_log import Journal


def compat_generate(call: Call) -> Response:
    """`POST /`: an array of one answer, or a stream where `stream` is true.

    `return_full_text` is left to the container where the request leaves it out: its `/invocations` decides by the
    model's task, as this route of TGI does.
    """
    body = _checked(call, schema.COMPAT)
    if body.get("stream"):
        return _streamed(call, body)
    return _buffered(call, body, as_array=True)


def generate(call: Call) -> Response:
    """`POST /generate`: one answer, whatever `stream` says; without the prompt unless asked for."""
    return _buffered(call, _without_prompt(_checked(call)), as_array=False)


def generate_stream(call: Call) -> Response:
    """`POST /generate_stream`: a stream, whatever `stream` says; without the prompt unless asked for."""
    return _streamed(call, _without_prompt(_checked(call)))


def _checked(call: Call, fields: schema.Fields = schema.GENERATE) -> dict[str, Any]:
    body = call.request.json_object()
    if problems := schema.problems(body, fields):
        words = "Failed to deserialize the JSON body into the target type: "
        raise Failure("validation", words + "; ".join(problems))
    return body


def _parameters(body: dict[str, Any]) -> dict[str, Any]:
    """The request's parameters; TGI samples where a request has none at all, and only there."""
    parameters: dict[str, Any] = body.get("parameters", {"do_sample": True})
    return parameters


def _without_prompt(body: dict[str, Any]) -> dict[str, Any]:
    parameters = _parameters(body)
    full_text = bool(parameters.get("return_full_text"))
    return body | {"parameters": parameters | {"return_full_text": full_text}}


def _upstream(call: Call, model: Model, body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """The body for `/invocations`, which would take one with `messages` or `prompt` for another protocol.

    TGI goes on until the context is full where a request does not say how many tokens it wants.
    """
    parameters = _parameters(body)
    tokens = call.budget(model, parameters.get("max_new_tokens"))
    return {"inputs": body["inputs"], "parameters": {**parameters, "max_new_tokens": tokens}, "stream": stream}


def _streamed(call: Call, body: dict[str, Any]) -> Response:
    model = call.model_of_path()
    return relay(call, call.stream(model, _upstream(call, model, body, stream=True)), TGI, last=_end)


def _end(tail: bytes, journal: Journal) -> None:
    """The last event has the whole text, or is an error; otherwise the stream has no end."""
    events = objects(tail)
    event = events[-1] if events else {}
    if "error" in event:
        journal.failed(tgi_failure(event))
    elif event.get("generated_text") is None:
        raise Failure("incomplete_generation_stream", "Incomplete generation stream", cause="no end")
    else:
        details = event.get("details")
        details = details if isinstance(details, dict) else {}
        journal.tokens(prompt=details.get("input_length"), generated=event.get("index"))
        journal.note(finish_reason=details.get("finish_reason"))


def _buffered(call: Call, body: dict[str, Any], *, as_array: bool) -> Response:
    parameters = _parameters(body)
    if parameters.get("best_of") not in (None, 1) or parameters.get("decoder_input_details"):
        return _whole(call, body, as_array=as_array)
    return collected(call, _assembled(call, body, as_array=as_array), TGI)


def _assembled(call: Call, body: dict[str, Any], *, as_array: bool) -> Steps:
    model, parameters = call.model_of_path(), _parameters(body)
    asked = {**body, "parameters": {**parameters, "details": True}}
    stream = call.stream(model, _upstream(call, model, asked, stream=True))
    generation = _Generation()
    parts = iter(stream)
    for part in parts:
        yield
        if part and not stream.is_events:
            return Response(200, dict(JSON), [read_whole(part + b"".join(parts))])
        generation.add(part)
    details, text = generation.end()
    call.journal.tokens(prompt=details["input_length"], generated=details["generated_tokens"])
    call.journal.note(finish_reason=details["finish_reason"])
    counts = {"x-prompt-tokens": details.pop("input_length"), "x-generated-tokens": details["generated_tokens"]}
    headers = {**JSON, **{name: str(count) for name, count in counts.items() if type(count) is int}}
    answer: dict[str, Any] = {"generated_text": text}
    if parameters.get("details"):
        if not parameters.get("top_n_tokens"):
            del details["top_tokens"]
        answer["details"] = details
    return Response(200, headers, [compact([answer] if as_array else answer)])


class _Generation:
    """Puts together what TGI's buffered route would have given."""

    def __init__(self) -> None:
        self._tokens: list[Any] = []
        self._top_tokens: list[Any] = []
        self._event: dict[str, Any] = {}

    def add(self, part: bytes) -> None:
        """Take some events.

        Raises:
            Failure: One of them is an error.
        """
        for event in objects(part):
            if "error" in event:
                raise _as_buffered(tgi_failure(event))
            self._tokens.append(event.get("token"))
            self._top_tokens.append(event.get("top_tokens", []))
            self._event = event

    def end(self) -> tuple[dict[str, Any], str]:
        """The details and the text.

        Raises:
            Failure: The stream had no end.
        """
        text, end = self._event.get("generated_text"), self._event.get("details")
        if not isinstance(text, str) or not isinstance(end, dict):
            raise Failure("incomplete_generation", "Incomplete generation", cause="no end")
        details = {
            "finish_reason": end.get("finish_reason"),
            "generated_tokens": end.get("generated_tokens"),
            "seed": end.get("seed"),
            "prefill": [],
            "tokens": self._tokens,
            "top_tokens": self._top_tokens,
            "input_length": end.get("input_length"),
        }
        return details, text


def _as_buffered(failure: Failure) -> Failure:
    if failure.kind == "incomplete_generation_stream":
        return Failure("incomplete_generation", "Incomplete generation", cause=failure.cause)
    return failure


def _whole(call: Call, body: dict[str, Any], *, as_array: bool) -> Response:
    """What TGI cannot stream; `/invocations` answers with an array of one."""
    model = call.model_of_path()
    answer = call.whole(model, _upstream(call, model, body, stream=False)).strip()
    if answer.startswith(b"[") and answer.endswith(b"]"):
        answer = answer[1:-1]
    if not isinstance((object_of(answer) or {}).get("generated_text"), str):
        raise Failure("upstream", "The model answered something else than a generation.", cause="no generated_text")
    return Response(200, dict(JSON), [b"[" + answer + b"]" if as_array else answer])
