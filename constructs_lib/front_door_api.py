"""The REST API of a front door: routes, validation, what the gateway answers by itself, stage and access log."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from constructs_lib._findings import acknowledge
from constructs_lib.access import BearerKeyAuthorizer, UsageLimits
from constructs_lib.front_door_account import account_log_role
from constructs_lib.front_door_findings import KEYED_METHOD, STAGE
from constructs_lib.front_door_function import invocation_uri, permit_api
from constructs_lib.front_door_responses import GATEWAY_ANSWERS
from constructs_lib.front_door_routes import SCHEMAS, Route, prefixes, routes

STAGE_NAME = "prod"

# One JSON line per request, without bodies, headers or anything that could quote them (such as
# $context.error.validationErrorString, which repeats pieces of a body that is no JSON).
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "requestTime": "$context.requestTime",
    "apiKeyId": "$context.identity.apiKeyId",
    "sourceIp": "$context.identity.sourceIp",
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
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


class FrontDoorApi(Construct):
    """A Regional REST API whose every route goes to one function, streamed or buffered.

    Args:
        scope: The construct that it belongs to.
        id: Its id.
        function: What answers every route.
        streaming: Whether answers are passed on as they come.
        timeout: How long the gateway waits for the function.
        limits: What the stage as a whole may do before a key is known.
        set_account_role: Whether to set the account's role for API Gateway logs.
        log_retention: How long the access log keeps an event.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function: lambda_.Function,
        streaming: bool,
        timeout: Duration,
        limits: UsageLimits,
        set_account_role: bool,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, id)
        self._function = function
        self._integration = _integration(function, streaming=streaming, timeout=timeout)
        self._api = apigateway.CfnRestApi(
            self,
            "Resource",
            # A plain name: API Gateway does not say which characters it takes.
            name=scope.node.path.replace("/", "-")[:128],
            description="Front door of SageMaker model endpoints",
            api_key_source_type="AUTHORIZER",
            endpoint_configuration=apigateway.CfnRestApi.EndpointConfigurationProperty(types=["REGIONAL"]),
        )
        self.rest_api_id = self._api.ref
        self.api = apigateway.RestApi.from_rest_api_attributes(
            self, "Api", rest_api_id=self._api.ref, root_resource_id=self._api.attr_root_resource_id
        )
        self.authorizer = BearerKeyAuthorizer(
            self, "Authorizer", rest_api_id=self.rest_api_id, log_retention=log_retention
        )
        self._add_routes()
        self._add_gateway_answers()
        permit_api(self, "Permission", function, api_id=self.rest_api_id, path=f"{STAGE_NAME}/*")
        self._add_stage(limits, set_account_role=set_account_role, log_retention=log_retention)

    @property
    def url(self) -> str:
        """The URL of the stage, without a slash at its end."""
        stack = Stack.of(self)
        return f"https://{self.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE_NAME}"

    def _add_routes(self) -> None:
        # Everything that a deployment is a snapshot of, in one construct that the deployment depends on.
        self._snapshot = Construct(self, "Routes")
        self._validator = apigateway.CfnRequestValidator(
            self._snapshot,
            "Validator",
            rest_api_id=self.rest_api_id,
            validate_request_body=True,
            validate_request_parameters=True,
        )
        self._models = {
            name: apigateway.CfnModel(
                self._snapshot,
                name,
                rest_api_id=self.rest_api_id,
                name=name,
                content_type="application/json",
                schema=schema,
            )
            for name, schema in SCHEMAS.items()
        }
        self._resources = {"/": self._api.attr_root_resource_id}
        for route in routes():
            self._add_method(route)

    def _add_method(self, route: Route) -> None:
        # Only application/json is validated here. The gateway validates no other content type (a JSON body sent as
        # text/plain would pass), so the function refuses those itself, with 415 as TGI does.
        validated = route.schema is not None
        method = apigateway.CfnMethod(
            self._snapshot,
            f"{route.method} {route.path}".replace("/", "|"),
            rest_api_id=self.rest_api_id,
            resource_id=self._resource(route.path),
            http_method=route.method,
            authorization_type="CUSTOM",
            authorizer_id=self.authorizer.authorizer_id,
            api_key_required=True,
            request_validator_id=self._validator.ref if validated else None,
            request_models={"application/json": self._models[route.schema].ref} if route.schema else None,
            integration=self._integration,
        )
        acknowledge(method, KEYED_METHOD)

    def _resource(self, path: str) -> str:
        """The id of the resource at a path, made with all above it where it is new."""
        parent = "/"
        for prefix in prefixes(path):
            if prefix not in self._resources:
                self._resources[prefix] = apigateway.CfnResource(
                    self._snapshot,
                    prefix.replace("/", "|"),
                    rest_api_id=self.rest_api_id,
                    parent_id=self._resources[parent],
                    path_part=prefix.rsplit("/", 1)[1],
                ).ref
            parent = prefix
        return self._resources[path]

    def _add_gateway_answers(self) -> None:
        for answer in GATEWAY_ANSWERS:
            apigateway.CfnGatewayResponse(
                self._snapshot,
                answer.response_type,
                rest_api_id=self.rest_api_id,
                response_type=answer.response_type,
                status_code=str(answer.status) if answer.status else None,
                response_parameters=answer.parameters() or None,
                response_templates={"application/json": answer.template()},
            )

    def _add_stage(self, limits: UsageLimits, *, set_account_role: bool, log_retention: logs.RetentionDays) -> None:
        # Who called what is worth keeping for its retention when the stack goes.
        access_log = logs.LogGroup(self, "AccessLogs", retention=log_retention, removal_policy=RemovalPolicy.RETAIN)
        stack = Stack.of(self)
        stage = apigateway.CfnStage(
            self,
            "Stage",
            rest_api_id=self.rest_api_id,
            deployment_id=self._deployment().ref,
            stage_name=STAGE_NAME,
            tracing_enabled=True,
            access_log_setting=apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:"
                f"{access_log.log_group_name}",
                format=json.dumps(ACCESS_LOG_FIELDS),
            ),
            method_settings=[
                apigateway.CfnStage.MethodSettingProperty(
                    http_method="*",
                    resource_path="/*",
                    throttling_rate_limit=limits.rate_limit,
                    throttling_burst_limit=limits.burst_limit,
                    data_trace_enabled=False,
                    logging_level="OFF",
                )
            ],
        )
        acknowledge(stage, STAGE)
        self.stage_name = stage.ref
        self.stage = apigateway.Stage.from_stage_attributes(
            self, "StageReference", stage_name=stage.ref, rest_api=self.api
        )
        if set_account_role:
            stage.node.add_dependency(account_log_role(self))

    def _deployment(self) -> apigateway.CfnDeployment:
        deployment = apigateway.CfnDeployment(self, "Deployment", rest_api_id=self.rest_api_id)
        deployment.node.add_dependency(self._snapshot)
        # A deployment is a snapshot that CloudFormation never takes again: what it shows has to be in its name.
        deployment.override_logical_id(f"{Stack.of(self).get_logical_id(deployment)}{self._fingerprint()}")
        return deployment

    def _fingerprint(self) -> str:
        shown = {
            "routes": [asdict(route) for route in routes()],
            "schemas": SCHEMAS,
            "answers": [asdict(answer) for answer in GATEWAY_ANSWERS],
            "integration": Stack.of(self).resolve(self._integration),
            "authorizer": self.authorizer.snapshot,
        }
        return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:12]


def _integration(
    function: lambda_.Function, *, streaming: bool, timeout: Duration
) -> apigateway.CfnMethod.IntegrationProperty:
    return apigateway.CfnMethod.IntegrationProperty(
        type="AWS_PROXY",
        integration_http_method="POST",
        uri=invocation_uri(function, streaming=streaming),
        response_transfer_mode="STREAM" if streaming else "BUFFERED",
        timeout_in_millis=timeout.to_milliseconds(),
    )
