"""Calls into the event loop from other threads."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.calls import Calls
from local.deployment.stacks.data_plane import StoppedError

COUNT = 50


async def answer() -> int:
    return 42


def test_a_thread_gets_the_result_and_the_errors_of_what_it_calls() -> None:
    async def fail() -> None:
        raise ValueError("wrong")

    async def run() -> None:
        calls = Calls()
        assert await asyncio.to_thread(calls.result_of, answer()) == 42
        with pytest.raises(ValueError, match="wrong"):
            await asyncio.to_thread(calls.result_of, fail())

    asyncio.run(run())


def test_stopping_ends_every_call_and_refuses_further_ones() -> None:
    begun = 0
    ended = 0

    async def wait() -> None:
        nonlocal begun, ended
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            ended += 1

    async def run() -> None:
        calls = Calls()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(COUNT))
        waiting = [asyncio.create_task(asyncio.to_thread(calls.result_of, wait())) for _ in range(COUNT)]
        async with asyncio.timeout(30):
            while begun < COUNT:
                await asyncio.sleep(0.01)
            await calls.stop()
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(result) for result in results} == {StoppedError}
        with pytest.raises(StoppedError):
            await asyncio.to_thread(calls.result_of, answer())

    asyncio.run(run())
    assert ended == COUNT


def test_stopping_waits_for_what_a_thread_reads_even_if_nobody_waits_for_its_result() -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def read() -> None:
        begun.set()
        assert go.wait(30)
        ended.set()

    async def run() -> None:
        calls = Calls()
        reading = asyncio.create_task(calls.in_thread(read))
        assert await asyncio.to_thread(begun.wait, 30)
        reading.cancel()
        stopping = asyncio.create_task(calls.stop())
        await asyncio.wait({reading})
        assert (reading.cancelled(), stopping.done()) == (True, False)
        go.set()
        await stopping
        assert ended.is_set()

    asyncio.run(run())
