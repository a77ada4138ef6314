"""Python's client libraries, each in an environment of its own, as their documentation calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.scripts import assert_passed, run_script
from tests.e2e.deployed_cloud import Cloud

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients"), pytest.mark.timeout(900)]

FOLDER = Path(__file__).with_name("python")
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "checks")


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_works_as_documented(script: str, cloud: Cloud) -> None:
    # uv reads the packages of a script from its first lines, and keeps the environment for the next run.
    assert_passed(run_script(cloud, "uv", "run", "--quiet", "--no-project", "--script", str(FOLDER / f"{script}.py")))
