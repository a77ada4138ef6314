"""The built wheel, installed in an environment without this checkout."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.unpacked import asset_folder

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "support_assistant"

# One worker builds the wheel and synthesizes for all of these tests.
pytestmark = [pytest.mark.xdist_group("packaging"), pytest.mark.slow]


class Synthesized(NamedTuple):
    folder: Path
    template: dict[str, Any]
    asset_hashes: set[str]


def start(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=inherited | environment, capture_output=True, text=True
    )


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = start(*command, cwd=cwd, **environment)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def synthesize(python: Path, folder: Path, **environment: str) -> Synthesized:
    shutil.copytree(EXAMPLE, folder)
    out = folder / "cdk.out"
    run(python, "app.py", cwd=folder, CDK_OUTDIR=str(out), **environment)
    assets = json.loads((out / "SupportAssistant.assets.json").read_text())
    return Synthesized(
        folder=out,
        template=json.loads((out / "SupportAssistant.template.json").read_text()),
        asset_hashes={key for key, file in assets["files"].items() if not file["source"]["path"].endswith(".json")},
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def install(wheel: Path, home: Path) -> Path:
    """Create an environment with the wheel and no dependencies.

    Returns:
        Its interpreter.
    """
    venv.create(home, with_pip=False)
    interpreter = home / "bin" / "python"
    command = ["-m", "pip", "--python", interpreter, "install", "--quiet", "--no-deps", "--no-index", wheel]
    run(sys.executable, *command, cwd=home)
    return interpreter


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, and with the dependencies of the running one through a .pth file."""
    home = tmp_path_factory.mktemp("team") / "venv"
    interpreter = install(wheel, home)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return interpreter


@pytest.fixture(scope="module")
def python_without_dependencies(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(wheel, tmp_path_factory.mktemp("bare") / "venv")


@pytest.fixture(scope="module")
def installed(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(python, tmp_path_factory.mktemp("elsewhere") / "app")


@pytest.fixture(scope="module")
def checked_out(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(Path(sys.executable), tmp_path_factory.mktemp("checkout") / "app", PYTHONPATH=str(ROOT))


def test_the_wheel_contains_the_library_with_its_catalogues_and_the_lambda_source_only(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for required in (
        "constructs_lib/__init__.py",
        "constructs_lib/py.typed",
        "constructs_lib/planning/images/images.json",
        "constructs_lib/_lambda/front_door/main.py",
        "constructs_lib/_lambda/front_door/bootstrap",
        "constructs_lib/_lambda/api_key_authorizer/__init__.py",
        "constructs_lib/_lambda/jwt_authorizer/__init__.py",
        "constructs_lib/_lambda/weights_copier/__main__.py",
        "constructs_lib/_lambda/playground/page.html",
        "constructs_lib/_lambda/playground/vendor/markdown-it/markdown-it.umd.min.js",
        "constructs_lib/_lambda/playground/vendor/markdown-it/licenses/markdown-it.txt",
    ):
        assert required in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"constructs_lib"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_installed_command_line_finds_the_copier_of_weights(python: Path, tmp_path: Path) -> None:
    done = start(python, "-m", "constructs_lib", "stage", "team/llama", "--revision", "main", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --revision 'main': is not a commit, ")
    assert "HF_ENDPOINT" not in done.stderr


def test_another_teams_app_imports_the_installed_library_not_this_checkout(python: Path, tmp_path: Path) -> None:
    where = run(python, "-c", "import constructs_lib; print(constructs_lib.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(python.parent.parent)


def test_another_teams_app_synthesizes_an_endpoint_and_a_front_door(installed: Synthesized) -> None:
    types = [resource["Type"] for resource in installed.template["Resources"].values()]
    assert types.count("AWS::SageMaker::Endpoint") == 1
    assert types.count("AWS::ApiGateway::RestApi") == 1


def test_the_wheel_and_the_checkout_give_the_same_functions_and_template(
    installed: Synthesized, checked_out: Synthesized
) -> None:
    assert len(installed.asset_hashes) == 3  # the front door, what it knows of its models, and its authorizer
    assert installed.asset_hashes == checked_out.asset_hashes
    assert installed.template == checked_out.template


def test_an_asset_contains_its_functions_folder_only_and_no_compiled_files(installed: Synthesized) -> None:
    for asset in installed.asset_hashes:
        root = asset_folder(installed.folder, asset)
        (folder,) = root.iterdir()
        assert folder.name in {"front_door", "api_key_authorizer"}
        assert not [file for file in root.rglob("*") if file.suffix == ".pyc" or file.name == "__pycache__"]


def test_the_wrapper_from_the_wheel_is_executable(installed: Synthesized) -> None:
    folders = [asset_folder(installed.folder, asset) for asset in installed.asset_hashes]
    (wrapper,) = [file for folder in folders for file in folder.glob("front_door/bootstrap")]
    assert wrapper.stat().st_mode & stat.S_IXUSR
    assert wrapper.read_bytes().startswith(b"#!/bin/sh\n")


def test_the_wheel_installs_the_command_tgi_endpoint(python: Path, tmp_path: Path) -> None:
    command = python.with_name("tgi-endpoint")
    help_text = run(command, "--help", cwd=tmp_path)
    assert help_text.startswith("usage: tgi-endpoint [-h] COMMAND ...")
    assert "\n  tgi-endpoint plan --model " in help_text
    plan = run(command, "plan", "--model", "tiiuae/falcon-7b", "--instance", "ml.g5.xlarge", cwd=tmp_path)
    assert "It fits: ml.g5.xlarge" in plan


def test_a_usage_error_names_the_command_as_it_was_started(python: Path, tmp_path: Path) -> None:
    for command, prog in (
        ([python.with_name("tgi-endpoint")], "tgi-endpoint"),
        ([python, "-m", "constructs_lib"], "python -m constructs_lib"),
    ):
        done = start(*command, "plan", cwd=tmp_path)
        assert done.returncode == 2
        assert f"\nusage: {prog} plan [-h]" in done.stderr


def test_the_command_without_rich_says_in_one_line_what_to_install(
    python_without_dependencies: Path, tmp_path: Path
) -> None:
    for arguments in (["--help"], ["plan", "--model", "tiiuae/falcon-7b"]):
        done = start(python_without_dependencies.with_name("tgi-endpoint"), *arguments, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "error: the command line requires rich: pip install 'tgi-endpoint-cdk[cli]'\n"


def test_the_wheel_declares_rich_in_its_extras_cli_and_aws(wheel: Path) -> None:
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA"))
    lines = zipfile.ZipFile(wheel).read(metadata).decode().splitlines()
    assert {"Provides-Extra: cli", "Provides-Extra: aws"} <= set(lines)
    assert [line for line in lines if line.startswith("Requires-Dist: rich")] == [
        f"Requires-Dist: rich<15,>=14.3.4; extra == '{extra}'" for extra in ("aws", "cli")
    ]
