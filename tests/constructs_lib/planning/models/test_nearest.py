"""The known model that a hub id was probably meant to be."""

import pytest

from constructs_lib.planning.models.nearest import nearest_model

KNOWN = [
    "meta-llama/Llama-3.1-8B-Instruct",
    "meta-llama/Llama-3.1-70B-Instruct",
    "meta-llama/Llama-2-7b-chat-hf",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "mistralai/Mixtral-8x7B-Instruct-v0.1",
    "Qwen/Qwen2.5-7B-Instruct",
    "Qwen/Qwen2.5-0.5B-Instruct",
]


@pytest.mark.parametrize(
    ("hub_id", "nearest"),
    [
        ("Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("team/my-llama-3.1-8b", "meta-llama/Llama-3.1-8B-Instruct"),
        ("unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit", "meta-llama/Llama-3.1-8B-Instruct"),
        ("TheBloke/Llama-2-7B-Chat-AWQ", "meta-llama/Llama-2-7b-chat-hf"),
        ("mistralai/Mixtral-8x7B-Instruct", "mistralai/Mixtral-8x7B-Instruct-v0.1"),
        ("qwen/qwen2.5-7b-instruct-gptq-int4", "Qwen/Qwen2.5-7B-Instruct"),
        ("Qwen/Qwen2.5-7B-Instruct-1M", "Qwen/Qwen2.5-7B-Instruct"),
        ("acme/qwen2.5-7b-finetune", "Qwen/Qwen2.5-7B-Instruct"),
        ("acme/docs-llama-2-7b", "meta-llama/Llama-2-7b-chat-hf"),
        ("Arc53/DocsGPT-7B", None),
        ("me/mine", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_found(hub_id, nearest):
    assert nearest_model(hub_id, KNOWN) == nearest


def test_a_fine_tune_is_nearer_to_its_family_than_to_a_sibling():
    known = ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen2.5-Math-7B-Instruct"]
    assert nearest_model("acme/qwen2.5-7b-instruct-finetune", known) == known[0]


def test_a_compressed_model_is_meant_only_if_the_name_says_so():
    known = ["meta-llama/Llama-3.1-8B-Instruct", "hugging-quants/Meta-Llama-3.1-8B-Instruct-AWQ-INT4"]
    names = ("unsloth/Meta-Llama-3.1-8B-Instruct", "me/Meta-Llama-3.1-8B-Instruct-AWQ-INT4")
    assert [nearest_model(name, known) for name in names] == known


def test_a_model_of_another_size_is_never_meant():
    assert nearest_model("meta-llama/Llama-3.1-405B-Instruct", KNOWN) is None


def test_of_equal_names_the_one_with_the_more_similar_owner_is_nearest():
    both = ["first/llama-8b", "second/llama-8b"]
    assert [nearest_model(f"{owner}/llama-8b", both) for owner in ("first", "second")] == both


def test_nothing_is_near_if_nothing_is_known():
    assert nearest_model("me/mine", []) is None
