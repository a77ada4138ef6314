"""The emulated Lambda service with made-up functions."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from made_up_lambda import PRELUDE, deployed, run

from local.lambda_service import BadPrelude, Function, FunctionConfig, FunctionError, FunctionTimeout


async def gone(pid: int) -> bool:
    """Whether a process goes away, not leaving a zombie."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.05)
    return False


async def read(answer: Any) -> bytes:
    return b"".join([data async for data in answer.body])


ECHO = """
    while True:
        event = next_event()
        call("POST", f"invocation/{request_id}/response", json.dumps([event, os.getpid()]), echo)
"""


def test_a_buffered_answer_is_returned_whole_and_the_sandbox_is_used_again() -> None:
    async def scenario(function: Function) -> None:
        first, pid = json.loads(await function.invoke({"a": "ü"}))
        assert first == {"a": "ü"}
        for number in range(20):
            assert json.loads(await function.invoke({"n": number})) == [{"n": number}, pid]

    assert run(lambda: deployed(ECHO), scenario).violations == []


def test_concurrent_invocations_have_a_sandbox_each() -> None:
    async def scenario(function: Function) -> None:
        answers = await asyncio.gather(*(function.invoke({"n": number}) for number in range(4)))
        events, pids = zip(*(json.loads(answer) for answer in answers), strict=True)
        assert list(events) == [{"n": number} for number in range(4)]
        assert len(set(pids)) == 4

    source = ECHO.replace("call(", "time.sleep(0.5); call(")
    assert run(lambda: deployed(source), scenario).violations == []


def test_the_environment_is_what_lambda_sets_and_the_functions_own_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_DEVELOPER", "x")

    async def scenario(function: Function) -> None:
        environment, arguments, folder = json.loads(await function.invoke({}))
        root = environment["LAMBDA_TASK_ROOT"]
        assert environment.pop("OWN") == "mine"
        assert environment.pop("AWS_LAMBDA_EXEC_WRAPPER") == f"{root}/run"
        assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
        assert environment["_HANDLER"] == "unused.handler"
        assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "made-up"
        assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
        assert folder == str(Path(root).resolve())
        assert arguments[1].endswith("/bootstrap.py")
        made_by_the_shell = {"PWD", "SHLVL", "_", "LC_CTYPE", "OLDPWD"}
        assert {name for name in environment if not name.startswith(("AWS_", "LAMBDA_"))} - made_by_the_shell == {
            "LANG",
            "PATH",
            "PYTHONPATH",
            "TZ",
            "_HANDLER",
        }
        assert "_X_AMZN_TRACE_ID" not in environment

    source = """
        next_event()
        told = [dict(os.environ), sys.argv[1:], os.getcwd()]
        call("POST", f"invocation/{request_id}/response", json.dumps(told), echo)
        next_event()
    """
    assert run(lambda: deployed(source), scenario).violations == []


def test_a_streamed_answer_comes_as_it_is_written() -> None:
    async def scenario(function: Function) -> None:
        answer = await function.invoke_stream({})
        assert answer.content_type == "application/vnd.awslambda.http-integration-response"
        assert await answer.prelude() == {"statusCode": 200, "headers": {}}
        arrived = [(data, time.monotonic()) async for data in answer.body]
        assert b"".join(data for data, _ in arrived) == b"one two"
        assert arrived[-1][1] - arrived[0][1] > 0.3
        assert answer.error is None

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
    ("payload", "words"),
    [
        ('{"statusCode": 200}', "no eight NUL bytes"),
        ("\\0" * 7, "no eight NUL bytes"),
        ("not json" + "\\0" * 8, "not JSON"),
        ("[]" + "\\0" * 8, "not a JSON object"),
        ("x" * 20000 + "\\0" * 8, "within 16 KB"),
    ],
)
def test_a_wrong_prelude_is_told(payload: str, words: str) -> None:
    async def scenario(function: Function) -> None:
        answer = await function.invoke_stream({})
        with pytest.raises(BadPrelude, match=words):
            await answer.prelude()

    source = f"""
        next_event()
        stream = Stream()
        stream.send(b'{payload}')
        stream.end()
        next_event()
    """
    run(lambda: deployed(source), scenario)


