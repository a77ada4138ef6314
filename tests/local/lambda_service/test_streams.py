"""Streamed responses of the emulated Lambda: latency, backpressure, and readers that disconnect."""

from __future__ import annotations

import asyncio
import time

import pytest

from local.lambda_service import BadPrelude, Function
from tests.local.lambda_service.doubles import PRELUDE, deployed, read, run


def test_a_streamed_response_arrives_as_it_is_written() -> None:
    async def scenario(function: Function) -> None:
        response = await function.invoke_stream({})
        assert response.content_type == "application/vnd.awslambda.http-integration-response"
        assert await response.prelude() == {"statusCode": 200, "headers": {}}
        arrived = [(data, time.monotonic()) async for data in response.body]
        assert b"".join(data for data, _ in arrived) == b"one two"
        assert arrived[-1][1] - arrived[0][1] > 0.3
        assert response.error is None

    source = f"""
        next_event()
        stream = Stream()
        stream.send(b'{PRELUDE[:20]}')
        time.sleep(0.1)
        stream.send(b'{PRELUDE[20:]}one')
        time.sleep(0.4)
        stream.send(b' two')
        assert stream.end() == 202
        next_event()
    """
    assert run(lambda: deployed(source), scenario).violations == []


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ('{"statusCode": 200}', "no eight NUL bytes"),
        ("\\0" * 7, "no eight NUL bytes"),
        ("not json" + "\\0" * 8, "not JSON"),
        ("[]" + "\\0" * 8, "not a JSON object"),
        ("x" * 20000 + "\\0" * 8, "within 16 KB"),
    ],
)
def test_a_malformed_prelude_is_an_error(payload: str, message: str) -> None:
    async def scenario(function: Function) -> None:
        response = await function.invoke_stream({})
        with pytest.raises(BadPrelude, match=message):
            await response.prelude()

    source = f"""
        next_event()
        stream = Stream()
        stream.send(b'{payload}')
        stream.end()
        next_event()
    """
    run(lambda: deployed(source), scenario)


def test_a_slow_reader_blocks_the_function() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        response = await function.invoke_stream({})
        await response.prelude()
        await asyncio.sleep(0.5)
        assert log == ["begun"]
        assert len(await read(response)) == 64 * 1024 * 1024
        await asyncio.sleep(0.1)
        assert log == ["begun", "ended"]

    source = f"""
        next_event()
        print("begun")
        stream = Stream()
        stream.send(b'{PRELUDE}')
        for _ in range(64):
            stream.send(b"x" * 1024 * 1024)
        stream.end()
        print("ended")
        next_event()
    """
    assert run(lambda: deployed(source, log), scenario).violations == []


@pytest.mark.parametrize("way", ["dropped", "closed", "cancelled"])
def test_a_function_continues_after_its_reader_is_gone(way: str) -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        if way == "cancelled":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(function.invoke_stream({"wait": 1}), 0.7)
        else:
            response = await function.invoke_stream({"wait": 0})
            await response.prelude()
            await anext(aiter(response.body))
            if way == "closed":
                response.close()
            else:
                del response
        for _ in range(200):
            if "ended" in log:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the function was stopped")

    source = f"""
        time.sleep(next_event()["wait"])
        stream = Stream()
        stream.send(b'{PRELUDE}one')
        for _ in range(16):
            stream.send(b"x" * 1024 * 1024)
        stream.end()
        print("ended")
        next_event()
    """
    assert run(lambda: deployed(source, log), scenario).violations == []


def test_200_streams_run_concurrently() -> None:
    async def one(function: Function, opened: asyncio.Barrier) -> bytes:
        response = await function.invoke_stream({})
        assert await response.prelude() == {"statusCode": 200, "headers": {}}
        await opened.wait()
        return await read(response)

    async def scenario(function: Function) -> None:
        opened = asyncio.Barrier(200)
        bodies = await asyncio.gather(*(one(function, opened) for _ in range(200)))
        assert set(bodies) == {b"x" * 1000}

    source = f"""
        while True:
            next_event()
            stream = Stream()
            stream.send(b'{PRELUDE}')
            for _ in range(10):
                stream.send(b"x" * 100)
            stream.end()
    """
    assert run(lambda: deployed(source, lean=True), scenario).violations == []
