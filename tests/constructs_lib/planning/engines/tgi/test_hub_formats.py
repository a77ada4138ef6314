"""Repositories whose names say that TGI cannot load them."""

from dataclasses import replace

import pytest

from constructs_lib.planning.models.facts import ModelChoice, known_model

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
CONVERTED = (
    "Use the repository that it was converted from, or one with AWQ or GPTQ weights."
    " If it has such weights as well, describe it with facts=ModelFacts(…)."
)


@pytest.mark.parametrize(
    ("hub_id", "words"),
    [
        (
            "TheBloke/Falcon-180B-Chat-GGUF",
            (
                "model='TheBloke/Falcon-180B-Chat-GGUF': has GGUF files, which llama.cpp reads, by its name; TGI loads"
                f" safetensors of transformers. {CONVERTED}"
            ),
        ),
        (
            "mlx-community/Llama-3.1-8B",
            (
                "model='mlx-community/Llama-3.1-8B': has weights for MLX, which Apple's computers run, by its name; TGI"
                f" loads safetensors of transformers. {CONVERTED}"
            ),
        ),
        (
            "me/llama-onnx",
            (
                "model='me/llama-onnx': has weights in ONNX, by its name; TGI loads safetensors of transformers."
                f" {CONVERTED}"
            ),
        ),
        (
            "unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit",
            (
                "model='unsloth/Meta-Llama-3.1-8B-Instruct-bnb-4bit': has weights that bitsandbytes has compressed, by"
                " its name; TGI loads safetensors of transformers. Use the repository with the original weights, and"
                " options.quantize='bitsandbytes-nf4', which compresses them while loading. If it has such weights as"
                " well, describe it with facts=ModelFacts(…)."
            ),
        ),
    ],
)
def test_a_repository_for_another_program_is_refused_by_its_name(hub_id, words, refusals):
    assert refusals(hub_id=hub_id) == [words]


@pytest.mark.parametrize(
    "hub_id", ["pyrotank41/gemma-7b-it-escrow-merged-gguf", "me/model.Q4_K_M.gguf", "me/x-GGML", "me/x-MLX-4bit"]
)
def test_other_ways_to_write_the_format_are_recognized(hub_id, refusals):
    (found,) = refusals(hub_id=hub_id)
    assert "by its name" in found


@pytest.mark.parametrize("hub_id", ["me/minemlxing", "me/monnxious", "me/subnbase", "bnbteam/llama"])
def test_a_name_that_only_contains_the_letters_is_fine(hub_id, refusals):
    assert refusals(hub_id=hub_id) == []


def test_a_repository_that_is_described_is_fine(refusals):
    facts = replace(known_model(LLAMA), hub_id="me/llama-gguf", gating="no")
    assert refusals(model=ModelChoice(source="hub", hub_id="me/llama-gguf", facts=facts)) == []


def test_a_shape_alone_does_not_say_which_files_there_are(refusals):
    (found,) = refusals(model=ModelChoice(source="hub", hub_id="me/llama-gguf", like=LLAMA))
    assert "GGUF" in found
