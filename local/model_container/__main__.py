"""Runs TGI's container: `python -m local.model_container --port 0` prints `{"port": N}` once it listens."""

from __future__ import annotations

import os
import sys

from local.model_container.launcher import read_settings
from local.model_container.program import parser_of, run
from local.model_container.server import create_app


def main() -> int:
    """Runs the command; returns 1 if TGI would reject the environment."""
    arguments = parser_of("python -m local.model_container", __doc__).parse_args()
    return run(lambda: create_app(read_settings(os.environ)), arguments)


if __name__ == "__main__":
    sys.exit(main())
