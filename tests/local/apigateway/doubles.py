"""A gateway with fake functions."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from local.apigateway.api import ApiKey, Authorizer, Integration, Method, Resource, RestApi, UsagePlan
from local.apigateway.server import Gateway

KEY = "k" * 24
SECRETS = {"AKIDEXAMPLE": "fake-secret"}
AUTHORIZER = Authorizer(
    id="auth",
    function_name="auth",
    headers=("authorization",),
    validation=r"^[Bb]earer [-A-Za-z0-9._~+/]{20,128}=*$",
    ttl_seconds=300,
)
STREAM_TYPE = "application/vnd.awslambda.http-integration-response"


def minimal_api(**options: Any) -> RestApi:
    """An API without methods, for unit tests."""
    defaults: dict[str, Any] = {
        "id": "abc",
        "region": "us-east-1",
        "account": "1",
        "partition": "aws",
        "url_suffix": "amazonaws.com",
        "stage": "prod",
        "root": Resource("root", "/"),
    }
    return RestApi(**{**defaults, **options})


class FakeStream:
    def __init__(
        self, prelude: dict[str, Any] | Exception, pieces: AsyncIterator[bytes], content_type: str = STREAM_TYPE
    ) -> None:
        self.content_type = content_type
        self.body = pieces
        self._prelude = prelude

    async def prelude(self) -> dict[str, Any]:
        if isinstance(self._prelude, Exception):
            raise self._prelude
        return self._prelude


class FakeFunction:
    """A function that returns a given response, or the result of a function of the event."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.events: list[dict[str, Any]] = []

    async def invoke(self, event: dict[str, Any]) -> bytes:
        self.events.append(event)
        response = self.response(event) if callable(self.response) else self.response
        if isinstance(response, Awaitable):
            response = await response
        if isinstance(response, Exception):
            raise response
        return response if isinstance(response, bytes) else json.dumps(response).encode()

    async def invoke_stream(self, event: dict[str, Any]) -> FakeStream:
        self.events.append(event)
        response = self.response(event) if callable(self.response) else self.response
        if isinstance(response, Exception):
            raise response
        assert isinstance(response, FakeStream)
        return response


async def pieces(*parts: bytes | Exception) -> AsyncIterator[bytes]:
    for part in parts:
        if isinstance(part, Exception):
            raise part
        yield part


def allow(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    arn = event["methodArn"]
    return {
        "principalId": "someone",
        "usageIdentifierKey": event["authorizationToken"].split()[1],
        "policyDocument": {
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{arn.split('/')[0]}/prod/*"}
            ]
        },
        **more,
    }


def build_api(
    *,
    stream: bool = False,
    timeout: float = 5,
    authorizer: Authorizer | None = None,
    api_key: bool = True,
    iam: bool = False,
    **options: Any,
) -> RestApi:
    integration = Integration(function_name="main", stream=stream, timeout_seconds=timeout)
    any_method = Method(
        verb="ANY",
        integration=integration,
        iam=iam,
        authorizer=authorizer,
        api_key_required=authorizer is not None and api_key,
    )
    root = Resource("r", "/", methods={"ANY": any_method})
    root.children["{proxy+}"] = Resource("p", "/{proxy+}", methods={"ANY": any_method})
    defaults: dict[str, Any] = {
        "id": "abc",
        "region": "us-east-1",
        "account": "123456789012",
        "partition": "aws",
        "url_suffix": "amazonaws.com",
        "stage": "prod",
        "root": root,
        "key_source": "AUTHORIZER",
        "keys": [ApiKey(id="k", value=KEY)],
        "plans": [UsagePlan(id="p", throttle=None, quota=None, key_ids=frozenset({"k"}))],
        "access_log_format": '{"status":"$context.status","path":"$context.path","nothing":"$context.nothing",'
        '"length":$context.responseLength}',
    }
    return RestApi(**{**defaults, **options})


def build_keyed_api(*keys: ApiKey, **options: Any) -> RestApi:
    """An API with these keys in a usage plan."""
    plan = UsagePlan(id="p", throttle=None, quota=None, key_ids=frozenset(key.id for key in keys))
    return build_api(authorizer=AUTHORIZER, keys=keys, plans=[plan], **options)


class RunningGateway:
    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession, url: str, log: list[str]) -> None:
        self.gateway, self.session, self.url, self.log = gateway, session, url, log

    async def send(
        self, verb: str = "POST", path: str = "/prod/generate", **options: Any
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.session.request(verb, self.url + path, **options) as response:
            return response, await response.read()


@asynccontextmanager
async def running(api: RestApi, **functions: Any) -> AsyncIterator[RunningGateway]:
    log: list[str] = []
    gateway = Gateway(api, functions.__getitem__, log=log.append, secrets=SECRETS)
    runner = web.ServerRunner(gateway.server(), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield RunningGateway(gateway, session, f"http://127.0.0.1:{port}", log)
    finally:
        await runner.cleanup()


def check(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))  # type: ignore[arg-type]
