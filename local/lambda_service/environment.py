"""The command and environment of a function's process, exactly as Lambda sets them.

Source: "Defined runtime environment variables", https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.lambda_service.files import Archive, FunctionFiles

# The credentials of functions; services of the emulated cloud verify signatures with them.
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "emulated"  # noqa: S105 - a placeholder
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
DEFAULT_EVENT_RETRIES = 2
DEFAULT_EVENT_AGE_SECONDS = 6 * 3600
RUNTIME = Path(__file__).parent / "managed_runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfig:
    """The configuration of a deployed function.

    Args:
        name: The function's name.
        arn: The ARN; its Region is the function's AWS_REGION.
        handler: The handler for the managed runtime, `module.function`.
        environment: The environment variables of the function.
        timeout_seconds: The timeout of an invocation.
        memory_mb: The configured memory. The function can read it, but it is not enforced.
        code_zip: The deployed archive, or its path.
        layers: The archives of its layers, or their paths, in the order of its `Layers`.
        reserved_concurrency: The reserved concurrency, or None to share the account's concurrency.
        event_retries: How often an asynchronous invocation is repeated after an error of the function.
        event_age_seconds: How long its event is kept for another attempt.
    """

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    code_zip: Archive
    layers: Sequence[Archive] = ()
    reserved_concurrency: int | None = None
    event_retries: int = DEFAULT_EVENT_RETRIES
    event_age_seconds: float = DEFAULT_EVENT_AGE_SECONDS


def function_name(named: str) -> str:
    """The name in `name`, `name:alias`, `<account>:function:name` or an ARN, with or without a qualifier."""
    return named.rpartition("function:")[2].split(":")[0]


def command(config: FunctionConfig, files: FunctionFiles) -> list[str]:
    """The command of the process: the managed runtime, started by the function's wrapper if it has one."""
    runtime = [sys.executable, str(RUNTIME / "bootstrap.py")]
    wrapper = config.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    return [files.locate(wrapper), *runtime] if wrapper else runtime


def process_environment(config: FunctionConfig, files: FunctionFiles, runtime_api: str) -> dict[str, str]:
    """The complete environment of the process, with the paths of its files where they are on this machine."""
    region = config.arn.split(":")[3]
    return {
        **{name: files.locate(value) for name, value in config.environment.items()},
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_SESSION_TOKEN": "emulated",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": config.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{config.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "emulated",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(files.task_root),
        "LAMBDA_RUNTIME_DIR": str(RUNTIME),
        "PYTHONPATH": f"{RUNTIME}:{files.layers_root / 'python'}",
        "_HANDLER": config.handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }
