"""What the layers of a model keep of a request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from constructs_lib.planning.models.config_json import facts_from_config
from constructs_lib.planning.models.facts import ModelFacts, facts_problems, known_model
from constructs_lib.planning.models.facts_file import ModelFile, ModelFileError, read_model_file, write_model_file
from constructs_lib.planning.models.layer_groups import LayerGroup, layer_groups

SIZES: dict[str, Any] = {
    "model_type": "llama",
    "num_hidden_layers": 8,
    "hidden_size": 512,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "vocab_size": 1000,
    "intermediate_size": 1024,
    "max_position_embeddings": 8192,
    "torch_dtype": "bfloat16",
}


def facts_of(hub_id: str) -> ModelFacts:
    facts = known_model(hub_id)
    assert facts is not None
    return facts


def read(**changes: Any) -> ModelFacts:
    return facts_from_config("me/mine", {**SIZES, **changes})


@pytest.mark.parametrize(
    ("hub_id", "groups"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", (LayerGroup(layers=32),)),
        ("google/gemma-2-9b-it", (LayerGroup(layers=21), LayerGroup(layers=21, window=4096))),
        ("google/gemma-3-4b-it", (LayerGroup(layers=5), LayerGroup(layers=29, window=1024))),
        ("mistralai/Mistral-7B-v0.1", (LayerGroup(layers=32, window=4096),)),
        ("mistralai/Ministral-8B-Instruct-2410", (LayerGroup(layers=36),)),  # as long as its positions
        ("Qwen/Qwen2.5-7B-Instruct", (LayerGroup(layers=28),)),  # named in its config.json, switched off
        (
            "meta-llama/Llama-4-Scout-17B-16E-Instruct",
            (LayerGroup(layers=12), LayerGroup(layers=36, window=8192)),
        ),
    ],
)
def test_an_architecture_has_its_pattern(hub_id: str, groups: tuple[LayerGroup, ...]) -> None:
    assert layer_groups(facts_of(hub_id)) == groups


def test_a_config_json_names_the_kind_of_each_layer() -> None:
    kinds = ["sliding_attention", "full_attention"] * 4
    found = read(layer_types=kinds, sliding_window=128).layer_groups
    assert found == (LayerGroup(layers=4), LayerGroup(layers=4, window=128))
    assert read(layer_types=["full_attention"] * 8).layer_groups == ()
    chunks = read(layer_types=["chunked_attention"] * 6 + ["full_attention"] * 2, attention_chunk_size=2048)
    assert chunks.layer_groups == (LayerGroup(layers=2), LayerGroup(layers=6, window=2048))


def test_wide_layers_and_those_that_share_keys_are_told_apart() -> None:
    kinds = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"] * 2
    found = read(
        layer_types=kinds,
        sliding_window=512,
        num_kv_shared_layers=3,
        global_head_dim=128,
        num_global_key_value_heads=1,
    ).layer_groups
    assert found == (LayerGroup(layers=1, kv_heads=1, head_dim=128), LayerGroup(layers=4, window=512))


def test_states_are_counted_in_bytes() -> None:
    linear = {
        "full_attention_interval": 4,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 32,
        "linear_key_head_dim": 128,
        "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
    }
    state = 32 * 128 * 128 * 4 + (2 * 16 * 128 + 32 * 128) * 3 * 2
    assert read(**linear).layer_groups == (LayerGroup(layers=2), LayerGroup(layers=6, state_bytes=state))
    mamba = {"mamba_n_heads": 48, "mamba_d_head": 64, "mamba_d_state": 128, "mamba_n_groups": 1, "mamba_d_conv": 4}
    state = (48 * 64 * 128 + (48 * 64 + 2 * 128) * 3) * 2
    kinds = ["mamba"] * 7 + ["attention"]
    found = read(layer_types=kinds, **mamba).layer_groups
    assert found == (LayerGroup(layers=1), LayerGroup(layers=7, state_bytes=state))


def test_a_latent_is_the_rank_and_the_rotated_part() -> None:
    assert read(kv_lora_rank=512, qk_rope_head_dim=64).latent_width == 576
    assert read().latent_width is None
    assert facts_of("deepseek-ai/DeepSeek-V3").latent_width == 576


def test_the_file_of_models_keeps_the_groups(tmp_path: Path) -> None:
    groups = (LayerGroup(layers=4), LayerGroup(layers=4, window=128))
    facts = replace(read(), layer_groups=groups, latent_width=576, reads_images=True)
    write_model_file(tmp_path / "models.json", ModelFile([facts]))
    assert read_model_file(tmp_path / "models.json")["me/mine"] == facts


@pytest.mark.parametrize("groups", ['"all"', '[{"window": 4}]', '[{"layers": 0}]', '[{"layers": 2, "size": 3}]', "[7]"])
def test_wrong_groups_in_the_file_are_named(tmp_path: Path, groups: str) -> None:
    path = tmp_path / "models.json"
    write_model_file(path, ModelFile([replace(read(), layer_groups=(LayerGroup(layers=8),))]))
    text = path.read_text(encoding="utf-8")
    start, end = text.index('"layer_groups": ') + 16, text.index("]", text.index('"layer_groups": ')) + 1
    path.write_text(text[:start] + groups + text[end:], encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"models\[0\].layer_groups.*must be a list of objects with layers and"):
        read_model_file(path)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([LayerGroup(layers=4)], "must be a tuple of LayerGroup. Write (LayerGroup(layers=…), …)."),
        (({"layers": 4},), "must be a tuple of LayerGroup. Write (LayerGroup(layers=…), …)."),
        ((LayerGroup(layers=0),), "model.facts.layer_groups.layers=0: must be from 1 to"),
        ((LayerGroup(layers=4, window=-1),), "model.facts.layer_groups.window=-1: must be from 1 to"),
    ],
)
def test_wrong_groups_of_the_callers_are_named(groups: Any, words: str) -> None:
    found = [str(problem) for problem in facts_problems(replace(read(), layer_groups=groups))]
    assert len(found) == 1
    assert words in found[0]
