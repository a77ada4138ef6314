"""The container of TGI for Neuron: which environments start it, and what it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local.model_container.neuron import read_neuron_settings
from local.model_container.tgi.options import LaunchError
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import EXPORTED, planned
from tests.local.model_container.servers import Response, post

if TYPE_CHECKING:
    from tests.local.model_container.servers import Servers

MODEL = {"MODEL_ID": "meta-llama/Llama-3.1-8B-Instruct"}
LIMITS = ("max_input_tokens", "max_total_tokens", "max_best_of", "max_top_n_tokens", "max_stop_sequences")


def launch_error(**environment: str) -> str:
    with pytest.raises(LaunchError) as caught:
        read_neuron_settings({**MODEL, **environment})
    return str(caught.value)


def generate(url: str, parameters: dict[str, Any]) -> Response:
    return post(f"{url}/generate", {"inputs": "Hello", "parameters": parameters})


@pytest.mark.parametrize("changes", [{}, {"model": EXPORTED, "network_isolation": True}])
def test_it_starts_with_what_a_plan_renders_and_has_the_limits_that_the_plan_names(changes: dict[str, Any]) -> None:
    found = planned(**changes)
    settings = read_neuron_settings(found.environment)
    assert settings.model_id == found.environment["MODEL_ID"]
    assert settings.payload_limit == found.max_body_bytes
    assert [getattr(settings, name) for name in LIMITS] == [getattr(found.serving, name) for name in LIMITS]
    assert (settings.disable_grammar_support, settings.is_neuron) == (True, True)


def test_without_sizes_it_takes_those_of_an_entry_and_half_of_them_for_the_prompt() -> None:
    settings = read_neuron_settings(MODEL)
    assert (settings.max_input_tokens, settings.max_total_tokens) == (2048, 4096)


@pytest.mark.parametrize(
    ("environment", "error"),
    [
        ({"MODEL_ID": "", "HF_MODEL_ID": "a/b"}, "Exception: No model id provided !"),
        ({"QUANTIZE": "awq"}, "No such option: --quantize\nShard 0 failed to start"),
        ({"KV_CACHE_DTYPE": "fp8_e5m2"}, "No such option: --kv-cache-dtype\nShard 0 failed to start"),
        ({"NUM_SHARD": "2"}, "ValueError: Sharding is not supported."),
        ({"MAX_INPUT_TOKENS": "4096"}, 'Error: ArgumentValidation("`max_input_tokens`(4096) must be <'),
        (
            {"MAX_BATCH_PREFILL_TOKENS": "9"},
            'Error: ArgumentValidation("`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: 9 and 2048")',
        ),
    ],
)
def test_environments_that_end_its_start(environment: dict[str, str], error: str) -> None:
    assert launch_error(**environment).startswith(error)


def test_gpus_are_not_its_business() -> None:
    assert read_neuron_settings({**MODEL, "SM_NUM_GPUS": "4"}).model_id == MODEL["MODEL_ID"]


def test_log_probabilities_are_0_and_prompts_have_none(servers: Servers) -> None:
    url = servers.container(is_neuron=True, max_top_n_tokens=0, max_best_of=1)
    parameters = {"max_new_tokens": 5, "details": True, "decoder_input_details": True}
    details = generate(url, parameters).json["details"]
    assert details["prefill"] == []
    assert {token["logprob"] for token in details["tokens"]} == {0.0}


def test_what_the_server_would_ignore_is_refused_by_the_router_of_a_planned_container(servers: Servers) -> None:
    url = servers.container(is_neuron=True, disable_grammar_support=True, max_top_n_tokens=0, max_best_of=1)
    for parameters, error in (
        ({"grammar": {"type": "regex", "value": "a"}}, "grammar is not supported"),
        ({"top_n_tokens": 1}, "`top_n_tokens` must be >= 0 and <= 0. Given: 1"),
        ({"best_of": 2, "do_sample": True}, "`best_of` != 1 is not allowed for this endpoint"),
    ):
        found = generate(url, parameters)
        assert (found.status, found.json["error"]) == (422, f"Input validation error: {error}")


def test_a_grammar_is_ignored_where_it_is_not_refused(servers: Servers) -> None:
    url = servers.container(is_neuron=True)
    found = generate(url, {"grammar": {"type": "regex", "value": "a{3}"}})
    assert found.status == 200
    assert found.json["generated_text"] != "aaa"


def test_the_program_says_why_it_does_not_start() -> None:
    command = [sys.executable, "-m", "local.model_container.neuron", "--port", "0"]
    environment = {**os.environ, **MODEL, "QUANTIZE": "awq"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("No such option: --quantize")
