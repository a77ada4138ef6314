"""What a config.json must contain, and what decides if it and the weights disagree."""

import json
from pathlib import Path

import pytest

from constructs_lib.planning.models.config_json import ConfigJsonError, Published, facts_from_config

CONFIGS = json.loads(Path(__file__).with_name("configs.json").read_text())
LLAMA = CONFIGS["meta-llama/Llama-3.1-8B-Instruct"]


def refusal(config, **published):
    with pytest.raises(ConfigJsonError) as caught:
        facts_from_config("me/model", config, Published(**published))
    return str(caught.value)


def test_everything_that_is_missing_is_named_at_once():
    words = refusal({"model_type": "llama"})
    for name in ("num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size"):
        assert f"{name}=None: is missing" in words
    assert "(or n_layer, n_layers, num_layers)" in words


@pytest.mark.parametrize("value", [0, -1, "32", 2.5, True, 10**12, [32]])
def test_an_invalid_number_of_layers_is_rejected(value):
    assert "num_hidden_layers=" in refusal(LLAMA | {"num_hidden_layers": value})
    assert "must be a whole number above 0" in refusal(LLAMA | {"num_hidden_layers": value})


@pytest.mark.parametrize("config", [{}, {"model_type": None}, {"model_type": 7}])
def test_a_config_without_an_architecture_is_refused(config):
    assert "must be the name of an architecture" in refusal(config)


def test_null_means_left_out():
    assert facts_from_config("me/model", LLAMA | {"head_dim": None}) == facts_from_config("me/model", LLAMA)


def test_the_size_of_the_weights_decides_for_architectures_that_cannot_be_counted():
    unknown = LLAMA | {"model_type": "brand_new"}
    assert "cannot be counted here" in refusal(unknown)
    facts = facts_from_config("me/model", unknown, Published(weight_bytes=9_000_000_000))
    assert (facts.parameters, facts.model_type) == (4_500_000_000, "brand_new")


def test_the_size_of_the_weights_decides_from_two_percent_of_difference_on():
    near = facts_from_config("me/model", LLAMA, Published(weight_bytes=16_200_000_000))
    far = facts_from_config("me/model", LLAMA, Published(weight_bytes=18_000_000_000))
    assert (near.parameters, far.parameters) == (8_030_261_248, 9_000_000_000)


@pytest.mark.parametrize(
    ("section", "kind", "dtype"),
    [
        ({"quant_method": "awq", "bits": 4}, "awq", "bfloat16"),
        ({"quant_method": "gptq", "bits": 4}, "gptq", "bfloat16"),
        ({"quant_method": "exl2"}, "exl2", "bfloat16"),
        ({"quant_method": "fp8"}, "fp8", "float8"),
        ({"quant_method": "fbgemm_fp8"}, "fp8", "float8"),
        ({"quant_method": "compressed-tensors"}, "compressed-tensors", "bfloat16"),
    ],
)
@pytest.mark.parametrize("name", ["quantization_config", "compression_config"])
def test_compressed_weights_are_recognised_and_their_size_does_not_change_the_count(section, kind, dtype, name):
    facts = facts_from_config("me/model", LLAMA | {name: section}, Published(weight_bytes=5_700_000_000))
    assert (facts.quantization, facts.checkpoint_dtype, facts.parameters) == (kind, dtype, 8_030_261_248)
    assert facts.checkpoint_bytes == 5_700_000_000


def test_a_compression_that_tgi_does_not_load_is_rejected():
    words = refusal(LLAMA | {"quantization_config": {"quant_method": "bitsandbytes"}})
    assert "quant_method='bitsandbytes': is not a format of published weights that this library knows" in words


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({"torch_dtype": "float16"}, "float16"),
        ({"torch_dtype": "torch.float16"}, "float16"),
        ({"torch_dtype": None, "dtype": "bfloat16"}, "bfloat16"),
        ({"torch_dtype": None}, "float32"),
        ({"torch_dtype": None, "text_config": LLAMA | {"torch_dtype": "float16"}}, "float16"),
        ({"torch_dtype": "float8_e4m3fn"}, "float8"),
    ],
)
def test_the_type_of_the_weights_is_read_from_config_json(changes, dtype):
    assert facts_from_config("me/model", LLAMA | changes).checkpoint_dtype == dtype


def test_an_invalid_type_of_weights_is_rejected():
    assert "torch_dtype='int3': must be one of float32" in refusal(LLAMA | {"torch_dtype": "int3"})


def test_alibi_is_read():
    assert facts_from_config("me/falcon", CONFIGS["tiiuae/falcon-7b"] | {"alibi": True}).alibi


def test_an_old_falcon_has_one_key_value_head_whatever_its_config_says():
    assert facts_from_config("tiiuae/falcon-7b", CONFIGS["tiiuae/falcon-7b"]).kv_heads == 1
    assert facts_from_config("me/falcon", CONFIGS["tiiuae/falcon-7b"] | {"multi_query": False}).kv_heads == 71


def test_a_model_with_another_vision_encoder_is_counted_by_the_size_of_its_weights():
    vision = LLAMA | {"model_type": "qwen2_vl", "vision_config": {"depth": 32}}
    assert "cannot be counted here" in refusal(vision)
    assert facts_from_config("me/vl", vision, Published(weight_bytes=16_000_000_000)).parameters == 8_000_000_000
