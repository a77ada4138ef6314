"""How long a context may be: tables that end, trained lengths, stretched positions."""

from dataclasses import replace

import pytest

from constructs_lib.planning.hardware.instance_types import InstanceType
from constructs_lib.planning.models.facts import ModelChoice, known_model

ROOMY = InstanceType.P5_48XLARGE
FALCON = known_model("tiiuae/falcon-7b")
LLAMA_2 = known_model("meta-llama/Llama-2-7b-hf")


def tokens(total, **more):
    return {"max_input_tokens": total - 1, "max_total_tokens": total} | more


def described(facts, **changes):
    return ModelChoice(
        source="hub", hub_id="me/mine", has_token=True, facts=replace(facts, hub_id="me/mine", **changes)
    )


def length_warnings(plan):
    assert plan.problems == ()
    about_length = ("longerThanTrained", "stretchedContext", "longerThanPositions", "linearRopeIgnored")
    return [(one.id, one.message) for one in plan.warnings if one.id.endswith(about_length)]


@pytest.mark.parametrize(
    ("hub_id", "table"),
    [("facebook/opt-66b", 2048), ("facebook/galactica-6.7b", 2048), ("bigcode/santacoder", 2048)],
)
def test_a_request_beyond_a_learned_table_is_refused(hub_id, table, refusals):
    longer = {"hub_id": hub_id, "instance": ROOMY}
    assert refusals(options=tokens(table + 1, num_shard=8, max_batch_total_tokens=9000), **longer) == [
        (
            f"options.max_total_tokens={table + 1}: {hub_id} has positions for {table} tokens only, prompt and answer"
            f" together. Lower it to {table} or less, or choose a model with a longer context."
        )
    ]
    assert refusals(options=tokens(table, num_shard=8, max_batch_total_tokens=9000), **longer) == []


def test_a_prompt_beyond_a_learned_table_is_refused_without_the_other_limit(refusals):
    found = refusals(hub_id="bigcode/santacoder", options={"max_input_tokens": 4096})
    assert found[0].startswith("options.max_input_tokens=4096: bigcode/santacoder has positions for 2048 tokens only")


def test_mpt_fails_beyond_the_biases_that_it_was_made_with(refusals):
    mpt = described(known_model("facebook/opt-66b"), model_type="mpt", max_positions=2048)
    options = tokens(4096, max_batch_total_tokens=9000)
    assert [words.partition(":")[0] for words in refusals(model=mpt, instance=ROOMY, options=options)] == [
        "options.max_total_tokens=4096"
    ]


def test_a_learned_table_cannot_be_stretched(refusals):
    santacoder = described(known_model("bigcode/santacoder"), max_positions=8192, trained_positions=2048)
    assert [words.partition(":")[0] for words in refusals(model=santacoder, options=tokens(4096))] == [
        "options.max_total_tokens=4096"
    ]


def test_rotary_models_run_beyond_their_trained_length_with_a_warning(planning):
    neox = {"hub_id": "EleutherAI/gpt-neox-20b", "instance": ROOMY}
    plan = planning(version="0.8.2", options=tokens(6000), **neox)
    assert length_warnings(plan) == [
        (
            "tgi-endpoint:longerThanTrained",
            (
                "EleutherAI/gpt-neox-20b was trained on contexts of 2048 tokens. TGI serves"
                " options.max_total_tokens=6000 as well, but answers get worse beyond that length. Lower it."
            ),
        )
    ]
    plan = planning(version="1.4.5", options=tokens(6000), **neox)
    assert length_warnings(plan)[0][1].endswith(
        "Lower it, or stretch the positions with options.rope_scaling and rope_factor."
    )


def test_alibi_models_run_beyond_their_trained_length_with_a_warning(planning):
    plan = planning(hub_id="bigscience/bloom-560m", options=tokens(4096))
    assert [message.rpartition(". ")[2] for _, message in length_warnings(plan)] == ["Lower it."]


def test_models_that_transformers_runs_cannot_be_stretched_by_options(planning):
    plan = planning(hub_id="Qwen/Qwen3-8B", instance=ROOMY, options=tokens(50_000, rope_factor=2.0))
    assert dict(length_warnings(plan))["tgi-endpoint:longerThanTrained"].startswith(
        "Qwen/Qwen3-8B was trained on contexts of 40960 tokens. TGI serves options.max_total_tokens=50000 as well"
    )


