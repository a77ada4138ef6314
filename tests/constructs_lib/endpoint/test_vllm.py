"""VllmEndpoint: a model that vLLM serves, in the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Validations
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    ConfigurationError,
    InstanceType,
    Model,
    ScaleToZero,
    TgiEndpoint,
    TgiImage,
    VllmEndpoint,
    VllmImage,
    VllmOptions,
)
from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import COMPONENT, container, only, template_of, text, variant

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
HERE = Environment(account="123456789012", region="eu-west-1")
REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


def endpoint(stack: Stack, **changes: Any) -> VllmEndpoint:
    """An endpoint for a gated model of the hub."""
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "team/hub-token")
    arguments: dict[str, Any] = {
        "model": Model.from_hub(LLAMA, token=token),
        "instance_type": InstanceType.G6E_XLARGE,
    } | changes
    return VllmEndpoint(stack, "Llama", **arguments)


def stack_in(tmp_path: Path, env: Environment | None = HERE) -> Stack:
    return Stack(App(outdir=str(tmp_path)), "Team", env=env)


def test_the_endpoint_runs_the_newest_image_on_a_host_with_its_driver(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    assert endpoint(stack).engine == "vllm"
    template = template_of(stack)
    assert container(template)["Image"] == f"{REGISTRY}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker"
    assert variant(template)["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"] == 1200


def test_the_container_gets_the_options_and_the_token(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    options = VllmOptions(max_model_len=8192, tool_call_parser="llama3_json")
    endpoint(stack, options=options, startup_timeout=Duration.minutes(40))
    environment = container(template_of(stack))["Environment"]
    assert text(environment.pop("HF_TOKEN")).startswith("{{resolve:secretsmanager:")
    assert environment == {
        "SM_VLLM_MODEL": LLAMA,
        "SM_VLLM_MAX_MODEL_LEN": "8192",
        "SM_VLLM_TOOL_CALL_PARSER": "llama3_json",
        "SM_VLLM_TENSOR_PARALLEL_SIZE": "1",
        "SM_VLLM_GENERATION_CONFIG": "vllm",
        "SM_VLLM_MAX_NUM_QUEUED_REQS": "512",
        "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
        "HF_HOME": "/tmp",
        "VLLM_NO_USAGE_STATS": "1",
        "PROCESS_AUTO_RECOVERY": "false",
        "VLLM_ENGINE_READY_TIMEOUT_S": "2400",
    }


def test_weights_in_s3_are_served_from_their_folder_without_the_hub(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    weights = Model.from_s3(s3.Bucket.from_bucket_name(stack, "Weights", "team-weights"), "llama", model_id=LLAMA)
    endpoint(stack, model=weights, network_isolation=True)
    environment = container(template_of(stack))["Environment"]
    assert environment.items() >= {
        ("SM_VLLM_MODEL", "/opt/ml/model"),
        ("HF_HUB_OFFLINE", "1"),
        ("STANDARD_AUTO_INSTALL_REQ", "false"),
    }


def test_hugging_faces_image_starts_without_lmcache(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    endpoint(stack, image=VllmImage.hugging_face("0.29.0"))
    found = container(template_of(stack))
    assert found["Image"] == (f"{REGISTRY}/huggingface-vllm:0.29.0-transformers5.15.0-gpu-py312-cu130-ubuntu24.04-v1.0")
    assert found["Environment"]["HF_ENABLE_LMCACHE"] == "0"


def test_a_version_that_hugging_face_has_no_image_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"image='0.30.0': AWS publishes no image of that vLLM version."):
        endpoint(stack_in(tmp_path), image=VllmImage.hugging_face("0.30.0"))


def test_a_copy_of_hugging_faces_image_is_known_by_its_repository(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    arn = "arn:aws:ecr:eu-west-1:123456789012:repository/{}"
    copy = ecr.Repository.from_repository_arn(stack, "Copy", arn.format("mirror/huggingface-vllm"))
    other = ecr.Repository.from_repository_arn(stack, "Other", arn.format("mirror/vllm"))
    families = [
        VllmImage.from_ecr_repository(repository, tag="1", version="0.29.0").spec().family.name
        for repository in (copy, other)
    ]
    by_uri = VllmImage.from_uri(f"{REGISTRY}/huggingface-vllm:0.29.0-transformers5.15.0-gpu", version="0.29.0")
    assert (families, by_uri.spec().family.name) == (["huggingface-vllm", "vllm"], "huggingface-vllm")


def test_an_image_of_another_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"image='3.3.6': must be a VllmImage, not TgiImage. Write VllmImage"):
        endpoint(stack_in(tmp_path), image=TgiImage.version("3.3.6"))
    with pytest.raises(ConfigurationError, match="is AWS's image of vLLM, not of TGI"):
        TgiEndpoint(
            stack_in(tmp_path),
            "Llama",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            image=TgiImage.from_uri(f"{REGISTRY}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker", version="3.3.6"),
        )


def test_a_variant_with_the_image_of_another_engine_is_one_problem(tmp_path: Path) -> None:
    found = endpoint(stack_in(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        found.add_variant("tgi", weight=1, image=TgiImage.version("3.3.6"))
    (told,) = str(caught.value).splitlines()[1:]
    assert "must be a VllmImage, not TgiImage; all variants of an endpoint have the same engine" in told


def test_problems_of_one_call_come_together(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        endpoint(
            stack_in(tmp_path),
            options=VllmOptions(tensor_parallel_size=2, enable_auto_tool_choice=True),
            environment={"LOG_LEVEL": "warning"},
        )
    assert [line.partition("=")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "- options.enable_auto_tool_choice",
        "- options.tensor_parallel_size",
        "- environment['LOG_LEVEL']",
    ]


def test_the_accounts_of_two_publishers_of_one_version_do_not_collide(tmp_path: Path) -> None:
    stack = stack_in(tmp_path, env=None)
    for number, image in enumerate((VllmImage.version("0.29.0"), VllmImage.hugging_face("0.29.0"))):
        VllmEndpoint(
            stack,
            f"Qwen{number}",
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G6E_XLARGE,
            image=image,
        )
    template = template_of(stack)
    assert template["Mappings"].keys() == {"VllmImageAccounts0290", "HuggingfaceVllmImageAccounts0290"}
    assert "cn-north-1" in template["Mappings"]["HuggingfaceVllmImageAccounts0290"]
    assert "cn-north-1" not in template["Mappings"]["VllmImageAccounts0290"]


def test_an_endpoint_that_exists_is_imported_as_one_of_vllm(tmp_path: Path) -> None:
    found = VllmEndpoint.from_endpoint_name(stack_in(tmp_path), "Old", "team-llama", tools=True, quantize="fp8")
    assert (found.engine, found.serving.tools, found.serving.quantize) == ("vllm", True, "fp8")


def test_it_can_scale_to_zero(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    found = endpoint(stack, scale_to_zero=ScaleToZero())
    assert found.inference_component_name is not None


def test_a_component_has_the_gpus_of_every_copy_in_the_container(tmp_path: Path) -> None:
    stack = stack_in(tmp_path)
    options = VllmOptions(data_parallel_size=2, tensor_parallel_size=2)
    endpoint(stack, instance_type=InstanceType.G6E_12XLARGE, scale_to_zero=ScaleToZero(), options=options)
    specification = only(template_of(stack), COMPONENT)["Properties"]["Specification"]
    assert specification["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == 4


def test_cdk_nag_has_no_finding_and_the_template_is_valid(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(), ServerlessChecks())
    stack = Stack(app, "Team", env=HERE)
    endpoint(stack)
    assert lint_template(json.dumps(template_of(stack)), ["eu-west-1"]) == []
