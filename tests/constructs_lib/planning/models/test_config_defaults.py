"""What a config.json leaves out has the default of its configuration class in transformers."""

import importlib.metadata

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.models.architectures import architecture
from constructs_lib.planning.models.config_fields import FIELDS
from constructs_lib.planning.models.config_json import Published, facts_from_config
from constructs_lib.planning.models.shape import read_shape

TYPES = read("models/config_defaults")["types"]
PINNED = "4.51.0"
FLAT = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "vocab_size": 32000}
STATED = FLAT | {"max_position_embeddings": 2048}
MISTRAL = (32, 4096, 32, 8, 128, 14336)


def sizes(config):
    shape = read_shape(config)
    return (shape.layers, shape.hidden, shape.heads, shape.kv_heads, shape.head_dim, shape.intermediate)


def test_the_file_is_what_the_generator_writes_today():
    from scripts import generate_config_defaults  # imports transformers, which takes a second

    assert importlib.metadata.version("transformers") == PINNED
    assert generate_config_defaults.generate() == read("models/config_defaults")


def test_the_file_has_only_fields_that_are_read():
    assert {name for row in TYPES.values() for name in row} <= FIELDS | {"text_config"}


@pytest.mark.parametrize("model_type", TYPES)
def test_no_row_repeats_a_default_of_transformers(model_type):
    row = architecture(model_type).config.defaults
    assert {name for name, value in row.items() if TYPES[model_type].get(name) == value} == set()


@pytest.mark.parametrize(
    ("model_type", "tied"),
    [
        ("bloom", True),
        ("cohere", True),
        ("cohere2", True),
        ("falcon", True),
        ("RefinedWeb", True),
        ("gemma", True),
        ("gpt2", True),
        ("mpt", True),
        ("opt", True),
        ("starcoder2", True),
        ("t5", True),
        ("dbrx", False),
        ("gpt_neox", False),
        ("llama", False),
        ("mistral", False),
        ("qwen2", False),
        ("phi3", False),
        ("brand_new", False),
    ],
)
def test_a_config_that_does_not_say_whether_embeddings_are_tied_means_its_class(model_type, tied):
    assert read_shape(STATED | {"model_type": model_type}).tied is tied
    assert read_shape(STATED | {"model_type": model_type, "tie_word_embeddings": not tied}).tied is not tied


@pytest.mark.parametrize(
    ("outer", "text", "expected"),
    [
        ("llava_next", {"model_type": "mistral", "num_key_value_heads": 8, "vocab_size": 32064}, MISTRAL),
        ("llava_next", {}, (32, 4096, 32, 32, 128, 11008)),
        ("idefics2", {"model_type": "mistral", "vocab_size": 32003}, MISTRAL),
        ("idefics2", {"vocab_size": 32003}, MISTRAL),
        ("paligemma", {"num_hidden_layers": 20}, (20, 2048, 8, 1, 256, 16384)),
        ("gemma3", {"hidden_size": 3840, "num_attention_heads": 16}, (26, 3840, 16, 4, 256, 9216)),
        ("llama4", {"model_type": "llama4_text"}, (48, 5120, 40, 8, 128, 8192)),
        ("mllama", {}, (40, 4096, 32, 8, 128, 14336)),
    ],
)
def test_the_text_part_has_the_defaults_of_its_own_class(outer, text, expected):
    assert sizes({"model_type": outer, "text_config": text, "vision_config": {}}) == expected


@pytest.mark.parametrize("name", ["text_config", "llm_config", "language_config"])
def test_the_text_part_may_have_other_names(name):
    assert sizes({"model_type": "internvl_chat", name: FLAT | {"model_type": "mistral"}}) == MISTRAL


def test_a_text_part_of_a_type_that_transformers_did_not_have_has_the_defaults_of_the_whole():
    newer = {"model_type": "qwen2_vl", "text_config": FLAT | {"model_type": "qwen2_vl_text"}}
    assert sizes(newer) == (32, 4096, 32, 8, 128, 29568)


def test_a_default_does_not_replace_a_field_that_is_given_by_another_name():
    bloom = {"model_type": "bloom", "n_embed": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    assert sizes(bloom | {"vocab_size": 250880}) == (24, 1024, 16, 16, 64, 4096)


def test_dbrx_keeps_attention_and_experts_in_sections_of_their_own():
    dbrx = {"model_type": "dbrx", "d_model": 6144, "n_heads": 48, "n_layers": 40, "vocab_size": 100352}
    dbrx |= {"attn_config": {"kv_n_heads": 8}, "torch_dtype": "bfloat16", "max_seq_len": 32768}
    dbrx |= {"ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4}}
    facts = facts_from_config("databricks/dbrx-instruct", dbrx, Published(weight_bytes=263_193_047_040))
    assert (facts.experts, facts.experts_per_token, facts.intermediate, facts.kv_heads) == (16, 4, 10752, 8)
    assert facts.max_positions == 32768


@pytest.mark.parametrize("alibi", [True, False])
def test_mpt_says_in_a_section_whether_it_has_alibi(alibi):
    mpt = {"model_type": "mpt", "d_model": 4096, "n_heads": 32, "n_layers": 32, "vocab_size": 50432}
    assert facts_from_config("mosaicml/mpt-7b", mpt | {"attn_config": {"alibi": alibi}}).alibi is alibi
    assert facts_from_config("mosaicml/mpt-7b", mpt).alibi


def test_mamba_has_neither_heads_nor_positions():
    mamba = {"model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64, "vocab_size": 50280}
    facts = facts_from_config("state-spaces/mamba-2.8b-hf", mamba, Published(weight_bytes=11_073_366_016))
    assert (facts.heads, facts.kv_heads, facts.head_dim, facts.max_positions) == (1, 1, 1, 2048)


def test_the_names_of_remote_code_are_read():
    glm = {"model_type": "chatglm", "hidden_size": 4096, "num_layers": 28, "num_attention_heads": 32}
    glm |= {"padded_vocab_size": 65024, "multi_query_group_num": 2, "kv_channels": 128, "ffn_hidden_size": 13696}
    shape = read_shape(glm | {"seq_length": 8192})
    assert (shape.layers, shape.kv_heads, shape.head_dim, shape.vocabulary) == (28, 2, 128, 65024)
    assert (shape.intermediate, shape.positions.longest) == (13696, 8192)
