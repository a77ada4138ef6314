"""What the emulated Lambda runs of a deployed function: with the endpoints of the emulated services as variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from local.lambda_service import FunctionConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.deployment.deployed_function import DeployedFunction

# Variables that a function inherits: the certificate authorities that a JWT authorizer trusts.
FUNCTION_VARIABLES = ("SSL_CERT_FILE",)
# The services of the control plane that functions reach, each by its variable AWS_ENDPOINT_URL_….
CONTROL_PLANE_SERVICES = (
    "APPLICATION_AUTO_SCALING",
    "CLOUDFORMATION",
    "CLOUDWATCH",
    "CLOUDWATCH_LOGS",
    "CODEBUILD",
    "DYNAMODB",
    "S3",
    "SAGEMAKER",
    "SECRETS_MANAGER",
    "SNS",
    "SQS",
    "SSM",
    "STS",
)


def configure(functions: Mapping[str, DeployedFunction], urls: Mapping[str, str]) -> dict[str, FunctionConfig]:
    """The configuration of each function by name.

    Args:
        functions: The functions by name.
        urls: The endpoint of each service, by the end of its variable `AWS_ENDPOINT_URL_…`.
    """
    endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service, url in urls.items()}
    inherited = {name: os.environ[name] for name in FUNCTION_VARIABLES if name in os.environ}
    return {
        name: FunctionConfig(
            name=function.name,
            arn=function.arn,
            handler=function.handler,
            environment={**function.environment, **endpoints, **inherited},
            timeout_seconds=function.timeout_seconds,
            memory_mb=function.memory_mb,
            code_zip=function.code_zip,
            layers=function.layers,
            reserved_concurrency=function.reserved_concurrency,
            event_retries=function.event_retries,
            event_age_seconds=function.event_age_seconds,
        )
        for name, function in functions.items()
    }
