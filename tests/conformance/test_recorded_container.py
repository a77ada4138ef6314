"""The built-in model container answers as TGI 3.3.6 was recorded to answer, but for the values of the model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.model_container.launcher import read_settings
from local.model_container.server import create_app
from tests.conformance.answers import compact
from tests.conformance.exchanges import ALL, EXCHANGES, Exchange
from tests.conformance.record import record
from tests.local.model_container.servers import Servers

# How the recorded TGI was started. It had no access to the Hub, so that its model's task was unknown.
ENVIRONMENT = {
    "HF_MODEL_ID": "tiny/llama",
    "HF_HUB_OFFLINE": "1",
    "MAX_INPUT_TOKENS": "12288",
    "MAX_TOTAL_TOKENS": "16384",
    "MAX_CLIENT_BATCH_SIZE": "4",
    "ENABLE_PREFILL_LOGPROBS": "true",
    "TOY_TOKENS_PER_SECOND": "0",
}


def environment(tool: str | None) -> dict[str, str]:
    return ENVIRONMENT if tool is None else {**ENVIRONMENT, "TOY_TOOL": tool}


@pytest.fixture(scope="module")
def containers() -> Iterator[dict[str | None, str]]:
    """The URL of a container for each tool that the recorded model called."""
    with Servers() as servers:
        tools = {exchange.tool for exchange in ALL}
        yield {tool: servers.serve(create_app(read_settings(environment(tool)))) for tool in tools}


@pytest.mark.parametrize("exchange", ALL, ids=lambda exchange: exchange.name)
def test_the_container_answers_as_tgi(containers: dict[str | None, str], exchange: Exchange) -> None:
    found, expected = exchange.reduced(exchange.send(containers[exchange.tool])), exchange.expected()
    assert found == expected
    assert compact(found["body"]) == compact(expected["body"]), "the order of the members"


@pytest.mark.parametrize("file", ["service", "compat_generate", "generate_stream", "invocations"])
def test_what_is_recorded_again_is_the_same(containers: dict[str | None, str], tmp_path: Path, file: str) -> None:
    record(containers[None], [file], tmp_path)
    again = [Exchange(**each) for each in json.loads((tmp_path / f"{file}.json").read_text(encoding="utf-8"))]
    assert [each.request for each in again] == [each.request for each in EXCHANGES[file]]
    assert [each.expected() for each in again] == [each.expected() for each in EXCHANGES[file]]
