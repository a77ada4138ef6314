"""The documented ways to install the library for an example: from the clone, and from a wheel in another repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.catalogue import FOLDER, ROOT, Example
from tests.examples.synthesis import synthesize, templates

pytestmark = [pytest.mark.xdist_group("example-installation"), pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLE = Example(FOLDER / "support_assistant")
REQUIRED = "../..[cli]"
WHEEL = "./wheels/tgi_endpoint_cdk-0.1.0-py3-none-any.whl[cli]"
"""As requirements.txt says it; the version is that of the wheel."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=cwd, env=clean | environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def new_environment(home: Path) -> Path:
    run(sys.executable, "-m", "venv", home, cwd=home.parent)
    return home / "bin"


def assert_synthesizes(programs: Path, app: Path, out: Path) -> None:
    """The installed library, and not this clone, gives the app the template that it has here; its command reads it."""
    where = run(programs / "python", "-c", "import constructs_lib; print(constructs_lib.__file__)", cwd=app)
    assert Path(where).is_relative_to(programs.parent)
    run(programs / "python", "app.py", cwd=app, CDK_OUTDIR=str(out / "cdk.out"))
    assert templates(out / "cdk.out") == templates(synthesize(EXAMPLE, out / "clone"))
    assert "Qwen/Qwen2.5-7B-Instruct" in run(programs / "tgi-endpoint", "summary", cwd=out)


def test_an_example_in_the_clone_installs_the_library_of_the_clone(tmp_path: Path) -> None:
    programs = new_environment(tmp_path / "venv")
    # As its README says, without compiling what the test does not import.
    run(programs / "pip", "install", "--quiet", "--no-compile", "-r", "requirements.txt", cwd=EXAMPLE.folder)
    assert_synthesizes(programs, EXAMPLE.folder, tmp_path)


def test_an_example_in_a_repository_of_its_own_installs_the_wheel_that_is_named(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(EXAMPLE.folder, app, ignore=shutil.ignore_patterns("cdk.out", ".venv", "__pycache__"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", app / "wheels", ROOT, cwd=tmp_path)
    requirements = app / "requirements.txt"
    text = requirements.read_text(encoding="utf-8")
    assert f"#   {WHEEL}\n" in text
    requirements.write_text(text.replace(f"\n{REQUIRED}\n", f"\n{WHEEL}\n"), encoding="utf-8")
    programs = new_environment(tmp_path / "venv")
    install = ["uv", "pip", "install", "--quiet", "--python", programs / "python", "-r", "requirements.txt"]
    run(*install, cwd=app)
    assert_synthesizes(programs, app, tmp_path)
