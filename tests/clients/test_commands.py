"""Coding agents of a terminal, which finish turns without one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.clients.installation import install_npm
from tests.clients.scripts import INSTALLED, assert_passed, run_script, scripts_in
from tests.e2e.deployed_cloud import Cloud

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients"), pytest.mark.timeout(900)]

FOLDER = Path(__file__).with_name("commands")
# What the scripts of libraries import too.
SHARED = (FOLDER.with_name("javascript") / "checks.mjs", FOLDER.with_name("browser") / "expect.mjs")


@pytest.fixture(scope="module")
def installed() -> Path:
    """A folder with the packages and the scripts."""
    folder = INSTALLED / "commands"
    install_npm(FOLDER, folder)
    for path in (*FOLDER.glob("*.mjs"), *SHARED):
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize("script", [path.stem for path in scripts_in(FOLDER)])
def test_it_finishes_turns(script: str, cloud: Cloud, installed: Path) -> None:
    node = Path(sys.executable).with_name("node")
    path = FOLDER / f"{script}.mjs"
    assert_passed(run_script(cloud, path, node, installed / path.name))
