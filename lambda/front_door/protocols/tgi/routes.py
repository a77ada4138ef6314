"""TGI's own routes, which respond as TGI 3.3.6 does (router/src/server.rs), through SageMaker's `/invocations`.

To containers that speak TGI themselves requests and streams are passed on unchanged; for others they are translated.
"""

import re
from collections.abc import Callable
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import EventSource, ResponseBuilder, UntilEnd, buffered_response, stream_response
from front_door.errors import ApiError
from front_door.http.json import compact, describe_content, is_utf8, parse_object
from front_door.http.json_schema import Type
from front_door.http.response import JSON, Response, json_response
from front_door.http.sse import KeptEvents, event_data, event_objects
from front_door.protocols.tgi import schema
from front_door.protocols.tgi.errors import TGI
from front_door.request_log import RequestLog

_NO_GENERATION = "The model's response is not a generation."
_EVENT_END = re.compile(rb"\r?\n\r?\n")
_ERROR_MEMBERS = {"error", "error_type"}
# Tokens before the last one, as TGI 3.3.6 writes them: one match takes a twentieth of the time of parsing each.
# No group is possessive: Python before 3.11.5 goes on in the middle of what such a group has not matched. Counts bound
# what a match keeps to go back to.
_TOKENS = re.compile(
    rb'(?:data: ?\{"index":(?:0|[1-9]\d*+),"token":\{"id":(?:0|[1-9]\d*+),'
    rb'"text":"(?:[^"\\\x00-\x1f]++|\\["\\/bfnrt]){0,1000}",'
    rb'"logprob":-?(?:0|[1-9]\d*+)(?:\.\d++)?(?:e[-+]?\d++)?,"special":(?:true|false)\},'
    rb'"generated_text":null,"details":null\}\n\n){1,100}'
)


def compat_generate(ctx: RequestContext) -> Response:
    """`POST /`: an array of one generation, or a stream if `stream` is true.

    A missing `return_full_text` is left to the container: its `/invocations` decides by the model's task, as this
    route of TGI does.
    """
    body = _validate(ctx, schema.COMPAT)
    if body.get("stream"):
        return _stream(ctx, body)
    return _respond(ctx, body, as_array=True)


def generate(ctx: RequestContext) -> Response:
    """`POST /generate`: one generation, whatever `stream` says; without the prompt unless requested."""
    return _respond(ctx, _without_prompt(_validate(ctx, schema.GENERATE)), as_array=False)


def generate_stream(ctx: RequestContext) -> Response:
    """`POST /generate_stream`: a stream, whatever `stream` says; without the prompt unless requested."""
    return _stream(ctx, _without_prompt(_validate(ctx, schema.GENERATE)))


def _validate(ctx: RequestContext, type_: Type) -> dict[str, Any]:
    body = ctx.request.json_object()
    if problems := schema.problems(body, type_):
        start = "Failed to deserialize the JSON body into the target type: "
        raise ApiError("validation", start + "; ".join(problems))
    return body


def _parameters(body: dict[str, Any]) -> dict[str, Any]:
    """The request's parameters; TGI samples if a request has none at all, and only then."""
    parameters: dict[str, Any] = body.get("parameters", {"do_sample": True})
    return parameters


def _without_prompt(body: dict[str, Any]) -> dict[str, Any]:
    parameters = _parameters(body)
    full_text = bool(parameters.get("return_full_text"))
    return body | {"parameters": parameters | {"return_full_text": full_text}}


def _model_of(ctx: RequestContext, body: dict[str, Any]) -> Model:
    """The model of the path, with the adapter of the body; raises ApiError if there is none."""
    model = ctx.model_of_path()
    adapter = _parameters(body).get("adapter_id")
    return model if adapter is None else ctx.adapter_of(model, adapter)


