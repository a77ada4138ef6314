"""Responses of OpenAI's routes: from the client's body to the model and back."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from front_door.config import Model
from front_door.context import RequestContext
from front_door.delivery import ResponseBuilder, buffered_response
from front_door.generation.choice import Choice, log_choices, raise_incomplete, total_usage
from front_door.generation.events import Delta
from front_door.generation.request import GenerationRequest, Problems
from front_door.http.json import not_json
from front_door.http.response import Response, json_response
from front_door.protocols.generation import Generation
from front_door.protocols.openai.chunks import Chunks
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.openai.stream import stream_chunks


class Parser(Protocol):
    """Validates a body."""

    def __call__(self, body: Mapping[str, Any], problems: Problems, *, strict: bool) -> GenerationRequest:
        """The request, as far as it is valid; adds what is wrong with the body to `problems`."""


class EndpointShape(NamedTuple):
    """What distinguishes a chat completion from a completion.

    Attributes:
        id_prefix: What the response's id begins with.
        object_name: The `object` of a response.
        chunk_object_name: The `object` of a chunk.
        parse: Validates a body.
        chunks: Writes the chunks of a choice.
        members: The members of a choice of a buffered response.
    """

    id_prefix: str
    object_name: str
    chunk_object_name: str
    parse: Parser
    chunks: Callable[[Choice, GenerationRequest, int, dict[str, Any]], Chunks]
    members: Callable[[list[Delta], GenerationRequest, int], dict[str, Any]]


def respond(
    ctx: RequestContext, model: Model, body: Mapping[str, Any], shape: EndpointShape, *, strict: bool = True
) -> Response:
    """Validate a body, invoke the model, and respond as the body requests.

    Args:
        ctx: The request.
        model: The model.
        body: The client's body.
        shape: The route's shape.
        strict: Whether an unknown name in the body is an error.

    Raises:
        ApiError: The body is invalid, or the model's response is an error before the status is sent.
    """
    problems = Problems()
    try:
        request = shape.parse(body, problems, strict=strict)
        generation = Generation(ctx, model, request, problems)
    except RecursionError:
        raise not_json("recursion limit exceeded") from None
    head = {
        "id": shape.id_prefix + ctx.log.request_id,
        "object": shape.chunk_object_name if request.stream else shape.object_name,
        "created": int(time.time()),
        "model": model.name,
    }
    if not request.stream:
        return buffered_response(ctx, _build_response(ctx, generation, shape, head), OPENAI)
    chunks = [shape.chunks(choice, request, index, head) for index, choice in enumerate(generation.choices)]
    return stream_chunks(ctx, generation, chunks, head)


def _build_response(
    ctx: RequestContext, generation: Generation, shape: EndpointShape, head: dict[str, Any]
) -> ResponseBuilder:
    request, choices = generation.request, generation.choices
    deltas: list[list[Delta]] = [[] for _ in choices]
    for index, added in generation.deltas():
        yield
        deltas[index] += added
        if choices[index].can_retry_buffered:
            deltas[index] = generation.retry_buffered(index)
        elif (error := choices[index].error) is not None:
            raise error
    raise_incomplete(choices)
    log_choices(ctx.log, request, choices)
    members = [
        {"index": index, **shape.members(deltas[index], request, index), "finish_reason": choice.finish_reason}
        for index, choice in enumerate(choices)
    ]
    usage = total_usage(request, choices)
    return json_response({**head, "system_fingerprint": choices[0].fingerprint, "choices": members, "usage": usage})