def test_a_timeout_kills_the_sandbox_and_the_next_invocation_gets_a_new_one() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionTimeout, match=r"Sandbox\.Timeout: .*Task timed out after 1\.00 seconds"):
            await function.invoke({"hang": True})
        assert await gone(int(log[0]))
        assert await gone(int(log[1])), "what the function has started is killed as well"
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


def test_a_timeout_in_the_middle_of_a_stream_breaks_it_off() -> None:
    async def scenario(function: Function) -> None:
        answer = await function.invoke_stream({})
        await answer.prelude()
        body = aiter(answer.body)
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
    ("death", "how"),
    [
        ("sys.exit(3)", "exit status 3"),
        ("os.kill(os.getpid(), 9)", "signal: SIGKILL"),
        ("sys.exit(0)", "exit status 0"),
    ],
)
def test_a_crash_is_told_before_and_in_the_middle_of_an_answer(death: str, how: str) -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=rf"Runtime\.ExitError: Runtime exited with error: {how}"):
            await function.invoke({"stream": False})
        answer = await function.invoke_stream({"stream": True})
        await answer.prelude()
        body = aiter(answer.body)
        assert await anext(body) == b"one"
        with pytest.raises(FunctionError, match=r"Runtime\.TruncatedResponse"):
            await anext(body)

    source = f"""
        if next_event()["stream"]:
            stream = Stream()
            stream.send(b'{PRELUDE}one')
        sys.stderr.write("last words")
        {death}
    """
    run(lambda: deployed(source, log), scenario)
    assert "last words" in log


def test_a_crash_before_the_first_invocation_is_told() -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=r"Runtime\.ExitError: .*exit status 7"):
            await function.invoke({})

    run(lambda: deployed("sys.exit(7)"), scenario)


def test_a_failure_to_start_is_the_invocations_answer() -> None:
    async def scenario(function: Function) -> None:
        for _ in range(2):
            with pytest.raises(FunctionError, match=r"Function\.NoConfig: no"):
                await function.invoke({})

    source = """
        told = json.dumps({"errorType": "Function.NoConfig", "errorMessage": "no"})
        call("POST", "init/error", told, {"Lambda-Runtime-Function-Error-Type": "Function.NoConfig"})
        sys.exit(1)
    """
    assert run(lambda: deployed(source), scenario).violations == []


def test_each_line_of_both_outputs_is_logged_whole() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        await function.invoke({})

    source = """
        next_event()
        sys.stdout.write("one\\ntwo")
        sys.stdout.flush()
        time.sleep(0.1)
        sys.stdout.write(" and a half\\n")
        sys.stdout.flush()
        sys.stderr.write("x" * 300000 + "\\nlast\\n")
        sys.stderr.flush()
        call("POST", f"invocation/{request_id}/response", "ok", echo)
        sys.exit(0)
    """
    run(lambda: deployed(source, log), scenario)
    assert log[:2] == ["one", "two and a half"]
    assert [len(line) for line in log[2:4]] == [262144, 300000 - 262144]
    assert log[4] == "last"


def test_a_slow_reader_makes_the_function_wait() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        answer = await function.invoke_stream({})
        await answer.prelude()
        await asyncio.sleep(0.5)
        assert log == ["begun"]
        assert len(await read(answer)) == 64 * 1024 * 1024
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
def test_a_function_goes_on_when_its_reader_has_gone(way: str) -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        if way == "cancelled":
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(function.invoke_stream({"wait": 1}), 0.7)
        else:
            answer = await function.invoke_stream({"wait": 0})
            await answer.prelude()
            await anext(aiter(answer.body))
            if way == "closed":
                answer.close()
            else:
                del answer
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


