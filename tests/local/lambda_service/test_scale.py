"""The emulated Lambda under load: concurrency limits and the number of sandboxes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from local.lambda_service import Concurrency, Function, FunctionError, FunctionThrottled
from tests.local.lambda_service.doubles import deployed, run

PID = """
    while True:
        event = next_event()
        time.sleep(event.get("seconds", 0))
        call("POST", f"invocation/{request_id}/response", json.dumps(os.getpid()), echo)
"""
SLOW_TO_START = '\n    print("up", flush=True); time.sleep(0.4)' + PID


async def running(function: Function, seconds: float) -> asyncio.Task[bytes]:
    """An invocation that has started."""
    task = asyncio.create_task(function.invoke({"seconds": seconds}))
    await asyncio.sleep(0)
    return task


def test_invocations_over_the_limit_of_the_account_are_throttled() -> None:
    account = Concurrency(2)

    async def scenario(function: Function) -> None:
        first, second = [await running(function, seconds) for seconds in (0.3, 0.6)]
        with pytest.raises(FunctionThrottled, match=r"TooManyRequestsException: Rate Exceeded\."):
            await function.invoke({})
        await first
        while account.running == 2:
            await asyncio.sleep(0.01)
        await function.invoke({})
        await second

    run(lambda: deployed(PID, account=account), scenario)
    assert account.running == 0


def test_reserved_concurrency_is_independent_of_the_account() -> None:
    account = Concurrency(0)

    async def scenario(function: Function) -> None:
        task = await running(function, 0.3)
        with pytest.raises(FunctionThrottled):
            await function.invoke({})
        await task

    run(lambda: deployed(PID, account=account, reserved=1), scenario)


def test_a_failed_invocation_releases_its_concurrency() -> None:
    account = Concurrency(1)
    crash = "next_event(); sys.exit(3)"

    async def scenario(function: Function) -> None:
        for _ in range(3):
            with pytest.raises(FunctionError, match=r"Runtime\.ExitError"):
                await function.invoke({})
            await asyncio.sleep(0.05)

    run(lambda: deployed(crash, account=account), scenario)
    assert account.running == 0


def test_waiting_invocations_reuse_sandboxes_instead_of_starting_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # so that two sandboxes start at a time
    log: list[str] = []

    async def scenario(function: Function) -> None:
        await asyncio.gather(*(function.invoke({}) for _ in range(60)))
        await asyncio.sleep(2)

    assert run(lambda: deployed(SLOW_TO_START, log), scenario).violations == []
    assert 1 <= log.count("up") <= 6


def test_excess_idle_sandboxes_stop_after_a_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.lambda_service.pool.IDLE_SANDBOXES", 2)

    async def scenario(function: Function) -> None:
        answers = await asyncio.gather(*(function.invoke({"seconds": 0.5}) for _ in range(5)))
        pids = {json.loads(answer) for answer in answers}
        assert len(pids) == 5
        for _ in range(100):
            if sum(Path(f"/proc/{pid}").exists() for pid in pids) == 2:
                break
            await asyncio.sleep(0.05)
        assert sum(Path(f"/proc/{pid}").exists() for pid in pids) == 2
        assert json.loads(await function.invoke({})) in pids

    run(lambda: deployed(PID), scenario)


def test_running_out_of_files_fails_the_invocation_but_not_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_pipe() -> tuple[int, int]:
        raise OSError(24, "Too many open files")

    async def scenario(function: Function) -> None:
        with monkeypatch.context() as changed:
            changed.setattr("local.lambda_service.output.os.pipe", no_pipe)
            with pytest.raises(FunctionError, match=r"Sandbox\.Failure: .*Too many open files"):
                await function.invoke({})
        await function.invoke({})

    run(lambda: deployed(PID), scenario)
