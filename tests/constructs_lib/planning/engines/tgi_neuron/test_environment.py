"""What the containers of TGI for Neuron are told, by version of the image."""

from typing import Any

import pytest

from constructs_lib.planning.engines.tgi_neuron.options import NeuronOptions
from constructs_lib.planning.models.facts import ModelChoice
from constructs_lib.planning.validation.unknown import Unknown
from tests.constructs_lib.planning.engines.tgi_neuron.neuron_requests import (
    EXPORTED,
    LLAMA,
    planned,
    refusals,
    sized,
)

REFUSES = {"DISABLE_GRAMMAR_SUPPORT": "true", "MAX_BEST_OF": "1", "MAX_TOP_N_TOKENS": "0"}
FOLDERS = {"HF_HOME": "/tmp", "HUGGINGFACE_HUB_CACHE": "/tmp"}
HUB = {"MODEL_ID": LLAMA.hub_id, "HF_MODEL_ID": LLAMA.hub_id}
SHAPE = {"HF_NUM_CORES": "2", "HF_AUTO_CAST_TYPE": "bf16", "MAX_BATCH_SIZE": "4", "MAX_TOTAL_TOKENS": "4096"}
LIMITS = {"MAX_INPUT_TOKENS": "2048", "MAX_BATCH_PREFILL_TOKENS": "8192"}
REPORTS = {"PAYLOAD_LIMIT": "6291456", "USAGE_STATS": "off"}


def test_with_all_six_sizes_the_container_asks_nobody_for_one() -> None:
    assert planned().environment == HUB | SHAPE | LIMITS | FOLDERS | REPORTS | REFUSES


def test_without_sizes_it_gets_none_and_reads_those_of_the_model() -> None:
    assert planned(options=NeuronOptions()).environment == HUB | FOLDERS | REPORTS | REFUSES


def test_an_exported_model_is_read_from_its_folder_without_the_hub() -> None:
    folder = {"MODEL_ID": "/opt/ml/model", "HF_MODEL_ID": "/opt/ml/model", "HF_HUB_OFFLINE": "1"}
    found = planned(model=EXPORTED, network_isolation=True)
    assert (found.problems, found.environment) == ((), folder | SHAPE | LIMITS | FOLDERS | REPORTS | REFUSES)


@pytest.mark.parametrize(
    ("version", "further"),
    [
        ("0.2.0", REPORTS),
        ("0.0.28", REPORTS),
        ("0.0.25", {}),
        ("0.0.23", {}),
        ("0.0.22", {"HF_BATCH_SIZE": "4", "HF_SEQUENCE_LENGTH": "4096"}),
    ],
)
def test_older_images_get_the_names_that_they_read(version: str, further: dict[str, str]) -> None:
    assert planned(version=version).environment == HUB | SHAPE | LIMITS | FOLDERS | REFUSES | further


def test_tgi_1_4_calls_the_longest_prompt_its_length() -> None:
    found = planned(version="0.0.19", options=sized(max_input_tokens=3000)).environment
    assert found["MAX_INPUT_LENGTH"] == "3000"
    assert "MAX_INPUT_TOKENS" not in found


def test_a_longest_prompt_that_follows_from_the_sizes_has_that_name_as_well() -> None:
    found = planned(version="0.0.19").environment
    assert found["MAX_INPUT_LENGTH"] == "2048"
    assert "MAX_INPUT_TOKENS" not in found


def test_both_names_of_a_revision_are_set() -> None:
    model = ModelChoice(source="hub", hub_id=LLAMA.hub_id, has_token=True, revision="abc")
    found = planned(model=model).environment
    assert (found["REVISION"], found["HF_MODEL_REVISION"]) == ("abc", "abc")


def test_the_limits_of_requests_may_be_given_without_the_sizes() -> None:
    found = planned(options=NeuronOptions(max_input_tokens=3000))
    assert found.problems == ()
    assert found.environment["MAX_INPUT_TOKENS"] == "3000"
    assert "MAX_BATCH_PREFILL_TOKENS" not in found.environment


def test_the_prefill_follows_from_the_longest_prompt() -> None:
    assert planned(options=sized(max_input_tokens=3000)).environment["MAX_BATCH_PREFILL_TOKENS"] == "12000"


def test_what_is_known_at_deployment_is_written() -> None:
    sizes: dict[str, Any] = {"max_total_tokens": Unknown("<total>"), "max_input_tokens": 3000}
    found = planned(options=sized(**sizes))
    assert (found.problems, found.memory) == ((), None)
    assert found.environment["MAX_TOTAL_TOKENS"] == "<total>"
    assert found.environment["MAX_BATCH_PREFILL_TOKENS"] == "12000"


def test_the_token_of_the_hub_has_both_names() -> None:
    assert planned().token_variables == ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        (
            "QUANTIZE",
            (
                "Neuron runs weights in half precision only, and the launcher hands it on to the server, which has no"
                " such argument and ends. Leave it out."
            ),
        ),
        (
            "LORA_ADAPTERS",
            "no adapters are loaded; merge the adapter into the weights and export the result. Leave it out.",
        ),
        (
            "SM_NUM_GPUS",
            (
                "one server uses all cores and ends if it is told to be one of several; options.num_cores says how"
                " many. Leave it out."
            ),
        ),
        ("PREFIX_CACHING", "no keys and values are kept for later requests. Leave it out."),
        ("HF_NUM_CORES", "HF_NUM_CORES is set by options.num_cores. Use options.num_cores instead."),
        ("HF_BATCH_SIZE", "HF_BATCH_SIZE is set by options.max_batch_size. Use options.max_batch_size instead."),
        (
            "API_KEY",
            (
                "makes TGI demand an Authorization header that SageMaker never forwards: every request would get 401."
                " Leave it out."
            ),
        ),
    ],
)
def test_variables_that_do_not_work_there_are_refused(variable: str, words: str) -> None:
    shown = "(not shown)" if "KEY" in variable else "'1'"
    assert refusals(environment={variable: "1"}) == [f"environment[{variable!r}]={shown}: {words}"]


def test_variables_of_the_neuron_runtime_are_passed_on() -> None:
    found = planned(environment={"NEURON_RT_LOG_LEVEL": "INFO"})
    assert found.environment["NEURON_RT_LOG_LEVEL"] == "INFO"
    assert [warning.id for warning in found.warnings] == ["tgi-endpoint:neuronCache"]
