from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from botocore.session import get_session
from botocore.validate import validate_parameters
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from constructs_lib import ConfigurationError, DataCapture, InstanceType, Model, ScaleToZero, TgiEndpoint
from tests.constructs_lib.rendered import (
    CONFIG,
    ENDPOINT,
    MODEL,
    POLICY,
    Json,
    only,
    properties,
    resources,
    statement_with,
    statements,
    template_of,
    text,
)

if TYPE_CHECKING:
    from constructs import Construct

QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
KEY_ARN = "arn:aws:kms:{}:123456789012:key/12345678-1234-1234-1234-123456789012"
ROLE_ARN = "arn:aws:iam::123456789012:role/own"
STREAMS = (
    " in S3, with whatever people write: personal data and secrets among it. Restrict who reads the bucket, and delete"
    " objects by a lifecycle rule. AWS does not say whether the answers of streaming calls are captured, which a front"
    " door makes for nearly every request: look at the first files. [ack: tgi-endpoint:capturesContent]"
)


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Team", env=Environment(account="123456789012", region="eu-west-1"))


def captured(scope: Construct, **arguments: Any) -> s3.IBucket:
    return s3.Bucket.from_bucket_attributes(scope, "Captured", **({"bucket_name": "team-captured"} | arguments))


def key_of(scope: Construct, region: str = "eu-west-1") -> kms.IKey:
    return kms.Key.from_key_arn(scope, f"Key{region}", KEY_ARN.format(region))


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults = {"model": QWEN, "instance_type": InstanceType.G5_2XLARGE, "detailed_observability": False}
    return TgiEndpoint(stack, "Qwen", **(defaults | arguments))


def problems(stack: Stack, **fields: Any) -> list[str]:
    if "bucket" not in fields:
        fields["bucket"] = captured(stack)
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, data_capture=DataCapture(**fields))
    return [str(problem) for problem in raised.value.problems]


def warnings(construct: Construct) -> list[str]:
    return [str(entry.data) for entry in construct.node.metadata if entry.type == "aws:cdk:warning"]


def config(template: Json) -> Any:
    return properties(template, CONFIG)["DataCaptureConfig"]


def test_a_tenth_of_the_requests_is_stored_with_its_answers_as_readable_json(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack)))
    assert config(template_of(stack)) == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://team-captured/data-capture",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }


def test_an_endpoint_without_it_captures_nothing(stack: Stack) -> None:
    endpoint(stack)
    assert "DataCaptureConfig" not in properties(template_of(stack), CONFIG)


def test_every_argument_is_rendered(stack: Stack) -> None:
    capture = DataCapture(
        bucket=captured(stack),
        prefix="/llama/prompts/",
        sampling_percentage=100,
        what="input",
        key=key_of(stack),
        json_content_types=("application/json", "text/event-stream"),
    )
    endpoint(stack, data_capture=capture)
    assert config(template_of(stack)) == {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://team-captured/llama/prompts",
        "KmsKeyId": KEY_ARN.format("eu-west-1"),
        "CaptureOptions": [{"CaptureMode": "Input"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json", "text/event-stream"]},
    }


def test_without_a_content_type_all_is_base64(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack), what="output", json_content_types=()))
    rendered = config(template_of(stack))
    assert rendered["CaptureOptions"] == [{"CaptureMode": "Output"}]
    assert "CaptureContentTypeHeader" not in rendered


def test_the_rendered_config_is_one_that_sagemaker_takes(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack), key=key_of(stack)))
    shape = get_session().get_service_model("sagemaker").shape_for("DataCaptureConfig")
    validate_parameters(config(template_of(stack)), shape)


def test_the_role_may_put_objects_below_the_prefix_and_nothing_else(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack), prefix="llama"))
    template = template_of(stack)
    statement = statement_with(template, "s3:PutObject")
    assert (statement["Action"], text(statement["Resource"])) == (
        "s3:PutObject",
        "arn:<AWS::Partition>:s3:::team-captured/llama/*",
    )
    assert not [each for each in statements(template) if "kms:" in str(each["Action"])]


