"""Python's client libraries, each in an environment of its own, as their documentation calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installation import PythonEnvironments
from tests.clients.scripts import assert_passed, run_script, scripts_in
from tests.e2e.deployed_cloud import Cloud

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("clients"), pytest.mark.timeout(900)]

FOLDER = Path(__file__).with_name("python")


@pytest.fixture(scope="module")
def environments(request: pytest.FixtureRequest) -> Iterator[PythonEnvironments]:
    """The environments of the scripts that this run tests."""
    tests = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    made = PythonEnvironments(FOLDER / f"{test.callspec.params['script']}.py" for test in tests)
    yield made
    made.close()


@pytest.mark.parametrize("script", [path.stem for path in scripts_in(FOLDER)])
def test_it_works_as_documented(script: str, cloud: Cloud, environments: PythonEnvironments) -> None:
    path = FOLDER / f"{script}.py"
    assert_passed(run_script(cloud, path, environments.interpreter(path), path))
