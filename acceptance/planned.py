"""What the plan of the deployed endpoint says, from the command that everybody can run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def planned_memory(context: Mapping[str, str]) -> dict[str, Any]:
    """The memory of a GPU by `tgi-endpoint plan --json`.

    Args:
        context: The context values of the stacks.

    Raises:
        LookupError: There is no plan of it.
    """
    command = [sys.executable, "-m", "constructs_lib", "plan", "--json"]
    for option in ("engine", "model", "instance", "tokens"):
        command += [f"--{option}", context[f"acceptance_{option}"]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell, checked values
    try:
        (candidate,) = json.loads(ran.stdout)["candidates"]
        found: dict[str, Any] = candidate["memory"]
    except (ValueError, KeyError) as error:
        raise LookupError(f"tgi-endpoint plan: {ran.stderr.strip() or ran.stdout[:200]}") from error
    return found
