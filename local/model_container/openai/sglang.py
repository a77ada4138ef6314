"""SGLang: its start, and its answers to /invocations, which are chats alone (sglang 0.5.20, srt/entrypoints)."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from aiohttp import web

from local.model_container.openai.answers import DONE, Chunks, event, json_response, random_id, send_events
from local.model_container.openai.answers import with_comments as one_by_one
from local.model_container.openai.arguments import parse, parse_version, tool_parsers
from local.model_container.openai.bodies import read_invocation
from local.model_container.openai.chat import Chat, complete, read_chat
from local.model_container.openai.engine import Engine
from local.model_container.openai.entrypoint import to_arguments
from local.model_container.openai.errors import ApiError, QueueOverflowError
from local.model_container.openai.generation import Output, Step
from local.model_container.openai.requests import ChatRequest, InvalidBodyError, StructuredOutputs, read_body
from local.model_container.openai.settings import Settings
from local.model_container.tgi.options import LaunchError
from local.model_container.tokenizer import end_of_sequence
from local.model_container.toy_settings import read_toy_settings

NEWEST = "0.5.20"
"""The newest version that SageMaker has an image for."""

_PROGRAM = "launch_server.py"
_FULL = "The request queue is full."


def read_settings(environment: Mapping[str, str], *, version: str | None = None) -> Settings:
    """Reads the settings from SageMaker's environment.

    Args:
        environment: The variables of the container.
        version: The version of SGLang. Default: the newest.

    Raises:
        LaunchError: The container does not start; the message is its output.
    """
    numbers = parse_version(version or NEWEST)
    arguments = to_arguments(environment, "SM_SGLANG_", splits_arrays=False)
    if "--model-path" not in arguments:
        arguments += ["--model-path", "/opt/ml/model"]  # HF_MODEL_ID is not read
    args = parse("sglang", numbers, _PROGRAM, ["--port", "8080", *arguments])
    if args.port != 8080:
        raise LaunchError(f"The server listens on port {args.port}; SageMaker's health checks ask port 8080.")
    parsers = tool_parsers("sglang", numbers)
    if args.tool_call_parser is not None and args.tool_call_parser not in parsers:
        raise LaunchError(
            f"{_PROGRAM}: error: argument --tool-call-parser: invalid choice: {args.tool_call_parser!r} "
            f"(choose from {', '.join(map(repr, parsers))})"
        )
    return Settings(
        engine="sglang",
        version=numbers,
        model=args.model_path,
        names=(args.served_model_name or args.model_path,),
        max_model_len=args.context_length or 32768,
        adapters=dict(each.split("=", 1) if "=" in each else (each, each) for each in args.lora_paths or ()),
        tool_parser=args.tool_call_parser,
        auto_tools=args.tool_call_parser is not None,
        max_running=args.max_running_requests or 256,
        max_unfinished=_max_unfinished(args.max_queued_requests, args.max_running_requests or 256),
        **read_toy_settings(environment),
    )


def _max_unfinished(queued: int | None, running: int) -> int | None:
    return None if queued is None else queued + running


def create_app(settings: Settings) -> web.Application:
    """The web application of an SGLang, as far as SageMaker reaches it."""
    engine = Engine(settings)

    async def invocations(http: web.Request) -> web.StreamResponse:
        return await _answer(http, engine)

    async def ping(_http: web.Request) -> web.StreamResponse:
        return web.Response()

    app = web.Application(middlewares=[_errors], client_max_size=2**40)
    app.router.add_get("/ping", ping)
    app.router.add_post("/invocations", invocations)
    app.router.add_post("/v1/chat/completions", invocations)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except InvalidBodyError as error:
        return _error(error.as_api_error())
    except QueueOverflowError:
        return _error(ApiError(_FULL, status=503, kind="503"))
    except ApiError as error:
        return _error(error)
    except web.HTTPNotFound:
        return json_response({"detail": "Not Found"}, 404)
    except web.HTTPMethodNotAllowed as error:
        return json_response({"detail": "Method Not Allowed"}, 405, {"allow": ", ".join(error.allowed_methods)})
    return answer


def _error_body(error: ApiError) -> dict[str, Any]:
    return {
        "object": "error",
        "message": error.message,
        "type": error.kind,
        "param": error.param,
        "code": error.status,
    }


def _error(error: ApiError) -> web.Response:
    return json_response(_error_body(error), error.status)


async def _answer(http: web.Request, engine: Engine) -> web.StreamResponse:
    request = read_body(ChatRequest, await read_invocation(http))
    name = request.model or "default"
    _check(request, engine)
    model, _, adapter = name.partition(":")
    if adapter and adapter not in engine.adapters:
        raise ApiError(
            f"The following requested LoRA adapters are not loaded: {adapter}\nLoaded adapters: "
            f"{list(engine.adapters)}."
        )
    request = request.model_copy(update={"model": adapter or None, "structured_outputs": _constraint(request)})
    chat = read_chat(engine, request)
    del model  # SGLang compares it with nothing
    if request.stream:
        return await send_events(http, _events(chat, name))
    await complete(chat)
    return json_response(_body(chat, name))


def _constraint(request: ChatRequest) -> StructuredOutputs | None:
    """SGLang's own constraint; it does not know vLLM's."""
    regex = (request.model_extra or {}).get("regex")
    return StructuredOutputs(regex=regex) if isinstance(regex, str) else None


def _check(request: ChatRequest, engine: Engine) -> None:
    length = engine.settings.max_model_len
    if not request.turns:
        raise ApiError("Messages cannot be empty.")
    wanted = request.max_completion_tokens or request.max_tokens
    if wanted is not None and wanted > length:
        raise ApiError(
            f"max_completion_tokens is too large: {wanted}.This model supports at most {length} completion tokens."
        )


def _usage(chat: Chat) -> dict[str, Any]:
    prompt, tokens = len(chat.prompt.pieces), sum(len(output.steps) for output in chat.outputs)
    return {
        "prompt_tokens": prompt,
        "total_tokens": prompt + tokens,
        "completion_tokens": tokens,
        "prompt_tokens_details": None,
        "reasoning_tokens": 0,
    }


def _end(chat: Chat, output: Output) -> dict[str, Any]:
    is_call = chat.call is not None and output.finish_reason == "stop"
    matched = output.stop_reason
    if output.finish_reason == "stop" and matched is None:
        matched = end_of_sequence().id
    return {"finish_reason": "tool_calls" if is_call else output.finish_reason, "matched_stop": matched}


def _body(chat: Chat, name: str) -> dict[str, Any]:
    return {
        "id": random_id() + random_id(),
        "object": "chat.completion",
        "created": chat.created,
        "model": name,
        "choices": [_choice(chat, index, output) for index, output in enumerate(chat.outputs)],
        "usage": _usage(chat),
        "metadata": {"weight_version": "default"},
    }


def _choice(chat: Chat, index: int, output: Output) -> dict[str, Any]:
    is_call = chat.call is not None and output.finish_reason == "stop"
    calls = None
    if chat.call is not None and is_call:
        function = {"name": chat.call.name, "arguments": chat.call.arguments}
        calls = [{"id": f"call_{random_id()}", "index": 0, "type": "function", "function": function}]
    content = None if is_call else output.text
    message = {"role": "assistant", "content": content, "reasoning_content": None, "tool_calls": calls}
    return {"index": index, "message": message, "logprobs": chat.logprobs(list(output.steps)), **_end(chat, output)}


async def _events(chat: Chat, name: str) -> AsyncGenerator[bytes, None]:
    head = {"id": random_id() + random_id(), "object": "chat.completion.chunk", "created": int(time.time())}
    head["model"] = name
    options = chat.request.stream_options
    try:
        async with chat.engine.admit(len(chat.outputs)):
            chunks = Chunks(chat.outputs, chat.sampling.interval)
            called = [""] * len(chat.outputs)
            async for position in one_by_one(chat.engine.due(chat.outputs, len(chat.prompt.pieces))):
                for index in range(len(chat.outputs)) if position == 0 else ():
                    yield _chunk(head, index, {"role": "assistant", "content": ""})
                for index, steps, _ in chunks.add(position or 0):
                    for delta in _deltas(chat, steps, called, index):
                        yield _chunk(head, index, delta, chat.logprobs(steps))
            for index, output in enumerate(chat.outputs):
                yield _chunk(head, index, {}, None, _end(chat, output))
            if options is not None and options.include_usage:
                yield event({**head, "choices": [], "usage": _usage(chat)})
    except QueueOverflowError:
        # A stream has begun when the scheduler refuses it: the status is 200.
        error = ApiError(_FULL, status=503, kind="SERVICE_UNAVAILABLE")
        yield event({"error": _error_body(error)})
    except ApiError as error:
        yield event({"error": _error_body(error)})
    yield DONE


def _deltas(chat: Chat, steps: list[Step], called: list[str], index: int) -> list[dict[str, Any]]:
    text = "".join(step.text for step in steps)
    if chat.call is None:
        return [{"content": text}] if text else []
    before = chat.call.known_arguments(called[index])
    called[index] += text
    known = chat.call.known_arguments(called[index])
    if known is None:
        return []
    calls: list[dict[str, Any]] = []
    if before is None:
        function: dict[str, Any] = {"name": chat.call.name, "arguments": ""}
        calls.append({"id": f"call_{random_id()}", "index": 0, "type": "function", "function": function})
    if new := known[len(before or "") :]:
        function = {"name": None, "arguments": new}
        calls.append({"id": None, "index": 0, "type": "function", "function": function})
    return [{"tool_calls": [call]} for call in calls]


def _chunk(
    head: dict[str, Any],
    index: int,
    delta: dict[str, Any],
    logprobs: dict[str, Any] | None = None,
    end: dict[str, Any] | None = None,
) -> bytes:
    end = end or {"finish_reason": None, "matched_stop": None}
    choice = {"index": index, "delta": {"reasoning_content": None, **delta}, "logprobs": logprobs, **end}
    return event({**head, "choices": [choice]})
