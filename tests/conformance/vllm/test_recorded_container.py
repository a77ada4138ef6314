"""The model container for OpenAI's protocol answers as vLLM 0.32 was recorded to answer, but for the model's values."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.model_container.openai.server import create_app
from local.model_container.openai.vllm_arguments import read_settings
from tests.conformance.vllm.answers import compact
from tests.conformance.vllm.exchanges import ALL, EXCHANGES, FILES, Exchange
from tests.local.model_container.servers import Servers

# The exchanges load and unload adapters, so that their order counts.
pytestmark = pytest.mark.xdist_group("recorded_vllm")

FOLDER = "/tmp/tiny/llama"
# The recorded vLLM had its model and adapters in folders, whose paths its errors do not have. Its stop strings are no
# part of what the toy says.
NAMES = {
    "tiny/llama": FOLDER,
    "adapters/": "/tmp/adapters/",
    '"stop": [" text"]': '"stop": [" toy"]',
    '"stop": " text"': '"stop": " toy"',
    '"stop": ["ex"]': '"stop": ["oy"]',
    '"stop_reason":" text"': '"stop_reason":" toy"',
    '"stop_reason":"ex"': '"stop_reason":"oy"',
}
_COMMON = {"SM_VLLM_MODEL": FOLDER, "SM_VLLM_MAX_MODEL_LEN": "2048", "TOY_TOKENS_PER_SECOND": "0", "TOY_TOOL": ""}
ENVIRONMENTS = {
    "plain": {"SM_VLLM_DTYPE": "float32"},
    "adapters_and_tools": {
        "SM_VLLM_SERVED_MODEL_NAME": '["tgi", "base"]',
        "SM_VLLM_ENABLE_LORA": "true",
        "SM_VLLM_MAX_LORAS": "2",
        "SM_VLLM_MAX_LORA_RANK": "8",
        "SM_VLLM_LORA_MODULES": '["ad1=/tmp/adapters/lora1"]',
        "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
        "SM_VLLM_TOOL_CALL_PARSER": "hermes",
        "SM_VLLM_MIDDLEWARE": "sagemaker_serve.SageMakerRouteMiddleware",
        "SM_VLLM_TRUST_REQUEST_CHAT_TEMPLATE": "true",
        "SM_VLLM_ENABLE_PROMPT_TOKENS_DETAILS": "true",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "true",
    },
    "defaults_and_key": {
        "SM_VLLM_SERVED_MODEL_NAME": "tgi",
        "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
        "SM_VLLM_TOOL_CALL_PARSER": "hermes",
        "SM_VLLM_MIDDLEWARE": "sagemaker_serve.SageMakerRouteMiddleware",
        "SM_VLLM_LOGPROBS_MODE": "processed_logprobs",
        "SM_VLLM_API_KEY": "sk1",
        "SM_VLLM_MAX_NUM_SEQS": "2",
        "SAGEMAKER_ENABLE_STATEFUL_SESSIONS": "true",
    },
    "dead": {"TOY_FAIL_AFTER_TOKENS": "0"},
}
DIFFERENCES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("differences.json").read_text(encoding="utf-8"))
LISTED = {(file, name): entry for entry in DIFFERENCES for file, names in entry["exchanges"].items() for name in names}


@pytest.fixture(scope="module")
def containers() -> Iterator[dict[str, str]]:
    """The URL of a container for each server that was recorded."""
    with Servers() as servers:
        yield {
            file: servers.serve(create_app(read_settings({**_COMMON, **ENVIRONMENTS[file]}, version="0.32.0")))
            for file in FILES
        }


@pytest.mark.parametrize(("file", "exchange"), ALL, ids=[f"{file}: {exchange.name}" for file, exchange in ALL])
def test_the_container_answers_as_vllm(containers: dict[str, str], file: str, exchange: Exchange) -> None:
    found, expected = exchange.send(containers[file], NAMES), exchange.answer
    differing = sorted(part for part in expected if compact(found[part]) != compact(expected[part]))
    entry = LISTED.get((file, exchange.name))
    if entry is None:
        assert found == expected
        assert differing == [], "the order of the members"
    else:
        assert differing == sorted(entry["differs"]), f"differences.json says what differs: {entry['difference']}"


def test_the_differences_are_of_recorded_exchanges_and_few() -> None:
    assert LISTED.keys() <= {(file, exchange.name) for file, exchange in ALL}
    listed = sum(len(names) for entry in DIFFERENCES for names in entry["exchanges"].values())
    assert listed == len(LISTED), "no exchange is listed twice"
    assert {file: len(exchanges) for file, exchanges in EXCHANGES.items()} == {
        "plain": 258,
        "adapters_and_tools": 74,
        "defaults_and_key": 21,
        "dead": 6,
    }
