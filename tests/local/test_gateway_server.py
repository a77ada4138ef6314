"""The gateway as a whole, with functions that are made up."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from local.lambda_service import BadPrelude, FunctionError, FunctionTimeout

from local.gateway.api import (
    ApiKey,
    Authorizer,
    GatewayResponse,
    Integration,
    Method,
    Resource,
    RestApi,
    Throttle,
    UsagePlan,
)
from local.gateway.server import Gateway

KEY = "k" * 24
AUTHORIZER = Authorizer(
    id="auth",
    function_name="auth",
    header="authorization",
    validation=r"^[Bb]earer [-A-Za-z0-9._~+/]{20,128}=*$",
    ttl_seconds=300,
)
STREAM_TYPE = "application/vnd.awslambda.http-integration-response"


class Streamed:
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


class MadeUp:
    """A function whose answers a test gives."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []

    async def invoke(self, event: dict[str, Any]) -> bytes:
        self.events.append(event)
        answer = self.answer(event) if callable(self.answer) else self.answer
        if isinstance(answer, Awaitable):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    async def invoke_stream(self, event: dict[str, Any]) -> Streamed:
        self.events.append(event)
        answer = self.answer(event) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Streamed)
        return answer


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
    *, stream: bool = False, timeout: float = 5, authorizer: Authorizer | None = None, **options: Any
) -> RestApi:
    integration = Integration(function_name="main", stream=stream, timeout_seconds=timeout)
    any_method = Method(
        verb="ANY", integration=integration, authorizer=authorizer, api_key_required=authorizer is not None
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


class Running:
    def __init__(self, session: aiohttp.ClientSession, url: str, log: list[str]) -> None:
        self.session, self.url, self.log = session, url, log

    async def ask(
        self, verb: str = "POST", path: str = "/prod/generate", **options: Any
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.session.request(verb, self.url + path, **options) as answer:
            return answer, await answer.read()


@asynccontextmanager
async def running(api: RestApi, **functions: Any) -> AsyncIterator[Running]:
    log: list[str] = []
    runner = web.ServerRunner(Gateway(api, functions.__getitem__, log=log.append).server(), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with aiohttp.ClientSession() as session:
            yield Running(session, f"http://127.0.0.1:{port}", log)
    finally:
        await runner.cleanup()


def check(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))  # type: ignore[arg-type]


def test_a_buffered_answer_is_passed_on_with_its_headers_remapped() -> None:
    async def test() -> None:
        answer = {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "Server": "mine", "X-Own": "1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "aGVsbG8=",
            "isBase64Encoded": True,
        }
        async with running(build_api(), main=MadeUp(answer)) as gateway:
            head, body = await gateway.ask()
        assert (head.status, body) == (201, b"hello")
        assert head.headers["x-amzn-Remapped-Server"] == "mine"
        assert head.headers["X-Own"] == "1"
        assert head.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert head.headers["Content-Length"] == "5"
        assert head.headers["X-Amzn-Trace-Id"].startswith("Root=1-")
        assert len(head.headers["x-amzn-RequestId"]) == 36

    check(test)


def test_the_function_gets_the_proxy_event_of_the_request() -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200, "body": "{}"})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=MadeUp(allow)) as gateway:
            headers = {"Authorization": f"Bearer {KEY}", "X-Two": "ü", "TE": "trailers"}
            head, _ = await gateway.ask("PUT", "/prod/v1/models?a=1&a=2&b=", headers=headers, data="héllo".encode())
        event = main.events[0]
        assert head.status == 200
        assert (event["httpMethod"], event["path"], event["resource"]) == ("PUT", "/v1/models", "/{proxy+}")
        assert event["pathParameters"] == {"proxy": "v1/models"}
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
        assert event["queryStringParameters"] == {"a": "2", "b": ""}
        assert (event["body"], event["isBase64Encoded"]) == ("héllo", False)
        assert not {"TE", "Content-Length"} & event["headers"].keys()
        assert event["headers"]["X-Forwarded-Proto"] == "https"
        context = event["requestContext"]
        assert context["authorizer"] == {"principalId": "someone"}
        assert (context["identity"]["apiKeyId"], context["identity"]["apiKey"]) == ("k", KEY)
        assert (context["path"], context["stage"]) == ("/prod/v1/models", "prod")
        assert context["requestId"] == head.headers["x-amzn-RequestId"]

    check(test)