def test_the_model_waits_for_the_permission(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack)))
    template = template_of(stack)
    policies = set(resources(template, POLICY))
    assert len(policies) == 2, "what is allowed at a place in S3 has a policy of its own"
    assert policies <= set(only(template, MODEL)["DependsOn"])


@pytest.mark.parametrize("is_of_bucket", [False, True])
def test_with_a_key_the_role_may_use_it_whether_it_is_given_or_the_buckets(stack: Stack, is_of_bucket: bool) -> None:
    key = key_of(stack)
    capture = (
        DataCapture(bucket=captured(stack, encryption_key=key))
        if is_of_bucket
        else DataCapture(bucket=captured(stack), key=key)
    )
    endpoint(stack, data_capture=capture)
    template = template_of(stack)
    statement = statement_with(template, "kms:GenerateDataKey")
    assert (statement["Action"], statement["Resource"]) == (
        ["kms:Decrypt", "kms:GenerateDataKey"],
        KEY_ARN.format("eu-west-1"),
    )
    assert config(template)["KmsKeyId"] == KEY_ARN.format("eu-west-1")


def test_cdk_nag_has_no_open_finding(app: App, stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack), key=key_of(stack)))
    for pack in (AwsSolutionsChecks(app), ServerlessChecks(app)):
        assert [violation.rule_name for violation in pack.validate_scope(app).violations] == []


def test_it_is_said_that_content_is_stored(stack: Stack) -> None:
    built = endpoint(stack, data_capture=DataCapture(bucket=captured(stack)))
    assert warnings(built) == [f"SageMaker stores prompts and answers of 10 % of the requests{STREAMS}"]


def test_a_share_that_only_the_deployment_knows_is_a_part(stack: Stack) -> None:
    share: Any = CfnParameter(stack, "Share", type="Number").value_as_number
    capture = DataCapture(bucket=captured(stack), what="input", sampling_percentage=share)
    built = endpoint(stack, data_capture=capture)
    assert warnings(built) == [f"SageMaker stores prompts of a part of the requests{STREAMS}"]
    assert config(template_of(stack))["InitialSamplingPercentage"] == {"Ref": "Share"}


def test_whether_components_are_captured_is_not_known(stack: Stack) -> None:
    built = endpoint(stack, data_capture=DataCapture(bucket=captured(stack)), scale_to_zero=ScaleToZero())
    assert (
        "AWS does not say whether SageMaker captures requests of inference components, which scale_to_zero makes of the"
        " model: look for the first files before you rely on them. [ack: tgi-endpoint:capturesOfComponents]"
    ) in warnings(built)


def test_a_vpc_that_does_not_reach_s3_is_a_warning(stack: Stack) -> None:
    vpc = ec2.Vpc(
        stack,
        "Vpc",
        subnet_configuration=[ec2.SubnetConfiguration(name="Inner", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)],
    )
    built = endpoint(
        stack,
        data_capture=DataCapture(bucket=captured(stack)),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        environment={"HF_ENDPOINT": "https://mirror.example.com"},
    )
    assert (
        "The endpoint's subnets do not reach S3, and then nothing may be captured, without an error: add a gateway"
        " endpoint for S3 to the VPC. [ack: tgi-endpoint:capturesNeedS3]"
    ) in warnings(built)


@pytest.mark.parametrize(
    ("has_key", "needed"), [(False, "s3:PutObject"), (True, "s3:PutObject, kms:GenerateDataKey and kms:Decrypt")]
)
def test_a_role_that_cannot_be_changed_is_a_warning_as_captures_vanish_without_an_error(
    stack: Stack, has_key: bool, needed: str
) -> None:
    role = iam.Role.from_role_arn(stack, "Own", ROLE_ARN, mutable=False)
    capture = DataCapture(bucket=captured(stack), key=key_of(stack) if has_key else None)
    assert (
        f"The given role cannot be changed by this app and needs {needed} for the prefix of data_capture; without them"
        " SageMaker captures nothing, and reports no error. [ack: tgi-endpoint:capturesNeedRights]"
    ) in warnings(endpoint(stack, data_capture=capture, role=role))


