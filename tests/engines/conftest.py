"""A real server of each version behind a deployed front door, and the report of what has passed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed_cloud import Cloud, Serve
from tests.engines.engine import Engine
from tests.engines.images import entrypoint
from tests.engines.installation import VERSIONS
from tests.engines.report import Report
from tests.engines.server import VllmServer
from tests.engines.stack import container_environment

FOLDER = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Report(), "engines-report")


@pytest.fixture(scope="session", params=VERSIONS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    version = request.param
    server = VllmServer(version, container_environment(version), entrypoint(version))
    try:
        server.wait_until_ready()
        log = tmp_path_factory.mktemp("serve") / "log"
        app = str(FOLDER / "app")
        serve = Serve(log, "--app", app, "--context", f"vllm={version}", "--container-url", server.url)
        try:
            yield Engine(version, server, Cloud.of(serve))
        finally:
            serve.end(signal.SIGKILL)
    finally:
        server.kill()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that the emulated SageMaker knows, for a front door in this process."""
    for name, value in (("ACCESS_KEY_ID", "AKIDEXAMPLE"), ("SECRET_ACCESS_KEY", "secret"), ("SESSION_TOKEN", "token")):
        monkeypatch.setenv(f"AWS_{name}", value)
