"""TGI's own routes: /generate, /generate_stream, and the compatible form behind / and /invocations."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

from aiohttp import web

from local.model_container.errors import InferError, ValidationError
from local.model_container.infer import Infer, Timed
from local.model_container.serde.requests import GenerateRequest
from local.model_container.tgi import render
from local.model_container.tgi.chat_template import compact


def json_response(body: object, headers: dict[str, str] | None = None, status: int = 200) -> web.Response:
    """A JSON answer with TGI's spelling."""
    return web.Response(body=compact(body).encode(), content_type="application/json", headers=headers, status=status)


async def generate_internal(infer: Infer, request: GenerateRequest) -> tuple[dict[str, str], Timed, list[Timed] | None]:
    """One buffered generation: its headers, the answer, and with best_of the other answers.

    Raises:
        InferError: it cannot start, or fails.
    """
    started = time.monotonic()
    infer.counts["tgi_request_count"] += 1
    best_of = request.parameters.best_of or 1
    if best_of > 1:
        answer, others = await infer.generate_best_of(request, best_of)
        return _headers(infer, request, answer, started), answer, others
    answer = await infer.generate(request)
    return _headers(infer, request, answer, started), answer, None


def _headers(infer: Infer, request: GenerateRequest, answer: Timed, started: float) -> dict[str, str]:
    total = answer.finished - started
    inference = answer.finished - answer.queued
    tokens = len(answer.generation.tokens)
    return {
        "x-compute-type": infer.settings.compute_type,
        "x-compute-time": str(total),
        "x-compute-characters": str(len(request.inputs)),
        "x-total-time": str(int(total * 1000)),
        "x-validation-time": str(int((answer.queued - started) * 1000)),
        "x-queue-time": "0",
        "x-inference-time": str(int(inference * 1000)),
        "x-time-per-token": str(int(inference * 1000 / tokens)),
        "x-prompt-tokens": str(answer.generation.input_length),
        "x-generated-tokens": str(tokens),
    }


async def generate_once(infer: Infer, request: GenerateRequest) -> tuple[dict[str, str], dict[str, object]]:
    """The headers and the body of a buffered answer.

    Raises:
        InferError: it cannot start, or fails.
    """
    p = request.parameters
    headers, answer, others = await generate_internal(infer, request)
    body = render.generate_response(
        answer.generation,
        None if others is None else [other.generation for other in others],
        request.inputs if p.return_full_text else None,
        with_details=p.details or p.decoder_input_details,
    )
    return headers, body


async def compat_generate(http: web.Request, infer: Infer, request: GenerateRequest) -> web.StreamResponse:
    """POST / and /invocations with `inputs`: an array of one answer, or a stream."""
    if request.parameters.return_full_text is None:
        full_text = infer.settings.default_return_full_text
        request = replace(request, parameters=replace(request.parameters, return_full_text=full_text))
    if request.stream:
        return await generate_stream(http, infer, request)
    headers, body = await generate_once(infer, request)
    return json_response([body], headers)


async def generate_stream(http: web.Request, infer: Infer, request: GenerateRequest) -> web.StreamResponse:
    """POST /generate_stream: one event per token; every error is an event, too."""
    return await send_events(http, stream_headers(infer, len(request.inputs)), _events(infer, request))


def stream_headers(infer: Infer, characters: int) -> dict[str, str]:
    """The headers of every stream."""
    infer.counts["tgi_request_count"] += 1
    return {
        "x-compute-type": infer.settings.compute_type,
        "x-compute-characters": str(characters),
        "x-accel-buffering": "no",
    }


def _refuse_unstreamable(request: GenerateRequest) -> None:
    """What a stream cannot do.

    Raises:
        ValidationError: best_of or decoder_input_details is asked for.
    """
    if (1 if request.parameters.best_of is None else request.parameters.best_of) != 1:
        raise ValidationError("`best_of` != 1 is not supported when streaming tokens")
    if request.parameters.decoder_input_details:
        raise ValidationError("`decoder_input_details` == true is not supported when streaming tokens")


async def _events(infer: Infer, request: GenerateRequest) -> AsyncIterator[bytes]:
    p = request.parameters
    prompt = request.inputs if p.return_full_text else None
    try:
        with infer.counted():
            _refuse_unstreamable(request)
            with infer.permit():
                made = infer.start(request)
                async for indexes in infer.due(len(made.tokens)):
                    events = [render.stream_response(made, at, prompt, details=p.details) for at in indexes]
                    yield b"".join(events) or render.KEEP_ALIVE
                infer.counts["tgi_request_generated_tokens"] += len(made.tokens)
    except InferError as error:
        yield render.sse(compact(render.error(error)))


async def send_events(http: web.Request, headers: dict[str, str], events: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send events as they come; a client that has gone ends the generation."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache", **headers})
    await response.prepare(http)
    async for event in events:
        if event:
            await response.write(event)
    await response.write_eof()
    return response
