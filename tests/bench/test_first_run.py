"""`python -m bench.first_run`: a fresh clone, and nothing of the user's in its environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def first_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.first_run", *arguments]
    environment = {**os.environ, "UV_LINK_MODE": "copy", "NODE_OPTIONS": "--no-warnings"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_runs_in_a_fresh_clone_with_empty_caches() -> None:
    done = first_run("--", "sh", "-c", "ls -A; env; ls $UV_CACHE_DIR; exit 7")
    assert done.returncode == 7
    lines = [line[8:] for line in done.stdout.splitlines()]
    assert "Makefile" in lines
    assert not {".venv", "node_modules", ".cache"} & set(lines)
    names = {line.split("=")[0] for line in lines if "=" in line}
    assert {"UV_CACHE_DIR", "npm_config_cache"} <= names
    assert not {"UV_LINK_MODE", "NODE_OPTIONS", "VIRTUAL_ENV"} & names


def test_it_says_the_time_and_the_load() -> None:
    line = first_run("--", "sh", "-c", "echo one").stdout.splitlines()[-1]
    assert re.match(r"\d+\.\d s; \d+\.\d s of processor time .* MB on disk; \d+ processors, load \d+\.\d before", line)
