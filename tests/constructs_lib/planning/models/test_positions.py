"""The longest context that a config.json names, and what is left of it without stretching."""

import json
from pathlib import Path

import pytest

from constructs_lib.planning.models.config_json import Published, facts_from_config

CONFIGS = json.loads(Path(__file__).with_name("configs.json").read_text())
LLAMA = CONFIGS["meta-llama/Llama-2-7b-hf"]
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}


def contexts(changes, config=LLAMA):
    facts = facts_from_config("me/model", config | changes)
    return (facts.max_positions, facts.trained_positions)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (4096, None)),
        ({"rope_scaling": {"type": "linear", "factor": 8.0}}, (32768, 4096)),
        ({"rope_scaling": {"type": "dynamic", "factor": 2}}, (8192, 4096)),
        ({"rope_scaling": {"rope_type": "default"}}, (4096, None)),
        ({"rope_scaling": {"type": "linear"}}, (4096, None)),
        ({"rope_scaling": {"type": "linear", "factor": 1.0}}, (4096, None)),
        ({"max_position_embeddings": 32768, "rope_scaling": YARN}, (131072, 32768)),
        ({"max_position_embeddings": 131072, "rope_scaling": YARN}, (131072, None)),
        ({"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, (131072, None)),
        ({"max_position_embeddings": 131072, "rope_scaling": {"type": "longrope"}}, (131072, None)),
        ({"max_position_embeddings": 8192, "model_max_length": 131072}, (131072, 8192)),
        ({"max_position_embeddings": 8192, "model_max_length": 2048}, (8192, None)),
        ({"model_max_length": 10**30}, (4096, None)),
        ({"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}, (8192, 4096)),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, (4096, None)),
        (
            {
                "rope_parameters": {
                    "full_attention": {"rope_type": "linear", "factor": 2.0},
                    "sliding_attention": {"rope_type": "default"},
                }
            },
            (8192, 4096),
        ),
    ],
)
def test_stretched_positions_and_a_longer_model_max_length_count(changes, expected):
    assert contexts(changes) == expected


def test_gemma_3_counts_its_stretch_already():
    assert contexts({}, CONFIGS["google/gemma-3-27b-it"]) == (131072, None)


def test_remote_code_may_name_a_model_max_length_only():
    baichuan = {"model_type": "baichuan", "hidden_size": 5120, "num_hidden_layers": 40, "num_attention_heads": 40}
    baichuan |= {
        "vocab_size": 125696,
        "model_max_length": 4096,
        "intermediate_size": 13696,
        "auto_map": {"AutoConfig": "c"},
    }
    facts = facts_from_config("me/baichuan", baichuan, Published(weight_bytes=55_000_000_000))
    assert (facts.max_positions, facts.auto_map) == (4096, True)


@pytest.mark.parametrize(
    ("hub_id", "changes", "window"),
    [
        ("mistralai/Mistral-7B-Instruct-v0.3", {}, None),
        ("mistralai/Mistral-7B-Instruct-v0.3", {"sliding_window": 4096}, 4096),
        ("Qwen/Qwen2.5-7B-Instruct", {"sliding_window": 131072, "use_sliding_window": False}, 131072),
        ("Qwen/Qwen3-8B", {}, None),
        ("google/gemma-2-9b-it", {}, 4096),
        ("meta-llama/Llama-2-7b-hf", {"sliding_window": -1}, None),
        ("meta-llama/Llama-2-7b-hf", {}, None),
    ],
)
def test_the_sliding_window_is_read(hub_id, changes, window):
    assert facts_from_config("me/model", CONFIGS[hub_id] | changes).sliding_window == window


def test_a_window_that_is_left_out_is_that_of_the_class_and_null_is_none():
    left_out = {
        name: value for name, value in CONFIGS["mistralai/Mistral-7B-Instruct-v0.3"].items() if value is not None
    }
    assert facts_from_config("me/model", left_out).sliding_window == 4096
    assert facts_from_config("me/model", left_out | {"sliding_window": None}).sliding_window is None


LITE = {
    "model_type": "deepseek_v2",
    "hidden_size": 2048,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "n_routed_experts": 64,
    "n_shared_experts": 2,
    "num_experts_per_tok": 6,
    "first_k_dense_replace": 1,
    "kv_lora_rank": 512,
    "q_lora_rank": None,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 102400,
    "max_position_embeddings": 163840,
    "torch_dtype": "bfloat16",
    "rope_scaling": {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096},
}
R1 = LITE | {
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "q_lora_rank": 1536,
    "vocab_size": 129280,
}


def test_tgi_keeps_192_values_a_head_of_deepseek():
    facts = facts_from_config("deepseek-ai/DeepSeek-V2-Lite", LITE)
    assert (facts.head_dim, facts.cache_width, facts.kv_heads, facts.experts) == (192, 192, 16, 64)
    assert (facts.max_positions, facts.trained_positions) == (163840, None)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [(LITE, 15_706_484_224), (R1, 671_026_419_200)],
    ids=["DeepSeek-V2-Lite, by its safetensors", "DeepSeek-V3, 671 B by its paper"],
)
def test_deepseek_is_counted(config, parameters):
    assert facts_from_config("me/deepseek", config).parameters == pytest.approx(parameters, rel=1e-4)


def test_a_file_that_transformers_5_wrote_is_read_like_an_older_one():
    qwen = CONFIGS["Qwen/Qwen2.5-7B-Instruct"]
    newer = {name: value for name, value in qwen.items() if name != "torch_dtype"} | {
        "dtype": "bfloat16",
        "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        "layer_types": ["full_attention"] * 28,
    }
    assert facts_from_config("me/qwen", newer) == facts_from_config("me/qwen", qwen)
