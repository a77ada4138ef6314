"""What is read back from the control plane after a deployment."""

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.control_plane import ControlPlane
from local.deployment import Deployment, create_secrets, read_deployment
from local.errors import UserError
from local.gateway.api import Quota, Throttle

pytestmark = pytest.mark.xdist_group("control_plane")

API = {"Ref": "Api"}
ROOT = {"Fn::GetAtt": ["Api", "RootResourceId"]}


def uri(version: str, action: str, function: str) -> dict[str, Any]:
    place = [
        "arn:",
        {"Ref": "AWS::Partition"},
        ":apigateway:",
        {"Ref": "AWS::Region"},
        f":lambda:path/{version}/functions/",
    ]
    return {"Fn::Join": ["", [*place, {"Fn::GetAtt": [function, "Arn"]}, f"/{action}"]]}


def function(handler: str, **environment: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": "code.zip"},
            "Handler": handler,
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Runtime": "python3.13",
            "Timeout": 30,
            "MemorySize": 256,
            "Environment": {"Variables": environment},
        },
    }


def method(resource: Any, verb: str, *, stream: bool, **more: Any) -> dict[str, Any]:
    version, action = ("2021-11-15", "response-streaming-invocations") if stream else ("2015-03-31", "invocations")
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": uri(version, action, "Main")}
    if stream:
        integration |= {"ResponseTransferMode": "STREAM", "TimeoutInMillis": 900_000}
    properties = {"RestApiId": API, "ResourceId": resource, "HttpMethod": verb, "Integration": integration, **more}
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def resource(parent: Any, part: str) -> dict[str, Any]:
    return {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": API, "ParentId": parent, "PathPart": part}}


TRUST = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
TEMPLATE: dict[str, Any] = {
    "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
    "Resources": {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Main": function("front.handler", ENDPOINT={"Fn::GetAtt": ["Endpoint", "EndpointName"]}),
        "Guard": function("guard.handler"),
        "Unused": function("unused.handler"),
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "PrimaryContainer": {
                    "Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/tgi:3.3.6",
                    "Environment": {
                        "HF_MODEL_ID": "m/m",
                        "HF_TOKEN": "{{resolve:secretsmanager:hub:SecretString:key::}}",
                    },
                },
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.g5.2xlarge",
                        "InitialInstanceCount": 1,
                        "InitialVariantWeight": 1,
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]}},
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "door", "ApiKeySourceType": "AUTHORIZER"}},
        "Other": {"Type": "AWS::ApiGateway::RestApi", "Condition": "Never", "Properties": {"Name": "other"}},
        "V1": resource(ROOT, "v1"),
        "Proxy": resource({"Ref": "V1"}, "{proxy+}"),
        "Authorizer": {
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                "RestApiId": API,
                "Name": "key",
                "Type": "TOKEN",
                "AuthorizerUri": uri("2015-03-31", "invocations", "Guard"),
                "IdentitySource": "method.request.header.Authorization",
                "IdentityValidationExpression": "^Bearer .+$",
                "AuthorizerResultTtlInSeconds": 60,
            },
        },
        "Validator": {
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {"RestApiId": API, "ValidateRequestBody": True},
        },
        "Schema": {
            "Type": "AWS::ApiGateway::Model",
            "Properties": {
                "RestApiId": API,
                "Name": "Body",
                "ContentType": "application/json",
                "Schema": {"type": "object"},
            },
        },
        "Post": method(
            ROOT,
            "POST",
            stream=True,
            AuthorizerId={"Ref": "Authorizer"},
            AuthorizationType="CUSTOM",
            ApiKeyRequired=True,
            RequestValidatorId={"Ref": "Validator"},
            RequestModels={"application/json": {"Ref": "Schema"}},
        ),
        "Any": method({"Ref": "Proxy"}, "ANY", stream=False, AuthorizationType="NONE"),
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Post", "Any"],
            "Properties": {"RestApiId": API},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": API,
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "live",
                "AccessLogSetting": {"DestinationArn": "arn", "Format": "$context.status"},
                "MethodSettings": [
                    {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 9},
                    {"ResourcePath": "/~1v1", "HttpMethod": "GET", "MetricsEnabled": True},
                ],
            },
        },
        "Words": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": API,
                "ResponseType": "THROTTLED",
                "StatusCode": "429",
                "ResponseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
                "ResponseTemplates": {"application/json": "{}"},
            },
        },
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True}},
        "Known": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Value": "known" * 5}},
        "Plan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {
                "ApiStages": [{"ApiId": API, "Stage": {"Ref": "Stage"}}],
                "Throttle": {"RateLimit": 2, "BurstLimit": 3},
                "Quota": {"Limit": 100, "Period": "WEEK"},
            },
        },
        "PlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}},
        },
    },
    "Outputs": {
        "Url": {"Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live/"}},
        "Hidden": {"Condition": "Never", "Value": "x"},
    },
}


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as running:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("front.py", "")
        buckets = running.client("s3")
        buckets.create_bucket(Bucket="assets-123456789012")
        buckets.put_object(Bucket="assets-123456789012", Key="code.zip", Body=code.getvalue())
        yield running


