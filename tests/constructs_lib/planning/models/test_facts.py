"""The model catalogue, and the choice of weights."""

from dataclasses import replace

import pytest

from constructs_lib.planning.data_files import read
from constructs_lib.planning.models.facts import ModelChoice, known_model, known_models
from constructs_lib.planning.validation.unknown import UNKNOWN

LLAMA = known_model("meta-llama/Llama-3.1-8B-Instruct")


def hub(hub_id, **more):
    return {"model": ModelChoice(source="hub", hub_id=hub_id, **more)}


def test_the_catalogue_has_every_family_of_the_article_and_current_ones():
    kinds = {facts.model_type for facts in known_models()}
    assert kinds >= {
        "bloom",
        "t5",
        "opt",
        "gpt_neox",
        "llama",
        "gpt_bigcode",
        "falcon",
        "mistral",
        "qwen2",
        "gemma2",
        "phi3",
    }


def test_no_model_is_listed_twice():
    ids = [facts.hub_id for facts in known_models()]
    assert len(ids) == len(set(ids)) == len(read("models/models")["rows"]) + len(read("models/models")["aliases"])


@pytest.mark.parametrize("facts", known_models(), ids=lambda facts: facts.hub_id)
def test_every_row_is_plausible_and_names_its_source_and_day(facts):
    assert facts.source
    assert len(facts.date) == 10
    assert facts.gating in {"yes", "no", "sometimes"}
    assert facts.kv_heads <= facts.heads
    assert facts.heads % facts.kv_heads == 0
    assert facts.layers * facts.hidden**2 < facts.parameters * 2


def test_a_chat_variant_has_the_shape_of_its_base():
    chat, base = known_model("meta-llama/Llama-2-7b-chat-hf"), known_model("meta-llama/Llama-2-7b-hf")
    assert replace(chat, hub_id=base.hub_id, source=base.source) == base


def test_a_distill_has_the_shape_of_its_base_and_a_licence_of_its_own():
    distill = known_model("deepseek-ai/DeepSeek-R1-Distill-Llama-70B")
    assert (distill.layers, distill.kv_heads, distill.licence, distill.gated) == (80, 8, "mit and llama3.3", False)


def test_a_model_is_known_whatever_its_case():
    assert known_model("META-llama/llama-3.1-8b-instruct") is LLAMA


def test_an_unknown_model_has_no_facts():
    assert known_model("me/mine") is None