@pytest.mark.parametrize(
    "answer",
    [
        b"no JSON",
        b"[]",
        b'"text"',
        {"statusCode": "many"},
        {"statusCode": 99},
        {"status": 200},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
        FunctionError(b'{"errorMessage": "secret", "errorType": "KeyError"}'),
        FunctionTimeout(),
    ],
)
def test_what_is_no_proxy_answer_becomes_502(answer: Any) -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp(answer)) as gateway:
            head, body = await gateway.ask()
        assert (head.status, json.loads(body)) == (502, {"message": "Internal server error"})

    check(test)


@pytest.mark.parametrize(
    "answer",
    [
        Streamed(BadPrelude("no delimiter within 16 KB"), pieces()),
        Streamed({"statusCode": 200}, pieces(b"x"), content_type="application/json"),
        Streamed({"statusCode": 200, "body": "x"}, pieces(b"x")),
        FunctionError(b"{}"),
    ],
)
def test_what_is_no_streamed_answer_becomes_502(answer: Any) -> None:
    async def test() -> None:
        async with running(build_api(stream=True), main=MadeUp(answer)) as gateway:
            head, body = await gateway.ask()
        assert (head.status, json.loads(body)) == (502, {"message": "Internal server error"})

    check(test)


def test_streamed_bytes_arrive_while_the_function_still_writes() -> None:
    async def test() -> None:
        seen = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await seen.wait()
            yield b"second"

        main = MadeUp(lambda _: Streamed({"statusCode": 200, "headers": {"Content-Type": "text/event-stream"}}, body()))
        async with (
            running(build_api(stream=True), main=main) as gateway,
            gateway.session.post(gateway.url + "/prod/") as answer,
        ):
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert await answer.content.readexactly(5) == b"first"
            seen.set()
            assert await answer.content.read() == b"second"
        assert json.loads(gateway.log[-1]) == {"status": "200", "path": "/prod/", "nothing": "-", "length": 11}

    check(test)


def test_a_function_that_breaks_off_cuts_the_connection() -> None:
    async def test() -> None:
        main = MadeUp(lambda _: Streamed({"statusCode": 200}, pieces(b"first", FunctionError(b"{}"))))
        async with running(build_api(stream=True), main=main) as gateway:
            with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
                await gateway.ask()
        assert any("the function broke off" in line for line in gateway.log)

    check(test)


def test_the_function_goes_on_when_the_client_has_gone() -> None:
    async def test() -> None:
        finished = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b"x" * 100
                await asyncio.sleep(0.01)
            finished.set()

        main = MadeUp(lambda _: Streamed({"statusCode": 200}, body()))
        async with running(build_api(stream=True), main=main) as gateway:
            answer = await gateway.session.post(gateway.url + "/prod/")
            await answer.content.readexactly(100)
            answer.close()
            await asyncio.wait_for(finished.wait(), 5)

    check(test)


@pytest.mark.parametrize("stream", [False, True])
def test_a_function_that_takes_too_long_is_a_504_and_goes_on(stream: bool) -> None:
    async def test() -> None:
        done = asyncio.Event()

        class Slow:
            async def invoke(self, _: dict[str, Any]) -> bytes:
                await asyncio.sleep(0.3)
                done.set()
                return b"{}"

            async def invoke_stream(self, event: dict[str, Any]) -> Streamed:
                await self.invoke(event)
                return Streamed({"statusCode": 200}, pieces(b"x"))

        async with running(build_api(timeout=0.1, stream=stream), main=Slow()) as gateway:
            head, body = await gateway.ask()
            assert (head.status, json.loads(body)) == (504, {"message": "Endpoint request timed out"})
            await asyncio.wait_for(done.wait(), 5)

    check(test)


def test_a_body_of_more_than_10_mb_is_a_413() -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200})) as gateway:
            head, body = await gateway.ask(data=b"x" * (10 * 2**20 + 1))
        assert (head.status, json.loads(body)) == (413, {"message": "Request Too Long"})

    check(test)


def test_a_body_that_lambda_does_not_take_is_a_413() -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            head, _ = await gateway.ask(data=b"x" * (7 * 2**20))
        assert (head.status, main.events) == (413, [])

    check(test)


def test_outside_of_the_stage_it_is_forbidden() -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200})) as gateway:
            for path in ("/", "/dev/generate", "/production"):
                head, body = await gateway.ask(path=path)
                assert (head.status, json.loads(body)) == (403, {"message": "Forbidden"})

    check(test)


