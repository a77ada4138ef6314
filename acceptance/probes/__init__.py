"""The probes, in the order in which they run: what changes the deployment comes last.

Never are there more than two instances: the stack that goes to zero comes after the updates.
"""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "end_to_end",
    "gateway",
    "keys",
    "function",
    "sagemaker",
    "permissions",
    "metrics",
    "time_limits",
    "updates",
    "scale_to_zero",
)


def load() -> None:
    """Imports the modules, which declares their probes."""
    for name in MODULES:
        import_module(f"{__name__}.{name}")
