"""The operations of the SageMaker Runtime, and the route /faults that injects faults into them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web

from local.apigateway.sigv4 import SignatureError, SignedRequest, verify
from local.sagemaker_runtime import async_invocations, limits
from local.sagemaker_runtime.endpoints import Endpoints
from local.sagemaker_runtime.errors import ServiceError
from local.sagemaker_runtime.event_stream import PayloadSplitter
from local.sagemaker_runtime.fault_injection import ConnectionLostError
from local.sagemaker_runtime.faults import SLOW_SECONDS, Fault, Faults
from local.sagemaker_runtime.invocation import Invocation, Service, invoke, invoke_stream, load_adapter

INVOKE_SECONDS = 60.0  # source: botocore's documentation of InvokeEndpoint
STREAM_SECONDS = 480.0  # source: the SageMaker hosting FAQ, 8 minutes
_COMPONENT = "X-Amzn-SageMaker-Inference-Component"
_TARGET = "X-Amzn-SageMaker-Target-Variant"
# Idle connections to the container are not reused after this, as servers close theirs (uvicorn after 5 seconds).
_KEEP_ALIVE_SECONDS = 3.0
_Operation = Callable[[Service, Invocation], Awaitable[web.StreamResponse]]


def create_app(
    endpoints: Endpoints,
    faults: Faults,
    *,
    secrets: Mapping[str, str] | None = None,
    invoke_seconds: float = INVOKE_SECONDS,
    stream_seconds: float = STREAM_SECONDS,
    split_seed: int | None = 0,
    refuse: Callable[[float], Awaitable[None]] | None = None,
) -> web.Application:
    """The web application of the service.

    Args:
        endpoints: What can be invoked; it may change while the application runs.
        faults: The faults to inject; `PUT /faults` and `DELETE /faults` change them too.
        secrets: The secret access keys by access key id. Default: any key is accepted, and only the format and scope of
            the signature are checked.
        invoke_seconds: The timeout of InvokeEndpoint (AWS: 60).
        stream_seconds: The timeout of a streamed response (AWS: 480).
        split_seed: Determines where responses are split into parts; None for one part per chunk of the container.
        refuse: Makes the server refuse connections for a number of seconds, if it can.
    """
    app = web.Application(middlewares=[_aws_errors], client_max_size=2**40)

    async def client(_app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS)
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
            read_bufsize=2**18,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as session:
            service = Service(session, faults, PayloadSplitter(split_seed), invoke_seconds, stream_seconds)
            app[_SERVICE] = service
            yield

    app.cleanup_ctx.append(client)
    for path, operation in (("invocations", invoke), ("invocations-response-stream", invoke_stream)):
        handler = partial(_call, endpoints=endpoints, secrets=secrets or {}, operation=operation)
        app.router.add_post(f"/endpoints/{{name}}/{path}", handler)
    async_invocations.add_routes(app, endpoints, partial(_region, secrets=secrets or {}))
    app.router.add_get("/faults", partial(_list, faults=faults))
    app.router.add_put("/faults", partial(_inject, faults=faults, refuse=refuse))
    app.router.add_delete("/faults", partial(_clear, faults=faults))
    return app


_OPTIONS = {"fault", "count", "seconds", "at", "frame", "status", "endpoint"}
_SERVICE: web.AppKey[Service] = web.AppKey("service", Service)


@web.middleware
async def _aws_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ServiceError as error:
        return error.response()
    except web.HTTPNotFound:
        unknown = ServiceError("UnknownOperationException", 404, Message=f"{request.method} {request.path}: unknown.")
        return unknown.response()


async def _call(
    request: web.Request,
    *,
    endpoints: Endpoints,
    secrets: Mapping[str, str],
    operation: _Operation,
) -> web.StreamResponse:
    body = await request.read()
    region = _region(request, body, secrets)
    name = request.match_info["name"]
    limits.check(request.headers, body)
    variant = endpoints.find(name, request.headers.get(_COMPONENT), request.headers.get(_TARGET))
    with variant.fleet.route() as copy:
        call = Invocation(request, body, name, variant.name, region, copy.url.rstrip("/"), variant.adapter)
        try:
            await load_adapter(request.app[_SERVICE], call, copy)
            return await operation(request.app[_SERVICE], call)
        # The second if the caller has left. What the container breaks off is an error of aiohttp's client.
        except (ConnectionLostError, ConnectionResetError):
            return call.hang_up()


def _region(request: web.Request, body: bytes, secrets: Mapping[str, str]) -> str:
    url = request.rel_url
    signed = SignedRequest(request.method, url.raw_path, url.raw_query_string, list(request.headers.items()), body)
    try:
        return verify(signed, "sagemaker", secrets).region
    except SignatureError as error:
        raise ServiceError(error.code, 403, Message=error.message) from error


async def _list(_request: web.Request, *, faults: Faults) -> web.Response:
    return web.json_response({"faults": faults.pending()})


async def _inject(
    request: web.Request, *, faults: Faults, refuse: Callable[[float], Awaitable[None]] | None
) -> web.Response:
    try:
        requested = json.loads(await request.read())
        if not isinstance(requested, dict) or "fault" not in requested:
            raise ValueError('the body must be an object such as {"fault": "throttle", "count": 1}.')
        if unknown := sorted(requested.keys() - _OPTIONS):
            raise ValueError(f"{', '.join(unknown)}: unknown option. Options are {', '.join(sorted(_OPTIONS))}.")
        if requested["fault"] == "refused" and refuse is not None:
            await _refuse(requested, refuse)
        else:
            faults.inject(**requested)
    except (ValueError, TypeError) as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response({"faults": faults.pending()})


async def _refuse(requested: Mapping[str, Any], refuse: Callable[[float], Awaitable[None]]) -> None:
    fault = Fault(name="refused", seconds=requested.get("seconds", SLOW_SECONDS))
    problems = list(fault.problems())
    problems += [
        f"{name}: not an option of refused, only seconds is." for name in requested.keys() - {"fault", "seconds"}
    ]
    if problems:
        raise ValueError(" ".join(problems))
    await refuse(fault.seconds)


async def _clear(_request: web.Request, *, faults: Faults) -> web.Response:
    faults.clear()
    return web.Response(status=204)