@pytest.mark.parametrize("is_own", [False, True])
def test_a_role_that_takes_permissions_gets_them(stack: Stack, is_own: bool) -> None:
    trust = iam.ServicePrincipal("sagemaker.amazonaws.com")
    role = iam.Role(stack, "Own", assumed_by=trust) if is_own else iam.Role.from_role_arn(stack, "Own", ROLE_ARN)
    built = endpoint(stack, data_capture=DataCapture(bucket=captured(stack)), role=role)
    assert len(warnings(built)) == 1
    assert statement_with(template_of(stack), "s3:PutObject")


def test_all_problems_are_reported_together(stack: Stack) -> None:
    assert problems(
        stack,
        bucket=captured(stack, region="us-east-1"),
        key=key_of(stack, "us-west-2"),
        prefix="s3://team/llama",
        sampling_percentage=0,
        what="all",
        json_content_types="application/json",
    ) == [
        (
            "data_capture.bucket='us-east-1': is the Region of the bucket, but an endpoint stores what it captures in"
            " its own Region: eu-west-1. Give a bucket there."
        ),
        (
            "data_capture.key='us-west-2': is the Region of the key, but S3 encrypts objects with keys of the bucket's"
            " Region: eu-west-1. Use a key there, or a replica of a multi-Region key."
        ),
        (
            "data_capture.prefix='s3://team/llama': must be a folder inside the bucket, of letters, digits and"
            " !_.'()/=-. Give only the folder, such as data-capture/llama."
        ),
        "data_capture.sampling_percentage=0: must be from 1 to 100 percent. Raise it to 1 or more.",
        "data_capture.what='all': must be one of both, input, output. Write what='both'.",
        "data_capture.json_content_types='application/json': must be a list, not str. Put it in square brackets.",
    ]


def test_a_list_of_what_is_captured_is_rejected(stack: Stack) -> None:
    assert problems(stack, what=["input", "output"]) == [
        "data_capture.what=['input', 'output']: must be one of both, input, output. Write what='both'."
    ]


def test_content_types_that_only_the_deployment_knows_are_rendered(stack: Stack) -> None:
    types = CfnParameter(stack, "Types", type="CommaDelimitedList").value_as_list
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack), json_content_types=types))
    assert config(template_of(stack))["CaptureContentTypeHeader"] == {"JsonContentTypes": {"Ref": "Types"}}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"bucket": "team-captured"}, "data_capture.bucket='team-captured': must be a bucket of aws_s3, not str."),
        ({"bucket": None}, "data_capture.bucket=None: must be a bucket of aws_s3, not None."),
        ({"key": "alias/team"}, "data_capture.key='alias/team': must be a key of aws_kms, not str."),
        ({"prefix": "/"}, "data_capture.prefix='/': must be a folder inside the bucket"),
        ({"prefix": "all/*"}, "data_capture.prefix='all/*': must be a folder inside the bucket"),
        ({"prefix": None}, "data_capture.prefix=None: must be a string, not None."),
        ({"prefix": "a" * 441}, "must have at most 440 characters, has 441."),
        ({"sampling_percentage": 12.5}, "data_capture.sampling_percentage=12.5: must be a whole number, not float."),
        ({"sampling_percentage": 101}, "data_capture.sampling_percentage=101: must be from 1 to 100 percent."),
        ({"json_content_types": ("json",)}, "which must be a content type such as application/json."),
        ({"json_content_types": ("a/b",) * 11}, "must have at most 10 items. Leave some out."),
    ],
)
def test_a_wrong_field_is_an_error(stack: Stack, fields: dict[str, Any], found: str) -> None:
    (problem,) = problems(stack, **fields)
    assert found in problem


def test_something_else_is_an_error(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        endpoint(stack, data_capture="s3://team-captured")
    (problem,) = raised.value.problems
    assert str(problem) == (
        "data_capture='s3://team-captured': must be a DataCapture, not str. Write DataCapture(bucket=…)."
    )


def test_a_changed_capture_moves_the_endpoint_in_place_also_while_it_scales(stack: Stack) -> None:
    endpoint(stack, data_capture=DataCapture(bucket=captured(stack))).auto_scale(max_instances=2)
    excluded = properties(template_of(stack), ENDPOINT)["ExcludeRetainedVariantProperties"]
    assert {"VariantPropertyType": "DataCaptureConfig"} in excluded
