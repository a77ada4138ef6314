"""The OpenAI-style routes: /v1/completions and /v1/chat/completions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from aiohttp import web

from local.model_container.errors import BatchSizeExceededError, InferError, SuffixNotSupportedError
from local.model_container.generation import Generation
from local.model_container.infer import Infer
from local.model_container.serde.requests import ChatRequest, CompletionRequest, GenerateRequest, Parameters
from local.model_container.tgi import chat as chats
from local.model_container.tgi import render
from local.model_container.tgi.chat import ChatState, to_generate
from local.model_container.tgi.generate_routes import generate_internal, json_response, send_events, stream_headers


def _completion_parts(infer: Infer, body: CompletionRequest) -> list[GenerateRequest]:
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
    """POST /v1/completions: one choice per prompt."""
    parts = _completion_parts(infer, body)
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
    """The prompts' events in turn, as TGI interleaves its streams."""
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
        with infer.counted(), infer.permit():
            made = infer.start(part)
            async for indexes in infer.due(len(made.tokens)):
                for at in indexes:
                    yield render.completion_event(made, at, choice, infer.settings)
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
    headers, answer, _ = await generate_internal(infer, request)
    first = answer.generation
    prompt_tokens = first.input_length
    message: dict[str, Any] = {"role": "assistant", "content": first.generated_text}
    calls = chats.parse_output(first.generated_text) if using_tools else None
    if calls is not None:
        message = {"role": "assistant", "tool_calls": calls}
    elif using_tools:
        # The model chose no tool: TGI asks again without them, and keeps the first answer's details.
        headers, answer, _ = await generate_internal(infer, to_generate(body.without_tools())[0])
        prompt_tokens = answer.generation.input_length
        message["content"] = answer.generation.generated_text
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
        with infer.counted(), infer.permit():
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


async def _chat_part(infer: Infer, state: ChatState, made: Generation) -> AsyncIterator[bytes | None]:
    """The chunks of one generation; None when the model has chosen to use no tool."""
    async for indexes in infer.due(len(made.tokens)):
        if not indexes:
            yield render.KEEP_ALIVE
            continue
        events: list[bytes] = []
        for at in indexes:
            event = state.push(made, at)
            if event is None:
                yield None
                return
            events.append(event)
        yield b"".join(events)
