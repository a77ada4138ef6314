"""SglangEndpoint and LmiEndpoint: what their templates have, and what they refuse and warn of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import Annotations, App, CfnParameter, Environment, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    ConfigurationError,
    FrontDoor,
    InstanceType,
    LmiEndpoint,
    LmiImage,
    LmiOptions,
    LmiQuantization,
    Model,
    SglangEndpoint,
    SglangImage,
    SglangOptions,
    TgiImage,
)
from tests.constructs_lib.rendered import container, only, template_of, text, variant

if TYPE_CHECKING:
    from constructs import Construct

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
HERE = Environment(account="123456789012", region="eu-west-1")
REGISTRY = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"

ENGINES = [SglangEndpoint, LmiEndpoint]


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Team", env=HERE)


def build(construct: Any, stack: Stack, **given: Any) -> Any:
    return construct(stack, "Qwen", **{"model": QWEN, "instance_type": InstanceType.G6E_2XLARGE} | given)


def test_sglang_has_aws_image_its_environment_and_the_host_that_they_need(stack: Stack) -> None:
    endpoint = build(SglangEndpoint, stack, options=SglangOptions(max_running_requests=32, tool_call_parser="qwen25"))
    template = template_of(stack)
    assert container(template)["Image"] == f"{REGISTRY}/sglang:0.5.20-gpu-py312-cu130-ubuntu24.04-sagemaker"
    assert container(template)["Environment"] == {
        "SM_SGLANG_MODEL_PATH": "Qwen/Qwen2.5-7B-Instruct",
        "SM_SGLANG_TP_SIZE": "1",
        "SM_SGLANG_CONTEXT_LENGTH": "32768",
        "SM_SGLANG_MAX_RUNNING_REQUESTS": "32",
        "SM_SGLANG_MAX_QUEUED_REQUESTS": "128",
        "SM_SGLANG_TOOL_CALL_PARSER": "qwen25",
        "SM_SGLANG_SAMPLING_DEFAULTS": "openai",
        "SM_SGLANG_ENABLE_METRICS": "true",
        "HF_HOME": "/tmp",
    }
    assert variant(template)["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert endpoint.engine == "sglang"
    assert (endpoint.serving.completions, endpoint.serving.tools) == (False, True)


def test_lmi_has_its_image_by_the_version_of_lmi(stack: Stack) -> None:
    options = LmiOptions(quantize=LmiQuantization.FP8, extra_args={"seed": "7"})
    endpoint = build(LmiEndpoint, stack, image=LmiImage.version("27.0.0"), options=options)
    template = template_of(stack)
    assert container(template)["Image"] == f"{REGISTRY}/djl-inference:0.36.0-lmi27.0.0-cu130"
    environment = container(template)["Environment"]
    assert environment["HF_MODEL_ID"] == "Qwen/Qwen2.5-7B-Instruct"
    assert (environment["OPTION_QUANTIZE"], environment["OPTION_SEED"]) == ("fp8", "7")
    seconds = str(variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"])
    assert environment["OPTION_MODEL_LOADING_TIMEOUT"] == seconds
    assert endpoint.engine == "lmi"


def test_hugging_faces_image_of_sglang_has_the_driver_of_its_cuda(stack: Stack) -> None:
    build(SglangEndpoint, stack, image=SglangImage.hugging_face("0.5.8"))
    template = template_of(stack)
    tag = "0.5.8-transformers4.57.3-gpu-py312-cu129-ubuntu24.04"
    assert container(template)["Image"] == f"{REGISTRY}/huggingface-sglang:{tag}"
    assert variant(template)["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-3-1"


def test_a_newer_image_of_hugging_face_is_named_by_its_uri(stack: Stack) -> None:
    uri = f"{REGISTRY}/huggingface-sglang:0.5.12-transformers5.6.0-gpu-py312-cu130-ubuntu24.04"
    endpoint = build(SglangEndpoint, stack, image=SglangImage.from_uri(uri, version="0.5.12"))
    template = template_of(stack)
    assert container(template)["Image"] == uri
    assert container(template)["Environment"]["HF_MODEL_ID"] == "Qwen/Qwen2.5-7B-Instruct"
    assert variant(template)["InferenceAmiVersion"] == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert {"tgi-endpoint:unknownImage", "tgi-endpoint:unpublishedEntrypoint"} <= warnings(endpoint)


def test_a_copy_of_an_image_that_names_no_version_is_taken_by_the_version_that_is_said(stack: Stack) -> None:
    uri = f"{REGISTRY}/sglang:server-sagemaker-cuda-v1.3"
    endpoint = build(SglangEndpoint, stack, image=SglangImage.from_uri(uri, version="0.5.17"))
    assert container(template_of(stack))["Image"] == uri
    assert endpoint.serving.version == "0.5.17"


@pytest.mark.parametrize(
    ("construct", "image", "options"),
    [
        (SglangEndpoint, SglangImage, SglangOptions(tool_call_parser="ours")),
        (LmiEndpoint, LmiImage, LmiOptions(tool_call_parser="ours")),
    ],
)
def test_a_build_of_your_own_may_have_what_its_version_has_not(
    construct: Any, image: Any, options: Any, stack: Stack
) -> None:
    version = "0.5.20" if construct is SglangEndpoint else "27.0.0"
    uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ours:1"
    with pytest.raises(ConfigurationError, match="has no such parser"):
        build(construct, stack, image=image.from_uri(uri, version=version), options=options)
    forked = image.from_uri(uri, version=version, own_build=True)
    endpoint = construct(
        stack, "Ours", model=QWEN, instance_type=InstanceType.G6E_2XLARGE, image=forked, options=options
    )
    assert "tgi-endpoint:ownBuildUnchecked" in warnings(endpoint)


def test_weights_in_s3_are_the_only_source_of_lmi(stack: Stack) -> None:
    model = Model.from_s3(
        s3.Bucket.from_bucket_name(stack, "Weights", "weights"), "qwen/", like="Qwen/Qwen2.5-7B-Instruct"
    )
    endpoint = build(LmiEndpoint, stack, model=model)
    template = template_of(stack)
    assert "HF_MODEL_ID" not in container(template)["Environment"]
    assert container(template)["ModelDataSource"]["S3DataSource"]["CompressionType"] == "None"
    assert "tgi-endpoint:servingProperties" in warnings(endpoint)


@pytest.mark.parametrize("construct", ENGINES)
def test_the_hub_token_comes_from_secrets_manager(construct: Any, stack: Stack) -> None:
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "team/hub-token")
    build(construct, stack, model=Model.from_hub("meta-llama/Llama-3.1-8B-Instruct", token=token))
    environment = container(template_of(stack))["Environment"]
    assert "resolve:secretsmanager" in text(environment["HF_TOKEN"])
    assert "HUGGING_FACE_HUB_TOKEN" not in environment


@pytest.mark.parametrize("construct", ENGINES)
def test_a_stack_in_no_particular_region_looks_the_account_up(construct: Any, app: App) -> None:
    stack = Stack(app, "Anywhere")
    build(construct, stack)
    template = template_of(stack)
    assert "ImageAccounts" in text(container(template)["Image"])
    assert len(template["Mappings"]) == 1


def test_a_token_as_an_option_is_written_as_it_is(stack: Stack) -> None:
    length: Any = CfnParameter(stack, "Length", type="Number").value_as_number
    build(LmiEndpoint, stack, options=LmiOptions(max_model_len=length))
    assert container(template_of(stack))["Environment"]["OPTION_MAX_MODEL_LEN"] == {"Ref": "Length"}


@pytest.mark.parametrize(
    ("construct", "given", "message"),
    [
        (
            SglangEndpoint,
            {"options": SglangOptions(extra_args={"tp": "2"})},
            "options.extra_args['tp']='2': is set by options.tp_size. Use options.tp_size instead.",
        ),
        (
            LmiEndpoint,
            {"options": LmiOptions(extra_args={"max_model_length": "4096"})},
            "LMI drops it without a word. Did you mean options.max_model_len?",
        ),
        (
            LmiEndpoint,
            {"image": LmiImage.version("18.0.0")},
            "image='18.0.0': AWS publishes no image of that LMI version. Use '29.0.0'. AWS publishes 10.0.0, 11.0.0,",
        ),
        (
            SglangEndpoint,
            {"image": SglangImage.hugging_face("0.5.20")},
            "image='0.5.20': AWS publishes no image of that SGLang version. Use '0.5.8'. AWS publishes 0.5.8.",
        ),
        (
            LmiEndpoint,
            {"image": LmiImage.from_uri(f"{REGISTRY}/djl-inference:0.33.0-tensorrtllm0.21.0-cu128", version="15.0.0")},
            "AWS publishes no such tag; that of LMI 15.0.0 is 0.33.0-lmi15.0.0-cu128. Write LmiImage.version('15.0.0')",
        ),
    ],
)
def test_what_could_not_be_deployed_is_refused(construct: Any, given: Any, message: str, stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build(construct, stack, **given)
    assert message in str(refused.value)


@pytest.mark.parametrize(("construct", "image"), [(SglangEndpoint, "SglangImage"), (LmiEndpoint, "LmiImage")])
@pytest.mark.parametrize(
    "other", [TgiImage.version("3.3.6"), TgiImage.from_uri(f"{REGISTRY}/mine:3.3.6", version="3.3.6")]
)
def test_an_image_of_another_engine_is_refused(construct: Any, image: str, other: TgiImage, stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build(construct, stack, image=other)
    assert f"image='3.3.6': must be a {image}, not TgiImage. Write {image}.version(…)." in str(refused.value)


@pytest.mark.parametrize(
    ("construct", "always"),
    [
        (SglangEndpoint, {"tgi-endpoint:chatRoutesOnly", "tgi-endpoint:healthNotChecked"}),
        (LmiEndpoint, {"tgi-endpoint:lmiAnswers", "tgi-endpoint:unboundedQueue", "tgi-endpoint:unknownVllm"}),
    ],
)
def test_what_is_always_said_can_be_acknowledged(construct: Any, always: set[str], stack: Stack) -> None:
    endpoint = build(construct, stack)
    assert always <= warnings(endpoint)
    for one in always:
        Annotations.of(endpoint).acknowledge_warning(one)
    assert not always & warnings(endpoint)


@pytest.mark.parametrize("construct", ENGINES)
def test_it_scales_and_has_the_methods_of_every_endpoint(construct: Any, stack: Stack) -> None:
    endpoint = build(construct, stack)
    endpoint.auto_scale(max_instances=3).on_concurrency(target=4)
    assert only(template_of(stack), "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]["MaxCapacity"] == 3


@pytest.mark.parametrize("construct", ENGINES)
def test_an_endpoint_that_exists_is_imported_with_its_engine(construct: Any, stack: Stack) -> None:
    imported = construct.from_endpoint_name(stack, "There", "qwen", max_total_tokens=4096)
    assert imported.engine == construct.ENGINE.name
    assert imported.serving.max_total_tokens == 4096


@pytest.mark.parametrize("construct", ENGINES)
def test_cdk_nag_has_no_open_finding(construct: Any, app: App, stack: Stack) -> None:
    FrontDoor(stack, "Api", models={"qwen": build(construct, stack)})
    for pack in (AwsSolutionsChecks(app), ServerlessChecks(app)):
        assert [violation.rule_name for violation in pack.validate_scope(app).violations] == []


def warnings(endpoint: Construct) -> set[str]:
    """The ids of the warnings of an endpoint."""
    found = [str(entry.data) for entry in endpoint.node.metadata if entry.type == "aws:cdk:warning"]
    return {one.rpartition("[ack: ")[2].rstrip("]") for one in found}