def test_closing_in_the_middle_of_a_stream_ends_the_process_and_the_reader_learns_it() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        answer = await function.invoke_stream({})
        await answer.prelude()
        body = aiter(answer.body)
        await anext(body)
        await function.close()
        with pytest.raises(FunctionError, match=r"Sandbox\.Failure: The sandbox was shut down"):
            await anext(body)
        assert await gone(int(log[0]))
        with pytest.raises(RuntimeError, match="made-up is closed"):
            await function.invoke({})

    source = f"""
        next_event()
        print(os.getpid())
        stream = Stream()
        stream.send(b'{PRELUDE}one')
        time.sleep(60)
    """
    run(lambda: deployed(source, log), scenario)


def test_two_hundred_streams_run_at_once() -> None:
    async def one(function: Function, opened: asyncio.Barrier) -> bytes:
        answer = await function.invoke_stream({})
        assert await answer.prelude() == {"statusCode": 200, "headers": {}}
        await opened.wait()
        return await read(answer)

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


def test_a_handler_without_a_wrapper_runs_in_the_managed_runtime() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        name, remaining, trace, event = json.loads(await function.invoke({"a": 1}))
        assert (name, event) == ("made-up", {"a": 1})
        assert 0 < remaining <= 20000
        assert trace.startswith("Root=1-")
        with pytest.raises(FunctionError, match="ZeroDivisionError: division by zero"):
            await function.invoke({"a": 0})
        with pytest.raises(FunctionError, match="TypeError: Object of type set is not JSON serializable"):
            await function.invoke({"a": 2})

    source = """
        import os

        def handler(event, context):
            1 / event["a"]
            if event["a"] == 2:
                return {1}
            left = context.get_remaining_time_in_millis()
            return [context.function_name, left, os.environ["_X_AMZN_TRACE_ID"], event]
    """
    assert run(lambda: deployed(source, log, handler="code.handler"), scenario).violations == []
    assert json.loads(log[0])["errorType"] == "ZeroDivisionError"


@pytest.mark.parametrize(
    ("handler", "words"),
    [("code.nothing", "Runtime.HandlerNotFound"), ("nothing.handler", "Runtime.ImportModuleError")],
)
def test_a_handler_that_is_not_there_is_a_failure_to_start(handler: str, words: str) -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=words):
            await function.invoke({})

    assert run(lambda: deployed("", handler=handler), scenario).violations == []


def test_the_unpacked_code_is_removed_in_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        buffer = io.BytesIO()
        zipfile.ZipFile(buffer, "w").close()
        (tmp_path / "code.zip").write_bytes(buffer.getvalue())
        config = FunctionConfig(
            name="f",
            arn="arn:aws:lambda:eu-west-1:123456789012:function:f",
            handler="a.b",
            environment={},
            timeout_seconds=1,
            memory_mb=128,
            code_zip=tmp_path / "code.zip",
        )
        (tmp_path / "run").mkdir()
        function = Function(config, folder=tmp_path / "run")
        assert len(list((tmp_path / "run").iterdir())) == 1
        await function.close()
        assert list((tmp_path / "run").iterdir()) == []

    asyncio.run(main())


def test_sandboxes_end_when_the_service_is_killed(tmp_path: Path) -> None:
    """One waits for an invocation, one is in the middle of a stream that nobody reads."""
    service = tmp_path / "service.py"
    service.write_text(
        textwrap.dedent("""
            import asyncio
            from made_up_lambda import PRELUDE, deployed

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
                answer = await function.invoke_stream({"stream": True})
                while len(log) < 2:
                    await asyncio.sleep(0.01)
                print(*log, flush=True)
                await asyncio.sleep(60)

            asyncio.run(main())
        """)
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, str(service)], stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        pids = [int(pid) for pid in process.stdout.readline().split()]
        process.kill()
    assert len(pids) == 2
    assert [asyncio.run(gone(pid)) for pid in pids] == [True, True]