@pytest.mark.parametrize("header", [None, "", "Bearer short", f"Basic {KEY}", f"Bearer {KEY} more"])
def test_a_token_of_the_wrong_form_is_a_401_without_asking_the_authorizer(header: str | None) -> None:
    async def test() -> None:
        auth = MadeUp(allow)
        async with running(build_api(authorizer=AUTHORIZER), main=MadeUp({}), auth=auth) as gateway:
            head, body = await gateway.ask(headers={} if header is None else {"Authorization": header})
        assert (head.status, json.loads(body), auth.events) == (401, {"message": "Unauthorized"}, [])

    check(test)


def deny(event: dict[str, Any]) -> dict[str, Any]:
    statement = {"Action": ["execute-api:*"], "Effect": "Deny", "Resource": [event["methodArn"]]}
    return allow(event, policyDocument={"Statement": [{**statement, "Effect": "Allow"}, statement]})


def other(event: dict[str, Any]) -> dict[str, Any]:
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:*:*:abc/prod/GET/*",
    }
    return allow(event, policyDocument={"Statement": statement})


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (deny, 403, "User is not authorized to access this resource with an explicit deny"),
        (other, 403, "User is not authorized to access this resource"),
        (FunctionError(b'{"errorMessage": "Unauthorized"}'), 401, "Unauthorized"),
        (FunctionError(b'{"errorMessage": "boom"}'), 500, "Internal server error"),
        (FunctionTimeout(), 500, "Internal server error"),
        ({"principalId": "x"}, 500, "Internal server error"),
        (lambda event: allow(event, context={"a": []}), 500, "Internal server error"),
        (lambda event: allow(event, usageIdentifierKey="x" * 24), 403, "Forbidden"),
        (lambda event: allow(event, usageIdentifierKey=None), 403, "Forbidden"),
    ],
)
def test_the_authorizer_decides(answer: Any, status: int, message: str) -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=MadeUp(answer)) as gateway:
            head, body = await gateway.ask(headers={"Authorization": f"Bearer {KEY}"})
        assert (head.status, json.loads(body), main.events) == (status, {"message": message}, [])

    check(test)


def test_a_decision_is_kept_for_its_token_and_its_policy_is_read_again() -> None:
    async def test() -> None:
        auth = MadeUp(other)
        async with running(build_api(authorizer=AUTHORIZER), main=MadeUp({"statusCode": 200}), auth=auth) as gateway:
            headers = {"Authorization": f"Bearer {KEY}"}
            assert (await gateway.ask("GET", headers=headers))[0].status == 200
            assert (await gateway.ask("POST", headers=headers))[0].status == 403
            assert len(auth.events) == 1
            await gateway.ask("GET", headers={"Authorization": f"Bearer {KEY}x"})
            assert len(auth.events) == 2

    check(test)


def test_a_key_in_the_header_counts_if_the_api_says_so() -> None:
    async def test() -> None:
        api = build_api(key_source="HEADER")
        for resource in (api.root, *api.root.children.values()):
            resource.methods["ANY"] = Method(
                verb="ANY", integration=resource.methods["ANY"].integration, api_key_required=True
            )
        async with running(api, main=MadeUp({"statusCode": 200})) as gateway:
            assert (await gateway.ask(headers={"X-Api-Key": KEY}))[0].status == 200
            head, body = await gateway.ask(headers={"X-Api-Key": "wrong"})
        assert (head.status, json.loads(body)) == (403, {"message": "Forbidden"})

    check(test)


def test_a_throttled_key_gets_the_words_of_the_api() -> None:
    async def test() -> None:
        plan = UsagePlan(id="p", throttle=Throttle(rate=0.001, burst=2), quota=None, key_ids=frozenset({"k"}))
        words = GatewayResponse(
            status=None, headers={"Retry-After": "'1'"}, templates={"application/json": '{"busy":true}'}
        )
        api = build_api(authorizer=AUTHORIZER, plans=[plan], gateway_responses={"THROTTLED": words})
        async with running(api, main=MadeUp({"statusCode": 200}), auth=MadeUp(allow)) as gateway:
            answers = [await gateway.ask(headers={"Authorization": f"Bearer {KEY}"}) for _ in range(3)]
        assert [head.status for head, _ in answers] == [200, 200, 429]
        assert answers[2][1] == b'{"busy":true}'
        assert answers[2][0].headers["Retry-After"] == "1"

    check(test)


def test_one_connection_serves_many_requests() -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200, "body": "x"})) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            for _ in range(3):
                writer.write(b"GET /prod/ HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
                await reader.readuntil(b"\r\n\r\nx")
            writer.close()

    check(test)
