"""The gateway as a whole: how long the head and the body of a request may be."""

import asyncio
import json

import pytest

from tests.local.apigateway.doubles import AUTHORIZER, MadeUp, build_api, check, running


def test_a_body_of_more_than_10_mb_is_a_413() -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200})) as gateway:
            head, body = await gateway.ask(data=b"x" * (10 * 2**20 + 1))
        assert (head.status, json.loads(body)) == (413, {"message": "Request Too Long"})

    check(test)


def test_a_body_that_is_too_long_is_not_read_to_its_end() -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200})) as gateway:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            writer.write(
                b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * (10 * 2**20 + 1)
            )
            assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
            writer.close()

    check(test)


def test_a_body_that_lambda_does_not_take_is_a_413() -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            head, _ = await gateway.ask(data=b"x" * (7 * 2**20))
        assert (head.status, main.events) == (413, [])

    check(test)


async def raw(url: str, request: bytes) -> bytes:
    """What comes back for bytes, until the connection is closed or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    writer.write(request)
    told = await asyncio.wait_for(reader.read(65536), 5)
    writer.close()
    return told


@pytest.mark.parametrize("place", ["path", "query", "name", "value", "many"])
def test_a_request_line_and_headers_may_have_10240_bytes_together(place: str) -> None:
    async def test() -> None:
        async with running(build_api(), main=MadeUp({"statusCode": 200})) as gateway:
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
                told = await raw(gateway.url, b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (line, header))
                assert told.split()[1] == status, (length, told[:200])
            assert b'{"message":"HTTP header is larger than 10240 bytes."}' in told

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
def test_what_is_no_proper_http_never_reaches_the_function(request_head: bytes) -> None:
    async def test() -> None:
        main = MadeUp({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            told = await raw(gateway.url, request_head)
            assert told.split()[1] == b"400", told
            assert (await gateway.ask())[0].status == 200
        assert len(main.events) == 1

    check(test)


def test_a_client_that_leaves_in_the_middle_of_its_body_reaches_nothing() -> None:
    async def test() -> None:
        main, auth = MadeUp({"statusCode": 200}), MadeUp({})
        async with running(build_api(authorizer=AUTHORIZER), main=main, auth=auth) as gateway:
            _, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))
            writer.write(b"POST /prod/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc")
            await writer.drain()
            writer.close()
            await asyncio.sleep(0.1)
            assert (await gateway.ask())[0].status == 401
        assert (main.events, auth.events) == ([], [])

    check(test)
