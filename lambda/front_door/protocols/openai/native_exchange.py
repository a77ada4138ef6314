"""One chat or completion for a container that speaks OpenAI's protocol."""

from collections.abc import Generator, Iterator
from typing import Any

from front_door.config import Model
from front_door.context import RequestContext
from front_door.errors import ApiError
from front_door.generation.openai_server import OpenAiServer
from front_door.http.json import compact, describe_content, parse_object
from front_door.http.sse import event_objects
from front_door.protocols.openai.native_request import NativeRequest, prompt_of, texts_of
from front_door.protocols.openai.relay import UNKNOWN, Progress, UntilDone
from front_door.request_log import RequestLog


class NativeExchange:
    """A request to a container, and what its response says.

    Args:
        ctx: The client's request.
        server: The engine.
        model: The model.
        request: The request for the container.
        route: `chat` or `completions`.

    Attributes:
        name: The model's name in responses.
        log: The log of the client's request.
        progress: What the events have said so far.

    Raises:
        ApiError: The caller may not use as many tokens.
    """

    def __init__(
        self, ctx: RequestContext, server: OpenAiServer, model: Model, request: NativeRequest, route: str
    ) -> None:
        self._ctx, self._server, self._request = ctx, server, request
        self.name, self.log = model.full_name, ctx.log
        self._model, body = server.address(request.body, model, route)
        self._body = body if request.has_max_tokens else server.with_max_tokens(body, ctx.max_tokens(model, None))
        ctx.reserve(model, prompt_of(self._body), *texts_of(self._body))
        self.progress = Progress(server, server.answered_by(model), request.final_answer)

    @property
    def can_stream(self) -> bool:
        """Whether the container can stream its response."""
        return self._server.can_stream(self._body)

    @property
    def is_at_limit(self) -> bool:
        """Whether the answer is as long as it may get."""
        generated = self.progress.usage.get("completion_tokens")
        limit = self._ctx.lowered_to or texts_of(self._body)[0]
        return isinstance(generated, int) and generated >= limit

    @property
    def has_final_answer(self) -> bool:
        """Whether a tool stands for the response format."""
        return self._request.final_answer is not None

    def open(self) -> UntilDone:
        """Invoke the model for a stream."""
        stream = self._ctx.stream(self._model, self._body, may_lower_tokens=not self._request.has_max_tokens)
        return UntilDone(stream)

    def invoke(self) -> Generator[bytes, None, dict[str, Any]]:
        """Invoke the model for a response that it cannot stream; yields keep-alives."""
        body = self._server.without_streaming(self._body)
        return self.read_object((yield from self._ctx.invoke(self._model, body)))

    def read(self, events: bytes) -> Iterator[dict[str, Any]]:
        """The chunks in some events; raises ApiError if the container reports an error."""
        self.progress.see_end(events)
        for event in event_objects(events):
            self.progress.read(event)
            if self.progress.error is not None:
                raise self.progress.error
            yield event

    def check_last(self, _events: bytes, log: RequestLog) -> None:
        """Log what the container reports; raises ApiError if it has failed or its answer has no end."""
        self.progress.raise_unless_complete()
        self.progress.log(log)

    def read_object(self, content: bytes) -> dict[str, Any]:
        """A response that was not streamed; raises ApiError if it is an error or anything else."""
        response = parse_object(content)
        if response is not None:
            self.progress.read(response)
        error = self.progress.error
        if response is None or (error is not None and error.log_detail == UNKNOWN):
            detail = f"no completion: {describe_content(content)}"
            raise ApiError("upstream", "The model's response is not a completion.", log_detail=detail)
        if error is not None:
            raise error
        self.progress.log(self.log)
        return {**response, "model": self.name}

    def read_json(self, content: bytes) -> bytes:
        """The same as JSON."""
        return compact(self.read_object(content))
