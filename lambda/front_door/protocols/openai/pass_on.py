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
from front_door.generation.openai_server import OpenAiServer
from front_door.generation.request import Problems
from front_door.http.json import not_json
from front_door.http.response import Response, json_response
from front_door.http.sse import KeptEvents
from front_door.protocols.openai.errors import OPENAI
from front_door.protocols.openai.native_exchange import NativeExchange
from front_door.protocols.openai.native_request import read_request
from front_door.protocols.openai.relay import Relay


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
    exchange = NativeExchange(ctx, server, model, request, route)
    if not request.stream:
        return buffered_response(ctx, _build_response(exchange), OPENAI)
    relay = Relay(exchange.progress, model.full_name, keeps_usage=request.keeps_usage)
    return stream_response(
        ctx,
        exchange.open(),
        OPENAI,
        translate=relay.translate,
        check_first=exchange.progress.check_first,
        check_last=exchange.check_last,
        read_json=exchange.read_json,
    )


def _build_response(exchange: NativeExchange) -> ResponseBuilder:
    """The response that the container would give without streaming."""
    if not exchange.can_stream:
        return json_response((yield from exchange.invoke()))
    from front_door.protocols.openai.assembly import Assembly

    assembly, kept = Assembly(), KeptEvents()
    stream = exchange.open()
    parts = iter(stream)
    for part in parts:
        yield b""
        kept.add(part)
        if part and not stream.is_event_stream:
            return json_response(exchange.read_object(part + b"".join(parts)))
        for event in exchange.read(part):
            assembly.add(event)
    exchange.check_last(b"", exchange.log)
    return json_response({**assembly.finish(), "model": exchange.name})
