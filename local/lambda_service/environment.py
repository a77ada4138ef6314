"""How Lambda starts a function: the command and the environment, with nothing in it that Lambda would not set.

Source: "Defined runtime environment variables", https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK_ROOT = "/var/task"
# What the functions sign their calls with; a service of the emulated cloud may hold the signatures against them.
ACCESS_KEY_ID = "AKIDEXAMPLE"
SECRET_ACCESS_KEY = "emulated"  # noqa: S105 - opens nothing
RUNTIME = Path(__file__).parent / "managed_runtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfig:
    """A function as it was deployed.

    Args:
        name: The function's name.
        arn: Its ARN; its Region is the one that the function believes to run in.
        handler: Module and function for the managed runtime.
        environment: The function's own variables.
        timeout_seconds: How long one invocation may take.
        memory_mb: Told to the function; the process is not held to it.
        code_zip: The deployed archive, or where it is.
        reserved_concurrency: How many of its invocations may run at once; None: it shares with all others.
    """

    name: str
    arn: str
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int
    code_zip: bytes | Path
    reserved_concurrency: int | None = None


def command(config: FunctionConfig, task_root: Path) -> list[str]:
    """What the process is started with: the managed runtime, through the function's wrapper where it has one."""
    runtime = [sys.executable, str(RUNTIME / "bootstrap.py")]
    wrapper = config.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    return [_moved(wrapper, task_root), *runtime] if wrapper else runtime


def process_environment(config: FunctionConfig, task_root: Path, runtime_api: str) -> dict[str, str]:
    """The whole environment of the process."""
    region = config.arn.split(":")[3]
    own = {name: _moved(value, task_root) if _is_path(value) else value for name, value in config.environment.items()}
    return {
        **own,
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
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(RUNTIME),
        "PYTHONPATH": str(RUNTIME),
        "_HANDLER": config.handler,
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    }


def _is_path(value: str) -> bool:
    return value == TASK_ROOT or value.startswith(f"{TASK_ROOT}/")


def _moved(path: str, task_root: Path) -> str:
    return f"{task_root}{path[len(TASK_ROOT) :]}" if _is_path(path) else path
