"""The routes that generate: TGI's own, and the OpenAI routes /v1/completions and /v1/chat/completions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Any

from aiohttp import web

from local.model_container.generation import Generation
from local.model_container.infer import Infer, TimedGeneration
from local.model_container.serde.requests import ChatRequest, CompletionRequest, GenerateRequest, Parameters
from local.model_container.serde.types import compact
from local.model_container.tgi import chat as chats
from local.model_container.tgi import render
from local.model_container.tgi.chat import ChatState, to_generate
from local.model_container.tgi.errors import (
    BatchSizeExceededError,
    InferError,
    SuffixNotSupportedError,
    ValidationError,
)


def json_response(body: object, headers: dict[str, str] | None = None, status: int = 200) -> web.Response:
    """A JSON response in TGI's format."""
    return web.Response(body=compact(body).encode(), content_type="application/json", headers=headers, status=status)


async def generate_internal(
    infer: Infer, request: GenerateRequest
) -> tuple[dict[str, str], TimedGeneration, list[TimedGeneration] | None]:
    """Runs a non-streaming generation; returns the response headers, the generation, and the others of best_of.

    Raises:
        InferError: The generation fails.
    """
    started = time.monotonic()
    infer.metrics.add("tgi_request_count")
    best_of = request.parameters.best_of or 1
    if best_of > 1:
        result, others = await infer.generate_best_of(request, best_of)
        return _headers(infer, request, result, started), result, others
    result = await infer.generate(request)
    return _headers(infer, request, result, started), result, None


def _headers(infer: Infer, request: GenerateRequest, result: TimedGeneration, started: float) -> dict[str, str]:
    total = result.finished - started
    inference = result.finished - result.queued
    tokens = len(result.generation.tokens)
    return {
        "x-compute-type": infer.settings.compute_type,
        "x-compute-time": f"{total:.9f}",
        "x-compute-characters": str(len(request.inputs)),
        "x-total-time": str(int(total * 1000)),
        "x-validation-time": str(int((result.queued - started) * 1000)),
        "x-queue-time": "0",
        "x-inference-time": str(int(inference * 1000)),
        "x-time-per-token": str(int(inference * 1000 / tokens)),
        "x-prompt-tokens": str(result.generation.input_length),
        "x-generated-tokens": str(tokens),
    }


async def generate_once(infer: Infer, request: GenerateRequest) -> tuple[dict[str, str], dict[str, object]]:
    """The headers and body of a non-streaming response.

    Raises:
        InferError: The generation fails.
    """
    p = request.parameters
    headers, result, others = await generate_internal(infer, request)
    body = render.generate_response(
        result.generation,
        None if others is None else [other.generation for other in others],
        request.inputs if p.return_full_text else None,
        with_details=p.details or p.decoder_input_details,
    )
    return headers, body


async def compat_generate(http: web.Request, infer: Infer, request: GenerateRequest) -> web.StreamResponse:
    """POST / and /invocations with `inputs`: an array of one response, or a stream."""
    if request.parameters.return_full_text is None:
        full_text = infer.settings.default_return_full_text
        request = replace(request, parameters=replace(request.parameters, return_full_text=full_text))
    if request.stream:
        return await generate_stream(http, infer, request)
    headers, body = await generate_once(infer, request)
    return json_response([body], headers)


async def generate_stream(http: web.Request, infer: Infer, request: GenerateRequest) -> web.StreamResponse:
    """POST /generate_stream: an event per token; errors are events too."""
    return await send_events(http, stream_headers(infer, len(request.inputs)), _generate_events(infer, request))


def stream_headers(infer: Infer, characters: int) -> dict[str, str]:
    """The response headers of every stream."""
    infer.metrics.add("tgi_request_count")
    return {
        "x-compute-type": infer.settings.compute_type,
        "x-compute-characters": str(characters),
        "x-accel-buffering": "no",
    }


def _validate_streaming(request: GenerateRequest) -> None:
    """Validates the parameters of a stream.

    Raises:
        ValidationError: best_of or decoder_input_details is set.
    """
    if (1 if request.parameters.best_of is None else request.parameters.best_of) != 1:
        raise ValidationError("`best_of` != 1 is not supported when streaming tokens")
    if request.parameters.decoder_input_details:
        raise ValidationError("`decoder_input_details` == true is not supported when streaming tokens")


async def _generate_events(infer: Infer, request: GenerateRequest) -> AsyncIterator[bytes]:
    p = request.parameters
    prompt = request.inputs if p.return_full_text else None
    try:
        with infer.metrics.count_outcome():
            _validate_streaming(request)
            with infer.permit():
                generation = infer.start(request)
                async for indexes in infer.due(len(generation.tokens)):
                    events = [render.stream_response(generation, at, prompt, details=p.details) for at in indexes]
                    yield b"".join(events) or render.KEEP_ALIVE
                infer.metrics.add("tgi_request_generated_tokens", len(generation.tokens))
    except InferError as error:
        yield render.sse(compact(render.error(error)))


async def send_events(http: web.Request, headers: dict[str, str], events: AsyncIterator[bytes]) -> web.StreamResponse:
    """Sends events; the generation ends if the client disconnects."""
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-cache", **headers})
    await response.prepare(http)
    async for event in events:
        if event:
            await response.write(event)
    await response.write_eof()
    return response


def _completion_requests(infer: Infer, body: CompletionRequest) -> list[GenerateRequest]:
    if body.suffix is not None:
        raise SuffixNotSupportedError
    if len(body.prompt) > infer.settings.max_client_batch_size:
        raise BatchSizeExceededError(str(infer.settings.max_client_batch_size))
    parameters = Parameters(
        temperature=body.temperature or None,
        do_sample=body.temperature != 0,
        repetition_penalty=body.repetition_penalty,
        frequency_penalty=body.frequency_penalty,
        top_p=body.top_p,
        max_new_tokens=body.max_tokens,
        stop=body.stop or [],
        details=True,
        decoder_input_details=not body.stream,
        seed=body.seed,
        adapter_id=None if body.model == "tgi" else body.model,
    )
    return [GenerateRequest(prompt, parameters, body.stream) for prompt in body.prompt]


async def completions(http: web.Request, infer: Infer, body: CompletionRequest) -> web.StreamResponse:
    """POST /v1/completions: a choice per prompt."""
    parts = _completion_requests(infer, body)
    if body.stream:
        headers = stream_headers(infer, sum(len(part.inputs) for part in parts))
        return await send_events(http, headers, _completion_events(infer, parts))
    results = await asyncio.gather(*(generate_internal(infer, part) for part in parts))
    headers = dict(results[0][0])
    del headers["x-compute-time"]
    for name in headers:
        if name != "x-compute-type":
            headers[name] = str(sum(int(each[0][name]) for each in results))
    return json_response(render.completion([each[1].generation for each in results], infer.settings), headers)


async def _completion_events(infer: Infer, parts: list[GenerateRequest]) -> AsyncIterator[bytes]:
    """The events of the prompts in turn, interleaved like TGI's."""
    streams = [_completion_part(infer, part, at) for at, part in enumerate(parts)]
    try:
        while streams:
            for stream in list(streams):
                event = await anext(stream, None)
                if event is None:
                    streams.remove(stream)
                else:
                    yield event
    finally:
        for stream in streams:
            await stream.aclose()
    yield render.DONE


async def _completion_part(infer: Infer, part: GenerateRequest, choice: int) -> AsyncGenerator[bytes, None]:
    try:
        with infer.metrics.count_outcome(), infer.permit():
            generation = infer.start(part)
            async for indexes in infer.due(len(generation.tokens)):
                for at in indexes:
                    yield render.completion_event(generation, at, choice, infer.settings)
                if not indexes:
                    yield render.KEEP_ALIVE
    except InferError as error:
        yield render.openai_error_event(error)


async def chat_completions(http: web.Request, infer: Infer, body: ChatRequest) -> web.StreamResponse:
    """POST /v1/chat/completions."""
    request, using_tools = to_generate(body)
    if body.stream:
        headers = stream_headers(infer, len(request.inputs))
        return await send_events(http, headers, _chat_events(infer, body, request, using_tools=using_tools))
    return await _chat_once(infer, body, request, using_tools=using_tools)


def _model(infer: Infer, body: ChatRequest) -> str:
    return infer.settings.model_id if body.model in (None, "tgi") else str(body.model)


async def _chat_once(
    infer: Infer, body: ChatRequest, request: GenerateRequest, *, using_tools: bool
) -> web.StreamResponse:
    headers, result, _ = await generate_internal(infer, request)
    first = result.generation
    prompt_tokens = first.input_length
    message: dict[str, Any] = {"role": "assistant", "content": first.generated_text}
    calls = chats.parse_output(first.generated_text) if using_tools else None
    if calls is not None:
        message = {"role": "assistant", "tool_calls": calls}
    elif using_tools:
        # The model chose no tool: TGI generates again without tools, and keeps the details of the first generation.
        headers, result, _ = await generate_internal(infer, to_generate(body.without_tools())[0])
        prompt_tokens = result.generation.input_length
        message["content"] = result.generation.generated_text
    settings = infer.settings
    completion = chats.completion(
        first,
        message,
        _model(infer, body),
        settings.system_fingerprint,
        prompt_tokens,
        with_logprobs=bool(body.logprobs),
    )
    return json_response(completion, headers)


async def _chat_events(
    infer: Infer, body: ChatRequest, request: GenerateRequest, *, using_tools: bool
) -> AsyncIterator[bytes]:
    model, fingerprint = _model(infer, body), infer.settings.system_fingerprint
    try:
        with infer.metrics.count_outcome(), infer.permit():
            state = ChatState(body, model, fingerprint, using_tools=using_tools)
            no_tool = False
            async for event in _chat_part(infer, state, infer.start(request)):
                no_tool = event is None
                if event is not None:
                    yield event
            if no_tool:
                plain = to_generate(body.without_tools())[0]
                state = ChatState(body, model, fingerprint, using_tools=False)
                async for event in _chat_part(infer, state, infer.start(plain)):
                    yield event or b""
    except InferError as error:
        yield render.openai_error_event(error)
    yield render.DONE


async def _chat_part(infer: Infer, state: ChatState, generation: Generation) -> AsyncIterator[bytes | None]:
    """The chunks of a generation; None if the model has chosen no tool."""
    async for indexes in infer.due(len(generation.tokens)):
        if not indexes:
            yield render.KEEP_ALIVE
            continue
        events: list[bytes] = []
        for at in indexes:
            event = state.push(generation, at)
            if event is None:
                yield None
                return
            events.append(event)
        yield b"".join(events)
