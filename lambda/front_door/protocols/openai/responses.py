"""Responses of OpenAI's routes: from the client's body to the model and back."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ResponseBuilder, buffered_response, stream_response
from front_door.generation.choice import Choice, total_usage
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems
from front_door.http.json import compact, not_json
from front_door.http.response import Response, json_response
from front_door.protocols.generation import Generation
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.openai.validation import model_of
from front_door.sagemaker import connection

_DONE = b"data: [DONE]\n\n"
_DIFFERENCE = "x-tgi-difference"


class EndpointShape(NamedTuple):
    """What distinguishes a chat completion from a completion: names, parser, writers of choices."""

    route: str
    path: str
    id_prefix: str
    object_name: str
    chunk_object_name: str
    parse: Callable[[Mapping[str, Any], Problems, bool], GenerationRequest]
    chunks: Callable[[Choice, GenerationRequest, int, dict[str, Any]], Chunks]
    members: Callable[[list[Delta], GenerationRequest, int], dict[str, Any]]


def respond(ctx: RequestContext, body: Mapping[str, Any], shape: EndpointShape, *, strict: bool = True) -> Response:
    """Validate a body, invoke its model, and respond as the body requests.

    Args:
        ctx: The request.
        body: The client's body.
        shape: The route's shape.
        strict: Whether an unknown name is an error.

    Raises:
        ApiError: The body is invalid, or the model's response is an error before the status is sent.
    """
    model = model_of(ctx, body)
    if shape.route not in ctx.openai_routes(model):
        raise ctx.engine_cannot(model, shape.path)
    if (server := ctx.openai_server_of(model)) is not None:
        from front_door.protocols.openai.pass_on import pass_on

        return pass_on(ctx, server, model, body, shape.route, strict=strict)
    problems = Problems()
    try:
        request = shape.parse(body, problems, strict)
        model = with_adapter(ctx, model, request)
        generation = Generation(ctx, model, request, problems)
    except RecursionError:
        raise not_json("recursion limit exceeded") from None
    head = {
        "id": shape.id_prefix + ctx.log.request_id,
        "object": shape.chunk_object_name if request.stream else shape.object_name,
        "created": int(time.time()),
        "model": model.full_name,
    }
    if not request.stream:
        return buffered_response(ctx, _build_response(generation, shape, head), OPENAI)
    chunks = [shape.chunks(choice, request, index, head) for index, choice in enumerate(generation.choices)]
    return _stream_response(ctx, generation, chunks, head)


def with_adapter(ctx: RequestContext, model: Model, request: GenerationRequest) -> Model:
    """The model with the adapter that its name or TGI's parameter names; raises ApiError if it has none such."""
    adapter = request.tgi_parameters.pop("adapter_id", None)
    model = model if adapter is None else ctx.adapter_of(model, adapter, "adapter_id")
    request.adapter = None if model.adapter_component is not None else model.adapter
    return model


def _build_response(generation: Generation, shape: EndpointShape, head: dict[str, Any]) -> ResponseBuilder:
    request, choices = generation.request, generation.choices
    deltas = yield from generation.complete()
    returned = range(len(choices)) if request.candidates == request.n else _likeliest(request, choices)
    members = [
        {"index": at, **shape.members(deltas[index], request, index), "finish_reason": choices[index].finish_reason}
        for at, index in enumerate(returned)
    ]
    usage = total_usage(request, choices)
    differences = dict.fromkeys(name for choice in choices for name in choice.differences)
    body = {**head, "system_fingerprint": choices[0].fingerprint, "choices": members, "usage": usage}
    return json_response(body, {_DIFFERENCE: ", ".join(differences)} if differences else None)


def _likeliest(request: GenerationRequest, choices: list[Choice]) -> list[int]:
    """The indexes of the `n` choices for each prompt whose tokens have the highest mean log probability."""
    likeliest: list[int] = []
    for first in range(0, len(choices), request.candidates):
        candidates = range(first, first + request.candidates)
        likeliest += sorted(candidates, key=lambda index: -(choices[index].mean_logprob or 0))[: request.n]
    return likeliest


def _stream_response(
    ctx: RequestContext, generation: Generation, chunks: list[Chunks], head: dict[str, Any]
) -> Response:
    """Invoke the model and translate its events to OpenAI's chunks."""
    translator = _Translator(generation, chunks, head)
    if len(chunks) > 1:
        return stream_response(
            ctx,
            _MultiChoiceStream(generation, translator),
            OPENAI,
            check_first=lambda _events: None,
            check_last=generation.check_last,
        )
    return stream_response(
        ctx,
        generation.open(),
        OPENAI,
        translate=translator.translate_only,
        check_first=generation.raise_first_error,
        check_last=generation.check_last,
    )


class _Translator:
    """All choices of one stream, and its end."""

    def __init__(self, generation: Generation, chunks: list[Chunks], head: dict[str, Any]) -> None:
        self._request = generation.request
        self._chunks = chunks
        self._head = head
        self.choices = generation.choices

    def translate_only(self, events: bytes) -> bytes:
        """What the client gets for events of the only choice."""
        return self.translate(0, events)

    def translate(self, index: int, events: bytes) -> bytes:
        """What the client gets for events of one choice; the end of the last choice is followed by the stream's."""
        choice = self.choices[index]
        was_done = choice.is_done
        out = self._chunks[index].translate(events)
        if was_done or not choice.is_done or not all(each.is_done for each in self.choices):
            return out
        return out + self._end()

    def _end(self) -> bytes:
        if not self._request.include_usage:
            return _DONE
        chunk = {**self._head, "system_fingerprint": self.choices[0].fingerprint, "choices": []}
        return b"data: " + compact(chunk | {"usage": total_usage(self._request, self.choices)}) + b"\n\n" + _DONE


class _MultiChoiceStream:
    """The merged chunks of all choices as they arrive; an empty slice is a keep-alive."""

    is_event_stream = True
    last_event = b""

    def __init__(self, generation: Generation, translator: _Translator) -> None:
        self._generation = generation
        self._translator = translator

    def __iter__(self) -> Iterator[bytes]:
        """Complete chunks; raises the first error of any choice."""
        sent = time.monotonic()
        for index, events in self._generation.merged_events():
            chunks = self._translator.translate(index, events) if events else events
            now = time.monotonic()
            if chunks or not events or now - sent >= connection.KEEP_ALIVE_SECONDS:
                sent = now
                yield chunks
            error = self._translator.choices[index].error
            if error is not None:
                raise error
