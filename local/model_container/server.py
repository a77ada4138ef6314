"""TGI's router: the paths and their handlers, and what all responses have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiohttp import web

from local.model_container.infer import Infer
from local.model_container.serde.body import read_body
from local.model_container.serde.chat_requests import CHAT, SAGEMAKER
from local.model_container.serde.errors import RejectionError
from local.model_container.serde.requests import (
    COMPAT_GENERATE,
    COMPLETION,
    GENERATE,
    ChatRequest,
    CompletionRequest,
    GenerateRequest,
)
from local.model_container.serde.types import Type
from local.model_container.settings import DOCKER_LABEL, SHA, VERSION, Settings
from local.model_container.tgi import render
from local.model_container.tgi.chat import to_generate
from local.model_container.tgi.errors import InferError
from local.model_container.tgi.routes import (
    chat_completions,
    compat_generate,
    completions,
    generate_once,
    generate_stream,
    json_response,
)
from local.model_container.tokenizer import tokenize

Handler = Callable[[web.Request, Infer, Any], Awaitable[web.StreamResponse]]
_VARY = "origin, access-control-request-method, access-control-request-headers"


def create_app(settings: Settings) -> web.Application:
    """The web application of the container.

    Args:
        settings: The limits of the container and the rate of the toy.
    """
    infer = Infer(settings)
    app = web.Application(middlewares=[_axum_errors], client_max_size=2**40)
    app.on_response_prepare.append(partial(_common_headers, settings.cors_allow_origin))
    posts: list[tuple[str, Type, Handler]] = [
        ("/", COMPAT_GENERATE, compat_generate),
        ("/generate", GENERATE, _generate),
        ("/generate_stream", GENERATE, generate_stream),
        ("/invocations", SAGEMAKER, _invocations),
        ("/v1/chat/completions", CHAT, chat_completions),
        ("/v1/completions", COMPLETION, completions),
        ("/tokenize", GENERATE, _tokenize),
        ("/chat_tokenize", CHAT, _chat_tokenize),
    ]
    for path, type_, handler in posts:
        key = None if path == "/chat_tokenize" else settings.api_key
        app.router.add_post(path, partial(_post, infer=infer, type_=type_, handler=handler, api_key=key))
    for path in ("/", "/health", "/ping"):
        app.router.add_get(path, _health)
    app.router.add_get("/info", partial(_info, settings=settings))
    app.router.add_get("/v1/models", partial(_models, settings=settings))
    app.router.add_get("/metrics", partial(_metrics, infer=infer))
    return app


@web.middleware
async def _axum_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.method == "OPTIONS":
        headers = {"access-control-allow-methods": "GET,POST", "access-control-allow-headers": "content-type"}
        known = request.match_info.http_exception
        return web.Response(headers=headers | (_allow(known) if isinstance(known, web.HTTPMethodNotAllowed) else {}))
    try:
        return await handler(request)
    except RejectionError as rejection:
        return web.Response(status=rejection.status, text=rejection.text)
    except InferError as error:
        return json_response(render.error(error), status=error.status)
    except web.HTTPMethodNotAllowed as error:
        return web.Response(status=405, headers=_allow(error))
    except web.HTTPNotFound:
        return web.Response(status=404)


def _allow(error: web.HTTPMethodNotAllowed) -> dict[str, str]:
    return {"allow": ",".join(sorted(error.allowed_methods))}


async def _common_headers(origins: tuple[str, ...], request: web.Request, response: web.StreamResponse) -> None:
    response.headers.popall("Server", None)
    if isinstance(response, web.Response) and not response.body:
        response.headers.popall("Content-Type", None)
    response.headers["vary"] = _VARY
    origin = request.headers.get("origin", "")
    if not origins:
        response.headers["access-control-allow-origin"] = "*"
    elif origin in origins:
        response.headers["access-control-allow-origin"] = origin


async def _post(
    request: web.Request, *, infer: Infer, type_: Type, handler: Handler, api_key: str | None
) -> web.StreamResponse:
    if api_key is not None and request.headers.get("authorization", "").lower() != f"bearer {api_key}".lower():
        return web.Response(status=401)
    body = await read_body(request, type_, infer.settings.payload_limit)
    return await handler(request, infer, body)


async def _invocations(request: web.Request, infer: Infer, body: Any) -> web.StreamResponse:
    handlers: dict[type, Handler] = {
        GenerateRequest: compat_generate,
        ChatRequest: chat_completions,
        CompletionRequest: completions,
    }
    return await handlers[type(body)](request, infer, body)


async def _generate(_request: web.Request, infer: Infer, body: GenerateRequest) -> web.StreamResponse:
    headers, response = await generate_once(infer, body)
    return json_response(response, headers)


def _simple_tokens(text: str, *, add_special_tokens: bool) -> list[dict[str, Any]]:
    encoded = text.encode()
    return [
        {
            "id": piece.id,
            "text": encoded[piece.start : piece.stop].decode(errors="replace"),
            "start": piece.start,
            "stop": piece.stop,
        }
        for piece in tokenize(text, add_special_tokens=add_special_tokens)
    ]


async def _tokenize(_request: web.Request, _infer: Infer, body: GenerateRequest) -> web.StreamResponse:
    return json_response(_simple_tokens(body.inputs, add_special_tokens=True))


async def _chat_tokenize(_request: web.Request, infer: Infer, body: ChatRequest) -> web.StreamResponse:
    infer.metrics.add("tgi_request_count")
    prompt = to_generate(body)[0].inputs
    tokens = _simple_tokens(prompt, add_special_tokens=False)
    return json_response({"tokenize_response": tokens, "templated_text": prompt})


async def _health(_request: web.Request) -> web.StreamResponse:
    return web.Response()


async def _info(_request: web.Request, *, settings: Settings) -> web.StreamResponse:
    return json_response(
        {
            "model_id": settings.model_id,
            "model_sha": settings.model_sha,
            "model_pipeline_tag": settings.pipeline_tag,
            "max_concurrent_requests": settings.max_concurrent_requests,
            "max_best_of": settings.max_best_of,
            "max_stop_sequences": settings.max_stop_sequences,
            "max_input_tokens": settings.max_input_tokens,
            "max_total_tokens": settings.max_total_tokens,
            "validation_workers": settings.validation_workers,
            "max_client_batch_size": settings.max_client_batch_size,
            "router": "text-generation-router",
            "version": VERSION,
            "sha": SHA,
            "docker_label": DOCKER_LABEL,
        }
    )


async def _models(_request: web.Request, *, settings: Settings) -> web.StreamResponse:
    model = {"id": settings.model_id, "object": "model", "created": 0, "owned_by": settings.model_id}
    return json_response({"object": "list", "data": [model]})


async def _metrics(_request: web.Request, *, infer: Infer) -> web.StreamResponse:
    return web.Response(text=infer.metrics.render(infer.running))