def _container_body(ctx: RequestContext, model: Model, body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """The body for `/invocations`, without `messages` or `prompt`, with which it would be of another protocol.

    The prompt comes first, by which SageMaker may choose the instance.
    """
    parameters = _parameters(body)
    changed: dict[str, Any] = {"max_new_tokens": ctx.max_tokens(model, parameters.get("max_new_tokens"))}
    if model.adapter is not None:
        changed["adapter_id"] = model.adapter
    return {"inputs": body["inputs"], "parameters": {**parameters, **changed}, "stream": stream}


def _reserve(ctx: RequestContext, model: Model, body: dict[str, Any]) -> None:
    """Take the tokens that the request may need; raises ApiError if its caller may not use as many."""
    parameters = _parameters(body)
    max_tokens = ctx.max_tokens(model, parameters.get("max_new_tokens"))
    ctx.reserve(model, (body["inputs"],), max_tokens, parameters.get("best_of") or 1)


def _may_lower_tokens(body: dict[str, Any]) -> bool:
    return _parameters(body).get("max_new_tokens") is None


def _speaks_tgi(ctx: RequestContext, model: Model) -> bool:
    return ctx.engine_of(model).native_protocol == "tgi"


def _translate(
    ctx: RequestContext, model: Model, body: dict[str, Any], *, stream: bool, as_array: bool = False
) -> Response:
    """Respond from a container that does not speak TGI.

    Without `return_full_text`, which only `POST /` and `/invocations` leave open, the prompt is repeated as by TGI: if
    the model's task on the Hugging Face Hub is text alone.
    """
    from front_door.protocols.tgi import translated
    from front_door.protocols.tgi.exchange import Exchange
    from front_door.protocols.tgi.generate_checks import read_request

    server = ctx.token_server_of(model)
    full_text = model.facts.get("reads_images") is not True
    try:
        request = read_request(body, model.facts, stream=stream, full_text=full_text)
    except ApiError as error:
        if stream:
            return translated.refused(ctx, error)
        raise
    exchange = Exchange(ctx, server, model, request)
    response = translated.stream(ctx, exchange) if stream else translated.respond(ctx, exchange, as_array=as_array)
    response.headers.update(exchange.difference_headers())
    return response


def _stream(ctx: RequestContext, body: dict[str, Any]) -> Response:
    model = _model_of(ctx, body)
    if not _speaks_tgi(ctx, model):
        return _translate(ctx, model, body, stream=True)
    _reserve(ctx, model, body)
    stream_error = ctx.engine_of(model).stream_error
    upstream_body = _container_body(ctx, model, body, stream=True)
    source = GeneratedEvents(ctx.stream(model, upstream_body, may_lower_tokens=_may_lower_tokens(body)), stream_error)

    def check_last(_events: bytes, log: RequestLog) -> None:
        """The last event has the whole text or is an error; otherwise the stream was cut off."""
        event = source.last
        if "error" in event:
            log.add_error(stream_error(event))
        elif event.get("generated_text") is None:
            raise ApiError("incomplete_generation_stream", "Incomplete generation stream", log_detail="no end")
        else:
            details = event.get("details") or {}
            log.add_tokens(prompt=details.get("input_length"), generated=event.get("index"))
            log.add(finish_reason=details.get("finish_reason"))

    return stream_response(
        ctx, source, TGI, check_first=lambda _events: None, check_last=check_last, read_json=_check_generation
    )


def _check_generation(content: bytes) -> bytes:
    """A response that is not streamed: a generation, or an array of one; raises ApiError if it is anything else."""
    text = content.strip()
    generation = text[1:-1] if text.startswith(b"[") and text.endswith(b"]") else text
    if not isinstance((parse_object(generation) or {}).get("generated_text"), str):
        raise ApiError("upstream", _NO_GENERATION, log_detail=f"no generation: {describe_content(content)}")
    return content


def _respond(ctx: RequestContext, body: dict[str, Any], *, as_array: bool) -> Response:
    model, parameters = _model_of(ctx, body), _parameters(body)
    if not _speaks_tgi(ctx, model):
        return _translate(ctx, model, body, stream=False, as_array=as_array)
    _reserve(ctx, model, body)
    if parameters.get("best_of") not in (None, 1) or parameters.get("decoder_input_details"):
        return buffered_response(ctx, _build_unstreamed(ctx, model, body, as_array=as_array), TGI)
    return buffered_response(ctx, _build_response(ctx, model, body, as_array=as_array), TGI)


def _build_response(ctx: RequestContext, model: Model, body: dict[str, Any], *, as_array: bool) -> ResponseBuilder:
    """The response that TGI would give without streaming, from its stream: that has no limit of 60 seconds."""
    parameters = _parameters(body)
    detailed = {**body, "parameters": {**parameters, "details": True}}
    upstream_body = _container_body(ctx, model, detailed, stream=True)
    stream_error = ctx.engine_of(model).stream_error
    stream = GeneratedEvents(ctx.stream(model, upstream_body, may_lower_tokens=_may_lower_tokens(body)), stream_error)
    generation, kept = _Generation(), KeptEvents()
    parts = iter(stream)
    for part in parts:
        yield b""
        kept.add(part)
        if part and not stream.is_event_stream:
            return Response(200, dict(JSON), [_check_generation(part + b"".join(parts))])
        for event in event_objects(part):
            if "error" in event:
                raise _without_stream(stream_error(event))
            generation.add(event)
    details, text = generation.finish()
    ctx.log.add_tokens(prompt=details["input_length"], generated=details["generated_tokens"])
    ctx.log.add(finish_reason=details["finish_reason"])
    counts = {"x-prompt-tokens": details.pop("input_length"), "x-generated-tokens": details["generated_tokens"]}
    headers = {name: str(count) for name, count in counts.items() if type(count) is int}
    response: dict[str, Any] = {"generated_text": text}
    if parameters.get("details"):
        if not parameters.get("top_n_tokens"):
            del details["top_tokens"]
        response["details"] = details
    return json_response([response] if as_array else response, headers)


class _Generation:
    """Assembles what TGI's buffered route would return."""

    def __init__(self) -> None:
        self._tokens: list[Any] = []
        self._top_tokens: list[Any] = []
        self._last: dict[str, Any] = {}

    def add(self, event: dict[str, Any]) -> None:
        """Add one event."""
        self._tokens.append(event.get("token"))
        self._top_tokens.append(event.get("top_tokens", []))
        self._last = event

    def finish(self) -> tuple[dict[str, Any], str]:
        """The details and the text; raises ApiError if the stream was cut off."""
        text, details = self._last.get("generated_text"), self._last.get("details")
        if not isinstance(text, str) or not isinstance(details, dict):
            raise ApiError("incomplete_generation", "Incomplete generation", log_detail="no end")
        all_details = {
            "finish_reason": details.get("finish_reason"),
            "generated_tokens": details.get("generated_tokens"),
            "seed": details.get("seed"),
            "prefill": [],
            "tokens": self._tokens,
            "top_tokens": self._top_tokens,
            "input_length": details.get("input_length"),
        }
        return all_details, text


def _without_stream(error: ApiError) -> ApiError:
    """The error as TGI's buffered route names it."""
    if error.kind == "incomplete_generation_stream":
        return ApiError("incomplete_generation", "Incomplete generation", log_detail=error.log_detail)
    return error


def _build_unstreamed(ctx: RequestContext, model: Model, body: dict[str, Any], *, as_array: bool) -> ResponseBuilder:
    """The response to what TGI cannot stream; `/invocations` returns an array of one.

    The details, which have the numbers of tokens, are asked for in any case.
    """
    parameters = _parameters(body)
    detailed = {**body, "parameters": {**parameters, "details": True}}
    response = yield from ctx.invoke(model, _container_body(ctx, model, detailed, stream=False))
    content = _check_generation(response).strip()
    if content.startswith(b"["):
        content = content[1:-1]
    generation = parse_object(content) or {}
    _log_details(ctx.log, generation.get("details"))
    if not (parameters.get("details") or parameters.get("decoder_input_details")):
        content = compact({"generated_text": generation["generated_text"]})
    return Response(200, dict(JSON), [b"[" + content + b"]" if as_array else content])


def _log_details(log: RequestLog, details: object) -> None:
    """Log the token counts of a generation and of the others that it is the best of; the prompt's only with details."""
    if isinstance(details, dict):
        others, prefill = details.get("best_of_sequences"), details.get("prefill")
        texts = [details, *(others if isinstance(others, list) else [])]
        counts = [each.get("generated_tokens") for each in texts if isinstance(each, dict)]
        generated = sum(count for count in counts if type(count) is int)
        log.add_tokens(prompt=len(prefill) if isinstance(prefill, list) and prefill else None, generated=generated)
        log.add(finish_reason=details.get("finish_reason"))


class GeneratedEvents(UntilEnd):
    """The events up to the end of the generation; none of another form is passed on.

    Args:
        source: The container's response.
        stream_error: Reads an error in an event.

    Attributes:
        last: The last event with a token, or the error of the container; empty if there was none.
    """

    def __init__(self, source: EventSource, stream_error: Callable[[dict[str, Any]], ApiError]) -> None:
        super().__init__(source)
        self._stream_error = stream_error
        self.last: dict[str, Any] = {}

    def read(self, events: bytes) -> tuple[bytes, ApiError | None]:
        """See `UntilEnd`."""
        start = self._skip_tokens(events)
        for end in _EVENT_END.finditer(events, start):
            for data in event_data(events[start : end.end()]):
                if (error := self._read_one(parse_object(data))) is not None:
                    return events[:start], error
            start = end.end()
            if self.is_over:
                break
        return events[:start], None

    def _skip_tokens(self, events: bytes) -> int:
        """Where the tokens at the beginning end."""
        end = 0
        while (tokens := _TOKENS.match(events, end)) is not None and is_utf8(tokens[0]):
            self.last = {"generated_text": None}
            end = tokens.end()
        return end

    def _read_one(self, event: dict[str, Any] | None) -> ApiError | None:
        if event is not None and "error" in event:
            if _is_own_error(event):
                self.last, self.is_over = event, True
                return None
            if self.last or _has_own_members(event):
                return self._stream_error(event)
        if event is None or "error" in event or not _is_token(event):
            return ApiError("upstream", _NO_GENERATION, log_detail="form of an event")
        self.last, self.is_over = event, event.get("generated_text") is not None
        return None


def _has_own_members(event: dict[str, Any]) -> bool:
    """Whether it is an error as TGI writes it, whatever else it has."""
    return all(isinstance(event.get(name), str) for name in _ERROR_MEMBERS)


def _is_own_error(event: dict[str, Any]) -> bool:
    """Whether it is such an error and nothing else."""
    return event.keys() == _ERROR_MEMBERS and _has_own_members(event)


def _is_token(event: dict[str, Any]) -> bool:
    """Whether it has a token, each member of which has the type that clients rely on."""
    token, text, details = event.get("token"), event.get("generated_text"), event.get("details")
    return (
        isinstance(token, dict)
        and isinstance(token.get("text", ""), str)
        and isinstance(token.get("id", 0), int)
        and isinstance(token.get("logprob", 0.0), float | int | None)
        and isinstance(text, str | None)
        and isinstance(details, dict | None)
    )
