"""Counting a model's parameters by its config.json, compared with the catalogue and with published counts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.planning.models.config_json import Published, facts_from_config
from constructs_lib.planning.models.facts import known_model, known_models

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
}

MORE = {
    124_439_808: {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024}
    | {"vocab_size": 50257},
    6_050_882_784: {"model_type": "gptj", "n_embd": 4096, "n_layer": 28, "n_head": 16, "vocab_size": 50400},
    2_779_683_840: {"model_type": "phi", "hidden_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 32}
    | {"intermediate_size": 10240, "vocab_size": 51200, "max_position_embeddings": 2048},
    6_649_286_656: {"model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32, "vocab_size": 50432},
    3_030_371_328: {"model_type": "starcoder2", "hidden_size": 3072, "num_hidden_layers": 30, "num_attention_heads": 24}
    | {"num_key_value_heads": 2, "intermediate_size": 12288, "vocab_size": 49152, "max_position_embeddings": 16384},
    34_980_831_232: {"model_type": "cohere", "hidden_size": 8192, "num_hidden_layers": 40, "num_attention_heads": 64}
    | {"intermediate_size": 22528, "vocab_size": 256000, "max_position_embeddings": 8192},
}


def test_there_is_a_config_for_each_row_of_the_catalogue():
    rows = {facts.hub_id for facts in known_models()}
    assert rows >= CONFIGS.keys()
    assert len(CONFIGS) == 54


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_the_parameters_are_within_one_percent_of_the_catalogue(hub_id):
    counted, known = facts_from_config(hub_id, CONFIGS[hub_id]), known_model(hub_id)
    assert counted.parameters == pytest.approx(known.parameters, rel=0.01)


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_the_shape_and_the_implementation_are_those_of_the_catalogue(hub_id):
    counted, known = facts_from_config(hub_id, CONFIGS[hub_id]), known_model(hub_id)
    elsewhere = ("parameters", "licence", "gating", "source", "date")
    assert replace(counted, **{name: getattr(known, name) for name in elsewhere}) == known


@pytest.mark.parametrize("hub_id", CONFIGS)
def test_the_keys_and_values_of_a_token_are_as_large_as_those_of_the_catalogue(hub_id):
    counted, known = facts_from_config(hub_id, CONFIGS[hub_id]), known_model(hub_id)
    assert (
        2 * counted.layers * counted.kv_heads * counted.head_dim == 2 * known.layers * known.kv_heads * known.head_dim
    )


@pytest.mark.parametrize(("hub_id", "parameters"), EXACT.items())
def test_counts_equal_the_published_ones(hub_id, parameters):
    assert facts_from_config(hub_id, CONFIGS[hub_id]).parameters == parameters


@pytest.mark.parametrize(
    ("parameters", "config"), MORE.items(), ids=lambda one: one.get("model_type", "") if isinstance(one, dict) else ""
)
def test_architectures_outside_of_the_catalogue_are_counted_exactly(parameters, config):
    assert facts_from_config("some/model", config).parameters == parameters


def test_what_is_published_besides_the_config_is_kept():
    published = Published(
        weight_bytes=16_060_522_496, licence="llama3.1", gating="yes", source="a test", date="2026-01-02"
    )
    facts = facts_from_config("me/llama", CONFIGS["meta-llama/Llama-3.1-8B-Instruct"], published)
    assert (facts.licence, facts.gating, facts.source, facts.date) == ("llama3.1", "yes", "a test", "2026-01-02")
    assert facts.checkpoint_bytes == 16_060_522_496
