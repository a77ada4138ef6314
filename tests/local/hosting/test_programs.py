"""Which program stands in for a container."""

from __future__ import annotations

import pytest

from local.deployment.deployed_endpoint import DeployedContainer
from local.errors import UserError
from local.hosting.programs import program_of

ECR = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"
OWN = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/own:1"


def container(image: str, *, has_artifact: bool = False, **environment: str) -> DeployedContainer:
    return DeployedContainer(model_name="Llama", image=image, environment=environment, has_artifact=has_artifact)


@pytest.mark.parametrize(
    ("image", "title"),
    [
        (f"{ECR}/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04", "TGI"),
        (f"{ECR}/huggingface-pytorch-tgi-inference:2.7.0-optimum3.3.6-neuronx-py310-ubuntu22.04", "TGI for Neuron"),
        (f"{ECR}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker", "vLLM"),
        (f"{ECR}/huggingface-vllm:0.29.0-transformers5.10.4-gpu-py312-cu130-ubuntu24.04", "vLLM"),
        (f"{ECR}/sglang:0.5.20-gpu-py312-cu130-ubuntu24.04-sagemaker", "SGLang"),
        (f"{ECR}/huggingface-sglang:0.5.8-transformers4.57.3-gpu-py312-cu129-ubuntu24.04", "SGLang"),
        (f"{ECR}/djl-inference:0.36.0-lmi27.0.0-cu130", "DJL LMI"),
        (OWN, "TGI"),
    ],
)
def test_the_repository_of_an_image_says_what_its_container_answers_as(image: str, title: str) -> None:
    assert program_of(container(image)).title == title


@pytest.mark.parametrize(
    ("variable", "title"),
    [
        ("SM_VLLM_MODEL", "vLLM"),
        ("SM_SGLANG_MODEL_PATH", "SGLang"),
        ("OPTION_MODEL_ID", "DJL LMI"),
        ("HF_NUM_CORES", "TGI for Neuron"),
    ],
)
def test_the_variables_of_an_image_of_ones_own_say_it(variable: str, title: str) -> None:
    assert program_of(container(OWN, **{variable: "a/b"})).title == title


def test_a_variable_of_the_toy_says_it_of_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert program_of(container(OWN, TOY_ENGINE="vllm")).title == "vLLM"
    monkeypatch.setenv("TOY_ENGINE", "sglang")
    assert program_of(container(OWN)).title == "SGLang"
    with pytest.raises(UserError) as caught:
        program_of(container(OWN, TOY_ENGINE="llama.cpp"))
    assert caught.value.problem == "TOY_ENGINE=llama.cpp: is none of tgi, tgi-neuron, vllm, sglang, lmi."
    assert caught.value.fix == "Name one of them."


def test_a_program_of_several_engines_is_told_the_image_and_whether_there_are_weights() -> None:
    tgi = container(f"{ECR}/huggingface-pytorch-tgi-inference:3.3.6", has_artifact=True)
    assert program_of(tgi).arguments(tgi) == ["-m", "local.model_container"]
    vllm = container(f"{ECR}/vllm:0.30.0-gpu@sha256:0", has_artifact=True)
    common = ["-m", "local.model_container.openai", "--engine", "vllm", "--image"]
    assert program_of(vllm).arguments(vllm) == [*common, "vllm:0.30.0-gpu", "--artifact"]
    assert program_of(vllm).arguments(container(f"{ECR}/vllm")) == [*common, "vllm:"]
