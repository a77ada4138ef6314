"""The gateway: an HTTP server that treats a request as the deployed API would."""

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
from local.apigateway.responses import Answer, GatewayError, render
from local.apigateway.routing import match
from local.apigateway.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.apigateway.api import RestApi
    from local.apigateway.integration import Function
    from local.apigateway.usage import Usage

MAX_BODY_BYTES = 10 * 1024 * 1024
# Of the request line and the headers together; the server below reads more than that to be able to say it.
MAX_HEAD_BYTES = 10_240
READ_HEAD_BYTES = 65_536
LOGGER = logging.getLogger(__name__)
# The words of the parser quote what it could not read, which may be a prompt.
LOGGER.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError)))
BODILESS = frozenset({204, 304})
# Outside of the stage no API answers, hence none of its gateway responses; nor does one when the head was not read.
WRONG_STAGE = Answer(
    403, {"Content-Type": "application/json", "x-amzn-ErrorType": "ForbiddenException"}, b'{"message":"Forbidden"}'
)
HEAD_TOO_LONG = Answer(
    431, {"Content-Type": "application/json"}, b'{"message":"HTTP header is larger than 10240 bytes."}'
)


class Gateway:
    """Serves one stage of a REST API below `/<stage>`.

    Args:
        api: The API as deployed.
        functions: The function of a name.
        log: Takes access log lines and what the gateway says about failures of integrations.
        secrets: The secret of each access key that requests may be signed with.
        usage: Keys and limits; by default those of the API.
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
        self._admission = Admission(api, functions, secrets=secrets, usage=usage)
        self._log = log
        self._draining: set[asyncio.Task[None]] = set()

    def server(self) -> web.Server:
        """For an `aiohttp.web.ServerRunner`."""
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
        """Answers one request."""
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
        authorizer = await self._admission.admit(route.method, route.resource.path, request, context)
        validate(route.method, request.header_map(), dict(request.query), route.parameters, request.body)
        integration = route.method.integration
        context.variables["integration.responseTransferMode"] = "STREAM" if integration.stream else "BUFFERED"
        event = proxy_event(request, route, self._api, context, authorizer)
        started = time.monotonic()
        try:
            function = self._functions(integration.function_name)
            answer = await integrations.call(integration, function, event, self._api.binary_media_types)
        finally:
            elapsed = int((time.monotonic() - started) * 1000)
            context.variables |= {"integrationLatency": elapsed, "integration.latency": elapsed}
        context.variables |= {"integrationStatus": 200, "integration.status": 200}
        context.variables["integration.timeToFirstContent"] = elapsed
        return answer

    async def _read(self, http: web.BaseRequest) -> Request:
        body = bytearray()
        async for piece in http.content.iter_chunked(2**16):
            body += piece
            if len(body) > MAX_BODY_BYTES:
                raise GatewayError("REQUEST_TOO_LARGE", "Request Too Long")
        raw_path = f"/{_path(http).lstrip('/')}"
        query_string = http.raw_path.partition("#")[0].partition("?")[2]
        return Request(
            verb=http.method,
            raw_path=raw_path,
            path=f"/{raw_path.removeprefix(f'/{self._api.stage}').lstrip('/')}",
            query_string=query_string,
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in http.raw_headers],
            query=parse_qsl(query_string, keep_blank_values=True),
            body=bytes(body),
            source_ip=http.remote or "",
        )

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
        except ConnectionError:  # from a writer that waits for the client aiohttp raises no more than this
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
    return f"/{_path(http).lstrip('/')}/".startswith(f"/{stage}/")


def _path(http: web.BaseRequest) -> str:
    """The path of the request line, which may also be a whole URL, or begin with two slashes."""
    raw = http.raw_path
    return raw.split("?")[0] if raw.startswith("/") else urlsplit(raw).path


def _head_bytes(http: web.BaseRequest) -> int:
    line = len(http.method) + len(http.raw_path) + len(" HTTP/1.1 ")
    return line + sum(len(name) + len(value) for name, value in http.raw_headers)
