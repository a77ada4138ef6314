"""Failing functions and killed services: the reported error, and that no process is left."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from local.lambda_service import Function, FunctionError, FunctionTimeout
from tests.local.lambda_service.doubles import PRELUDE, deployed, gone, run


def test_a_timeout_kills_the_sandbox_and_the_next_invocation_gets_a_new_one() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionTimeout, match=r"Sandbox\.Timeout: .*Task timed out after 1\.00 seconds"):
            await function.invoke({"hang": True})
        assert await gone(int(log[0]))
        assert await gone(int(log[1])), "child processes of the function are killed too"
        assert await function.invoke({}) == b"ok"

    source = """
        import subprocess
        while True:
            if next_event().get("hang"):
                print(os.getpid())
                print(subprocess.Popen(["sleep", "60"]).pid)
                time.sleep(60)
            call("POST", f"invocation/{request_id}/response", "ok", echo)
    """
    assert run(lambda: deployed(source, log, timeout=1), scenario).violations == []
    assert "Task timed out after 1.00 seconds" in log[2]


def test_a_timeout_aborts_a_stream() -> None:
    async def scenario(function: Function) -> None:
        response = await function.invoke_stream({})
        await response.prelude()
        body = aiter(response.body)
        assert await anext(body) == b"one"
        with pytest.raises(FunctionTimeout):
            await anext(body)

    source = f"""
        next_event()
        stream = Stream()
        stream.send(b'{PRELUDE}one')
        time.sleep(60)
    """
    run(lambda: deployed(source, timeout=1), scenario)


@pytest.mark.parametrize(
    ("exit_code", "status"),
    [
        ("sys.exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal: SIGKILL"),
        ("sys.exit(0)", "exit status 0"),
    ],
)
def test_a_crash_is_reported_before_and_during_a_response(exit_code: str, status: str) -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=rf"Runtime\.ExitError: Runtime exited with error: {status}"):
            await function.invoke({"stream": False})
        response = await function.invoke_stream({"stream": True})
        await response.prelude()
        body = aiter(response.body)
        assert await anext(body) == b"one"
        with pytest.raises(FunctionError, match=r"Runtime\.TruncatedResponse"):
            await anext(body)

    source = f"""
        if next_event()["stream"]:
            stream = Stream()
            stream.send(b'{PRELUDE}one')
        sys.stderr.write("last words")
        {exit_code}
    """
    run(lambda: deployed(source, log), scenario)
    assert "last words" in log


def test_a_crash_before_the_first_invocation_is_reported() -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=r"Runtime\.ExitError: .*exit status 7"):
            await function.invoke({})

    run(lambda: deployed("sys.exit(7)"), scenario)


def test_an_initialization_error_fails_the_invocation() -> None:
    async def scenario(function: Function) -> None:
        for _ in range(2):
            with pytest.raises(FunctionError, match=r"Function\.NoConfig: no"):
                await function.invoke({})

    source = """
        report = json.dumps({"errorType": "Function.NoConfig", "errorMessage": "no"})
        call("POST", "init/error", report, {"Lambda-Runtime-Function-Error-Type": "Function.NoConfig"})
        sys.exit(1)
    """
    assert run(lambda: deployed(source), scenario).violations == []


def test_closing_during_a_stream_ends_the_process_and_fails_the_stream() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        response = await function.invoke_stream({})
        await response.prelude()
        body = aiter(response.body)
        await anext(body)
        await function.close()
        with pytest.raises(FunctionError, match=r"Sandbox\.Failure: The sandbox was shut down"):
            await anext(body)
        assert await gone(int(log[0]))
        with pytest.raises(RuntimeError, match="fake is closed"):
            await function.invoke({})

    source = f"""
        next_event()
        print(os.getpid())
        stream = Stream()
        stream.send(b'{PRELUDE}one')
        time.sleep(60)
    """
    run(lambda: deployed(source, log), scenario)


def test_sandboxes_end_if_the_service_is_killed(tmp_path: Path) -> None:
    """One sandbox waits for an invocation, another is in the middle of a stream that nobody reads."""
    service = tmp_path / "service.py"
    service.write_text(
        textwrap.dedent("""
            import asyncio
            from tests.local.lambda_service.doubles import PRELUDE, deployed

            SOURCE = f'''
                print(os.getpid(), flush=True)
                stream = None
                while True:
                    if next_event().get("stream"):
                        stream = Stream()
                        stream.send(b'{PRELUDE}')
                        while True:
                            stream.send(b"x" * 1000)
                            time.sleep(0.05)
                    call("POST", f"invocation/{{request_id}}/response", "ok", echo)
            '''

            async def main():
                log = []
                function = deployed(SOURCE, log)
                await asyncio.gather(function.invoke({}), function.invoke({}))
                response = await function.invoke_stream({"stream": True})
                while len(log) < 2:
                    await asyncio.sleep(0.01)
                print(*log, flush=True)
                await asyncio.sleep(60)

            asyncio.run(main())
        """)
    )
    path = os.pathsep.join([str(Path(__file__).parents[3])])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, str(service)], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(pids) == 2
    assert [asyncio.run(gone(pid)) for pid in pids] == [True, True]
