"""The runtime client through its wrapper, in a process as Lambda starts it; one test for each trap of such a client."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_function import WRAPPER, function, made_up, proxy_event, whole

from local.lambda_service import Function, FunctionError

STREAM_TYPE = "application/vnd.awslambda.http-integration-response"


class Ran:
    """What a function did."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.violations: list[str] = []

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log]


def run(files: dict[str, str], scenario: Callable[[Function], Awaitable[None]], **options: Any) -> Ran:
    """Deploy, do what the scenario says, and end everything."""
    ran = Ran()

    async def main() -> None:
        deployed = function(files, ran.log, **options)
        ran.violations = deployed.violations
        try:
            await scenario(deployed)
        finally:
            await deployed.close()

    asyncio.run(main())
    return ran


async def answer(deployed: Function, event: dict[str, Any] | None = None) -> tuple[dict[str, Any], bytes]:
    """The prelude and the payload of one invocation."""
    streamed = await deployed.invoke_stream(event or proxy_event())
    prelude = await streamed.prelude()
    return prelude, b"".join([data async for data in streamed.body])


def answered(app: str, event: dict[str, Any] | None = None, **options: Any) -> tuple[dict[str, Any], bytes, Ran]:
    """As `answer`, from a made-up application."""
    got: list[tuple[dict[str, Any], bytes]] = []

    async def scenario(deployed: Function) -> None:
        got.append(await answer(deployed, event))

    ran = run(made_up(app), scenario, **options)
    assert ran.violations == []
    return *got[0], ran


def test_the_client_and_its_classes_exist_once() -> None:
    _, body, _ = answered("""
        import json, sys
        from front_door import runtime

        def handle(event, context):
            copies = [name for name, module in sys.modules.items()
                      if str(getattr(module, "__file__", "")).endswith("/runtime.py")]
            main = sys.modules["__main__"].__file__.rpartition("/")[2]
            return Response(200, {}, [json.dumps([copies, main, type(context) is runtime.Invocation]).encode()])
    """)
    assert json.loads(body) == [["front_door.runtime"], "entry.py", True]


def test_the_task_root_comes_first_on_the_path_and_the_package_folder_is_not_on_it() -> None:
    _, body, _ = answered("""
        import json, os, sys

        def handle(event, context):
            return Response(200, {}, [json.dumps([os.environ["LAMBDA_TASK_ROOT"], sys.path]).encode()])
    """)
    root, path = json.loads(body)
    assert path[0] == root
    assert path[1].startswith("/opt/python/lib/python3.")
    assert path[2] == "/opt/python"
    assert f"{root}/front_door" not in path
    assert path[-1].endswith("managed_runtime")
    assert any(entry.endswith("site-packages") for entry in path[3:])


