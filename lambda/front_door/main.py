"""The entry point of a streaming function: started by `bootstrap`, instead of the managed runtime.

It runs as `__main__`, so it defines nothing that another module could import a second time.
"""

import os
import sys
from collections.abc import Callable
from typing import Any


def _search_path() -> list[str]:
    """The managed runtime's order: the function, its layers, then the interpreter's packages with botocore.

    Python has put this file's folder first, with links resolved: from there each module of the package would have a
    second name, and `http` would hide Python's own.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layers = [f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    runtime = os.environ.get("LAMBDA_RUNTIME_DIR", "/var/runtime")
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib costs a millisecond here
    others = [entry for entry in sys.path if entry not in (here, os.path.realpath(here), runtime)]
    return [os.environ["LAMBDA_TASK_ROOT"], *layers, *others, runtime]


def _load() -> Callable[..., Any]:
    from front_door import app, config

    return app.App(config.from_environment(os.environ)).handle


if __name__ == "__main__":
    sys.path[:] = _search_path()
    from front_door.lambda_runtime import loop

    loop.start(_load)
