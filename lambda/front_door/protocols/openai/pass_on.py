"""OpenAI's routes in front of containers that speak OpenAI's protocol: requests and responses are passed on.

What changes on the way: `model`, the number of tokens of a request that sets none, and the token counts, which are
asked for and taken out of a stream whose client has not asked for them. A response that is not streamed is assembled
from a stream, for which SageMaker has no limit of 60 seconds.
"""

from collections.abc import Mapping
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ResponseBuilder, buffered_response, stream_response
from front_door.errors import ApiError
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import Problems
from front_door.http.json import describe_content, not_json, parse_object
from front_door.http.response import Response, json_response
from front_door.http.sse import KeptEvents, event_objects
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.openai.native_request import NativeRequest, prompt_of, read_request, texts_of
from front_door.protocols.openai.relay import UNKNOWN, Progress, Relay, UntilDone
from front_door.request_log import RequestLog


def pass_on(
    ctx: RequestContext, server: OpenAiServer, model: Model, body: Mapping[str, Any], route: str, *, strict: bool
) -> Response:
    """Validate a body, send it to its container, and respond as the body requests.

    Args:
        ctx: The request.
        server: The engine.
        model: The model.
        body: The client's body.
        route: `chat` or `completions`.
        strict: Whether an unknown name is an error.

    Raises:
        ApiError: The body is invalid, or the caller may not use as many tokens, or the response is an error before the
            status is sent.
    """
    problems = Problems()
    try:
        request = read_request(body, server, model, route, problems, strict=strict)
        problems.raise_if_any()
    except RecursionError:
        raise not_json("recursion limit exceeded") from None
    exchange = _Exchange(ctx, server, model, request, route)
    if not request.stream:
        return buffered_response(ctx, exchange.build_response(), OPENAI)
    return exchange.stream_response()


class _Exchange:
    """One request to a container, and its response to the client."""

    def __init__(
        self, ctx: RequestContext, server: OpenAiServer, model: Model, request: NativeRequest, route: str
    ) -> None:
        self._ctx, self._server, self._request, self._name = ctx, server, request, model.full_name
        self._model, body = server.address(request.body, model, route)
        self._body = body if request.has_max_tokens else server.with_max_tokens(body, ctx.max_tokens(model, None))
        ctx.reserve(model, prompt_of(self._body), *texts_of(self._body))
        self._progress = Progress(server, server.answered_by(model), request.final_answer)

    def stream_response(self) -> Response:
        """Pass the container's stream on."""
        relay = Relay(self._progress, self._name, keeps_usage=self._request.keeps_usage)
        return stream_response(
            self._ctx,
            self._open(),
            OPENAI,
            translate=relay.translate,
            check_first=self._progress.check_first,
            check_last=self._check_last,
            read_json=self._read_json,
        )

    def build_response(self) -> ResponseBuilder:
        """The response that the container would give without streaming."""
        if not self._server.can_stream(self._body):
            body = self._server.without_streaming(self._body)
            content = yield from self._ctx.invoke(self._model, body)
            return json_response(self._read_object(content))
        from front_door.protocols.openai.assembly import Assembly

        assembly, kept = Assembly(), KeptEvents()
        stream = self._open()
        parts = iter(stream)
        for part in parts:
            yield b""
            kept.add(part)
            if part and not stream.is_event_stream:
                return json_response(self._read_object(part + b"".join(parts)))
            self._progress.see_end(part)
            for event in event_objects(part):
                self._progress.read(event)
                if self._progress.error is not None:
                    raise self._progress.error
                assembly.add(event)
        self._check_last(b"", self._ctx.log)
        return json_response({**assembly.finish(), "model": self._name})

    def _open(self) -> UntilDone:
        stream = self._ctx.stream(self._model, self._body, may_lower_tokens=not self._request.has_max_tokens)
        return UntilDone(stream)

    def _check_last(self, _events: bytes, log: RequestLog) -> None:
        """Log what the container reports; raises ApiError if it has failed or its answer has no end."""
        self._progress.raise_unless_complete()
        self._progress.log(log)

    def _read_object(self, content: bytes) -> dict[str, Any]:
        """A response that was not streamed; raises ApiError if it is an error or anything else."""
        response = parse_object(content)
        if response is not None:
            self._progress.read(response)
        error = self._progress.error
        if response is None or (error is not None and error.log_detail == UNKNOWN):
            detail = f"no completion: {describe_content(content)}"
            raise ApiError("upstream", "The model's response is not a completion.", log_detail=detail)
        if error is not None:
            raise error
        self._progress.log(self._ctx.log)
        return {**response, "model": self._name}

    def _read_json(self, content: bytes) -> bytes:
        from front_door.http.json import compact

        return compact(self._read_object(content))
