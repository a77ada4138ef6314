"""The presets: model, instance type and limits of each."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App

import constructs_lib
from constructs_lib import InstanceType
from constructs_lib.planning.engine import Engine
from constructs_lib.planning.engines.tgi.engine import TGI
from constructs_lib.planning.engines.vllm.engine import VLLM
from constructs_lib.planning.models.architectures import implementation
from constructs_lib.planning.models.facts import ModelFacts, known_model
from constructs_lib.planning.sizing.candidates import Candidate, candidate, candidates
from stacks.preset import PresetStack
from stacks.presets import PRESETS, Falcon7bTgiStack, FlanT5TgiStack, LlamaTgiStack, Phi4TgiStack
from stacks.vllm_presets import GptOssVllmStack, LlamaVllmStack, MistralSmallVllmStack, Qwen3VllmStack

AMPERE = (8, 0)
TO_SPARE = 0.10
MODELS = {
    "BloomTgiStack": "bigscience/bloom",
    "FlanT5TgiStack": "google/flan-t5-xxl",
    "GalacticaTgiStack": "facebook/galactica-120b",
    "GptNeoxTgiStack": "EleutherAI/gpt-neox-20b",
    "LlamaTgiStack": "meta-llama/Llama-3.1-8B-Instruct",
    "OptTgiStack": "facebook/opt-66b",
    "SantacoderTgiStack": "bigcode/santacoder",
    "StarcoderTgiStack": "bigcode/starcoder",
    "Falcon7bTgiStack": "tiiuae/falcon-7b",
    "Falcon40bTgiStack": "tiiuae/falcon-40b",
    "MistralTgiStack": "mistralai/Mistral-7B-Instruct-v0.3",
    "QwenTgiStack": "Qwen/Qwen2.5-7B-Instruct",
    "GemmaTgiStack": "google/gemma-2-9b-it",
    "Phi4TgiStack": "microsoft/phi-4",
    "Llama70bTgiStack": "meta-llama/Llama-3.3-70B-Instruct",
    "LlamaVllmStack": "meta-llama/Llama-3.1-8B-Instruct",
    "GptOssVllmStack": "openai/gpt-oss-20b",
    "MistralSmallVllmStack": "mistralai/Mistral-Small-3.2-24B-Instruct-2506",
    "Qwen3VllmStack": "Qwen/Qwen3-8B",
}
FASTER = {LlamaTgiStack, LlamaVllmStack}
"""Llama has a faster GPU than it needs, for the reason in its preset."""

each = pytest.mark.parametrize("stack", PRESETS, ids=lambda stack: stack.__name__)


def facts(stack: type[PresetStack]) -> ModelFacts:
    found = known_model(stack.preset.model_id)
    assert found is not None
    return found


def engine(stack: type[PresetStack]) -> Engine:
    found: Engine = getattr(constructs_lib, stack.preset.endpoint).ENGINE
    return found


def planned(stack: type[PresetStack]) -> Candidate:
    preset, runs = stack.preset, engine(stack)
    return candidate(facts(stack), preset.instance_type, engine=runs, options=preset.options, version=preset.version)


def longest_request(stack: type[PresetStack]) -> int:
    options, limit = stack.preset.options, engine(stack).memory_model.option_names.limits[-1]
    return int(getattr(options, limit))


def roomy(one: Candidate) -> bool:
    return one.fits and one.memory is not None and one.memory.spare >= TO_SPARE


def test_every_stack_serves_the_model_in_its_name() -> None:
    assert {stack.__name__: stack.preset.model_id for stack in PRESETS} == MODELS
    assert len({(stack.preset.name, stack.preset.endpoint) for stack in PRESETS}) == len(PRESETS)


@each
def test_the_model_fits_its_instance(stack: type[PresetStack]) -> None:
    plan = planned(stack)
    assert plan.fits, plan.reason
    assert plan.memory is not None
    assert plan.memory.context == longest_request(stack)
    assert plan.caution is None
    assert stack in FASTER or roomy(plan)


def test_no_cheaper_instance_has_enough_memory_to_spare() -> None:
    for stack in set(PRESETS) - FASTER:
        assert cheapest(stack) == stack.preset.instance_type, stack


def cheapest(stack: type[PresetStack]) -> InstanceType:
    preset = stack.preset
    every = candidates(facts(stack), engine=engine(stack), options=preset.options, version=preset.version)
    modern = [one for one in every if not one.caution and (one.instance.compute_capability or (0, 0)) >= AMPERE]
    return next(one.instance for one in modern if roomy(one))


@each
def test_the_presets_of_gated_models_have_a_token(stack: type[PresetStack]) -> None:
    assert stack.preset.gated == (facts(stack).gating != "no")


@pytest.mark.parametrize("stack", [each for each in PRESETS if engine(each) is TGI], ids=lambda stack: stack.__name__)
def test_presets_without_paged_attention_set_every_limit(stack: type[PresetStack]) -> None:
    options = stack.preset.options
    assert options.max_input_tokens is not None
    assert options.max_total_tokens is not None
    if not implementation(facts(stack), TGI.images.newest_version).flash:
        assert options.max_batch_prefill_tokens is not None
        assert options.max_batch_total_tokens is not None


def resources(stack: PresetStack, resource_type: str) -> list[dict[str, Any]]:
    template = stack.node.root.synth().get_stack_by_name(stack.stack_name).template
    return [
        each["Properties"]
        for each in template["Resources"].values()
        if each["Type"] == f"AWS::SageMaker::{resource_type}"
    ]


def test_a_preset_is_a_stack_with_the_name_and_configuration_of_its_class() -> None:
    stack = Phi4TgiStack(App(), hf_token_secret="token")
    assert stack.stack_name == "Phi4TgiStack"
    (model,), (config,) = resources(stack, "Model"), resources(stack, "EndpointConfig")
    environment = model["PrimaryContainer"]["Environment"]
    assert environment["HF_MODEL_ID"] == "microsoft/phi-4"
    assert environment["SM_NUM_GPUS"] == "1"
    assert environment["MAX_INPUT_TOKENS"] == "12288"
    assert environment["MAX_TOTAL_TOKENS"] == "16384"
    assert "HF_TOKEN" not in environment
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.g6e.xlarge"


def test_a_preset_may_name_its_version_of_tgi() -> None:
    (model,) = resources(FlanT5TgiStack(App()), "Model")
    assert "-tgi2.4.0-" in json.dumps(model["PrimaryContainer"]["Image"])
    (model,) = resources(Phi4TgiStack(App(), hf_token_secret="token"), "Model")
    assert f"-tgi{TGI.images.newest}-" in json.dumps(model["PrimaryContainer"]["Image"])


def test_a_preset_of_another_engine_runs_on_its_image_with_its_options() -> None:
    (model,) = resources(Qwen3VllmStack(App()), "Model")
    container = model["PrimaryContainer"]
    assert f"/vllm:{VLLM.images.newest}-gpu-" in json.dumps(container["Image"])
    assert container["Environment"]["SM_VLLM_MAX_MODEL_LEN"] == "32768"
    assert container["Environment"]["SM_VLLM_REASONING_PARSER"] == "qwen3"


@pytest.mark.parametrize("stack", [GptOssVllmStack, MistralSmallVllmStack], ids=lambda stack: stack.__name__)
def test_tgi_cannot_run_what_a_preset_says_it_cannot(stack: type[PresetStack]) -> None:
    assert not any(one.fits for one in candidates(facts(stack), engine=TGI))


def test_a_preset_can_have_another_name_and_its_token_is_only_a_reference() -> None:
    stack = LlamaTgiStack(App(), "Team", hf_token_secret="token-of-the-team")
    (model,) = resources(stack, "Model")
    assert stack.stack_name == "Team"
    assert ":secret:token-of-the-team:SecretString" in json.dumps(model["PrimaryContainer"]["Environment"]["HF_TOKEN"])


def test_a_gated_preset_without_a_token_is_rejected() -> None:
    with pytest.raises(ValueError, match="is gated"):
        LlamaTgiStack(App())


def test_a_preset_whose_attention_heads_the_gpus_cannot_divide_is_rejected() -> None:
    class Wide(Falcon7bTgiStack):
        preset = replace(Falcon7bTgiStack.preset, instance_type=InstanceType.G5_12XLARGE)

    with pytest.raises(ValueError, match="71 attention heads"):
        Wide(App())
