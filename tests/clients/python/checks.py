"""What every client script has in common: where the front door is, and how the script reports what worked.

A script calls its library as the library's documentation does; only the base URL, the key and the name of the model
are this front door's. It prints one line of JSON, and exits with 1 if a check failed.
"""

import importlib.metadata
import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

URL = os.environ["FRONT_DOOR_URL"]
OPENAI_URL = f"{URL}/v1"
KEY = os.environ["FRONT_DOOR_KEY"]
MODEL = "llama"
PROMPT = "What is the weather in Paris?"
"""The model of the emulated cloud calls a function whose name is in the prompt."""
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def run(*packages: str, **checks: Callable[[], object]) -> None:
    """Run some checks and report them.

    Args:
        packages: The packages whose versions are reported.
        checks: What is checked, by name; a check fails if it raises.
    """
    results = {name: _outcome(check) for name, check in checks.items()}
    versions = {package: importlib.metadata.version(package) for package in packages}
    sys.stdout.write(json.dumps({"versions": versions, "checks": results}) + "\n")
    sys.exit(any(results.values()))


def raised(kind: type[Exception], call: Callable[[], object]) -> Any:
    """What a call raises; fails if that is of another kind, or nothing."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def _outcome(check: Callable[[], object]) -> str:
    """Empty if the check passed, else what it raised."""
    try:
        check()
    except Exception:  # noqa: BLE001 - reported
        return traceback.format_exc(limit=-3)
    return ""
