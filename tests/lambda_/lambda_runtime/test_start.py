"""The runtime client as Lambda starts it, through its wrapper; one test per pitfall of such a client.

The traps of an answer are in test_runtime_answer.py, the bytes in test_runtime_client.py.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from local.lambda_service import Function, FunctionError
from tests.lambda_.lambda_runtime.runtime_function import (
    WRAPPER,
    answer,
    fake_function,
    function_files,
    invoke_fake,
    proxy_event,
    run,
)
from tests.unpacked import unpacked


def test_the_client_and_its_classes_exist_once() -> None:
    _, body, _ = invoke_fake("""
        import json, sys
        from front_door.lambda_runtime import loop

        def handle(event, context):
            copies = [name for name, module in sys.modules.items()
                      if str(getattr(module, "__file__", "")).endswith("/loop.py")]
            main = sys.modules["__main__"].__file__.rpartition("/")[2]
            return Response(200, {}, [json.dumps([copies, main, type(context) is loop.Invocation]).encode()])
    """)
    assert json.loads(body) == [["front_door.lambda_runtime.loop"], "main.py", True]


def test_the_task_root_comes_first_on_the_path_and_the_package_folder_is_not_on_it() -> None:
    _, body, _ = invoke_fake("""
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


def test_all_threads_take_memory_from_one_place(tmp_path: Path) -> None:
    wrapper = Path(__file__).parents[3] / "lambda" / "front_door" / "bootstrap"
    (tmp_path / "front_door").mkdir()
    (tmp_path / "front_door" / "main.py").write_text('echo "$MALLOC_ARENA_MAX"')
    started = subprocess.run(
        [wrapper, "/bin/sh", "/var/runtime/bootstrap.py"],
        env={"LAMBDA_TASK_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout == "1\n"


def test_the_trace_id_and_the_deadline_are_those_of_the_invocation() -> None:
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
            result = [os.environ["_X_AMZN_TRACE_ID"], context.trace_id, context.deadline, context.function_arn]
            return Response(200, {}, [json.dumps(result).encode()])
    """
    assert run(fake_function(app), scenario, timeout=7).violations == []


def test_a_configuration_error_is_reported_as_a_failure_to_start_with_its_message() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.ConfigError: 'MODELS_FILE' is missing"):
            await deployed.invoke_stream(proxy_event())

    files = function_files("front_door")
    files["front_door/bootstrap"] = files["front_door/bootstrap"].replace("exec", "unset MODELS_FILE\nexec")
    ran = run(files, scenario)
    assert ran.violations == []
    assert ran.logged()[0]["message"] == "the function cannot start"


def test_concurrent_invocations_are_rejected_at_the_start() -> None:
    async def scenario(deployed: Function) -> None:
        with pytest.raises(FunctionError, match=r"Function\.NotImplementedError: .*one invocation at a time"):
            await deployed.invoke_stream(proxy_event())

    app = "def handle(event, context): ..."
    assert (
        run(fake_function(app), scenario, environment={**WRAPPER, "AWS_LAMBDA_MAX_CONCURRENCY": "10"}).violations == []
    )


def test_every_line_of_the_log_is_one_json_object() -> None:
    async def scenario(deployed: Function) -> None:
        for _ in range(2):
            with pytest.raises(FunctionError):
                await deployed.invoke_stream(proxy_event())

    app = """
        def handle(event, context):
            raise RuntimeError("two\\nlines")
    """
    lines = run(fake_function(app), scenario).logged()
    assert [line["level"] for line in lines] == ["ERROR", "ERROR"]
    assert all(line["request_id"] for line in lines)


def test_the_runtime_ignores_snapstart() -> None:
    app = """
        def handle(event, context):
            return Response(200, {}, [b"ok"])
    """
    files = fake_function(app)
    files["front_door/bootstrap"] = files["front_door/bootstrap"].replace(
        "exec", "export AWS_LAMBDA_INITIALIZATION_TYPE=snap-start\nexec"
    )

    async def scenario(deployed: Function) -> None:
        assert (await answer(deployed))[1] == b"ok"

    assert run(files, scenario).violations == []


@pytest.mark.parametrize("event", [{}, {"completion": True}, {"requestContext": None, "path": None}])
def test_an_event_that_is_not_an_http_request_gets_a_response(event: dict[str, Any]) -> None:
    async def scenario(deployed: Function) -> None:
        prelude, payload = await answer(deployed, event or {"x": 1})
        assert prelude["statusCode"] == 400
        assert "not an HTTP request of API Gateway" in payload.decode()

    assert run(function_files("front_door"), scenario).violations == []


def test_the_wrapper_is_executable_has_unix_line_ends_and_a_shebang_in_the_asset(app: Any, stack: Any) -> None:
    from constructs_lib._functions import lambda_asset

    lambda_asset(stack, "front_door")
    (archive,) = Path(app.synth().directory).glob("asset.*.zip")
    wrapper = unpacked(archive) / "front_door" / "bootstrap"
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

    files = fake_function("")
    if text is None:
        del files["front_door/bootstrap"]
    else:
        files["front_door/bootstrap"] = text
    run(files, scenario, wrapper_mode=mode)
