"""Resolving the intrinsic functions of CloudFormation templates."""

import pytest

from local.deployment.cloudformation import OutputName, Template, parse_secret, replace_secrets, secret_references
from local.deployment.deployed_stack import pseudo_parameters

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
BODY = {
    "Parameters": {"Size": {"Default": "small"}},
    "Mappings": {"Images": {"us-east-1": {"account": "763104351884"}}},
    "Conditions": {
        "IsUs": {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]},
        "IsNotUs": {"Fn::Not": [{"Condition": "IsUs"}]},
        "Both": {"Fn::And": [{"Condition": "IsUs"}, {"Condition": "IsNotUs"}]},
        "Either": {"Fn::Or": [{"Condition": "IsUs"}, {"Condition": "IsNotUs"}]},
    },
    "Resources": {
        "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}},
        "Role": {"Type": "AWS::IAM::Role"},
        "Endpoint": {"Type": "AWS::SageMaker::Endpoint"},
        "Pool": {"Type": "AWS::Cognito::UserPool"},
        "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"StageName": "prod"}},
        "Elsewhere": {"Type": "AWS::SNS::Topic", "Condition": "IsNotUs"},
        "Here": {"Type": "AWS::SNS::Topic", "Condition": "IsUs", "Properties": {"Empty": {"Ref": "AWS::NoValue"}}},
    },
}
ENDPOINT_ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/llama-1"


@pytest.fixture
def template() -> Template:
    return Template(
        BODY,
        pseudo=PSEUDO,
        physical_ids={"Fn": "stack-Fn-1", "Role": "stack-Role-1", "Endpoint": ENDPOINT_ARN},
        exports={"other:small": "exported"},
        references={
            OutputName("Base", "Key", "us-east-1"): "key-of-base",
            OutputName("Base", "Key", "eu-west-1"): "key-in-europe",
        },
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Fn"}, "stack-Fn-1"),
        ({"Ref": "Stage"}, "Stage"),
        ({"Ref": "Size"}, "small"),
        ({"Fn::GetAtt": ["Fn", "Arn"]}, "arn:aws:lambda:us-east-1:123456789012:function:stack-Fn-1"),
        ({"Fn::GetAtt": "Role.Arn"}, "arn:aws:iam::123456789012:role/stack-Role-1"),
        ({"Fn::GetAtt": ["Endpoint", "EndpointArn"]}, ENDPOINT_ARN),
        ({"Fn::GetAtt": ["Endpoint", "EndpointName"]}, "llama-1"),
        ({"Fn::Join": ["-", ["a", {"Ref": "AWS::Region"}, {"Ref": "AWS::NoValue"}]]}, "a-us-east-1"),
        (
            {"Fn::Sub": "cdk-assets-${AWS::AccountId}-${Fn.Arn}-${!kept}"},
            f"cdk-assets-123456789012-{'arn:aws:lambda:us-east-1:123456789012:function:stack-Fn-1'}-${{kept}}",
        ),
        ({"Fn::Sub": ["${a}${Size}", {"a": {"Ref": "Fn"}}]}, "stack-Fn-1small"),
        ({"Fn::FindInMap": ["Images", {"Ref": "AWS::Region"}, "account"]}, "763104351884"),
        ({"Fn::FindInMap": ["Images", "xx", "account", {"DefaultValue": "none"}]}, "none"),
        ({"Fn::If": ["IsUs", "yes", "no"]}, "yes"),
        ({"a": {"Fn::If": ["IsNotUs", "x", {"Ref": "AWS::NoValue"}]}, "b": 1}, {"b": 1}),
        ({"Fn::Select": ["1", {"Fn::Split": [":", "a:b:c"]}]}, "b"),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::ImportValue": {"Fn::Sub": "other:${Size}"}}, "exported"),
        ({"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Key"}}, "key-of-base"),
        ({"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Key", "Region": "eu-west-1"}}, "key-in-europe"),
        ({"Fn::ToJsonString": {"a": [{"Ref": "Size"}]}}, '{"a":["small"]}'),
        ({"Fn::GetAtt": ["Pool", "ProviderURL"]}, "https://cognito-idp.us-east-1.amazonaws.com/Pool"),
    ],
)
def test_intrinsic_functions_are_resolved(template: Template, value: object, expected: object) -> None:
    assert template.resolve(value) == expected


def test_before_a_deployment_an_import_resolves_to_the_export_name() -> None:
    assert Template(BODY, pseudo=PSEUDO).resolve({"Fn::ImportValue": "nobody:exports"}) == "nobody:exports"


def test_before_a_deployment_a_weak_reference_resolves_to_the_name_of_the_output() -> None:
    reference = {"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Key"}}
    assert Template(BODY, pseudo=PSEUDO).resolve(reference) == "Key"


def test_conditions_combine(template: Template) -> None:
    assert [template.condition(name) for name in ("IsUs", "IsNotUs", "Both", "Either")] == [True, False, False, True]


def test_a_resource_with_a_false_condition_is_omitted(template: Template) -> None:
    assert template.resources("AWS::SNS::Topic") == {"Here": {}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Ref": "Nobody"}, "Ref Nobody: neither a parameter nor a resource"),
        ({"Fn::ImportValue": "nobody:exports"}, "Fn::ImportValue nobody:exports: no deployed stack exports it."),
        (
            {"Fn::GetStackOutput": {"StackName": "Base", "OutputName": "Other"}},
            "Fn::GetStackOutput Base.Other: has not been resolved.",
        ),
        ({"Fn::Transform": {}}, "Fn::Transform: the emulated cloud cannot resolve"),
        ({"Fn::FindInMap": ["Images", "xx", "account"]}, "has no such entry"),
    ],
)
def test_unresolvable_values_are_errors(template: Template, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        template.resolve(value)


def test_dynamic_references_are_found_and_replaced() -> None:
    text = "{{resolve:secretsmanager:hub/token:SecretString:::}}"
    keyed = "{{resolve:secretsmanager:arn:aws:secretsmanager:us-east-1:1:secret:hub:SecretString:key::}}"
    assert secret_references({"a": [text], "b": "none"}) == {"hub/token:SecretString:::"}
    assert parse_secret("hub/token:SecretString:::") == ("hub/token", "")
    assert parse_secret(next(iter(secret_references(keyed)))) == (
        "arn:aws:secretsmanager:us-east-1:1:secret:hub",
        "key",
    )
    assert replace_secrets(f"<{text}>", lambda reference: parse_secret(reference)[0]) == "<hub/token>"


def test_the_id_of_a_stack_has_its_form_before_there_is_one() -> None:
    """Names of roles have a part of it, and the secrets that a template needs are read before the deployment."""
    template = Template({}, pseudo=pseudo_parameters("Team"))
    last = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert template.resolve({"Fn::Join": ["-", ["team", {"Fn::Select": [0, {"Fn::Split": ["-", last]}]}]]}) == (
        "team-00000000"
    )
