"""The REST API of a front door: its document, stage and access log."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._nag import acknowledge
from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import resolved
from constructs_lib.front_door.account_logging import account_log_role
from constructs_lib.front_door.api_definition import GatewaySettings, gateway_body
from constructs_lib.front_door.assets import openapi_document
from constructs_lib.front_door.gateway_responses import gateway_answers
from constructs_lib.front_door.lambda_functions import invocation_uri, permit_api
from constructs_lib.front_door.nag_findings import API, STAGE, STAGE_WITH_WEB_ACL
from constructs_lib.front_door.request_schemas import requirements

if TYPE_CHECKING:
    from constructs_lib.front_door.access import Access, AccessBinding
    from constructs_lib.front_door.cors import Cors
    from constructs_lib.front_door.exposure import Exposure

STAGE_NAME = "prod"

# One JSON line per request, without bodies, headers or anything that could quote them (such as
# $context.error.validationErrorString, which repeats pieces of a body that is no JSON), and without the path, where
# somebody may have written a prompt by mistake.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDoorApiOptions:
    """How a front door is served, whatever its function does.

    Args:
        access: Who may call.
        perimeter: From where, and behind which walls.
        cors: Which pages of other origins may read its answers. None: no others.
        playground: Whether anybody may load the page at `GET /`.
        streaming: Whether answers are passed on as they come.
        timeout: How long the gateway waits for the function.
        rate_limit: Steady requests per second of the whole stage.
        burst_limit: Requests that may arrive at once.
        set_account_role: Whether to set the account's role for API Gateway logs.
        log_retention: How long logs keep an event.
    """

    access: Access
    exposure: Exposure
    cors: Cors | None
    playground: bool
    streaming: bool
    timeout: Duration
    rate_limit: float
    burst_limit: float
    set_account_role: bool
    log_retention: logs.RetentionDays


class FrontDoorApi(Construct):
    """A REST API whose every route goes to one function, streamed or buffered.

    Args:
        scope: The construct that it belongs to.
        id: Its id.
        function: What answers every route.
        options: How it is served.
    """

    def __init__(self, scope: Construct, id: str, *, function: lambda_.IFunction, options: FrontDoorApiOptions) -> None:
        super().__init__(scope, id)
        self._options = options
        binding = options.access.bind(Construct(self, "Authorizer"), log_retention=options.log_retention)
        # A plain name: API Gateway does not say which characters it takes.
        name = scope.node.path.replace("/", "-")[:128]
        body, policy = self._body(name, function, binding), options.exposure.policy(options.access)
        endpoints = options.exposure.endpoint_configuration()
        self._shown = [body, policy, endpoints.types, endpoints.vpc_endpoint_ids, binding.key_source]
        self._api = apigateway.CfnRestApi(
            self,
            "Resource",
            name=name,
            description="Front door of SageMaker model endpoints",
            api_key_source_type=binding.key_source,
            endpoint_configuration=endpoints,
            # Without it the import of a document makes an edge-optimized API first; AWS SAM sets it, too.
            parameters={"endpointConfigurationTypes": options.exposure.endpoint_type},
            policy=policy,
            body=body,
        )
        acknowledge(self._api, API)
        self.rest_api_id = self._api.ref
        self.api: apigateway.IRestApi = apigateway.RestApi.from_rest_api_attributes(
            self, "Api", rest_api_id=self._api.ref, root_resource_id=self._api.attr_root_resource_id
        )
        permit_api(self, "Permission", function, api_id=self.rest_api_id, path=f"{STAGE_NAME}/*")
        if binding.authorizer is not None:
            # The authorizer's id is known only after the import of the document.
            permit_api(self, "AuthorizerPermission", binding.authorizer, api_id=self.rest_api_id, path="authorizers/*")
        self._add_stage()

    @property
    def url(self) -> str:
        """The URL of the stage, without a slash at its end."""
        place = environment_of(self)
        return f"https://{self.rest_api_id}.execute-api.{place.region}.{place.url_suffix}/{STAGE_NAME}"

    def _body(self, name: str, function: lambda_.IFunction, binding: AccessBinding) -> dict[str, Any]:
        options = self._options
        document = openapi_document()
        settings = GatewaySettings(
            title=name,
            integration={
                "type": "aws_proxy",
                "httpMethod": "POST",
                "uri": invocation_uri(function, streaming=options.streaming),
                "responseTransferMode": "STREAM" if options.streaming else "BUFFERED",
                "timeoutInMillis": options.timeout.to_milliseconds(),
            },
            schemes=binding.schemes,
            key_source=binding.key_source,
            answers=gateway_answers(
                *binding.answers,
                *options.exposure.answers,
                body_message=requirements(document),
                headers=options.cors.gateway_headers() if options.cors else {},
            ),
            open_operations=frozenset({("GET", "/")} if options.playground else ()),
            preflight=options.cors is not None,
        )
        return gateway_body(document, settings)

    def _add_stage(self) -> None:
        options, place = self._options, environment_of(self)
        # Who called what is worth keeping for its retention when the stack goes.
        access_log = logs.LogGroup(
            self, "AccessLogs", retention=options.log_retention, removal_policy=RemovalPolicy.RETAIN
        )
        stage = apigateway.CfnStage(
            self,
            "Stage",
            rest_api_id=self.rest_api_id,
            deployment_id=self._deployment().ref,
            stage_name=STAGE_NAME,
            tracing_enabled=True,
            access_log_setting=apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=place.arn("logs", f"log-group:{access_log.log_group_name}"),
                format=json.dumps(ACCESS_LOG_FIELDS),
            ),
            method_settings=[
                apigateway.CfnStage.MethodSettingProperty(
                    http_method="*",
                    resource_path="/*",
                    throttling_rate_limit=options.rate_limit,
                    throttling_burst_limit=options.burst_limit,
                    data_trace_enabled=False,
                    logging_level="OFF",
                )
            ],
        )
        acknowledge(stage, STAGE if options.exposure.web_acl is None else STAGE_WITH_WEB_ACL)
        self.stage_name = stage.ref
        self.stage: apigateway.IStage = apigateway.Stage.from_stage_attributes(
            self, "StageReference", stage_name=stage.ref, rest_api=self.api
        )
        if options.set_account_role:
            stage.node.add_dependency(account_log_role(self))

    def _deployment(self) -> apigateway.CfnDeployment:
        deployment = apigateway.CfnDeployment(self, "Deployment", rest_api_id=self.rest_api_id)
        # A deployment is a snapshot that CloudFormation never takes again: what it shows has to be in its name.
        deployment.override_logical_id(f"{environment_of(self).stack.get_logical_id(deployment)}{self._fingerprint()}")
        return deployment

    def _fingerprint(self) -> str:
        rendered = json.dumps(resolved(environment_of(self).stack, self._shown), sort_keys=True)
        return hashlib.sha256(rendered.encode()).hexdigest()[:12]
