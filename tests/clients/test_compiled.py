"""OpenAI's clients for Go and Java and a client for Rust, as their documentation calls them; with ALL=1 only."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.clients.scripts import INSTALLED, assert_passed, run_script
from tests.e2e.deployed_cloud import Cloud

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("clients"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(not os.environ.get("ALL"), reason="with ALL=1: needs the toolchains of Go, Java and Rust"),
]

FOLDER = Path(__file__).with_name("compiled")
COMMANDS = {
    "go": ("go", "run", "."),
    "java": ("mvn", "--quiet", "--batch-mode", "compile", "exec:java"),
    "rust": ("cargo", "run", "--quiet", "--locked"),
}
TOOLCHAINS = {
    "go": "Go 1.26 or newer (go.dev/dl)",
    "java": "Maven and a JDK of version 17 or newer (Debian: apt-get install maven)",
    "rust": "Rust with Cargo (rustup.rs)",
}


@pytest.mark.parametrize("language", COMMANDS)
def test_it_works_as_documented(language: str, cloud: Cloud) -> None:
    command = COMMANDS[language]
    assert shutil.which(command[0]), f"{command[0]} is not installed: install {TOOLCHAINS[language]}"
    # What is built stays below .cache.
    folder = INSTALLED / language
    shutil.copytree(FOLDER / language, folder, dirs_exist_ok=True)
    assert_passed(run_script(cloud, FOLDER / language, *command, cwd=folder))