def deploy(plane: ControlPlane, template: dict[str, Any] = TEMPLATE) -> Deployment:
    create_secrets(plane, template, "S")
    plane.client("cloudformation").create_stack(StackName="S", TemplateBody=json.dumps(template))
    return read_deployment(plane, "S")


def test_everything_a_request_can_notice_is_read_from_the_deployment(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    api = deployment.api
    post, any_method = api.root.methods["POST"], api.root.children["v1"].children["{proxy+}"].methods["ANY"]
    main = next(name for name, entry in deployment.functions.items() if entry.handler == "front.handler")
    guard = next(name for name, entry in deployment.functions.items() if entry.handler == "guard.handler")
    assert len(deployment.functions) == 2
    assert (api.stage, api.key_source, api.access_log_format) == ("live", "AUTHORIZER", "$context.status")
    assert (post.integration.function_name, post.integration.stream, post.integration.timeout_seconds) == (
        main,
        True,
        900,
    )
    assert (post.api_key_required, post.validate_body, post.models) == (
        True,
        True,
        {"application/json": {"type": "object"}},
    )
    assert post.authorizer is not None
    assert (post.authorizer.function_name, post.authorizer.header, post.authorizer.validation) == (
        guard,
        "authorization",
        "^Bearer .+$",
    )
    assert post.authorizer.ttl_seconds == 60
    assert (any_method.integration.stream, any_method.integration.timeout_seconds) == (False, 29)
    assert (any_method.authorizer, any_method.api_key_required) == (None, False)
    assert api.method_throttle == {"*/*": Throttle(rate=5, burst=9)}
    assert api.gateway_responses["THROTTLED"].headers == {"Retry-After": "'1'"}
    assert api.domain == f"{api.id}.execute-api.us-east-1.amazonaws.com"
    assert deployment.outputs == {"Url": f"https://{api.domain}/live/"}


def test_keys_get_the_value_of_the_template_or_a_made_up_one(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    keys = {key.id: key for key in deployment.api.keys}
    (plan,) = deployment.api.plans
    assert len(plan.key_ids) == 1
    assert (plan.throttle, plan.quota) == (Throttle(rate=2, burst=3), Quota(limit=100, period="WEEK"))
    made_up = keys[next(iter(plan.key_ids))].value
    assert 20 <= len(made_up) <= 128
    assert "known" * 5 in {key.value for key in keys.values()}


def test_functions_and_endpoints_come_with_what_they_run_with(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    (endpoint,) = deployment.endpoints.values()
    main = next(entry for entry in deployment.functions.values() if entry.handler == "front.handler")
    assert main.environment == {"ENDPOINT": endpoint.name}
    assert (main.timeout_seconds, main.memory_mb) == (30, 256)
    assert main.arn == f"arn:aws:lambda:us-east-1:123456789012:function:{main.name}"
    assert zipfile.ZipFile(io.BytesIO(main.code_zip)).namelist() == ["front.py"]
    assert endpoint.instance_type == "ml.g5.2xlarge"
    assert endpoint.environment == {"HF_MODEL_ID": "m/m", "HF_TOKEN": "made-up-for-the-emulated-cloud"}


def test_a_stack_without_an_api_is_told(plane: ControlPlane) -> None:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with pytest.raises(UserError, match=r"The stack has 0 REST APIs: none.\nChoose a STACK with one front door."):
        deploy(plane, topic)


def test_a_streaming_integration_with_a_buffered_uri_is_refused_as_aws_does(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Post"]["Properties"]["Integration"]["Uri"] = uri("2015-03-31", "invocations", "Main")
    with pytest.raises(ValueError, match="API Gateway refuses this URI when ResponseTransferMode is STREAM"):
        deploy(plane, template)
