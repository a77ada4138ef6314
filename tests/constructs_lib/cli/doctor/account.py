"""An account in moto with a stack of an endpoint and a front door, in which things go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
from moto.cloudformation.models import Event, cloudformation_backends
from moto.sagemaker.models import sagemaker_backends

from constructs_lib.planning.engines.tgi.engine import TGI

ACCOUNT, REGION = "123456789012", "us-east-1"
STACK, FUNCTION = "Chat", "chat-door"
TOKEN = "hf_aVeryMadeUpTokenOfTests"
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
_REPOSITORY, _TAG = TGI.images.repository_and_tag("3.3.6") or ("", "")
IMAGE = f"763104351884.dkr.ecr.{REGION}.amazonaws.com/{_REPOSITORY}:{_TAG}"
FUNCTION_LOG, ACCESS_LOG = f"/aws/lambda/{FUNCTION}", "chat-access"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/llama"


def template(instance: str = "ml.g5.2xlarge", **variables: str) -> dict[str, Any]:
    """A stack as the constructs render it, as far as doctor looks at it."""
    environment = {"HF_MODEL_ID": LLAMA, "SM_NUM_GPUS": "1", "HF_TOKEN": TOKEN} | variables
    return {
        "Metadata": {"Token": "{{resolve:secretsmanager:hugging-face-token:SecretString:::}}"},
        "Resources": {
            "Model": {
                "Type": "AWS::SageMaker::Model",
                "Properties": {
                    "ModelName": "llama-model",
                    "ExecutionRoleArn": ROLE,
                    "PrimaryContainer": {"Image": IMAGE, "Environment": environment},
                },
            },
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "EndpointConfigName": "llama-config",
                    "ProductionVariants": [
                        {
                            "VariantName": "AllTraffic",
                            "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                            "InstanceType": instance,
                            "InitialInstanceCount": 1,
                            "InitialVariantWeight": 1,
                        }
                    ],
                },
            },
            "Endpoint": {
                "Type": "AWS::SageMaker::Endpoint",
                "Properties": {
                    "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                },
            },
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "chat-api"}},
            "FrontDoorFunction1": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": FUNCTION,
                    "Runtime": "python3.13",
                    "Handler": "main.handler",
                    "Role": ROLE,
                    "Code": {"ZipFile": "pass"},
                },
            },
        },
    }


@cache
def client(service: str) -> Any:
    """A client for all tests, as loading what boto3 knows of a service takes long."""
    return boto3.client(service, region_name=REGION)


class Account:
    """The account, deployed.

    Args:
        body: Template of the stack.
    """

    def __init__(self, body: dict[str, Any] | None = None) -> None:
        policy = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"}]}
        client("iam").create_role(RoleName="llama", AssumeRolePolicyDocument=json.dumps(policy))
        client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(body or template()))
        client("secretsmanager").create_secret(Name="hugging-face-token", SecretString=TOKEN)
        self.begin_earlier(timedelta(hours=2))

    @property
    def stack(self) -> Any:
        """moto's stack."""
        return next(iter(cloudformation_backends[ACCOUNT][REGION].stacks.values()))

    @property
    def endpoint(self) -> Any:
        """moto's endpoint."""
        (endpoint,) = sagemaker_backends[ACCOUNT][REGION].endpoints.values()
        return endpoint

    @property
    def name(self) -> str:
        """Name of the endpoint, which moto makes up."""
        return str(self.endpoint.endpoint_name)

    @property
    def container_log(self) -> str:
        """The log group of its container."""
        return f"/aws/sagemaker/Endpoints/{self.name}"

    def fail(self, reason: str | None) -> None:
        """The endpoint has failed."""
        self.endpoint.endpoint_status, self.endpoint.failure_reason = "Failed", reason

    def fail_deployment(self, *reasons: tuple[str, str, str], status: str = "ROLLBACK_COMPLETE") -> None:
        """The stack was rolled back: reasons are logical id, type and words."""
        for logical, kind, words in reasons:
            self._event(logical, kind, "CREATE_FAILED", words)
        self.stack.status = status

    def forget(self) -> None:
        """What was created is rolled back and gone, and the events have what it was."""
        resources = template("ml.g4dn.xlarge")["Resources"]
        resources["Config"]["Properties"]["ProductionVariants"][0]["ModelName"] = "llama-model"
        for logical in ("Model", "Config", "Endpoint"):
            one = resources[logical]
            named = f"endpoint/{self.name.lower()}" if logical == "Endpoint" else f"x/{logical.lower()}"
            physical = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{named}"
            self._event(logical, one["Type"], "CREATE_IN_PROGRESS", "", physical, json.dumps(one["Properties"]))
        client("sagemaker").delete_endpoint(EndpointName=self.name)

    def log(self, group: str, *lines: str, age: timedelta = timedelta(minutes=1)) -> None:
        """Write lines into a log."""
        logs = client("logs")
        if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName="one")
        at = int((datetime.now(UTC) - age).timestamp() * 1000)
        events = [{"timestamp": at + number, "message": line} for number, line in enumerate(lines)]
        for begin in range(0, len(events), 5000):
            logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events[begin : begin + 5000])

    def serve_access_log(self) -> None:
        """Give the API a stage with an access log."""
        api = client("apigateway")
        rest_api = api.get_rest_apis()["items"][0]["id"]
        resource = api.get_resources(restApiId=rest_api)["items"][0]["id"]
        api.put_method(restApiId=rest_api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
        api.put_integration(restApiId=rest_api, resourceId=resource, httpMethod="GET", type="MOCK")
        api.create_deployment(restApiId=rest_api, stageName="prod")
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{ACCESS_LOG}"
        patch = [{"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn}]
        api.update_stage(restApiId=rest_api, stageName="prod", patchOperations=patch)

    def begin_earlier(self, age: timedelta) -> None:
        """The last deployment began that long ago."""
        for event in self.stack.events:
            event.timestamp -= age

    def _event(
        self, logical: str, kind: str, status: str, reason: str, physical: str = "", properties: str | None = None
    ) -> None:
        stack = self.stack
        event = Event(stack.stack_id, stack.name, logical, physical, kind, status, reason, properties)
        stack.events.append(event)


Answer = Callable[[dict[str, Any]], Any]


def nothing_of_moto() -> dict[str, Answer]:
    """What operations that moto does not have answer in an account where nothing is wrong."""
    return {
        "ListInferenceComponents": lambda _: {"InferenceComponents": []},
        "DescribeScalingActivities": lambda _: {"ScalingActivities": []},
        "ListServiceQuotas": lambda _: {"Quotas": []},
    }
