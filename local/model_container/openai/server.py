"""vLLM's server: its routes, and what all of its answers have in common."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local.model_container.openai import adapters, tokens
from local.model_container.openai.answers import UNTYPED, error_response, json_response, random_id
from local.model_container.openai.bodies import UnreadableBodyError, read_invocation, read_json
from local.model_container.openai.chat import chat_completions
from local.model_container.openai.completions import completions
from local.model_container.openai.engine import Engine
from local.model_container.openai.errors import ApiError
from local.model_container.openai.metrics import render_metrics
from local.model_container.openai.requests import (
    ChatRequest,
    CompletionRequest,
    InvalidBodyError,
    StopLimitedChatRequest,
    StopLimitedCompletionRequest,
    read_body,
)
from local.model_container.openai.sessions import Sessions
from local.model_container.openai.settings import Settings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ADAPTER = "X-Amzn-SageMaker-Adapter-Identifier"
_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_ROUTE = re.compile(r"(?:^|,)\s*route=([^,]+)")


class VllmServer:
    """The routes of a vLLM.

    Args:
        settings: What it was started with.
    """

    def __init__(self, settings: Settings) -> None:
        self._engine = Engine(settings)
        self._sessions = Sessions(enabled=settings.sessions)
        limited = settings.limits_stop_strings
        self._chat: type[ChatRequest] = StopLimitedChatRequest if limited else ChatRequest
        self._completion: type[CompletionRequest] = StopLimitedCompletionRequest if limited else CompletionRequest
        self._routes: dict[str, dict[str, Handler]] = {
            "/health": {"GET": self._health},
            "/ping": {"GET": self._health, "POST": self._health},
            "/version": {"GET": self._version},
            "/load": {"GET": self._load},
            "/metrics": {"GET": self._metrics, "POST": self._metrics},
            "/v1/models": {"GET": self._models},
            "/v1/chat/completions": {"POST": self._chat_completions},
            "/v1/completions": {"POST": self._completions},
            "/tokenize": {"POST": self._tokenize},
            "/detokenize": {"POST": self._detokenize},
            "/invocations": {"POST": self._invocations},
        }
        if settings.runtime_adapters:
            self._routes |= {
                "/v1/load_lora_adapter": {"POST": self._of_adapters(adapters.load)},
                "/v1/unload_lora_adapter": {"POST": self._of_adapters(adapters.unload)},
                "/adapters": {"POST": self._of_adapters(adapters.register)},
            }

    def create_app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[_errors], client_max_size=2**40)
        app.router.add_route("*", "/{path:.*}", self._dispatch)
        app.on_response_prepare.append(_common_headers)
        return app

    async def _dispatch(self, http: web.Request) -> web.StreamResponse:
        key = self._engine.settings.api_key
        if key is not None and http.path.startswith("/v1") and http.headers.get("authorization") != f"Bearer {key}":
            return json_response({"error": "Unauthorized"}, 401)
        return await self._call(http, http.path)

    async def _call(self, http: web.Request, path: str) -> web.StreamResponse:
        if path.startswith("/adapters/") and "/adapters" in self._routes:
            methods = {"DELETE": self._of_adapters(adapters.unregister)}
        else:
            methods = self._routes.get(path, {})
        if not methods:
            return json_response({"detail": "Not Found"}, 404)
        if http.method not in methods:
            return json_response({"detail": "Method Not Allowed"}, 405, {"allow": next(iter(methods))})
        return await methods[http.method](http)

    async def _health(self, _http: web.Request) -> web.StreamResponse:
        return web.Response(status=503 if self._engine.is_dead else 200)

    async def _version(self, _http: web.Request) -> web.StreamResponse:
        return json_response({"version": self._engine.settings.version_text})

    async def _load(self, _http: web.Request) -> web.StreamResponse:
        return json_response({"server_load": self._engine.unfinished})

    async def _metrics(self, http: web.Request) -> web.StreamResponse:
        version = "1.0.0" if http.method == "GET" else "0.0.4"
        headers = {"content-type": f"text/plain; version={version}; charset=utf-8"}
        return web.Response(text=render_metrics(self._engine), headers=headers)

    async def _models(self, _http: web.Request) -> web.StreamResponse:
        settings = self._engine.settings
        names = [(name, settings.model, None, settings.max_model_len) for name in settings.names]
        loaded = [(name, path, settings.names[0], None) for name, path in self._engine.adapters.items()]
        return json_response({"object": "list", "data": [self._model(*each) for each in (*names, *loaded)]})

    def _model(self, name: str, root: str, parent: str | None, max_model_len: int | None) -> dict[str, Any]:
        permission = {
            "id": f"modelperm-{random_id()}",
            "object": "model_permission",
            "created": self._engine.started,
            "allow_create_engine": False,
            "allow_sampling": True,
            "allow_logprobs": True,
            "allow_search_indices": False,
            "allow_view": True,
            "allow_fine_tuning": False,
            "organization": "*",
            "group": None,
            "is_blocking": False,
        }
        return {
            "id": name,
            "object": "model",
            "created": self._engine.started,
            "owned_by": "vllm",
            "root": root,
            "parent": parent,
            "max_model_len": max_model_len,
            "permission": [permission],
        }

    async def _chat_completions(self, http: web.Request) -> web.StreamResponse:
        request = read_body(self._chat, await read_json(http))
        return await chat_completions(http, self._engine, request, http.headers.get("x-request-id"))

    async def _completions(self, http: web.Request) -> web.StreamResponse:
        request = read_body(self._completion, await read_json(http))
        return await completions(http, self._engine, request, http.headers.get("x-request-id"))

    async def _tokenize(self, http: web.Request) -> web.StreamResponse:
        return json_response(tokens.tokenize(self._engine, await read_json(http)))

    async def _detokenize(self, http: web.Request) -> web.StreamResponse:
        return json_response(tokens.detokenize(await read_json(http)))

    async def _invocations(self, http: web.Request) -> web.StreamResponse:
        route = _ROUTE.search(http.headers.get(_ATTRIBUTES, "")) if self._engine.settings.routes else None
        if route is not None and route[1] != "/invocations":
            return await self._call(http, route[1].strip())
        body = await read_invocation(http)
        answer = self._sessions.answer(http, body)
        if answer is not None:
            return answer
        if not isinstance(body, dict):
            raise ApiError("list indices must be integers or slices, not str")
        body["model"] = http.headers.get(ADAPTER)
        request_id = http.headers.get("x-request-id")
        try:
            chat = read_body(self._chat, body)
        except InvalidBodyError:
            return await completions(http, self._engine, read_body(self._completion, body), request_id)
        return await chat_completions(http, self._engine, chat, request_id)

    def _of_adapters(self, change: Callable[[web.Request, Engine], Awaitable[web.Response]]) -> Handler:
        async def handle(http: web.Request) -> web.StreamResponse:
            return await change(http, self._engine)

        return handle


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except InvalidBodyError as error:
        return error_response(error.as_api_error())
    except ApiError as error:
        return error_response(error)
    except UnreadableBodyError:
        return json_response({"detail": "There was an error parsing the body"}, 400)


async def _common_headers(_http: web.Request, response: web.StreamResponse) -> None:
    response.headers["server"] = "uvicorn"
    if response.status != 401:
        response.headers["vary"] = "Origin"
    if UNTYPED in response or (isinstance(response, web.Response) and not response.body and response.status != 405):
        response.headers.popall("Content-Type", None)


def create_app(settings: Settings) -> web.Application:
    """The web application of a vLLM."""
    return VllmServer(settings).create_app()
