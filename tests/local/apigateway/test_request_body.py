"""The gateway end to end: how clients send bodies, and clients that leave."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import shutil
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.local.apigateway.doubles import FakeFunction, FakeStream, build_api, check, running

ECHO = FakeFunction(lambda event: {"statusCode": 200, "body": str(len(event["body"] or ""))})
HEAD = b"POST /prod/ HTTP/1.1\r\nHost: x\r\n"


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))


# Expectations


def test_a_client_that_waits_for_100_continue_is_told_to_send_its_body() -> None:
    async def test() -> None:
        async with running(build_api(), main=ECHO) as gateway:
            reader, writer = await connect(gateway.url)
            writer.write(HEAD + b"Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n")
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"body")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
            await reader.readuntil(b"\r\n\r\n4")
            writer.write(HEAD + b"Content-Length: 1\r\n\r\nx")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n", "without an expectation there is no 100"
            writer.close()

    check(test)


def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    async def test() -> None:
        async with running(build_api(), main=ECHO) as gateway:
            reader, writer = await connect(gateway.url)
            writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (10 * 2**20 + 1))
            assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
            writer.close()

    check(test)


def test_a_client_of_http_1_0_gets_no_100() -> None:
    async def test() -> None:
        async with running(build_api(), main=ECHO) as gateway:
            reader, writer = await connect(gateway.url)
            request = HEAD.replace(b"1.1", b"1.0") + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\nbody"
            writer.write(request)
            assert (await reader.readline()) == b"HTTP/1.0 200 OK\r\n"
            writer.close()

    check(test)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
@pytest.mark.parametrize("options", [[], ["--http1.0"], ["--compressed"]])
def test_curl_sends_more_than_a_megabyte_at_once(options: list[str]) -> None:
    async def test() -> None:
        async with running(build_api(), main=ECHO) as gateway:
            curl = await asyncio.create_subprocess_exec(
                *("curl", "-sS", "--max-time", "10", "--expect100-timeout", "8", "-w", " %{time_total}", *options),
                *("-H", "Content-Type: application/json", "--data-binary", "@-", f"{gateway.url}/prod/"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await curl.communicate(b"x" * 2_000_000)
        length, seconds = output.split()
        assert (curl.returncode, length) == (0, b"2000000")
        assert float(seconds) < 4, "it did not wait for the time limit of its expectation"

    check(test)


# Content codings


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b'{"inputs":"Hi"}', mtime=0)),
        ("GZIP", gzip.compress(b'{"inputs":"Hi"}', mtime=0)),
        ("deflate", zlib.compress(b'{"inputs":"Hi"}')),
        ("identity", b'{"inputs":"Hi"}'),
    ],
)
def test_a_compressed_body_is_decompressed_and_keeps_its_header(coding: str, body: bytes) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            head, _ = await gateway.send(data=body, headers={"Content-Encoding": coding})
        event = main.events[0]
        assert (head.status, event["body"], event["isBase64Encoded"]) == (200, '{"inputs":"Hi"}', False)
        assert event["headers"]["Content-Encoding"] == coding

    check(test)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b'{"inputs":"Hi"}'),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more"),
        ("br", b"{}"),
        ("zstd", b"{}"),
        ("gzip, gzip", b"{}"),
    ],
)
def test_another_coding_or_a_body_that_is_not_in_it_is_a_415(coding: str, body: bytes) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            head, content = await gateway.send(data=body, headers={"Content-Encoding": coding})
        assert (head.status, json.loads(content)) == (415, {"message": "Unsupported Media Type"})
        assert not main.events

    check(test)


def test_a_body_that_is_too_large_when_decompressed_is_a_413() -> None:
    async def test() -> None:
        async with running(build_api(), main=ECHO) as gateway:
            bomb = gzip.compress(b"x" * (10 * 2**20 + 1), mtime=0)
            head, _ = await gateway.send(data=bomb, headers={"Content-Encoding": "gzip"})
            assert head.status == 413
            assert not [line for line in gateway.log if "Lambda" in line], "it was never decompressed as a whole"

    check(test)


# HTTP/1.0


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_to_http_1_0_ends_also_if_the_client_keeps_connections(stream: bool) -> None:
    async def test() -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"first "
            yield b"second"

        reply: Any = (lambda _: FakeStream({"statusCode": 200}, body())) if stream else {"body": "first second"}
        async with running(build_api(stream=stream), main=FakeFunction(reply)) as gateway:
            reader, writer = await connect(gateway.url)
            writer.write(HEAD.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\nContent-Length: 0\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if stream:
                assert b"connection: keep-alive" not in head
                assert await asyncio.wait_for(reader.read(), 5) == b"first second"
            else:
                assert b"connection: keep-alive" in head
                assert b"content-length: 12\r\n" in head
                assert await reader.readexactly(12) == b"first second"
            writer.close()

    check(test)


# Clients that leave


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_while_it_sends_is_one_line(caplog: pytest.LogCaptureFixture, reset: bool) -> None:
    async def test() -> None:
        main = FakeFunction({"statusCode": 200})
        async with running(build_api(), main=main) as gateway:
            _, writer = await connect(gateway.url)
            writer.write(HEAD + b'Content-Length: 100\r\n\r\n{"inputs":')
            await asyncio.sleep(0.1)
            leave(writer, reset=reset)
            while not gateway.log:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        (line,) = gateway.log
        assert line.partition(" ")[2] == "the client left before it had sent its request"
        assert not main.events

    with caplog.at_level(logging.INFO):
        check(test)
    assert caplog.text == ""


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_leaves_while_it_reads_is_one_line_of_the_access_log(
    caplog: pytest.LogCaptureFixture, reset: bool
) -> None:
    async def test() -> None:
        async def body() -> AsyncIterator[bytes]:
            for _ in range(50):
                yield b"x" * 1000
                await asyncio.sleep(0.005)

        main = FakeFunction(lambda _: FakeStream({"statusCode": 200}, body()))
        async with running(build_api(stream=True), main=main) as gateway:
            reader, writer = await connect(gateway.url)
            writer.write(HEAD + b"Content-Length: 0\r\n\r\n")
            await reader.readexactly(10)
            leave(writer, reset=reset)
            while not gateway.log:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.4)
        (line,) = gateway.log
        assert json.loads(line)["status"] == "200"

    with caplog.at_level(logging.INFO):
        check(test)
    assert caplog.text == ""


def leave(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    """Closes the connection, with a reset as a killed process leaves it, or in order."""
    if reset:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()
