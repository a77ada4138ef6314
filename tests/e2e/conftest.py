"""A deployed cloud for all end-to-end tests, started once with `serve`."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.e2e.deployed_cloud import Cloud, Serve, processes_of, wait_until_nothing_is_left


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    serve = Serve(tmp_path_factory.mktemp("serve") / "log")
    try:
        yield Cloud.of(serve)
        assert len(processes_of(serve.process.pid)) > 1
        assert "Runtime API violation" not in serve.log()
    finally:
        # Even after SIGKILL no container or sandbox may be left.
        serve.end(signal.SIGKILL)
    wait_until_nothing_is_left(serve.process.pid)


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").clear_faults()
