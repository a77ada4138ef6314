"""The gateway: an HTTP server that treats a request as the deployed API would."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from local.gateway import integration as integrations
from local.gateway.authorizer import Authorizers
from local.gateway.context import Context
from local.gateway.event import Request, proxy_event
from local.gateway.responses import Answer, GatewayError, render
from local.gateway.routing import match
from local.gateway.usage import Usage
from local.gateway.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.gateway.api import Method, RestApi
    from local.gateway.functions import Function
    from local.gateway.routing import Route

MAX_BODY_BYTES = 10 * 1024 * 1024
BODILESS = frozenset({204, 304})
# Outside of the stage no API answers, hence none of its gateway responses.
WRONG_STAGE = Answer(
    403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, b'{"message":"Forbidden"}'
)


class Gateway:
    """Serves one stage of a REST API below `/<stage>`.

    Args:
        api: The API as deployed.
        functions: The function of a name.
        log: Takes access log lines and what the gateway says about failures of integrations.
        usage: Keys and limits; by default those of the API.
    """

    def __init__(
        self,
        api: RestApi,
        functions: Callable[[str], Function],
        *,
        log: Callable[[str], None],
        usage: Usage | None = None,
    ) -> None:
        self._api = api
        self._functions = functions
        self._authorizers = Authorizers(functions)
        self._usage = usage or Usage(api)
        self._log = log
        self._draining: set[asyncio.Task[None]] = set()

    def server(self) -> web.Server:
        """For an `aiohttp.web.ServerRunner`."""
        return web.Server(self.handle, access_log=None)

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answers one request."""
        context = Context(self._api, trace_header=http.headers.get("X-Amzn-Trace-Id"))
        context.variables |= {
            "httpMethod": http.method,
            "identity.sourceIp": http.remote or "",
            "identity.userAgent": http.headers.get("User-Agent"),
            "path": urlsplit(http.raw_path).path,
            "protocol": f"HTTP/{http.version.major}.{http.version.minor}",
        }
        if not _below_stage(http, self._api.stage):
            return await self._send_own(http, context, WRONG_STAGE)
        try:
            answer = await self._answer(http, context)
        except GatewayError as error:
            if error.reason:
                self._log(f"{context.request_id} {error.kind}: {error.reason}")
            told = render(error, self._api, context, {name.lower(): value for name, value in http.headers.items()})
            return await self._send_own(http, context, told)
        return await self._send(http, context, answer)

    async def _answer(self, http: web.BaseRequest, context: Context) -> integrations.Answer:
        request = await self._read(http)
        route = match(self._api.root, request.path, request.verb)
        if route is None or route.method is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        context.variables |= {"resourceId": route.resource.id, "resourcePath": route.resource.path}
        headers = request.header_map()
        authorizer = await self._admit(route, route.method, headers, request.path, context)
        validate(route.method, headers, dict(request.query), route.parameters, request.body)
        integration = route.method.integration
        context.variables["integration.responseTransferMode"] = "STREAM" if integration.stream else "BUFFERED"
        event = proxy_event(request, route, self._api, context, authorizer)
        started = time.monotonic()
        try:
            answer = await integrations.call(integration, self._functions(integration.function_name), event)
        finally:
            elapsed = int((time.monotonic() - started) * 1000)
            context.variables |= {"integrationLatency": elapsed, "integration.latency": elapsed}
        context.variables |= {"integrationStatus": 200, "integration.status": 200}
        context.variables["integration.timeToFirstContent"] = elapsed
        return answer

    async def _read(self, http: web.BaseRequest) -> Request:
        url = urlsplit(http.raw_path)
        body = bytearray()
        async for piece in http.content.iter_chunked(2**16):
            body += piece
            if len(body) > MAX_BODY_BYTES:
                raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        return Request(
            verb=http.method,
            path=url.path.removeprefix(f"/{self._api.stage}") or "/",
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.raw_headers],
            query=parse_qsl(url.query, keep_blank_values=True),
            body=bytes(body),
            source_ip=http.remote or "",
        )

    async def _admit(
        self, route: Route, method: Method, headers: dict[str, str], path: str, context: Context
    ) -> dict[str, Any] | None:
        """The stage's throttle, then the authorizer, then the key with its throttle and quota."""
        self._usage.admit_method(route.resource.path, method.verb)
        said: dict[str, Any] | None = None
        usage_key = headers.get("x-api-key") if self._api.key_source == "HEADER" else None
        if method.authorizer is not None:
            arn = self._method_arn(context.variables["httpMethod"], path)
            started = time.monotonic()
            decision = await self._authorizers.authorize(method.authorizer, headers, arn)
            said = decision.variables()
            context.variables |= {f"authorizer.{name}": value for name, value in said.items()}
            elapsed = int((time.monotonic() - started) * 1000)
            context.variables |= {"authorizer.status": 200, "authorizer.latency": elapsed}
            if self._api.key_source == "AUTHORIZER":
                usage_key = decision.usage_key
        if method.api_key_required:
            key = self._usage.admit_key(usage_key)
            context.variables |= {"identity.apiKey": key.value, "identity.apiKeyId": key.id}
        return said

    def _method_arn(self, verb: str, path: str) -> str:
        api = self._api
        place = f"arn:{api.partition}:execute-api:{api.region}:{api.account}:{api.id}"
        return f"{place}/{api.stage}/{verb}/{path.lstrip('/')}"

    async def _send_own(self, http: web.BaseRequest, context: Context, answer: Answer) -> web.StreamResponse:
        response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        self._mark(response, context)
        if http.can_read_body and not http.content.is_eof():
            response.force_close()  # the rest of a body that was too long is never read
        self._account(context, answer.status, len(answer.body))
        return response

    async def _send(self, http: web.BaseRequest, context: Context, answer: integrations.Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status)
        for name, value in answer.headers:
            response.headers.add(name, value)
        response.headers.setdefault("Content-Type", "application/json")
        self._mark(response, context)
        response.headers["X-Amzn-Trace-Id"] = context.trace_id
        bodiless = answer.status in BODILESS or http.method == "HEAD"
        if answer.length is not None:
            response.content_length = answer.length
        elif http.version >= (1, 1) and not bodiless:
            response.enable_chunked_encoding()
        sent = 0
        try:
            await response.prepare(http)
            async for chunk in answer.body:
                if not bodiless:
                    await response.write(chunk)
                    sent += len(chunk)
        except ConnectionResetError:
            self._drain(answer)
        except integrations.TruncatedAnswerError as error:
            self._log(f"{context.request_id} {error}")
            if http.transport is not None:
                http.transport.abort()
        self._account(context, answer.status, sent)
        return response

    def _drain(self, answer: integrations.Answer) -> None:
        """Reads a vanished client's answer to its end: the function is not told and goes on."""

        async def read() -> None:
            try:
                async for _ in answer.body:
                    pass
            except integrations.TruncatedAnswerError as error:
                self._log(f"after the client had gone: {error}")

        task = asyncio.create_task(read())
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    def _mark(self, response: web.StreamResponse, context: Context) -> None:
        response.headers["x-amzn-RequestId"] = context.request_id
        response.headers["x-amz-apigw-id"] = context.extended_id

    def _account(self, context: Context, status: int, length: int) -> None:
        context.finish(status=status, length=length)
        if self._api.access_log_format is not None:
            self._log(context.render(self._api.access_log_format, missing="-"))


def _below_stage(http: web.BaseRequest, stage: str) -> bool:
    return f"{urlsplit(http.raw_path).path}/".startswith(f"/{stage}/")
