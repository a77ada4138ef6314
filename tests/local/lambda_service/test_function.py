"""The emulated Lambda: the environment of functions, and buffered responses."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from functools import partial
from pathlib import Path

import pytest

from local.lambda_service import Function, FunctionConfig, FunctionError
from tests.local.lambda_service.doubles import archive, deployed, run

ECHO = """
    while True:
        event = next_event()
        call("POST", f"invocation/{request_id}/response", json.dumps([event, os.getpid()]), echo)
"""


def test_a_buffered_response_is_returned_and_the_sandbox_is_reused() -> None:
    async def scenario(function: Function) -> None:
        first, pid = json.loads(await function.invoke({"a": "ü"}))
        assert first == {"a": "ü"}
        for number in range(20):
            assert json.loads(await function.invoke({"n": number})) == [{"n": number}, pid]

    assert run(lambda: deployed(ECHO), scenario).violations == []


def test_concurrent_invocations_run_in_separate_sandboxes() -> None:
    async def scenario(function: Function) -> None:
        answers = await asyncio.gather(*(function.invoke({"n": number}) for number in range(4)))
        events, pids = zip(*(json.loads(answer) for answer in answers), strict=True)
        assert list(events) == [{"n": number} for number in range(4)]
        assert len(set(pids)) == 4

    source = ECHO.replace("call(", "time.sleep(0.5); call(")
    assert run(lambda: deployed(source), scenario).violations == []


def test_the_environment_has_only_lambdas_and_the_functions_variables(
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
        assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "fake"
        assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
        assert folder == str(Path(root).resolve())
        assert arguments[1].endswith("/bootstrap.py")
        set_by_the_shell = {"PWD", "SHLVL", "_", "LC_CTYPE", "OLDPWD"}
        assert {name for name in environment if not name.startswith(("AWS_", "LAMBDA_"))} - set_by_the_shell == {
            "LANG",
            "PATH",
            "PYTHONPATH",
            "TZ",
            "_HANDLER",
        }
        assert "_X_AMZN_TRACE_ID" not in environment

    source = """
        next_event()
        seen = [dict(os.environ), sys.argv[1:], os.getcwd()]
        call("POST", f"invocation/{request_id}/response", json.dumps(seen), echo)
        next_event()
    """
    assert run(lambda: deployed(source), scenario).violations == []


def test_layers_are_merged_at_opt_in_their_order_and_variables_lead_to_their_files() -> None:
    async def scenario(function: Function) -> None:
        seen = json.loads(await function.invoke({}))
        assert seen["files"] == {
            "facts/models.json": "models",
            "facts/shared": "of the last",
            "page/index.html": "page",
        }
        assert seen["other"] == ["/opting/facts", "see /opt/facts"]
        assert seen["executable"] == [False, True]
        assert seen["code"].startswith("#!/bin/sh")

    source = """
        next_event()
        root = os.environ["ROOT"]
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
        answer = {
            "files": {os.path.relpath(path, root): open(path).read() for path in sorted(paths)},
            "other": [os.environ["SIBLING"], os.environ["SENTENCE"]],
            "executable": [os.access(os.environ[name], os.X_OK) for name in ("FACTS", "PAGE")],
            "code": open(os.environ["CODE"]).read(),
        }
        call("POST", f"invocation/{request_id}/response", json.dumps(answer), echo)
        next_event()
    """
    layers = [
        archive({"facts/models.json": "models", "facts/shared": "of the first"}),
        archive({"page/index.html": "page", "facts/shared": "of the last"}, mode=0o755),
    ]
    environment = {
        "ROOT": "/opt",
        "FACTS": "/opt/facts/models.json",
        "PAGE": "/opt/page/index.html",
        "SIBLING": "/opting/facts",
        "SENTENCE": "see /opt/facts",
        "CODE": "/var/task/run",
    }
    assert run(lambda: deployed(source, layers=layers, environment=environment), scenario).violations == []


def test_a_wrapper_and_modules_may_be_in_a_layer() -> None:
    async def scenario(function: Function) -> None:
        assert json.loads(await function.invoke({})) == ["of the layer", "set"]

    layer = archive({"python/shared.py": "VALUE = 'of the layer'", "run": '#!/bin/sh\nSET=set exec "$@"\n'}, mode=0o755)
    source = """
        import os
        import shared

        def handler(event, context):
            return [shared.VALUE, os.environ["SET"]]
    """
    environment = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/run"}
    made = partial(deployed, source, handler="code.handler", layers=[layer], environment=environment)
    assert run(made, scenario).violations == []


def test_lines_of_standard_output_and_error_are_logged() -> None:
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


def test_a_handler_without_a_wrapper_runs_in_the_managed_runtime() -> None:
    log: list[str] = []

    async def scenario(function: Function) -> None:
        name, remaining, trace, event = json.loads(await function.invoke({"a": 1}))
        assert (name, event) == ("fake", {"a": 1})
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
    ("handler", "error_type"),
    [("code.nothing", "Runtime.HandlerNotFound"), ("nothing.handler", "Runtime.ImportModuleError")],
)
def test_a_missing_handler_is_an_initialization_error(handler: str, error_type: str) -> None:
    async def scenario(function: Function) -> None:
        with pytest.raises(FunctionError, match=error_type):
            await function.invoke({})

    assert run(lambda: deployed("", handler=handler), scenario).violations == []


def test_the_unpacked_code_is_removed_on_close(tmp_path: Path) -> None:
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
