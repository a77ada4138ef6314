"""How Node, the CDK's process, is started for a synth, which takes seconds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_FLAGS = Path(__file__).with_name("node_flags.cjs")

_POOL_SIZE = "--v8-pool-size"

# Node's default, whatever the number of CPUs is. Source: Node's documentation of its command line.
_THREADS = 4


def available_cpus() -> int:
    """The number of CPUs that this process may use; 1 if the system does not tell."""
    # Not on macOS and Windows.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def add_node_options(environment: MutableMapping[str, str], cpus: int, flags: Path = _FLAGS) -> None:
    """Let Node compile little, and leave one CPU to the CDK and Python, which work in turn, while it does.

    The CDK's own validation of templates is WebAssembly, which Node compiles in the background. Call this before
    `aws_cdk` is imported, which starts Node.

    Args:
        environment: The variables that Node is started with. NODE_OPTIONS gets options; what it has already stays.
        cpus: The number of CPUs. With five or more, Node's number of threads stays as it is.
        flags: The module that sets V8's flags, which Node runs first.
    """
    given = environment.get("NODE_OPTIONS", "")
    options = [given, f"--require={_quoted(flags)}"]
    if cpus <= _THREADS and _POOL_SIZE not in given.replace("_", "-"):
        options.append(f"{_POOL_SIZE}={max(cpus - 1, 1)}")
    environment["NODE_OPTIONS"] = " ".join(options).strip()


def _quoted(path: Path) -> str:
    """A path as NODE_OPTIONS takes it, which may have spaces: in double quotes, where a backslash escapes."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
