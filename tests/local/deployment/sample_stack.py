"""A minimal stack with everything that `read_deployment` reads, deployed without the CDK CLI."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_stack import Deployment, read_deployment
from local.deployment.prerequisites import create_secrets
from tests.local.deployment.deployments import create

BUCKET = "assets-123456789012"
API = {"Ref": "Api"}


def uri(version: str, action: str, function: str) -> dict[str, Any]:
    prefix = [
        "arn:",
        {"Ref": "AWS::Partition"},
        ":apigateway:",
        {"Ref": "AWS::Region"},
        f":lambda:path/{version}/functions/",
    ]
    return {"Fn::Join": ["", [*prefix, {"Fn::GetAtt": [function, "Arn"]}, f"/{action}"]]}


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


def integration(*, stream: bool) -> dict[str, Any]:
    version, action = ("2021-11-15", "response-streaming-invocations") if stream else ("2015-03-31", "invocations")
    entry = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri(version, action, "Main")}
    return entry | ({"responseTransferMode": "STREAM", "timeoutInMillis": 900_000} if stream else {})


BODY: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "front-door", "version": "1"},
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-amazon-apigateway-gateway-responses": {
        "THROTTLED": {
            "statusCode": "429",
            "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
            "responseTemplates": {"application/json": "{}"},
        }
    },
    "components": {
        "securitySchemes": {
            "Bearer": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": uri("2015-03-31", "invocations", "Guard"),
                    "identityValidationExpression": "^Bearer .+$",
                    "authorizerResultTtlInSeconds": 60,
                },
            },
            "Key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
        },
    },
    "paths": {
        "/": {
            "post": {
                "security": [{"Bearer": [], "Key": []}],
                "x-amazon-apigateway-integration": integration(stream=True),
            }
        },
        "/v1/{proxy+}": {
            "x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration(stream=False)}
        },
    },
}
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
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": BODY}},
        "Other": {"Type": "AWS::ApiGateway::RestApi", "Condition": "Never", "Properties": {"Name": "other"}},
        "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": API}},
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
        "Key": {"Type": "AWS::ApiGateway::ApiKey", "Properties": {"Enabled": True, "Name": "team-a"}},
        "Known": {
            "Type": "AWS::ApiGateway::ApiKey",
            "Properties": {"Enabled": True, "Value": "known" * 5},
            "Metadata": {"aws:cdk:path": "S/Door/Consumers/team-b/Key"},
        },
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


def layer(key: str) -> dict[str, Any]:
    """A layer version with an object of the bucket as its content."""
    content = {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}"}, "S3Key": key}
    return {"Type": "AWS::Lambda::LayerVersion", "Properties": {"Content": content}}


def put_archive(plane: ControlPlane, key: str, **files: str) -> None:
    """Put an archive into the bucket."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip_file:
        for name, text in files.items():
            zip_file.writestr(name, text)
    plane.client("s3").put_object(Bucket=BUCKET, Key=key, Body=archive.getvalue())


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """A control plane with the code of the functions in a bucket."""
    with ControlPlane() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        put_archive(running, "code.zip", **{"front.py": ""})
        yield running


def deploy(plane: ControlPlane, *templates: dict[str, Any]) -> Deployment:
    """Deploys the stacks S0, S1, … Default: TEMPLATE."""
    stacks = {f"S{number}": template for number, template in enumerate(templates or [TEMPLATE])}
    create_secrets(plane, stacks)
    for name, template in stacks.items():
        create(plane, template, name)
    return read_deployment(plane, list(stacks))
