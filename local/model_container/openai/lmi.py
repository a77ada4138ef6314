"""DJL LMI: vLLM behind DJL Serving, whose answers are lines of JSON (djl-serving 0.36, djl_python/lmi_vllm).

In its asynchronous mode each request goes to vLLM at once, so that nothing limits how many wait.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from aiohttp import web

from local.model_container.openai import chat, completions
from local.model_container.openai.answers import DONE
from local.model_container.openai.arguments import tool_parsers
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import ApiError
from local.model_container.openai.requests import ChatRequest, CompletionRequest, InvalidBodyError, read_body
from local.model_container.openai.settings import Settings
from local.model_container.serde.types import compact
from local.model_container.tgi.options import LaunchError
from local.model_container.toy_settings import read_toy_settings

VLLM = (0, 23, 1)
"""The vLLM in lmi27."""

_ADAPTER = "X-Amzn-SageMaker-Adapter-Identifier"
_LINES = {"content-type": "application/jsonlines"}
# What the entrypoint makes of TGI's names, unless LMI's are set.
_OF_TGI = {
    "SM_NUM_GPUS": "TENSOR_PARALLEL_DEGREE",
    "MAX_BATCH_SIZE": "OPTION_MAX_ROLLING_BATCH_SIZE",
}


def read_settings(environment: Mapping[str, str], *, has_artifact: bool = False) -> Settings:
    """Reads the settings from SageMaker's environment.

    Args:
        environment: The variables of the container.
        has_artifact: Whether SageMaker has put weights into /opt/ml/model.

    Raises:
        LaunchError: The container does not start; the message is its output.
    """
    set_ = {name: value for name, value in environment.items() if value}
    set_ = {lmi: set_[tgi] for tgi, lmi in _OF_TGI.items() if tgi in set_} | set_
    model = set_.get("HF_MODEL_ID") or set_.get("OPTION_MODEL_ID")
    if not model and not has_artifact:
        raise LaunchError("ModelNotFoundException: No model found: set HF_MODEL_ID, or give the model an artifact.")
    running = _integer(set_, "OPTION_MAX_ROLLING_BATCH_SIZE", 32)
    if _integer(set_, "OPTION_MAX_NUM_SEQS", running) != running:
        raise LaunchError(
            f"ValueError: max_num_seqs={set_['OPTION_MAX_NUM_SEQS']} differs from max_rolling_batch_size={running}"
        )
    parser = set_.get("OPTION_TOOL_CALL_PARSER")
    automatic = set_.get("OPTION_ENABLE_AUTO_TOOL_CHOICE", "").lower() == "true"
    if automatic and parser not in tool_parsers("vllm", VLLM):
        raise LaunchError(f"ValueError: Invalid tool call parser: {parser}")
    return Settings(
        engine="lmi",
        version=VLLM,
        model=model or "/opt/ml/model",
        names=(set_.get("OPTION_SERVED_MODEL_NAME", "lmi"),),
        max_model_len=_integer(set_, "OPTION_MAX_MODEL_LEN", 32768),
        tool_parser=parser,
        auto_tools=automatic,
        max_running=running,
        **read_toy_settings(environment),
    )


def _integer(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    try:
        return default if text is None else int(text)
    except ValueError as error:
        raise LaunchError(f"ValueError: {name}: Input should be a valid integer, got {text!r}") from error


def create_app(settings: Settings, *, models: int = 1) -> web.Application:
    """The web application of an LMI, as far as SageMaker reaches it.

    Args:
        settings: What it was started with.
        models: How many models there are: one from the artifact, one from HF_MODEL_ID.
    """
    engine = Engine(settings)

    async def invocations(http: web.Request) -> web.StreamResponse:
        if models > 1:
            return _of_server(400, "BadRequestException", "Parameter model_name is required.")
        return await _answer(http, engine)

    async def ping(_http: web.Request) -> web.StreamResponse:
        state = {"model": [{"version": "", "status": "Healthy"}]}
        return web.Response(text=json.dumps(state, indent=2), content_type="application/json")

    app = web.Application(middlewares=[_errors], client_max_size=64 * 2**20)
    app.router.add_route("*", "/ping", ping)
    app.router.add_post("/invocations", invocations)
    app.router.add_post("/v1/chat/completions", invocations)
    app.router.add_post("/v1/completions", invocations)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except ApiError as error:
        return _failed(_described(error), 500)
    except web.HTTPRequestEntityTooLarge:
        return _of_server(413, "RequestEntityTooLarge", "Request size is too large")
    except web.HTTPException as error:
        return _of_server(error.status, type(error).__name__.removeprefix("HTTP") + "Exception", error.reason)
    return answer


def _described(error: ApiError) -> str:
    """VLLM's error as the handler prints it."""
    return (
        f"error=ErrorInfo(message={error.message!r}, type={error.kind!r}, param={error.param!r}, code={error.status})"
    )


def _failed(message: str, status: int) -> web.Response:
    """An error of the handler."""
    body = json.dumps({"error": message, "code": status}, separators=(",", ":"), ensure_ascii=False)
    return web.Response(text=body, status=status, content_type="application/json")


def _of_server(status: int, kind: str, message: str) -> web.Response:
    """An error of DJL Serving itself."""
    body = json.dumps({"code": status, "type": kind, "message": message}, indent=2)
    return web.Response(text=body + "\n", status=status, content_type="application/json")


async def _answer(http: web.Request, engine: Engine) -> web.StreamResponse:
    try:
        request = _read(http, json.loads(await http.read()), engine)
    except (InvalidBodyError, ApiError, ValueError) as error:
        return _failed(f"Input parsing failed: {error}", 424)
    if isinstance(request, ChatRequest):
        conversation = chat.read_chat(engine, request)
        if request.stream:
            return await _send(http, _lines(chat.stream(conversation)))
        body = await chat.complete(conversation)
    else:
        completion = completions.read_completion(engine, request)
        if request.stream:
            return await _send(http, _lines(completions.stream(completion)))
        body = await completions.complete(completion)
    return web.Response(text=compact(body) + "\n", content_type="application/json")


def _read(http: web.Request, body: Any, engine: Engine) -> ChatRequest | CompletionRequest:
    if not isinstance(body, dict):
        raise ValueError("invalid payload. must contain prompt, inputs, or messages")
    body.setdefault("model", engine.settings.names[0])
    adapter = http.headers.get(_ADAPTER) or body.pop("adapters", None)
    if adapter is not None:
        if str(adapter) not in engine.adapters:
            raise ValueError(
                f"LoRA adapter {adapter} not found in registry. Available adapters: {list(engine.adapters)}"
            )
        body["model"] = adapter
    if "prompt" in body:
        return read_body(CompletionRequest, body)
    if "messages" in body:
        return read_body(ChatRequest, body)
    raise ValueError("invalid payload. must contain prompt, inputs, or messages")


async def _lines(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The data of events, one a line; an empty line at the end."""
    async for each in events:
        for data in each.split(b"\n\n"):
            if data.startswith(b"data: "):
                yield b"\n" if data + b"\n\n" == DONE else data.removeprefix(b"data: ") + b"\n"


async def _send(http: web.Request, lines: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    first = await anext(lines)
    response = web.StreamResponse(headers=_LINES)
    await response.prepare(http)
    await response.write(first)
    async for line in lines:
        await response.write(line)
    await response.write_eof()
    return response
