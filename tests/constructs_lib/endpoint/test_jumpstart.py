"""JumpStartEndpoint: a pinned model in the template."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Size, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import (
    ConfigurationError,
    FrontDoor,
    InstanceType,
    JumpStartEndpoint,
    JumpStartModel,
    Model,
    ScaleToZero,
    TgiEndpoint,
)
from constructs_lib.planning.engines.jumpstart.pinned_file import JumpStartFileError, write_pinned
from constructs_lib.planning.engines.jumpstart.spec import pin
from scripts.lint_templates import lint_template
from tests.constructs_lib.planning.engines.jumpstart.specs import (
    LMI,
    PYTORCH,
    TGI,
    images,
    open_spec,
    spec,
    spec_by_instance,
    spec_with_configs,
    uses,
)
from tests.constructs_lib.rendered import (
    COMPONENT,
    CONFIG,
    MODEL,
    as_list,
    container,
    properties,
    resources,
    statement_with,
    statements,
    template_of,
    text,
    variant,
)

if TYPE_CHECKING:
    from pathlib import Path

SMALL, LARGE = InstanceType.G5_2XLARGE, InstanceType.G5_12XLARGE
GATED = "jumpstart-private-cache-prod-eu-west-1"
PUBLIC = "jumpstart-cache-prod-eu-west-1"
KEY = "team/llama/artifacts/inference-prepack/v1.0.0/"


def model_of(published: dict[str, Any], *regions: str, accept_eula: bool = True) -> JumpStartModel:
    pinned = pin(dict.fromkeys(regions or ("eu-west-1",), published)).model
    return JumpStartModel(pinned, accept_eula=accept_eula)


def endpoint(stack: Stack, published: dict[str, Any] | None = None, **arguments: Any) -> JumpStartEndpoint:
    defaults = {"model": model_of(published or spec()), "instance_type": SMALL, "detailed_observability": False}
    return JumpStartEndpoint(stack, "Llm", **(defaults | arguments))


def problems(stack: Stack, *arguments: Any, **keywords: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, *arguments, **keywords)
    assert not stack.node.children, "nothing has been created"
    return [str(problem) for problem in raised.value.problems]


def warnings_of(one: JumpStartEndpoint) -> list[str]:
    return [str(entry.data) for entry in one.node.metadata if entry.type == "aws:cdk:warning"]


def test_a_gated_model_is_rendered_as_aws_publishes_it(stack: Stack) -> None:
    one = endpoint(stack)
    template = template_of(stack)
    assert container(template) == {
        "Image": f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{TGI}",
        "Environment": {"HF_MODEL_ID": "/opt/ml/model", "MAX_INPUT_TOKENS": "1000", "MAX_TOTAL_TOKENS": "2000"},
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": f"s3://{GATED}/{KEY}",
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
                "ModelAccessConfig": {"AcceptEula": True},
            }
        },
    }
    assert properties(template, MODEL)["EnableNetworkIsolation"] is True
    assert {name: variant(template)[name] for name in ("InstanceType", "InferenceAmiVersion")} == {
        "InstanceType": "ml.g5.2xlarge",
        "InferenceAmiVersion": "al2-ami-sagemaker-inference-gpu-3-1",
    }
    assert variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"] == 1500
    assert variant(template)["ModelDataDownloadTimeoutInSeconds"] == 1200
    assert "VolumeSizeInGB" not in variant(template), "g5 has drives of its own"
    assert warnings_of(one) == []


def test_gated_weights_need_no_permission(stack: Stack) -> None:
    endpoint(stack)
    actions = [action for one in statements(template_of(stack)) for action in as_list(one["Action"])]
    assert not [action for action in actions if action.startswith("s3:")]


def test_open_weights_are_read_with_the_role(stack: Stack) -> None:
    endpoint(stack, open_spec())
    template = template_of(stack)
    assert container(template)["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": f"s3://{PUBLIC}/{KEY}",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    assert text(statement_with(template, "s3:GetObject")["Resource"]) == f"arn:<AWS::Partition>:s3:::{PUBLIC}/{KEY}*"
    listing = statement_with(template, "s3:ListBucket")
    assert text(listing["Resource"]) == f"arn:<AWS::Partition>:s3:::{PUBLIC}"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": f"{KEY}*"}}


def test_a_licence_agreement_in_the_public_bucket_is_accepted_as_well(stack: Stack) -> None:
    endpoint(stack, open_spec(hosting_eula_key="fmhMetadata/eula/teamEula.txt"))
    source = container(template_of(stack))["ModelDataSource"]["S3DataSource"]
    assert (source["S3Uri"], source["ModelAccessConfig"]) == (f"s3://{PUBLIC}/{KEY}", {"AcceptEula": True})


def test_an_archive_is_unpacked_by_sagemaker(stack: Stack) -> None:
    endpoint(stack, spec_by_instance(), instance_type=LARGE, engine=None)
    template = template_of(stack)
    key = "team/llama/g5-12xlarge/infer-prepack.tar.gz"
    assert container(template)["ModelDataSource"]["S3DataSource"] == {
        "S3Uri": f"s3://{PUBLIC}/{key}",
        "S3DataType": "S3Object",
        "CompressionType": "Gzip",
    }
    assert text(statement_with(template, "s3:GetObject")["Resource"]) == f"arn:<AWS::Partition>:s3:::{PUBLIC}/{key}"


def test_the_region_chooses_image_and_bucket(app: App) -> None:
    stack = Stack(app, "Beijing", env=Environment(account="123456789012", region="cn-north-1"))
    JumpStartEndpoint(stack, "Llm", model=model_of(spec(), "eu-west-1", "cn-north-1"), instance_type=SMALL)
    found = container(template_of(stack))
    assert found["Image"] == f"727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/{TGI}"
    assert found["ModelDataSource"]["S3DataSource"]["S3Uri"].startswith("s3://jumpstart-private-cache-prod-cn-north-1/")


def test_the_role_may_pull_the_image_and_no_other(stack: Stack) -> None:
    endpoint(stack, spec_with_configs(), instance_type=LARGE)
    pull = statement_with(template_of(stack), "ecr:BatchGetImage")
    assert text(pull["Resource"]) == f"arn:<AWS::Partition>:ecr:eu-west-1:763104351884:repository/{LMI.split(':')[0]}"


def test_the_callers_arguments_replace_those_of_the_file(stack: Stack) -> None:
    endpoint(
        stack,
        environment={"MAX_TOTAL_TOKENS": "3000", "TEAM": "search"},
        network_isolation=False,
        startup_timeout=Duration.minutes(50),
        model_download_timeout=Duration.minutes(40),
        inference_ami_version="default",
        tags={"team": "search", "sagemaker-studio:jumpstart-model-id": "own"},
    )
    template = template_of(stack)
    assert container(template)["Environment"] == {
        "HF_MODEL_ID": "/opt/ml/model",
        "MAX_INPUT_TOKENS": "1000",
        "MAX_TOTAL_TOKENS": "3000",
        "TEAM": "search",
    }
    assert "EnableNetworkIsolation" not in properties(template, MODEL)
    assert variant(template)["ContainerStartupHealthCheckTimeoutInSeconds"] == 3000
    assert variant(template)["ModelDataDownloadTimeoutInSeconds"] == 2400
    assert "InferenceAmiVersion" not in variant(template)
    assert {"Key": "sagemaker-studio:jumpstart-model-id", "Value": "own"} in properties(template, CONFIG)["Tags"]


def test_the_machine_image_of_the_file_is_the_default(stack: Stack) -> None:
    endpoint(stack, spec(deploy_kwargs={"inference_ami_version": "al2-ami-sagemaker-inference-gpu-2"}))
    assert variant(template_of(stack))["InferenceAmiVersion"] == "al2-ami-sagemaker-inference-gpu-2"


def test_a_file_without_timeouts_leaves_them_to_the_plan(stack: Stack) -> None:
    endpoint(stack, spec(deploy_kwargs={}))
    assert variant(template_of(stack))["ContainerStartupHealthCheckTimeoutInSeconds"] == 1800


@pytest.mark.parametrize(("given", "size"), [({}, 256), ({"volume_size": Size.gibibytes(100)}, 100)])
def test_an_instance_type_without_drives_gets_the_volume_of_the_file(
    stack: Stack, given: dict[str, Any], size: int
) -> None:
    published = spec(supported_inference_instance_types=["ml.g4dn.xlarge", "ml.g7.2xlarge"])
    published["hosting_instance_type_variants"]["variants"]["g7"] = uses("gpu_ecr_uri_1")
    endpoint(stack, published, instance_type=InstanceType.G7_2XLARGE, **given)
    assert variant(template_of(stack))["VolumeSizeInGB"] == size


def test_resources_have_the_tags_that_studio_shows(stack: Stack) -> None:
    endpoint(stack, tags={"team": "search"})
    assert properties(template_of(stack), MODEL)["Tags"] == [
        {"Key": "sagemaker-studio:jumpstart-hub-name", "Value": "SageMakerPublicHub"},
        {"Key": "sagemaker-studio:jumpstart-model-id", "Value": "team-llama"},
        {"Key": "sagemaker-studio:jumpstart-model-version", "Value": "2.10.1"},
        {"Key": "team", "Value": "search"},
    ]


def test_a_list_of_types_has_a_model_for_each_set_of_variables(stack: Stack) -> None:
    endpoint(stack, instance_type=[SMALL, LARGE])
    template = template_of(stack)
    assert [one["InstanceType"] for one in variant(template)["InstancePools"]] == ["ml.g5.2xlarge", "ml.g5.12xlarge"]
    found = [one["Properties"]["PrimaryContainer"]["Environment"] for one in resources(template, MODEL).values()]
    assert [one.get("SM_NUM_GPUS") for one in found] == [None, "4"]


def test_a_variant_may_have_another_type_of_the_file(stack: Stack) -> None:
    one = endpoint(stack)
    one.add_variant("Large", weight=1, instance_type=LARGE)
    with pytest.raises(ConfigurationError, match=r"is none on which team-llama 2\.10\.1 is pinned in eu-west-1"):
        one.add_variant("Other", weight=1, instance_type=InstanceType.G6E_XLARGE)
    variants = properties(template_of(stack), CONFIG)["ProductionVariants"]
    assert [each["InstanceType"] for each in variants] == ["ml.g5.2xlarge", "ml.g5.12xlarge"]


def test_a_variant_may_have_weights_of_the_callers_own(stack: Stack) -> None:
    """Such as a fine-tune of the model, on JumpStart's image with JumpStart's variables."""
    tuned = Model.from_s3(s3.Bucket.from_bucket_name(stack, "Tuned", "tuned"), "llama/", like="meta-llama/Llama-3.1-8B")
    endpoint(stack).add_variant("Tuned", weight=1, model=tuned)
    first, second = (one["Properties"]["PrimaryContainer"] for one in resources(template_of(stack), MODEL).values())
    assert second["ModelDataSource"]["S3DataSource"]["S3Uri"] == "s3://tuned/llama/"
    assert (second["Image"], second["Environment"]) == (first["Image"], first["Environment"])


def test_it_scales_to_zero_as_an_inference_component(stack: Stack) -> None:
    endpoint(stack, instance_type=LARGE, scale_to_zero=ScaleToZero(max_copies=1))
    specification = properties(template_of(stack), COMPONENT)["Specification"]
    assert specification["ComputeResourceRequirements"]["NumberOfAcceleratorDevicesRequired"] == 4
    assert specification["StartupParameters"]["ContainerStartupHealthCheckTimeoutInSeconds"] == 1500


def test_a_front_door_checks_requests_by_the_variables(stack: Stack) -> None:
    one = endpoint(stack)
    FrontDoor(stack, "Api", models={"llama": one})
    assert (one.engine, one.model_id, one.max_body_bytes) == ("tgi", "team/llama", 2_097_152)
    assert (one.serving.version, one.serving.max_total_tokens) == ("2.4.0", 2000)


def test_what_a_container_speaks_can_be_declared(stack: Stack) -> None:
    published = open_spec(
        hosting_instance_type_variants={"regional_aliases": images(gpu=PYTORCH), "variants": {"g5": uses("gpu")}}
    )
    assert endpoint(stack, published, engine="openai").engine == "openai"


def test_all_problems_are_reported_together(app: App) -> None:
    stack = Stack(app, "Ohio", env=Environment(account="123456789012", region="us-east-2"))
    found = problems(
        stack,
        model=model_of(spec(dynamic_container_deployment_supported=False), accept_eula=False),
        instance_type=InstanceType.G6E_XLARGE,
        engine="openai",
        scale_to_zero=ScaleToZero(max_copies=1),
        environment={"MAX_TOTAL_TOKENS": "many"},
        tags={"": "x"},
    )
    assert [one.partition("=")[0] for one in found if not one.startswith("tags")] == [
        "instance_type",
        "environment['MAX_TOTAL_TOKENS']",
        "region",
        "model.accept_eula",
        "engine",
        "scale_to_zero",
    ]
    assert any(one.startswith("tags") for one in found)


def test_a_region_that_only_the_deployment_knows_is_a_problem(app: App) -> None:
    (found,) = problems(Stack(app, "Anywhere"))
    assert found.startswith("region=None: must be known at synth, as image and weights of team-llama are those of one")


@pytest.mark.parametrize("model", [Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), None, "team-llama"])
def test_a_model_of_another_kind_is_a_problem(stack: Stack, model: object) -> None:
    (found,) = problems(stack, model=model)
    kind = type(model).__name__
    assert found.endswith(f"must be a JumpStartModel, not {kind}. Write JumpStartModel.from_file(…).")


def test_a_jumpstart_model_is_no_model_of_another_endpoint(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="must be a Model, not JumpStartModel"):
        TgiEndpoint(stack, "Llm", model=model_of(spec()), instance_type=SMALL)  # type: ignore[arg-type]


def test_an_instance_type_that_is_none_is_a_problem(stack: Stack) -> None:
    (found,) = problems(stack, instance_type="ml.g5.2xlarge")
    assert found == "instance_type='ml.g5.2xlarge': must be an InstanceType, not str. Write InstanceType.G5_2XLARGE."


def test_an_unknown_argument_is_a_type_error(stack: Stack) -> None:
    with pytest.raises(TypeError, match=r"JumpStartEndpoint\(\) got an unexpected keyword argument 'image'"):
        endpoint(stack, image=None)


def test_a_variable_may_be_a_token(stack: Stack) -> None:
    limit = CfnParameter(stack, "Limit")
    one = endpoint(stack, environment={"MAX_TOTAL_TOKENS": limit.value_as_string})
    assert one.serving.max_total_tokens is None
    assert container(template_of(stack))["Environment"]["MAX_TOTAL_TOKENS"] == {"Ref": "Limit"}


def test_a_model_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "llama.json"
    write_pinned(file, pin({"eu-west-1": spec()}).model)
    model = JumpStartModel.from_file(file, accept_eula=True)
    assert (model.model_id, model.version, model.accept_eula) == ("team-llama", "2.10.1", True)
    assert model.instance_types == ("ml.g5.12xlarge", "ml.g5.2xlarge", "ml.g6.12xlarge")
    with pytest.raises(JumpStartFileError, match="cannot be read: No such file or directory"):
        JumpStartModel.from_file(tmp_path / "nowhere.json")


@pytest.mark.parametrize("published", [spec(), open_spec(), spec_by_instance()], ids=["gated", "open", "archive"])
def test_cdk_nag_has_no_finding_and_the_template_is_valid(tmp_path: Path, published: dict[str, Any]) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    Validations.of(app).add_plugins(AwsSolutionsChecks(), ServerlessChecks())
    stack = Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))
    JumpStartEndpoint(stack, "Llm", model=model_of(published), instance_type=SMALL)
    assert lint_template(json.dumps(template_of(stack)), ["eu-west-1"]) == []


def test_in_a_vpc_the_weights_have_to_be_reachable(stack: Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        max_azs=2,
        nat_gateways=0,
        subnet_configuration=[ec2.SubnetConfiguration(name="own", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
    )
    with pytest.raises(ConfigurationError, match="cannot reach S3, and their VPC has no endpoint for it"):
        endpoint(stack, vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED))
