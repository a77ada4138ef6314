"""The gateway: an HTTP server that behaves like the deployed REST API."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from local.apigateway import integration as integrations
from local.apigateway.admission import Admission
from local.apigateway.context import Context
from local.apigateway.event import Request, proxy_event
from local.apigateway.request_body import ClientLeftError, read_body
from local.apigateway.responses import GatewayError, RenderedResponse, render
from local.apigateway.routing import match

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.apigateway.api import RestApi
    from local.apigateway.integration import Function
    from local.apigateway.usage import Usage

# Request line and headers together. The HTTP server reads more, so that it can return status 431.
MAX_HEAD_BYTES = 10_240
READ_HEAD_BYTES = 65_536
LOGGER = logging.getLogger(__name__)
# Parser errors quote the input, which may contain a prompt, so they are not logged.
LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
BODILESS = frozenset({204, 304})
# Gateway responses of the API do not apply outside the stage, nor to a request head that is too large.
WRONG_STAGE = RenderedResponse(
    403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, b'{"message":"Forbidden"}'
)
HEAD_TOO_LONG = RenderedResponse(
    431, {"Content-Type": "application/json"}, b'{"message":"HTTP header is larger than 10240 bytes."}'
)


class Gateway:
    """Serves one stage of a REST API below `/<stage>`.

    Args:
        api: The API.
        functions: Finds a function by name.
        log: Receives access log lines and the causes of errors.
        secrets: The secret access keys by access key id, to verify signatures.
        usage: API keys and limits. Default: those of the API.
    """

    def __init__(
        self,
        api: RestApi,
        functions: Callable[[str], Function],
        *,
        log: Callable[[str], None],
        secrets: Mapping[str, str] | None = None,
        usage: Usage | None = None,
    ) -> None:
        self._api = api
        self._functions = functions
        self._secrets = secrets
        self._admission = Admission(api, functions, secrets=secrets, usage=usage)
        self._log = log
        self._draining: set[asyncio.Task[None]] = set()

    def serve(self, api: RestApi) -> None:
        """Serves another definition from now on. If it differs, the limits of its usage plans begin anew."""
        if api != self._api:
            self._api = api
            self._admission = Admission(api, self._functions, secrets=self._secrets)

    def server(self) -> web.Server:
        """The server, for an `aiohttp.web.ServerRunner`."""
        return web.Server(
            self.handle,
            access_log=None,
            logger=LOGGER,
            auto_decompress=False,
            max_line_size=READ_HEAD_BYTES,
            max_field_size=READ_HEAD_BYTES,
            max_headers=READ_HEAD_BYTES,
        )

    async def handle(self, http: web.BaseRequest) -> web.StreamResponse:
        """Handles a request."""
        context = Context(self._api, trace_header=http.headers.get("X-Amzn-Trace-Id"))
        context.variables |= {
            "httpMethod": http.method,
            "identity.sourceIp": http.remote or "",
            "identity.userAgent": http.headers.get("User-Agent"),
            "path": _path(http),
            "protocol": f"HTTP/{http.version.major}.{http.version.minor}",
        }
        if _head_bytes(http) > MAX_HEAD_BYTES:
            return await self._send_own(http, context, HEAD_TOO_LONG)
        if not _below_stage(http, self._api.stage):
            return await self._send_own(http, context, WRONG_STAGE)
        try:
            response = await self._invoke(http, context)
        except ClientLeftError:
            self._log(f"{context.request_id} the client left before it had sent its request")
            return web.Response()  # goes nowhere
        except GatewayError as error:
            if error.reason:
                self._log(f"{context.request_id} {error.kind}: {error.reason}")
            headers = {name.lower(): value for name, value in http.headers.items()}
            return await self._send_own(http, context, render(error, self._api, context, headers))
        return await self._send(http, context, response)

    async def _invoke(self, http: web.BaseRequest, context: Context) -> integrations.IntegrationResponse:
        request = await self._read(http)
        route = match(self._api.root, request.path, request.verb)
        if route is None or route.method is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        context.variables |= {"resourceId": route.resource.id, "resourcePath": route.resource.path}
        authorizer = await self._admission.admit(route.method, route, request, context)
        integration = route.method.integration
        context.variables["integration.responseTransferMode"] = "STREAMED" if integration.stream else "BUFFERED"
        event = proxy_event(request, route, self._api, context, authorizer)
        started = time.monotonic()
        try:
            function = self._functions(integration.function_name)
            response = await integrations.call(integration, function, event, self._api.binary_media_types)
        finally:
            elapsed = int((time.monotonic() - started) * 1000)
            context.variables |= {"integrationLatency": elapsed, "integration.latency": elapsed}
        context.variables |= {"integrationStatus": 200, "integration.status": 200}
        context.variables |= {"integration.timeToAllHeaders": elapsed, "integration.timeToFirstContent": elapsed}
        return response

    async def _read(self, http: web.BaseRequest) -> Request:
        body = await read_body(http)
        raw_path = f"/{_path(http).lstrip('/')}"
        query_string = http.raw_path.partition("#")[0].partition("?")[2]
        return Request(
            verb=http.method,
            raw_path=raw_path,
            path=f"/{raw_path.removeprefix(f'/{self._api.stage}').lstrip('/')}",
            query_string=query_string,
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.raw_headers],
            query=parse_qsl(query_string, keep_blank_values=True),
            body=body,
            source_ip=http.remote or "",
        )

    async def _send_own(
        self, http: web.BaseRequest, context: Context, rendered: RenderedResponse
    ) -> web.StreamResponse:
        response = web.Response(status=rendered.status, body=rendered.body, headers=rendered.headers)
        self._add_request_ids(response, context)
        if http.can_read_body and not http.content.is_eof():
            response.force_close()  # the rest of a body that is too large is never read
        self._log_access(context, rendered.status, len(rendered.body))
        return response

    async def _send(
        self, http: web.BaseRequest, context: Context, result: integrations.IntegrationResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=result.status)
        for name, value in result.headers:
            response.headers.add(name, value)
        response.headers.setdefault("Content-Type", "application/json")
        self._add_request_ids(response, context)
        response.headers["X-Amzn-Trace-Id"] = context.trace_id
        bodiless = result.status in BODILESS or http.method == "HEAD"
        if result.length is not None:
            response.content_length = result.length
        elif http.version < (1, 1):
            response.force_close()  # only the end of the connection tells where the body ends
        elif not bodiless:
            response.enable_chunked_encoding()
        sent = 0
        try:
            await response.prepare(http)
            async for chunk in result.body:
                if not bodiless:
                    await response.write(chunk)
                    sent += len(chunk)
        except ConnectionError:  # aiohttp raises no subclass while it waits for a slow client
            self._drain(result)
        except integrations.TruncatedResponseError as error:
            self._log(f"{context.request_id} {error}")
            if http.transport is not None:
                http.transport.abort()
        self._log_access(context, result.status, sent)
        return response

    def _drain(self, result: integrations.IntegrationResponse) -> None:
        """Reads the rest of the response after the client has disconnected, as the function keeps running."""

        async def read() -> None:
            try:
                async for _ in result.body:
                    pass
            except integrations.TruncatedResponseError as error:
                self._log(f"after the client disconnected: {error}")

        task = asyncio.create_task(read())
        self._draining.add(task)
        task.add_done_callback(self._draining.discard)

    def _add_request_ids(self, response: web.StreamResponse, context: Context) -> None:
        response.headers["x-amzn-RequestId"] = context.request_id
        response.headers["x-amz-apigw-id"] = context.extended_id

    def _log_access(self, context: Context, status: int, length: int) -> None:
        context.finish(status=status, length=length)
        if self._api.access_log_format is not None:
            self._log(context.render_log_line(self._api.access_log_format))


def _below_stage(http: web.BaseRequest, stage: str) -> bool:
    return f"/{_path(http).lstrip('/')}/".startswith(f"/{stage}/")


def _path(http: web.BaseRequest) -> str:
    """The path of the request line, which may also be an absolute URL or begin with two slashes."""
    raw = http.raw_path
    return raw.split("?")[0] if raw.startswith("/") else urlsplit(raw).path


def _head_bytes(http: web.BaseRequest) -> int:
    line = len(http.method) + len(http.raw_path) + len(" HTTP/1.1 ")
    return line + sum(len(name) + len(value) for name, value in http.raw_headers)
