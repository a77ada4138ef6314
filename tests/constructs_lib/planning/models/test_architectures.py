"""One row for each `model_type`, by version of TGI, and a fallback for those without one."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.images.catalogue import parse_version
from constructs_lib.planning.models.architecture import Backend
from constructs_lib.planning.models.architectures import architecture, first_version, implementation, model_type_of
from constructs_lib.planning.models.facts import known_model, known_models

PLANNING = Path(__file__).parents[4] / "constructs_lib" / "planning"


LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
NEWEST = (3, 3, 6)
IMAGES = TGI.images.versions
FIRST_IMAGES = {
    "baichuan": "1.1.0",
    "bloom": "0.6.0",
    "cohere": "1.4.5",
    "dbrx": "1.4.5",
    "deepseek_v2": "2.2.0",
    "deepseek_v3": "3.1.1",
    "falcon": "1.0.3",
    "gemma": "1.4.2",
    "gemma2": "2.2.0",
    "gemma3": "3.2.0",
    "gemma3_text": "3.2.0",
    "gpt2": "2.2.0",
    "gpt_bigcode": "0.8.2",
    "gpt_neox": "0.6.0",
    "gptj": "2.3.1",
    "granite": "2.4.0",
    "idefics": "1.0.3",
    "idefics2": "2.0.2",
    "idefics3": "3.1.1",
    "llama": "0.6.0",
    "llava_next": "2.0.0",
    "mamba": "3.0.1",
    "mistral": "1.1.0",
    "mixtral": "1.3.1",
    "mllama": "2.3.1",
    "mpt": "0.9.3",
    "opt": "0.6.0",
    "paligemma": "2.2.0",
    "phi": "1.4.0",
    "phi3": "2.0.2",
    "phimoe": "2.3.1",
    "qwen2": "1.4.5",
    "qwen2_5_vl": "3.1.1",
    "qwen2_vl": "3.0.1",
    "RefinedWeb": "0.8.2",
    "RefinedWebModel": "0.8.2",
    "starcoder2": "1.4.5",
    "t5": "0.6.0",
}


def typed(model_type):
    return replace(LLAMA, hub_id="me/mine", model_type=model_type)


@pytest.mark.parametrize("facts", known_models(), ids=lambda facts: facts.hub_id)
def test_tgi_runs_every_model_of_the_catalogue_or_a_plan_says_that_it_does_not(facts):
    runs = implementation(facts, NEWEST, remote_code=facts.auto_map).runs
    assert runs == (facts.model_type not in {"gpt_oss", "granitemoehybrid", "minimax_m2", "mistral3"})


@pytest.mark.parametrize(
    ("hub_id", "changes", "name", "flash"),
    [
        ("me/mine", {"model_type": "new"}, "none", False),
        ("me/mine", {"model_type": "stablelm"}, "CausalLM fallback (no flash)", False),
        ("me/mine", {"model_type": "mt5"}, "Seq2SeqLM fallback (no flash)", False),
        ("me/mine", {"model_type": "falcon", "alibi": True}, "CausalLM fallback (no flash)", False),
        ("me/mine", {"model_type": "RefinedWeb"}, "FlashRW", True),
        ("me/mine", {"model_type": "olmo2"}, "TransformersFlash fallback", True),
        ("me/mine", {"model_type": "opt"}, "CausalLM+OPT (no flash)", False),
        ("facebook/galactica-30b", {"model_type": "opt"}, "CausalLM+OPT (id-matched, no flash)", False),
        ("bigcode/gpt_bigcode-santacoder", {"model_type": "gpt_bigcode"}, "FlashSantacoder", True),
        ("openai-community/gpt2", {"model_type": "gpt2"}, "FlashGPT2", True),
    ],
)
def test_tgi_tells_some_models_apart_by_more_than_their_type(hub_id, changes, name, flash):
    found = implementation(replace(LLAMA, hub_id=hub_id, **changes), NEWEST)
    assert (found.name, found.flash) == (name, flash)


def test_santacoder_has_the_row_of_bigcode():
    assert model_type_of("bigcode/santacoder", {"model_type": "gpt2"}) == "gpt_bigcode"
    assert architecture("gpt_bigcode").tgi.replicates_kv_heads


def test_an_unknown_architecture_is_not_run_and_cannot_be_counted():
    found = architecture("new")
    assert (found.model_type, found.layers, found.vision_tower, found.config.defaults) == ("new", None, None, {})
    assert not implementation(typed("new"), NEWEST).runs


@pytest.mark.parametrize("model_type", FIRST_IMAGES, ids=str)
def test_the_first_image_that_has_a_class_for_a_model_type(model_type):
    had = [text for text in IMAGES if implementation(typed(model_type), parse_version(text)).backend is Backend.OWN]
    assert had[0] == FIRST_IMAGES[model_type]
    assert had == list(IMAGES[IMAGES.index(had[0]) :])


@pytest.mark.parametrize(
    ("model_type", "by_image"),
    [
        ("qwen2", {"1.3.3": "unknown", "1.4.0": "CausalLM", "1.4.5": "own"}),
        ("qwen3", {"3.2.0": "unknown", "3.2.3": "TransformersFlash"}),
        ("olmo2", {"3.1.1": "unknown", "3.2.0": "TransformersFlash"}),
        ("llama4", {"3.2.0": "unknown", "3.2.3": "TransformersFlash"}),
        ("stablelm", {"1.4.2": "unknown", "1.4.5": "CausalLM", "3.1.1": "unknown", "3.3.6": "CausalLM"}),
        ("mamba", {"2.4.0": "unknown", "3.0.1": "own"}),
        ("mamba2", {"3.3.6": "unknown"}),
        ("gpt2", {"0.6.0": "CausalLM", "2.0.2": "CausalLM", "2.2.0": "own"}),
        ("glm4", {"3.3.6": "unknown"}),  # transformers has it from 4.51.3 on
        ("mistral3", {"3.3.6": "unknown"}),
        ("falcon_h1", {"3.3.6": "unknown"}),
        ("gpt_oss", {"3.3.6": "unknown"}),
        ("idefics", {"0.9.3": "unknown", "1.0.3": "own"}),
    ],
)
def test_what_runs_a_model_type_depends_on_the_version(model_type, by_image):
    found = {text: implementation(typed(model_type), parse_version(text)).backend.value for text in by_image}
    assert found == by_image


def test_code_of_the_repository_rescues_what_nothing_else_runs():
    assert implementation(typed("phi3small"), NEWEST, remote_code=True).backend is Backend.CAUSAL_LM
    assert not implementation(typed("phi3small"), (0, 6, 0), remote_code=True).runs
    assert not implementation(typed("phi3small"), (3, 1, 1), remote_code=True).runs
    assert implementation(typed("phi-msft"), (1, 3, 3), remote_code=True).runs
    assert not implementation(typed("phi-msft"), (1, 4, 0), remote_code=True).runs


def test_galactica_does_not_start_with_two_images_whose_class_is_broken():
    galactica = replace(LLAMA, hub_id="facebook/galactica-6.7b", model_type="opt")
    runs = [text for text in IMAGES if implementation(galactica, parse_version(text)).runs]
    assert runs == ["0.6.0", "0.8.2", *IMAGES[IMAGES.index("1.1.0") :]]


def test_bigcodes_models_are_known_by_their_id_before_their_type():
    starcoder = known_model("bigcode/starcoder")
    assert implementation(starcoder, (0, 6, 0)).name == "FlashSantacoder"
    assert not implementation(replace(starcoder, hub_id="me/starcoder"), (0, 6, 0)).runs
    assert implementation(replace(starcoder, hub_id="me/starcoder"), (0, 8, 2)).name == "FlashSantacoder"


def test_encoder_decoders_take_limits_until_their_warm_up_fails():
    for model_type in ("t5", "mt5"):
        takes = [implementation(typed(model_type), parse_version(text)).takes_limits for text in ("2.4.0", "3.0.1")]
        assert takes == [True, False]


def test_the_version_that_added_a_class_is_a_tag():
    def is_own(one):
        return one.backend is Backend.OWN

    assert first_version(typed("qwen2"), is_own, after=(1, 4, 0)) == (1, 4, 3)
    assert first_version(typed("qwen2"), lambda one: one.runs, after=(1, 3, 3)) == (1, 4, 0)
    assert first_version(typed("qwen3"), is_own, after=(3, 2, 0)) is None


@pytest.mark.parametrize("model_type", ["phi", "starcoder2", "RefinedWeb", "RefinedWebModel", "falcon", "gpt2"])
def test_some_feed_forward_layers_have_no_gate(model_type):
    assert not architecture(model_type).gated


def test_no_rule_names_an_architecture_outside_of_the_rows():
    sources = [path for path in PLANNING.rglob("*.py") if path.parent.name != "architectures"]
    comparisons = re.compile(r"model_type (?:==|!=|in|not in) (?!arguments_of\()")  # which is read from wheels
    assert [path.name for path in sources if comparisons.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("model_type", "first"),
    [("idefics2", (3, 3, 0)), ("llava_next", (3, 3, 0)), ("gemma3", None), ("qwen2_vl", None), ("llama", (0, 5, 0))],
)
def test_prompts_with_images_are_split_from_3_3_on_for_some_models(model_type, first):
    own = {text: implementation(typed(model_type), parse_version(text)) for text in IMAGES}
    splits = [text for text, found in own.items() if found.backend is Backend.OWN and found.chunks_prefill]
    assert splits == [text for text in IMAGES if first and parse_version(text) >= first]


def test_gpt_neo_has_no_gate_and_a_table_of_positions():
    assert (architecture("gpt_neo").gated, architecture("gpt_neo").positions) == (False, "learned")
