"""Client libraries, as `make test-clients` calls them, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installation import PythonEnvironments
from tests.clients.scripts import run_script
from tests.engines.engine import Engine
from tests.engines.server import LOGS

SCRIPTS = Path(__file__).parents[1] / "clients" / "python"
NOT_YET = {"huggingface_hub_2": {"generate"}}
"""Checks that call routes of TGI's."""


@pytest.fixture(scope="module")
def environments() -> Iterator[PythonEnvironments]:
    made = PythonEnvironments(SCRIPTS / f"{name}.py" for name in ("openai_sdk", "langchain_chat_openai", *NOT_YET))
    yield made
    made.close()


@pytest.mark.parametrize("script", ["openai_sdk", "langchain_chat_openai", "huggingface_hub_2"])
def test_it_works_as_documented(engine: Engine, script: str, environments: PythonEnvironments) -> None:
    path = SCRIPTS / f"{script}.py"
    report = run_script(engine.cloud, path, environments.interpreter(path), path, reports=LOGS / engine.version)
    failed = {name: outcome for name, outcome in report["checks"].items() if outcome}
    assert set(failed) == NOT_YET.get(script, set()), "\n".join(failed.values())
    assert all("does not answer TGI's requests" in outcome for outcome in failed.values()), failed
