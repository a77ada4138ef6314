"""One row for each `model_type`, and a fallback for those without one."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from constructs_lib.planning.models.architecture import Backend
from constructs_lib.planning.models.architectures import architecture, implementation, model_type_of
from constructs_lib.planning.models.facts import known_model, known_models

PLANNING = Path(__file__).parents[4] / "constructs_lib" / "planning"


LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")
NEWEST = (3, 3, 6)


@pytest.mark.parametrize("facts", known_models(), ids=lambda facts: facts.hub_id)
def test_every_model_of_the_catalogue_has_a_row(facts):
    assert implementation(facts, NEWEST).backend in (Backend.OWN, Backend.TRANSFORMERS_FLASH)


@pytest.mark.parametrize(
    ("hub_id", "changes", "name", "flash"),
    [
        ("me/mine", {"model_type": "new"}, "CausalLM fallback (no flash)", False),
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


def test_an_unknown_architecture_is_run_by_transformers_and_cannot_be_counted():
    found = architecture("new")
    assert (found.model_type, found.layers, found.vision_tower, found.config.defaults) == ("new", None, None, {})
    assert found.tgi.implementation(NEWEST).backend is Backend.CAUSAL_LM


def test_no_rule_names_an_architecture_outside_of_the_rows():
    sources = [path for path in PLANNING.rglob("*.py") if path.name != "architectures.py"]
    comparisons = re.compile(r"model_type (?:==|!=|in|not in)")
    assert [path.name for path in sources if comparisons.search(path.read_text(encoding="utf-8"))] == []
