"""The gateway end to end: responses of functions."""

import json
from typing import Any

import pytest

from local.apigateway.api import GatewayResponse
from local.lambda_service import BadPrelude, FunctionError, FunctionThrottled, FunctionTimeout
from tests.local.apigateway.doubles import FakeFunction, FakeStream, build_api, check, pieces, running


def test_a_buffered_response_is_passed_on_with_remapped_headers() -> None:
    async def test() -> None:
        response = {
            "statusCode": 201,
            "headers": {"Content-Type": "text/plain", "Server": "mine", "X-Own": "1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "hello",
        }
        async with running(build_api(), main=FakeFunction(response)) as gateway:
            head, body = await gateway.send()
        assert (head.status, body) == (201, b"hello")
        assert head.headers["x-amzn-Remapped-Server"] == "mine"
        assert head.headers["X-Own"] == "1"
        assert head.headers.getall("Set-Cookie") == ["a=1", "b=2"]
        assert head.headers["Content-Length"] == "5"
        assert head.headers["X-Amzn-Trace-Id"].startswith("Root=1-")
        assert len(head.headers["x-amzn-RequestId"]) == 36

    check(test)


def test_headers_and_multi_value_headers_are_merged_like_on_aws() -> None:
    async def test() -> None:
        response = {
            "statusCode": 200,
            "headers": {"x-own": "solo", "X-Same": "1", "X-On": True},
            "multiValueHeaders": {"X-OWN": ["multi"], "X-Same": ["1"]},
        }
        async with running(build_api(), main=FakeFunction(response)) as gateway:
            head, _ = await gateway.send()
        assert head.headers.getall("X-Own") == ["multi", "solo"]
        assert (head.headers.getall("X-Same"), head.headers["X-On"]) == (["1"], "true")
        assert {name for name, _ in head.raw_headers if name.lower() == b"x-own"} == {b"X-OWN"}

    check(test)


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        ("image/png", b"hello"),
        ("image/png;q=0.5, */*", b"hello"),
        ("*/*", b"aGVsbG8="),
        ("text/html, image/png", b"aGVsbG8="),
    ],
)
def test_a_body_is_decoded_only_if_accept_begins_with_a_binary_media_type(accept: str, body: bytes) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200, "body": "aGVsbG8=", "isBase64Encoded": True})
        async with running(build_api(binary_media_types=["image/png"]), main=main) as gateway:
            assert (await gateway.send(headers={"Accept": accept}))[1] == body

    check(test)


def test_a_body_that_is_not_base64_becomes_502() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200, "body": "%%%", "isBase64Encoded": True})
        async with running(build_api(binary_media_types=["*/*"]), main=main) as gateway:
            assert (await gateway.send())[0].status == 502

    check(test)


@pytest.mark.parametrize("stream", [False, True])
def test_a_throttled_function_is_a_500_with_the_integration_failure_response(stream: bool) -> None:
    async def test() -> None:
        custom = GatewayResponse(status=None, headers={}, templates={"application/json": '{"busy":true}'})
        api = build_api(stream=stream, gateway_responses={"INTEGRATION_FAILURE": custom})
        throttled = FunctionThrottled.of("TooManyRequestsException", "Rate Exceeded.")
        async with running(api, main=FakeFunction(throttled)) as gateway:
            head, body = await gateway.send()
        assert (head.status, body) == (500, b'{"busy":true}')
        assert "Lambda throttled: TooManyRequestsException: Rate Exceeded." in gateway.log[0]

    check(test)


@pytest.mark.parametrize(
    "response",
    [
        b"not JSON",
        b"[]",
        b'"text"',
        {"statusCode": "many"},
        {"statusCode": 99},
        {"status": 200},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "multiValueHeaders": {"X-Own": "1"}},
        FunctionError(b'{"errorMessage": "secret", "errorType": "KeyError"}'),
        FunctionTimeout(),
    ],
)
def test_a_malformed_proxy_response_becomes_502(response: Any) -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction(response)) as gateway:
            head, body = await gateway.send()
        assert (head.status, json.loads(body)) == (502, {"message": "Internal server error"})

    check(test)


@pytest.mark.parametrize(
    "response",
    [
        FakeStream(BadPrelude("no delimiter within 16 KB"), pieces()),
        FakeStream({"statusCode": 200}, pieces(b"x"), content_type="application/json"),
        FakeStream({"statusCode": 200, "body": "x"}, pieces(b"x")),
        FunctionError(b"{}"),
    ],
)
def test_a_malformed_streamed_response_becomes_502(response: Any) -> None:
    async def test() -> None:
        async with running(build_api(stream=True), main=FakeFunction(response)) as gateway:
            head, body = await gateway.send()
        assert (head.status, json.loads(body)) == (502, {"message": "Internal server error"})

    check(test)
