"""How many threads the CDK's process, which is Node, compiles with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_OPTION = "--v8-pool-size"

# Node's default, whatever the number of CPUs is. Source: Node's documentation of its command line.
_THREADS = 4


def available_cpus() -> int:
    """The number of CPUs that this process may use; 1 if the system does not tell."""
    # Not on macOS and Windows.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limit_node_threads(environment: MutableMapping[str, str], cpus: int) -> None:
    """Leave one CPU to the CDK and Python, which work in turn, while Node compiles WebAssembly in the background.

    The CDK's own validation of templates is WebAssembly. Call this before `aws_cdk` is imported, which starts Node.

    Args:
        environment: The variables that Node is started with. NODE_OPTIONS gets an option, unless it has it already.
        cpus: The number of CPUs. With five or more nothing changes.
    """
    given = environment.get("NODE_OPTIONS", "")
    if cpus > _THREADS or _OPTION in given.replace("_", "-"):
        return
    environment["NODE_OPTIONS"] = f"{given} {_OPTION}={max(cpus - 1, 1)}".strip()