def test_the_checkpoints_size_follows_its_type():
    assert known_model("google/flan-t5-xxl").checkpoint_bytes == 44_560_000_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            hub("meta-llama/Llama-3.1-8B-Instruct"),
            (
                "model='meta-llama/Llama-3.1-8B-Instruct': is gated (llama3.1): the hub serves it only with a"
                " token. Request access on its hub page, store a token in Secrets Manager, and pass it as"
                " Model.from_hub(…, token=secret)."
            ),
        ),
        (
            hub("s3://bucket/model"),
            "model='s3://bucket/model': is a URL, not a hub id. Use Model.from_s3(bucket, prefix).",
        ),
        (
            hub("https://huggingface.co/me/mine"),
            "model='https://huggingface.co/me/mine': is a URL, not a hub id. Write only 'owner/name'.",
        ),
        (
            hub("./mine"),
            (
                "model='./mine': is a path, which the container does not have."
                " Upload the weights to S3 and use Model.from_s3(bucket, prefix)."
            ),
        ),
        (hub(""), "model='': must not be empty. Give it a value, or leave it out."),
        (hub(None), "model=None: must be a string, not None. Give a str, or leave it out."),
        (
            hub("me/my model"),
            (
                "model='me/my model': must be a hub id such as 'meta-llama/Llama-3.1-8B-Instruct'."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            hub("mé/mine"),
            (
                "model='mé/mine': must be a hub id such as 'meta-llama/Llama-3.1-8B-Instruct'."
                " Write it in that form, or leave it out."
            ),
        ),
        (
            hub("me/my--model"),
            (
                "model='me/my--model': must not contain '--' or '..', or end in '.git'."
                " Copy the id from the model's hub page."
            ),
        ),
        (
            hub("me/mine", revision=""),
            "model.revision='': must not be empty. Give it a value, or leave it out.",
        ),
        (
            hub("me/mine", revision="my branch"),
            "model.revision='my branch': must be a commit, tag or branch. Write it in that form, or leave it out.",
        ),
        (
            {"model": ModelChoice(source="s3", revision="main")},
            "model.revision='main': is for the hub only; weights in S3 have no revision. Leave revision out.",
        ),
        (
            {"model": ModelChoice(source="ftp")},
            "model.source='ftp': must be 'hub' or 's3'. Use Model.from_hub or Model.from_s3.",
        ),
        (
            {"model": "meta-llama/Llama-3.1-8B-Instruct"},
            (
                "model='meta-llama/Llama-3.1-8B-Instruct': must be a Model, not str."
                " Write Model.from_hub(…) or .from_s3(…)."
            ),
        ),
        (
            hub("me/mine", facts="large"),
            "model.facts='large': must be ModelFacts. Describe the model with ModelFacts(…).",
        ),
        (
            hub("me/mine", facts=replace(LLAMA, gating="no", heads=0)),
            "model.facts.heads=0: must be from 1 to 1000000000000000. Raise it to 1 or more.",
        ),
        (
            hub("me/mine", facts=replace(LLAMA, gating="no", parameters="8B")),
            "model.facts.parameters='8B': must be a whole number, not str. Give an int.",
        ),
        (
            hub("me/mine", facts=replace(LLAMA, gating="no", checkpoint_dtype="bf16")),
            (
                "model.facts.checkpoint_dtype='bf16': must be one of float32, bfloat16, float16, float8."
                " Use the type of the published weights."
            ),
        ),
        (
            hub("me/mine", facts=replace(LLAMA, gating="no", model_type=None)),
            "model.facts.model_type=None: must be a string, not None. Give a str, or leave it out.",
        ),
    ],
)
def test_invalid_weights_are_reported(changes, words, refusals):
    assert refusals(**changes) == [words]


@pytest.mark.parametrize("hub_id", ["gpt2", "me/mine", "me/Mine-7.1_b", "_a/b_"])
def test_hub_ids_are_accepted(hub_id, refusals):
    assert refusals(**hub(hub_id)) == []


def test_a_gated_model_from_s3_needs_no_token(refusals):
    assert refusals(model=ModelChoice(source="s3", facts=LLAMA)) == []


def test_a_model_that_is_sometimes_gated_brings_a_warning(warnings):
    assert warnings(**hub("mistralai/Mistral-7B-Instruct-v0.3")) == ["tgi-endpoint:mayBeGated"]


def test_a_model_that_is_sometimes_gated_is_fine_with_a_token(warnings):
    assert warnings(**hub("mistralai/Mistral-7B-Instruct-v0.3", has_token=True)) == []


@pytest.mark.parametrize(
    ("region", "why"),
    [
        ("cn-north-1", "in cn-north-1 the hub is usually blocked"),
        ("us-iso-east-1", "in us-iso-east-1 there is no internet"),
        ("us-isob-east-1", "in us-isob-east-1 there is no internet"),
        ("eu-isoe-west-1", "in eu-isoe-west-1 there is no internet"),
    ],
)
def test_an_unreachable_hub_brings_a_warning_with_alternatives(region, why, planning):
    (warning,) = planning(region=region).warnings
    assert warning.id == "tgi-endpoint:hubUnreachable"
    assert why in warning.message
    assert "Model.from_s3" in warning.message
    assert "HF_ENDPOINT" in warning.message


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "cn-north-1", "environment": {"HF_ENDPOINT": "https://hub.example.cn"}},
        {"region": "us-iso-east-1", "model": ModelChoice(source="s3", facts=LLAMA)},
        {"region": "eu-west-1"},
        {"region": "us-gov-west-1"},
        {"region": None},
        {"region": UNKNOWN},
    ],
)
def test_a_hub_that_may_be_reachable_brings_no_warning(changes, warnings):
    assert warnings(**changes) == []
