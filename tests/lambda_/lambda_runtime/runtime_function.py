"""Fake applications, started through the real wrapper by the emulated Lambda service."""

from __future__ import annotations

import asyncio
import io
import json
import textwrap
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from local.lambda_service import Function, FunctionConfig

FRONT_DOOR = Path(__file__).parents[3] / "lambda" / "front_door"
CLIENT = (
    "__init__.py",
    "bootstrap",
    "main.py",
    "errors.py",
    "http/__init__.py",
    "http/http11.py",
    "http/json.py",
    "http/response.py",
    "lambda_runtime/__init__.py",
    "lambda_runtime/api_client.py",
    "lambda_runtime/loop.py",
)
CONFIG = "def from_environment(environ):\n    return environ\n"
APP = """
from front_door.http.response import Response

class App:
    def __init__(self, settings):
        self.settings = settings

    def handle(self, event, context):
        return handle(event, context)
"""
MODELS = {"llama": {"endpoint_name": "e", "model_id": None, "engine": "tgi", "max_body_bytes": 1000}}
NOWHERE = {
    "MODELS_FILE": "/opt/front_door/models.json",
    "SAGEMAKER_RUNTIME_URL": "http://127.0.0.1:1",
    "SAGEMAKER_URL": "http://127.0.0.1:1",
}
WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/front_door/bootstrap"}


def fake_function(app: str) -> dict[str, str]:
    """The files of a function whose application is the given source of `handle`."""
    client = {f"front_door/{name}": (FRONT_DOOR / name).read_text() for name in CLIENT}
    return {**client, "front_door/config.py": CONFIG, "front_door/app.py": APP + textwrap.dedent(app)}


def function_files(folder: str) -> dict[str, str]:
    """The files of the function as deployed."""
    root = FRONT_DOOR.parent / folder
    return {
        path.relative_to(root.parent).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def zip_files(files: dict[str, str], *, wrapper_mode: int = 0o755) -> bytes:
    """An archive with the modes that the CDK's asset has."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            is_script = not name.endswith(".py")
            entry.external_attr = (wrapper_mode if is_script else 0o644) << 16
            archive.writestr(entry, text)
    return buffer.getvalue()


def function(
    files: dict[str, str],
    log: list[str],
    *,
    environment: dict[str, str] | None = None,
    handler: str = "front_door.lambda_runtime.managed.handler",
    timeout: float = 20,
    wrapper_mode: int = 0o755,
) -> Function:
    """A deployed function; without another environment it is started through the wrapper."""
    return Function(
        FunctionConfig(
            name="front-door",
            arn="arn:aws:lambda:eu-west-1:123456789012:function:front-door",
            handler=handler,
            environment={**NOWHERE, **(WRAPPER if environment is None else environment)},
            timeout_seconds=timeout,
            memory_mb=512,
            code_zip=zip_files(files, wrapper_mode=wrapper_mode),
            layers=[zip_files({"front_door/models.json": json.dumps(MODELS)})],
        ),
        log=log.append,
    )


def proxy_event(method: str = "GET", path: str = "/v1/models", body: object = None) -> dict[str, Any]:
    """What API Gateway sends."""
    return {
        "httpMethod": method,
        "path": path,
        "headers": {"Content-Type": "application/json"},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {"requestId": "gateway-id", "identity": {"apiKeyId": "key-id"}},
    }


class RunResult:
    """What a function returned and logged."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.violations: list[str] = []

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log]


def run(files: dict[str, str], scenario: Callable[[Function], Awaitable[None]], **options: Any) -> RunResult:
    """Deploy, run the scenario, and stop everything."""
    ran = RunResult()

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


def invoke_fake(
    app: str, event: dict[str, Any] | None = None, **options: Any
) -> tuple[dict[str, Any], bytes, RunResult]:
    """As `answer`, from a fake application."""
    got: list[tuple[dict[str, Any], bytes]] = []

    async def scenario(deployed: Function) -> None:
        got.append(await answer(deployed, event))

    ran = run(fake_function(app), scenario, **options)
    assert ran.violations == []
    return *got[0], ran