def test_a_body_that_fails_before_its_first_chunk_fails_the_invocation_and_nothing_is_streamed() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.ValueError: The function failed\."):
            await deployed.invoke_stream(proxy_event())
        assert await answer(deployed, {"path": "/good"}) == ({"statusCode": 200, "headers": {}}, b"good")

    app = """
        def broken():
            raise ValueError("the prompt")
            yield b""

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else broken())
    """
    ran = run(made_up(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.ValueError"]
    assert "the prompt" not in str(ran.log)


def test_an_application_that_raises_fails_the_invocation_without_its_message() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError) as caught:
            await deployed.invoke_stream(proxy_event())
        told = json.loads(caught.value.payload)
        assert told["errorType"] == "Function.KeyError"
        assert told["errorMessage"] == "The function failed."
        assert re.search(r"/front_door/app\.py:\d+ handle$", told["stackTrace"][-1])

    app = """
        def handle(event, context):
            raise KeyError("the prompt")
    """
    ran = run(made_up(app), scenario)
    assert ran.violations == []
    assert "the prompt" not in str(ran.log)


def test_the_prelude_waits_for_the_first_chunk() -> None:
    async def scenario(deployed: Function) -> None:
        started = time.monotonic()
        streamed = await deployed.invoke_stream(proxy_event())
        assert time.monotonic() - started > 0.3
        assert streamed.content_type == STREAM_TYPE
        assert await streamed.prelude() == {"statusCode": 201, "headers": {"x": "ü"}}
        assert [data async for data in streamed.body] == [b"late"]

    app = """
        import time

        def late():
            time.sleep(0.3)
            yield b"late"

        def handle(event, context):
            return Response(201, {"x": "\\u00fc"}, late())
    """
    assert run(made_up(app), scenario).violations == []


@pytest.mark.parametrize("body", ["[]", "[b'']", "iter(())"])
def test_an_empty_body_is_never_sent(body: str) -> None:
    prelude, payload, _ = answered(f"""
        def handle(event, context):
            return Response(204, {{}}, {body})
    """)
    assert (prelude["statusCode"], payload) == (204, b"\n")


def test_an_empty_chunk_does_not_end_the_stream() -> None:
    _, payload, _ = answered("""
        def handle(event, context):
            return Response(200, {}, [b"", b"one ", b"", b"two", b""])
    """)
    assert payload == b"one two"


def test_a_json_answer_has_a_prelude_when_streamed_and_none_when_buffered() -> None:
    async def streamed(deployed: Function) -> None:
        prelude, payload = await answer(deployed)
        assert prelude["statusCode"] == 200
        assert prelude["headers"]["Content-Type"] == "application/json"
        assert json.loads(payload)["data"][0]["id"] == "llama"

    async def buffered(deployed: Function) -> None:
        told = json.loads(await deployed.invoke(proxy_event()))
        assert told.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert json.loads(told["body"])["data"][0]["id"] == "llama"

    assert run(whole("front_door"), streamed).violations == []
    assert run(whole("front_door"), buffered, environment={}).violations == []


def test_a_failure_in_the_middle_is_told_in_trailers_and_the_stream_ends_normally() -> None:
    async def scenario(deployed: Function) -> None:
        streamed = await deployed.invoke_stream(proxy_event())
        await streamed.prelude()
        assert b"".join([data async for data in streamed.body]) == b"data: one\n\n"
        assert streamed.error is not None
        assert streamed.error["errorType"] == "Function.ZeroDivisionError"
        assert streamed.error["errorMessage"] == "The function failed."
        assert await answer(deployed, {"path": "/good"}) == ({"statusCode": 200, "headers": {}}, b"good")

    app = """
        def broken():
            yield b"data: one\\n\\n"
            1 / 0

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else broken())
    """
    ran = run(made_up(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.ZeroDivisionError"]


def test_a_broken_connection_of_the_body_is_not_one_of_the_runtime_api() -> None:
    async def scenario(deployed: Function) -> None:
        streamed = await deployed.invoke_stream(proxy_event())
        await streamed.prelude()
        assert [data async for data in streamed.body] == [b"one"]
        assert streamed.error is not None
        assert streamed.error["errorType"] == "Function.ConnectionResetError"
        _, pid = await answer(deployed, {"path": "/pid"})
        assert await answer(deployed, {"path": "/pid"}) == ({"statusCode": 200, "headers": {}}, pid)

    app = """
        import os

        def broken():
            yield b"one"
            raise ConnectionResetError

        def handle(event, context):
            return Response(200, {}, [str(os.getpid()).encode()] if event["path"] == "/pid" else broken())
    """
    assert run(made_up(app), scenario).violations == []


def test_the_trace_id_is_set_for_each_invocation_and_the_deadline_is_the_functions() -> None:
    async def scenario(deployed: Function) -> None:
        traces = set()
        for _ in range(2):
            _, payload = await answer(deployed)
            variable, trace_id, deadline, arn = json.loads(payload)
            assert variable == trace_id
            assert trace_id.startswith("Root=1-")
            assert deadline == pytest.approx(time.time() + 7, abs=3)
            assert arn == deployed.config.arn
            traces.add(trace_id)
        assert len(traces) == 2

    app = """
        import json, os

        def handle(event, context):
            told = [os.environ["_X_AMZN_TRACE_ID"], context.trace_id, context.deadline, context.function_arn]
            return Response(200, {}, [json.dumps(told).encode()])
    """
    assert run(made_up(app), scenario, timeout=7).violations == []


def test_a_configuration_error_is_reported_as_a_failure_to_start_with_its_message() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.ConfigError: 'MODELS' is missing"):
            await deployed.invoke_stream(proxy_event())

    files = whole("front_door")
    files["front_door/run"] = files["front_door/run"].replace("exec", "unset MODELS\nexec")
    ran = run(files, scenario)
    assert ran.violations == []
    assert ran.logged()[0]["message"] == "the function cannot start"


def test_more_than_one_invocation_at_a_time_is_refused() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.NotImplementedError: .*one invocation at a time"):
            await deployed.invoke_stream(proxy_event())

    app = "def handle(event, context): ..."
    assert run(made_up(app), scenario, environment={**WRAPPER, "AWS_LAMBDA_MAX_CONCURRENCY": "10"}).violations == []


def test_every_line_of_the_log_is_one_json_object() -> None:
    async def scenario(deployed: Function) -> None:
        for _ in range(2):
            with pytest.raises(FunctionError):
                await deployed.invoke_stream(proxy_event())

    app = """
        def handle(event, context):
            raise RuntimeError("two\\nlines")
    """
    lines = run(made_up(app), scenario).logged()
    assert [line["level"] for line in lines] == ["ERROR", "ERROR"]
    assert all(line["request_id"] for line in lines)


def test_snapstart_is_left_alone_the_runtime_goes_straight_to_its_invocations() -> None:
    app = """
        def handle(event, context):
            return Response(200, {}, [b"ok"])
    """
    files = made_up(app)
    files["front_door/run"] = files["front_door/run"].replace(
        "exec", "export AWS_LAMBDA_INITIALIZATION_TYPE=snap-start\nexec"
    )

    async def scenario(deployed: Function) -> None:
        assert (await answer(deployed))[1] == b"ok"

    assert run(files, scenario).violations == []


@pytest.mark.parametrize("event", [{}, {"completion": True}, {"requestContext": None, "path": None}])
def test_an_event_that_is_no_http_request_is_answered(event: dict[str, Any]) -> None:
    async def scenario(deployed: Function) -> None:
        prelude, payload = await answer(deployed, event or {"x": 1})
        assert prelude["statusCode"] == 400
        assert "not an HTTP request of API Gateway" in payload.decode()

    assert run(whole("front_door"), scenario).violations == []


def test_the_body_is_closed_however_it_ends() -> None:
    async def scenario(deployed: Function) -> None:
        for path in ("whole", "broken", "never"):
            try:
                await answer(deployed, {"path": path})
            except FunctionError:
                assert path == "never"
        assert (await answer(deployed, {"path": "closed"}))[1] == b"whole broken never"

    app = """
        closed = []

        class Body:
            def __init__(self, path):
                self.path, self.chunks = path, iter([b"one", b"two"])

            def __iter__(self):
                return self

            def __next__(self):
                if self.path == "never":
                    raise ValueError
                chunk = next(self.chunks)
                if chunk == b"two" and self.path == "broken":
                    raise ValueError
                return chunk

            def close(self):
                closed.append(self.path)

        def handle(event, context):
            if event["path"] == "closed":
                return Response(200, {}, [" ".join(closed).encode()])
            return Response(200, {}, Body(event["path"]))
    """
    assert run(made_up(app), scenario).violations == []


def test_a_body_that_cannot_be_closed_is_logged_and_the_sandbox_goes_on() -> None:
    async def scenario(deployed: Function) -> None:
        assert (await answer(deployed))[1] == b"one"
        assert (await answer(deployed))[1] == b"one"
        await answer(deployed, {"path": "/good"})

    app = """
        class Body(list):
            def close(self):
                raise OSError("no")

        def handle(event, context):
            return Response(200, {}, [b"good"] if event["path"] == "/good" else Body([b"one"]))
    """
    ran = run(made_up(app), scenario)
    assert ran.violations == []
    assert [line["errorType"] for line in ran.logged()] == ["Function.OSError"] * 2


def test_the_wrapper_is_executable_has_unix_line_ends_and_a_shebang_in_the_asset(app: Any, stack: Any) -> None:
    from constructs_lib._assets import lambda_code

    code = lambda_code("front_door")
    code.bind(stack)
    folder = Path(app.synth().directory)
    (wrapper,) = folder.glob("asset.*/front_door/run")
    assert wrapper.stat().st_mode & 0o777 == 0o755
    assert wrapper.read_bytes().startswith(b"#!/bin/sh\n")
    assert b"\r" not in wrapper.read_bytes()


@pytest.mark.parametrize(
    ("text", "mode", "status"),
    [
        ("#!/bin/sh\n", 0o644, "exit status 126"),
        ("echo no shebang\n", 0o755, "exit status 126"),
        (None, 0, "exit status 127"),
    ],
)
def test_a_wrapper_that_cannot_be_started_fails_as_on_lambda(text: str | None, mode: int, status: str) -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=rf"Runtime\.ExitError: .*{status}"):
            await deployed.invoke_stream(proxy_event())

    files = made_up("")
    if text is None:
        del files["front_door/run"]
    else:
        files["front_door/run"] = text
    run(files, scenario, wrapper_mode=mode)
