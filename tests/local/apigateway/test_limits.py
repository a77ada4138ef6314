"""The gateway end to end: limits of request head and body, and malformed HTTP."""

import asyncio
import json

import pytest

from tests.local.apigateway.doubles import AUTHORIZER, FakeFunction, build_api, check, running


def test_a_body_of_more_than_10_mb_is_a_413() -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction({"statusCode": 200})) as gateway:
            head, body = await gateway.send(data=b"x" * (10 * 2**20 + 1))
        assert (head.status, json.loads(body)) == (413, {"message": "Request Too Long"})

    check(test)


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction({"statusCode": 200})) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            writer.write(
                b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * (10 * 2**20 + 1)
            )
            assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
            writer.close()

    check(test)


def test_a_body_over_the_limit_of_lambda_is_a_413() -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            head, _ = await gateway.send(data=b"x" * (7 * 2**20))
        assert (head.status, main.events) == (413, [])

    check(test)


async def raw(url: str, request: bytes) -> bytes:
    """Sends bytes and returns the beginning of the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(request)
    response = await asyncio.wait_for(reader.read(65536), 5)
    writer.close()
    return response


@pytest.mark.parametrize("place", ["path", "query", "name", "value", "many"])
def test_request_line_and_headers_together_are_limited_to_10240_bytes(place: str) -> None:
    async def test() -> None:
        async with running(build_api(), main=FakeFunction({"statusCode": 200})) as gateway:
            for length, status in ((10_000, b"200"), (10_300, b"431")):
                fill = b"x" * length
                line, header = b"/prod/", b""
                if place == "path":
                    line += fill
                elif place == "query":
                    line += b"?a=" + fill
                elif place == "name":
                    header = fill + b": 1\r\n"
                elif place == "value":
                    header = b"X-Own: " + fill + b"\r\n"
                else:
                    header = b"".join(b"X-%03d: %b\r\n" % (n, b"x" * (length // 100 - 5)) for n in range(100))
                response = await raw(gateway.url, b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (line, header))
                assert response.split()[1] == status, (length, response[:200])
            assert b'{"message":"HTTP header is larger than 10240 bytes."}' in response

    check(test)


@pytest.mark.parametrize(
    "request_head",
    [
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nX-A : 1\r\n\r\n",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nX-A: 1\r\n folded\r\n\r\n",
        b"POST /prod/ HTTP/1.1\r\nHost: x\r\nX-A: \x00\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
def test_malformed_http_never_reaches_the_function(request_head: bytes) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            response = await raw(gateway.url, request_head)
            assert response.split()[1] == b"400", response
            assert (await gateway.send())[0].status == 200
        assert len(main.events) == 1

    check(test)


def test_an_incomplete_body_never_reaches_the_function_or_the_authorizer() -> None:
    async def test() -> None:
        main, auth = FakeFunction({"statusCode": 200}), FakeFunction({})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=auth) as gateway:
            _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            writer.write(b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
            await writer.drain()
            writer.close()
            await asyncio.sleep(0.1)
            assert (await gateway.send())[0].status == 401
        assert (main.events, auth.events) == ([], [])

    check(test)
