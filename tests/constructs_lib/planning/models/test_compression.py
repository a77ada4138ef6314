"""How published weights are compressed, and what that makes of their size."""

import json
from pathlib import Path

import pytest

from constructs_lib.planning.models.compression import with_quantization_file
from constructs_lib.planning.models.config_json import ConfigJsonError, Published, facts_from_config

CONFIGS = json.loads(Path(__file__).with_name("configs.json").read_text())
LLAMA = CONFIGS["meta-llama/Llama-2-13b-hf"]
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm", "zero_point": True}
BITSANDBYTES = (
    "Use the repository with the uncompressed weights and set options.quantize to bitsandbytes-nf4, with which TGI"
    " compresses them while loading."
)
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": True, "sym": True}


def compressed(section, **published):
    return facts_from_config("me/model", LLAMA | {"quantization_config": section}, Published(**published))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (AWQ, ("awq", 4, 128, False)),
        (GPTQ, ("gptq", 4, 128, True)),
        (GPTQ | {"group_size": -1, "desc_act": False}, ("gptq", 4, -1, False)),
        (GPTQ | {"group_size": None}, ("gptq", 4, None, True)),
        ({"quant_method": "exl2", "bits": 4.65}, ("exl2", 5, None, False)),
        ({"quant_method": "fp8"}, ("fp8", None, None, False)),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, ("fp8", None, 128, False)),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 64, "type": "int"}}},
            },
            ("compressed-tensors", 4, 64, False),
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 128, "actorder": "group"}}},
            },
            ("compressed-tensors", 4, 128, True),
        ),
    ],
)
def test_bits_groups_and_order_are_read(section, expected):
    facts = compressed(section)
    assert (facts.quantization, facts.bits, facts.group_size, facts.act_order) == expected


@pytest.mark.parametrize(
    ("section", "gigabytes"),
    [
        (GPTQ, 7.3),  # 7.26 GB in TheBloke/Llama-2-13B-GPTQ, 4 bits in groups of 128
        (GPTQ | {"bits": 8}, 13.7),  # 13.65 GB in its revision with 8 bits
        (GPTQ | {"bits": 8, "group_size": -1}, 13.4),
        (GPTQ | {"bits": 3}, 5.7),
        ({"quant_method": "gptq"}, 7.4),
    ],
)
def test_the_bits_decide_the_size_of_weights_that_nobody_measured(section, gigabytes):
    assert compressed(section).checkpoint_bytes == pytest.approx(gigabytes * 1e9, rel=0.02)


def test_a_measured_size_counts_more_than_the_bits():
    assert compressed(GPTQ, weight_bytes=7_260_000_000).checkpoint_bytes == 7_260_000_000


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"bits": 4, "group_size": 128, "desc_act": True, "sym": True}, ("gptq", 4, 128, True)),
        ({"w_bit": 4, "q_group_size": 64, "zero_point": True, "version": "GEMM"}, ("awq", 4, 64, False)),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, ("awq", 4, 128, False)),
    ],
)
def test_a_file_beside_config_json_says_the_same(content, expected):
    facts = facts_from_config("me/model", with_quantization_file(LLAMA, content))
    assert (facts.quantization, facts.bits, facts.group_size, facts.act_order) == expected


def test_config_json_counts_more_than_the_file_beside_it():
    config = LLAMA | {"quantization_config": AWQ}
    assert with_quantization_file(config, {"bits": 8, "group_size": 32}) is config
    assert with_quantization_file(LLAMA, None) is LLAMA


@pytest.mark.parametrize(
    ("method", "fix"),
    [
        ("bitsandbytes", BITSANDBYTES),
        (
            "hqq",
            "Use a repository with AWQ, GPTQ, EXL2, FP8 or compressed-tensors weights, or with uncompressed ones.",
        ),
    ],
)
def test_weights_of_another_format_are_refused_with_what_to_use_instead(method, fix):
    with pytest.raises(ConfigJsonError) as caught:
        compressed({"quant_method": method, "load_in_4bit": True})
    words = f"quant_method='{method}': is not a format of published weights that this library knows. {fix}"
    assert [str(problem) for problem in caught.value.problems] == [words]


@pytest.mark.parametrize(
    ("section", "kind", "dtype"),
    [
        ({"quant_method": "mxfp4"}, "mxfp4", "float16"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4", "float16"),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8", "float8"),
    ],
)
def test_formats_of_other_engines_are_read(section, kind, dtype):
    facts = compressed(section)
    assert (facts.quantization, facts.checkpoint_dtype) == (kind, dtype)


def test_a_format_of_modelopt_that_nobody_reads_is_refused():
    with pytest.raises(ConfigJsonError, match="quant_method='modelopt': is not a format of published weights"):
        compressed({"quant_method": "modelopt", "quant_algo": "W4A8_AWQ"})


def test_the_size_of_compressed_weights_decides_where_layers_cannot_be_counted():
    vision = CONFIGS["Qwen/Qwen2.5-7B-Instruct"] | {"model_type": "qwen2_5_vl", "vision_config": {"depth": 32}}
    facts = facts_from_config("me/vl", vision | {"quantization_config": AWQ}, Published(weight_bytes=6_900_000_000))
    assert facts.parameters == pytest.approx(10e9, rel=0.02)
    assert facts.checkpoint_bytes == 6_900_000_000


def test_the_size_of_compressed_weights_does_not_change_a_count():
    assert compressed(AWQ, weight_bytes=9_000_000_000).parameters == compressed(AWQ).parameters


@pytest.mark.parametrize("layout", ["GEMV", "gemv_fast", "marlin"])
def test_a_layout_of_awq_weights_that_tgi_does_not_read_is_refused(layout):
    with pytest.raises(ConfigJsonError) as caught:
        compressed(AWQ | {"version": layout})
    words = (
        f"version='{layout}': is a layout of AWQ weights that this library does not know. Use a repository whose AWQ"
        " weights are laid out for GEMM, or quantize again with version='GEMM'."
    )
    assert [str(problem) for problem in caught.value.problems] == [words]


@pytest.mark.parametrize("layout", ["GEMM", "gemm", "exllama"])
def test_the_layout_for_gemm_is_read_whatever_loads_it_elsewhere(layout):
    assert compressed(AWQ | {"version": layout}).quantization == "awq"