@pytest.mark.parametrize(
    ("model", "total"),
    [
        (described(FALCON), 2048),
        (described(known_model("google/flan-t5-xl")), 4096),
        (described(LLAMA_2, trained_positions=4096, max_positions=32_768), 4096),
    ],
)
def test_contexts_within_the_model_bring_no_warning(model, total, planning):
    plan = planning(model=model, instance=ROOMY, version="2.4.0", options=tokens(total, num_shard=1))
    assert length_warnings(plan) == []


def test_a_stretched_configuration_counts_and_is_named(planning):
    stretched = described(LLAMA_2, trained_positions=4096, max_positions=32_768)
    plan = planning(model=stretched, instance=ROOMY, options=tokens(16_384))
    assert length_warnings(plan) == [
        (
            "tgi-endpoint:stretchedContext",
            (
                "me/mine has 4096 positions of its own; options.max_total_tokens=16384 relies on the 32768 that its"
                " configuration names besides (rope_scaling or model_max_length). Check answers to prompts of that"
                " length."
            ),
        )
    ]
    plan = planning(model=stretched, instance=ROOMY, options=tokens(40_000))
    assert length_warnings(plan)[0][1].startswith(
        "me/mine was trained on contexts of 4096 tokens, which are stretched to 32768. TGI serves"
    )


def test_options_stretch_the_positions(planning):
    llama = {"model": described(LLAMA_2), "instance": ROOMY}
    dynamic = {"rope_scaling": "dynamic", "rope_factor": 4.0}
    assert length_warnings(planning(options=tokens(16_384, **dynamic), **llama)) == []
    assert [found for found, _ in length_warnings(planning(options=tokens(16_385, **dynamic), **llama))] == [
        "tgi-endpoint:longerThanTrained"
    ]
    stretched = {"model": described(LLAMA_2, trained_positions=4096, max_positions=16_384), "instance": ROOMY}
    assert length_warnings(planning(options=tokens(16_384, **dynamic), **stretched)) == []


@pytest.mark.parametrize("rope", [{"rope_scaling": "linear", "rope_factor": 4.0}, {"rope_factor": 4.0}])
def test_linear_scaling_is_not_applied_from_2_0_3_on(rope, planning):
    llama = {"model": described(LLAMA_2), "instance": ROOMY, "options": tokens(16_384, **rope)}
    assert length_warnings(planning(version="2.0.2", **llama)) == []
    assert length_warnings(planning(version="2.2.0", **llama)) == [
        (
            "tgi-endpoint:linearRopeIgnored",
            (
                "TGI 2.2.0 reads the linear scaling of positions of the options and does not apply it. To have it, set"
                " options.rope_scaling to RopeScaling.DYNAMIC, or use TgiImage.version('2.0.2') or an older image."
            ),
        ),
        (
            "tgi-endpoint:longerThanTrained",
            (
                "me/mine was trained on contexts of 4096 tokens. TGI serves options.max_total_tokens=16384 as well, but"
                " answers get worse beyond that length. Lower it."
            ),
        ),
    ]


def test_linear_scaling_of_the_configuration_is_not_applied_from_2_0_3_on(planning):
    linear = described(LLAMA_2, rope="linear", trained_positions=4096, max_positions=32_768)
    request = {"model": linear, "instance": ROOMY}
    assert length_warnings(planning(version="2.0.2", options=tokens(4096), **request)) == []
    assert length_warnings(planning(options=tokens(4096), **request)) == [
        (
            "tgi-endpoint:linearRopeIgnored",
            (
                "TGI 3.3.6 reads the linear scaling of positions in the configuration of me/mine and does not apply"
                " it. To have it, use TgiImage.version('2.0.2') or an older image."
            ),
        )
    ]
    longer = length_warnings(planning(options=tokens(16_384), **request))
    assert [found for found, _ in longer] == ["tgi-endpoint:linearRopeIgnored", "tgi-endpoint:longerThanTrained"]
    assert length_warnings(planning(hub_id="google/gemma-3-27b-it", instance=ROOMY)) == []


def test_defaults_beyond_a_learned_table_bring_a_warning(planning):
    small = described(known_model("bigcode/santacoder"), max_positions=1024)
    assert length_warnings(planning(model=small, version="1.4.5")) == [
        (
            "tgi-endpoint:longerThanPositions",
            (
                "me/mine has positions for 1024 tokens, but TGI 1.4.5 accepts requests of 2048 by default and fails at"
                " them. Set max_input_tokens and max_total_tokens."
            ),
        )
    ]
    assert length_warnings(planning(model=small, version="1.4.5", options=tokens(1024))) == []
    assert length_warnings(planning(model=small, version="2.4.0")) == []
