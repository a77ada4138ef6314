"""The REST API of a front door: API, stage, deployment and access log."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy, Token
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of, share_environment
from constructs_lib._tokens import resolved
from constructs_lib.acknowledgements import REST_API, STAGE, STAGE_WITHOUT_EXECUTION_LOGS, STAGE_WITHOUT_WEB_ACL
from constructs_lib.front_door.account_logging import account_of, set_account_log_role
from constructs_lib.front_door.api_definition import ApiSettings, render_api_definition
from constructs_lib.front_door.assets import openapi_document
from constructs_lib.front_door.gateway_responses import gateway_responses
from constructs_lib.front_door.lambda_functions import permit_api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from constructs_lib._nag import Acknowledged
    from constructs_lib._protection import FunctionProtection
    from constructs_lib.front_door.access.base import AccessBinding
    from constructs_lib.front_door.arguments import FrontDoorArguments
    from constructs_lib.front_door.front_door_function import FrontDoorFunction

STAGE_NAME = "prod"

# One JSON line per request, without bodies, headers or anything that could quote them, and without the path, where a
# prompt may be by mistake. Every variable in quotes: API Gateway escapes those in a value, and writes - for a missing
# one (DataBiosphere/azul issue 4348). $context.error.messageString brings its own quotes, so it would stand unquoted,
# and the - of every request without an error would break the line.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "requestTime": "$context.requestTime",
    "apiKeyId": "$context.identity.apiKeyId",
    "principalId": "$context.authorizer.principalId",
    "userArn": "$context.identity.userArn",
    "sourceIp": "$context.identity.sourceIp",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "responseTransferMode": "$context.integration.responseTransferMode",
    "timeToAllHeaders": "$context.integration.timeToAllHeaders",
    "timeToFirstContent": "$context.integration.timeToFirstContent",
    "integrationLatency": "$context.integration.latency",
    "integrationStatus": "$context.integration.status",
    "integrationRequestId": "$context.integration.requestId",
    "integrationError": "$context.integration.error",
    "authorizerStatus": "$context.authorizer.status",
    "authorizerLatency": "$context.authorizer.latency",
    "authorizerError": "$context.authorizer.error",
    "errorType": "$context.error.responseType",
    "errorMessage": "$context.error.message",
    "xrayTraceId": "$context.xrayTraceId",
}


class FrontDoorApi(Construct):
    """A REST API whose every route invokes one function, streaming or non-streaming.

    Args:
        scope: The front door.
        id: Its id.
        path: Path of the front door.
        function: The function.
        arguments: The front door's arguments.
        protection: How the function of the access method and the logs are protected.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        path: str,
        function: FrontDoorFunction,
        arguments: FrontDoorArguments,
        protection: FunctionProtection,
    ) -> None:
        super().__init__(scope, id)
        self._protection = protection
        self._arguments, self._environment, self._function = arguments, environment_of(scope), function
        access, exposure = arguments.access, arguments.exposure
        authorizer_scope = Construct(self, "Authorizer")
        share_environment(authorizer_scope, scope)
        binding = access.bind(authorizer_scope, log_retention=arguments.log_retention, protection=protection)
        # Without slashes: API Gateway does not document which characters it allows.
        self.name = name = path.replace("/", "-")[:128]
        body, policy = self._body(name, function, binding), exposure.policy(access)
        endpoints = exposure.endpoint_configuration()
        self._deployed = [body, policy, endpoints.types, endpoints.vpc_endpoint_ids, binding.key_source]
        self._api = apigateway.CfnRestApi(
            self,
            "Resource",
            name=name,
            description="Front door of SageMaker model endpoints",
            api_key_source_type=binding.key_source,
            endpoint_configuration=endpoints,
            # Without it, importing a definition creates an edge-optimized API first; AWS SAM sets it, too.
            parameters={"endpointConfigurationTypes": exposure.endpoint_type},
            policy=policy,
            body=body,
        )
        # Of the API and its stage, the only ones here.
        acknowledge(self, REST_API, *_acknowledged(arguments))
        self.rest_api_id = self._api.ref
        permissions = [self._permit("Permission", function.arn, path=f"{STAGE_NAME}/*")]
        if binding.authorizer_arn is not None:
            # The authorizer's id is known only after the import of the definition.
            permissions.append(self._permit("AuthorizerPermission", binding.authorizer_arn, path="authorizers/*"))
        stage = self._add_stage()
        # An update that changes what the API invokes must not go live before it may.
        for permission in permissions:
            stage.add_resource_dependency(permission)

    @cached_property
    def api(self) -> apigateway.IRestApi:
        """The API as an L2 construct, which is only created if somebody reads it."""
        return apigateway.RestApi.from_rest_api_attributes(
            self, "Api", rest_api_id=self.rest_api_id, root_resource_id=self._api.attr_root_resource_id
        )

    @cached_property
    def stage(self) -> apigateway.IStage:
        """The stage, likewise."""
        return apigateway.Stage.from_stage_attributes(
            self, "StageReference", stage_name=self.stage_name, rest_api=self.api
        )

    @property
    def url(self) -> str:
        """The URL of the stage, without a slash at its end."""
        environment = self._environment
        return f"https://{self.rest_api_id}.execute-api.{environment.region}.{environment.url_suffix}/{STAGE_NAME}"

    def _permit(self, id: str, function_arn: str, *, path: str) -> lambda_.CfnPermission:
        return permit_api(self, id, function_arn, environment=self._environment, api_id=self.rest_api_id, path=path)

    def _body(self, name: str, function: FrontDoorFunction, binding: AccessBinding) -> dict[str, Any]:
        arguments, document = self._arguments, openapi_document()
        settings = ApiSettings(
            title=name,
            # One token, which is sent to the CDK once: every operation has it.
            integration=Token.as_any(
                {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": function.invocation_uri(streaming=arguments.streaming),
                    "responseTransferMode": "STREAM" if arguments.streaming else "BUFFERED",
                    "timeoutInMillis": arguments.timeout_milliseconds(),
                }
            ),
            schemes=binding.schemes,
            anthropic_schemes=binding.anthropic_schemes,
            key_source=binding.key_source,
            responses=gateway_responses(
                *binding.responses,
                *arguments.exposure.responses,
                headers=arguments.cors.gateway_headers() if arguments.cors else {},
            ),
            open_operations=frozenset({("GET", "/"), ("HEAD", "/")} if arguments.playground else ()),
            wake=arguments.wake,
            preflight=arguments.cors is not None,
        )
        return render_api_definition(document, settings)

    def _add_stage(self) -> apigateway.CfnStage:
        arguments = self._arguments
        # Retained when the stack is deleted: who called what stays useful until it expires.
        access_log = logs.LogGroup(
            self,
            "AccessLogs",
            retention=arguments.log_retention,
            removal_policy=RemovalPolicy.RETAIN,
            encryption_key=self._protection.encryption_key,
        )
        stage = apigateway.CfnStage(
            self,
            "Stage",
            rest_api_id=self.rest_api_id,
            deployment_id=self._deployment(),
            stage_name=STAGE_NAME,
            tracing_enabled=True,
            access_log_setting=apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=self._environment.arn("logs", f"log-group:{access_log.log_group_name}"),
                format=json.dumps(ACCESS_LOG_FIELDS),
            ),
            method_settings=[
                apigateway.CfnStage.MethodSettingProperty(
                    http_method="*",
                    resource_path="/*",
                    throttling_rate_limit=arguments.rate_limit,
                    throttling_burst_limit=arguments.burst_limit,
                    data_trace_enabled=False,
                    logging_level="ERROR" if arguments.execution_logging else "OFF",
                )
            ],
        )
        if arguments.execution_logging:
            # Otherwise API Gateway would create it at the first error, without retention and key.
            stage.add_resource_dependency(self._execution_logs())
        self.stage_name = stage.ref
        # A stage with an access log is rejected before the role is set, also by another front door of the stack.
        account = account_of(self._environment)
        if arguments.cloud_watch_role:
            account = set_account_log_role(self, self._environment, after=self._api)
        if account is not None:
            stage.add_resource_dependency(account)
        return stage

    def _execution_logs(self) -> logs.CfnLogGroup:
        """The log group that API Gateway writes the logs of a stage's executions to, by its name.

        Source: API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs in API Gateway".
        """
        group = logs.CfnLogGroup(
            self,
            "ExecutionLogs",
            log_group_name=f"API-Gateway-Execution-Logs_{self.rest_api_id}/{STAGE_NAME}",
            retention_in_days=self._function.log_retention_days,
            kms_key_id=self._protection.key_arn,
        )
        # As the logs of the functions: for troubleshooting what is deployed.
        group.apply_removal_policy(RemovalPolicy.DESTROY)
        return group

    def _deployment(self) -> apigateway.CfnDeployment:
        # A deployment is a snapshot, taken once: its logical id must change with what it captures.
        return apigateway.CfnDeployment(self, f"Deployment{self._fingerprint()}", rest_api_id=self.rest_api_id)

    def _fingerprint(self) -> str:
        rendered = json.dumps(resolved(self._environment.stack, self._deployed), sort_keys=True)
        return hashlib.sha256(rendered.encode()).hexdigest()[:12]


def _acknowledged(arguments: FrontDoorArguments) -> Iterator[Acknowledged]:
    """What is acknowledged about a stage."""
    yield STAGE
    if not arguments.execution_logging:
        yield STAGE_WITHOUT_EXECUTION_LOGS
    if arguments.exposure.web_acl is None:
        yield STAGE_WITHOUT_WEB_ACL
