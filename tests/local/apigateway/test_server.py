"""The gateway end to end: from the request to the function and back."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import yarl

from local.apigateway.api import Quota, RestApi, UsagePlan
from local.lambda_service import FunctionError
from tests.local.apigateway.doubles import (
    AUTHORIZER,
    KEY,
    FakeFunction,
    FakeStream,
    allow,
    build_api,
    check,
    pieces,
    running,
)


def test_the_function_gets_the_proxy_event_of_the_request() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200, "body": "{}"})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=FakeFunction(allow)) as gateway:
            headers = {"aUTHORIZATION": f"Bearer {KEY}", "x-TWO": "ü", "TE": "trailers"}
            url = yarl.URL(f"{gateway.url}/prod//v1/a%2Fb%2B/?a=1&a=2&b=%C3%BC+", encoded=True)
            async with gateway.session.put(url, headers=headers, data="héllo".encode()) as head:
                pass
        event = main.events[0]
        assert head.status == 200
        assert (event["httpMethod"], event["path"], event["resource"]) == ("PUT", "/v1/a%2Fb%2B/", "/{proxy+}")
        assert event["pathParameters"] == {"proxy": "v1/a%2Fb%2B"}
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["ü "]}
        assert event["queryStringParameters"] == {"a": "2", "b": "ü "}
        assert (event["body"], event["isBase64Encoded"]) == ("héllo", False)
        assert not {"TE", "Content-Length"} & event["headers"].keys()
        assert {"Authorization", "x-TWO"} < event["headers"].keys()
        assert event["headers"]["X-Forwarded-Proto"] == "https"
        context = event["requestContext"]
        assert context["authorizer"] == {"principalId": "someone"}
        assert (context["identity"]["apiKeyId"], context["identity"]["apiKey"]) == ("k", KEY)
        assert (context["path"], context["stage"]) == ("/prod//v1/a%2Fb%2B/", "prod")
        assert context["requestId"] == head.headers["x-amzn-RequestId"]

    check(test)


def test_streamed_bytes_arrive_while_the_function_is_still_writing() -> None:
    async def test() -> None:
        seen = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await seen.wait()
            yield b"second"

        main = FakeFunction(
            lambda _: FakeStream({"statusCode": 200, "headers": {"Content-Type": "text/event-stream"}}, body())
        )
        async with (
            running(build_api(stream=True), main=main) as gateway,
            gateway.session.post(gateway.url + "/prod/") as response,
        ):
            assert response.headers["Transfer-Encoding"] == "chunked"
            assert await response.content.readexactly(5) == b"first"
            seen.set()
            assert await response.content.read() == b"second"
        assert json.loads(gateway.log[-1]) == {"status": "200", "path": "/prod/", "nothing": "-", "length": 11}

    check(test)


def test_a_function_that_fails_while_streaming_aborts_the_connection() -> None:
    async def test() -> None:
        main = FakeFunction(lambda _: FakeStream({"statusCode": 200}, pieces(b"first", FunctionError(b"{}"))))
        async with running(build_api(stream=True), main=main) as gateway:
            with pytest.raises((aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
                await gateway.send()
        assert any("the function failed while streaming" in line for line in gateway.log)

    check(test)


def test_the_function_continues_after_the_client_has_disconnected() -> None:
    async def test() -> None:
        finished = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            for _ in range(30):
                yield b"x" * 100
                await asyncio.sleep(0.01)
            finished.set()

        main = FakeFunction(lambda _: FakeStream({"statusCode": 200}, body()))
        async with running(build_api(stream=True), main=main) as gateway:
            response = await gateway.session.post(gateway.url + "/prod/")
            await response.content.readexactly(100)
            response.close()
            await asyncio.wait_for(finished.wait(), 5)

    check(test)


@pytest.mark.parametrize("stream", [False, True])
def test_a_function_that_takes_too_long_is_a_504_and_continues(stream: bool) -> None:
    async def test() -> None:
        done = asyncio.Event()

        class Slow:
            async def invoke(self, _: dict[str, Any]) -> bytes:
                await asyncio.sleep(0.3)
                done.set()
                return b"{}"

            async def invoke_stream(self, event: dict[str, Any]) -> FakeStream:
                await self.invoke(event)
                return FakeStream({"statusCode": 200}, pieces(b"x"))

        async with running(build_api(timeout=0.1, stream=stream), main=Slow()) as gateway:
            head, body = await gateway.send()
            assert (head.status, json.loads(body)) == (504, {"message": "Endpoint request timed out"})
            await asyncio.wait_for(done.wait(), 5)

    check(test)


def test_paths_outside_the_stage_are_forbidden() -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction({"statusCode": 200})) as gateway:
            for path in ("/", "/dev/generate", "/production"):
                head, body = await gateway.send(path=path)
                assert (head.status, json.loads(body)) == (403, {"message": "Forbidden"})

    check(test)


def test_one_connection_serves_many_requests() -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction({"statusCode": 200, "body": "x"})) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            for _ in range(3):
                writer.write(b"GET /prod/ HTTP/1.1\r\nHost: x\r\n\r\n")
                assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
                await reader.readuntil(b"\r\n\r\nx")
            writer.close()

    check(test)


def test_another_definition_serves_from_the_next_request_on() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200, "body": "{}"})
        async with running(build_api(), main=main) as gateway:
            assert (await gateway.send())[0].status == 200
            gateway.gateway.serve(build_api(authorizer=AUTHORIZER))
            assert (await gateway.send())[0].status == 401
            gateway.gateway.serve(build_api(stage="live"))
            assert [(await gateway.send(path=f"/{stage}/generate"))[0].status for stage in ("prod", "live")] == [
                403,
                200,
            ]

    check(test)


def test_the_same_definition_again_keeps_the_limits_as_they_are() -> None:
    plan = UsagePlan(id="p", throttle=None, quota=Quota(limit=1, period="DAY"), key_ids=frozenset({"k"}))
    headers = {"Authorization": f"Bearer {KEY}"}

    def api() -> RestApi:
        return build_api(authorizer=AUTHORIZER, plans=[plan])

    async def test() -> None:
        main = FakeFunction({"statusCode": 200, "body": "{}"})
        async with running(api(), main=main, auth=FakeFunction(allow)) as gateway:
            assert (await gateway.send(headers=headers))[0].status == 200
            gateway.gateway.serve(api())
            assert (await gateway.send(headers=headers))[0].status == 429

    check(test)


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", True),
        ("Sampled=?;Root=1-5759e988-bd862e3fe1be46a994272793", True),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Self=my prompt;Parent=my prompt", True),
        ("my prompt", False),
        ("Root=my prompt", False),
        ("Root=1-5759e988-bd862e3fe1be46a994272793-my prompt", False),
    ],
)
def test_a_trace_of_the_client_is_taken_only_as_x_ray_writes_it(sent: str, taken: bool) -> None:
    async def test() -> None:
        api = build_api(access_log_format="$context.xrayTraceId")
        async with running(api, main=FakeFunction({"statusCode": 200})) as gateway:
            head, _ = await gateway.send(headers={"X-Amzn-Trace-Id": sent})
        trace = head.headers["X-Amzn-Trace-Id"]
        assert trace.startswith("Root=1-5759e988-bd862e3fe1be46a994272793") == taken
        assert gateway.log == [trace.split(";")[0].removeprefix("Root=")]
        assert "prompt" not in trace

    check(test)
