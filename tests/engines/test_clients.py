"""Client libraries, as `make test-clients` calls them, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.installation import PythonEnvironments
from tests.clients.scripts import assert_passed, run_script
from tests.engines.engine import Engine
from tests.engines.server import LOGS

SCRIPTS = Path(__file__).parents[1] / "clients" / "python"
CLIENTS = (
    *("openai_sdk", "langchain_chat_openai", "huggingface_hub_2"),
    *("openai_responses", "anthropic_messages", "huggingface_hub_0", "text_generation_client"),
    "langchain_hugging_face",
)
"""Those of OpenAI's and Anthropic's protocols, and those that speak TGI or both."""

REFUSED = {"langchain_hugging_face": {"generate": "`typical_p` is not allowed for this endpoint"}}
"""What a library asks for by itself, and vLLM does not have: tgi_differences.json lists it."""


@pytest.fixture(scope="module")
def environments() -> Iterator[PythonEnvironments]:
    made = PythonEnvironments(SCRIPTS / f"{name}.py" for name in CLIENTS)
    yield made
    made.close()


@pytest.mark.parametrize("script", CLIENTS)
def test_it_works_as_documented(engine: Engine, script: str, environments: PythonEnvironments) -> None:
    path = SCRIPTS / f"{script}.py"
    report = run_script(engine.cloud, path, environments.interpreter(path), path, reports=LOGS / engine.version)
    for check, words in REFUSED.get(script, {}).items():
        assert words in report["checks"].pop(check)
    assert_passed(report)
