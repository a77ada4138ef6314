"""Counting a model's parameters by its config.json, compared with the catalogue and with published counts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.models.config_json import Published, counted_parameters, facts_from_config
from constructs_lib.planning.models.facts import known_model
from constructs_lib.planning.models.shape import read_shape

CONFIGS = json.loads(Path(__file__).with_name("configs.json").read_text())

# As the hub's pages (safetensors) or the papers state them.
EXACT = {
    "bigscience/bloom": 176_247_271_424,
    "google/flan-t5-xxl": 11_135_332_352,
    "EleutherAI/gpt-neox-20b": 20_554_567_680,
    "bigcode/starcoder": 15_517_456_384,
    "tiiuae/falcon-7b": 6_921_720_704,
    "meta-llama/Llama-2-7b-hf": 6_738_415_616,
    "meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248,
    "mistralai/Mistral-7B-Instruct-v0.3": 7_248_023_552,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": 46_702_792_704,
    "Qwen/Qwen2.5-7B-Instruct": 7_615_616_512,
    "Qwen/Qwen3-30B-A3B": 30_532_122_624,
    "google/gemma-2-9b-it": 9_241_705_984,
    "google/gemma-3-4b-it": 4_300_079_472,
    "microsoft/phi-4": 14_659_507_200,
    "mistralai/Mistral-7B-v0.1": 7_241_732_096,
    "google/gemma-2b": 2_506_172_416,
    "google/gemma-7b": 8_537_680_896,
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0": 1_100_048_384,
    "codellama/CodeLlama-34b-hf": 33_743_970_304,
    "huggyllama/llama-65b": 65_285_660_672,
    "01-ai/Yi-34B": 34_388_917_248,
    "deepseek-ai/deepseek-coder-33b-instruct": 33_342_991_360,
    "HuggingFaceTB/SmolLM2-360M-Instruct": 361_821_120,
    "tiiuae/Falcon3-7B-Instruct": 7_455_550_464,
    "BSC-LT/salamandra-7b-instruct": 7_768_117_248,
    "mistralai/Mistral-Nemo-Instruct-2407": 12_247_782_400,
    "mistralai/Ministral-8B-Instruct-2410": 8_019_808_256,
    "mistralai/Mistral-Small-Instruct-2409": 22_247_282_688,
    "mistralai/Mistral-Small-24B-Instruct-2501": 23_572_403_200,
    "mistralai/Mistral-Large-Instruct-2407": 122_610_069_504,
    "Qwen/Qwen1.5-32B-Chat": 32_512_218_112,
    "Qwen/Qwen2-1.5B-Instruct": 1_543_714_304,
    "microsoft/phi-2": 2_779_683_840,
    "microsoft/Phi-3.5-mini-instruct": 3_821_079_552,
    "CohereForAI/c4ai-command-r-v01": 34_980_831_232,
    "CohereForAI/c4ai-command-r-plus": 103_810_674_688,
    "CohereForAI/c4ai-command-r-08-2024": 32_296_476_672,
    "CohereForAI/aya-23-8B": 8_028_033_024,
    "databricks/dbrx-instruct": 131_596_523_520,
    "bigcode/starcoder2-3b": 3_030_371_328,
    "bigcode/starcoder2-7b": 7_173_923_840,
    "bigcode/starcoder2-15b": 15_957_889_024,
    "ibm-granite/granite-3.1-8b-instruct": 8_170_848_256,
    "openai-community/gpt2": 124_439_808,
    "openai-community/gpt2-xl": 1_557_611_200,
    "EleutherAI/gpt-j-6b": 6_050_882_784,
    "EleutherAI/pythia-12b": 11_846_072_320,
    "facebook/opt-13b": 12_853_473_280,
    "mosaicml/mpt-7b": 6_649_286_656,
    "bigscience/bloom-3b": 3_002_557_440,
    "google/flan-t5-base": 247_577_856,
    "tiiuae/falcon-180B": 179_522_565_120,
    "tiiuae/falcon-rw-1b": 1_311_625_216,
    "deepseek-ai/DeepSeek-V2-Lite-Chat": 15_706_484_224,
}


COUNTED = [hub_id for hub_id, config in CONFIGS.items() if counted_parameters(config, read_shape(config))]


def read_facts(hub_id):
    """What the config.json says; where the layers of an architecture cannot be counted, the weights' size is given."""
    weight_bytes = None if hub_id in COUNTED else known_model(hub_id).checkpoint_bytes
    return facts_from_config(hub_id, CONFIGS[hub_id], Published(weight_bytes=weight_bytes))


def test_there_is_a_config_for_each_row_of_the_catalogue():
    assert [row["hub_id"] for row in read("models/models")["rows"]] == list(CONFIGS)


@pytest.mark.parametrize("hub_id", COUNTED)
def test_the_parameters_are_within_one_percent_of_the_catalogue(hub_id):
    counted, known = read_facts(hub_id), known_model(hub_id)
    assert counted.parameters == pytest.approx(known.parameters, rel=0.01)


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_the_shape_and_the_implementation_are_those_of_the_catalogue(hub_id):
    counted, known = read_facts(hub_id), known_model(hub_id)
    elsewhere = ("parameters", "weight_bytes", "licence", "gating", "source", "date")
    assert replace(counted, **{name: getattr(known, name) for name in elsewhere}) == known


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_the_keys_and_values_of_a_token_are_as_large_as_those_of_the_catalogue(hub_id):
    counted, known = read_facts(hub_id), known_model(hub_id)
    assert (
        2 * counted.layers * counted.kv_heads * counted.head_dim == 2 * known.layers * known.kv_heads * known.head_dim
    )


@pytest.mark.parametrize(("hub_id", "parameters"), EXACT.items())
def test_counts_equal_the_published_ones(hub_id, parameters):
    assert facts_from_config(hub_id, CONFIGS[hub_id]).parameters == parameters


def test_what_is_published_besides_the_config_is_kept():
    published = Published(
        weight_bytes=16_060_522_496, licence="llama3.1", gating="yes", source="a test", date="2026-01-02"
    )
    facts = facts_from_config("me/llama", CONFIGS["meta-llama/Llama-3.1-8B-Instruct"], published)
    assert (facts.licence, facts.gating, facts.source, facts.date) == ("llama3.1", "yes", "a test", "2026-01-02")
    assert facts.checkpoint_bytes == 16_060_522_496
