"""Reads a REST API from the deployed template."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from local.errors import UserError
from local.gateway.api import (
    ApiKey,
    Authorizer,
    GatewayResponse,
    Integration,
    Method,
    Quota,
    Resource,
    RestApi,
    Throttle,
    UsagePlan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.template import Template

    Properties = Mapping[str, Any]

FUNCTION = re.compile(
    r":lambda:path/(?P<version>\d{4}-\d\d-\d\d)/functions/arn:[^:]+:lambda:[^:]+:\d*:function:(?P<name>[^:/]+)"
    r"(?::[^/]+)?/(?P<action>[a-z-]+)$"
)
BUFFERED = ("2015-03-31", "invocations")
STREAM = ("2021-11-15", "response-streaming-invocations")


def read_rest_api(template: Template) -> RestApi:
    """The REST API of a deployed stack, with its one stage.

    Raises:
        UserError: If the stack has none, or several.
    """
    apis = template.resources("AWS::ApiGateway::RestApi")
    if len(apis) != 1:
        raise UserError(
            f"The stack has {len(apis)} REST APIs: {', '.join(apis) or 'none'}.", "Choose a STACK with one front door."
        )
    return _Reader(template, *next(iter(apis.items()))).read()


class _Reader:
    def __init__(self, template: Template, logical_id: str, properties: Properties) -> None:
        self._template = template
        self._logical_id = logical_id
        self._properties = properties
        self._api_id = template.physical_id(logical_id)
        self._authorizers = {
            template.physical_id(name): _authorizer(template.physical_id(name), entry)
            for name, entry in self._of_this_api("AWS::ApiGateway::Authorizer").items()
        }
        self._validators = {
            template.physical_id(name): entry
            for name, entry in self._of_this_api("AWS::ApiGateway::RequestValidator").items()
        }
        self._models = {
            template.physical_id(name): (entry.get("Name", template.physical_id(name)), _schema(entry["Schema"]))
            for name, entry in self._of_this_api("AWS::ApiGateway::Model").items()
        }

    def read(self) -> RestApi:
        stages = list(self._of_this_api("AWS::ApiGateway::Stage").values())
        if len(stages) != 1:
            raise UserError(f"The API {self._logical_id} has {len(stages)} stages.", "The emulated cloud serves one.")
        stage, pseudo = stages[0], self._template.reference
        return RestApi(
            id=self._api_id,
            region=pseudo("AWS::Region"),
            account=pseudo("AWS::AccountId"),
            partition=pseudo("AWS::Partition"),
            url_suffix=pseudo("AWS::URLSuffix"),
            stage=stage["StageName"],
            root=self._tree(),
            key_source=self._properties.get("ApiKeySourceType", "HEADER"),
            keys=self._keys(),
            plans=self._plans(stage["StageName"]),
            gateway_responses=self._gateway_responses(),
            method_throttle=_method_throttle(stage.get("MethodSettings", [])),
            access_log_format=stage.get("AccessLogSetting", {}).get("Format"),
            binary_media_types=self._properties.get("BinaryMediaTypes", ()),
            stage_variables=stage.get("Variables", {}),
        )

    def _of_this_api(self, kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: entry
            for name, entry in self._template.resources(kind).items()
            if entry.get("RestApiId") == self._api_id
        }

    def _tree(self) -> Resource:
        root_id = self._template.resolve({"Fn::GetAtt": [self._logical_id, "RootResourceId"]})
        nodes = {root_id: Resource(root_id, "/")}
        waiting = {
            self._template.physical_id(name): entry
            for name, entry in self._of_this_api("AWS::ApiGateway::Resource").items()
        }
        while waiting:
            placed = {name: entry for name, entry in waiting.items() if entry["ParentId"] in nodes}
            if not placed:
                raise ValueError(f"No path from the root leads to the resources {', '.join(waiting)}.")
            for name, entry in placed.items():
                parent, part = nodes[entry["ParentId"]], entry["PathPart"]
                nodes[name] = parent.children[part] = Resource(name, f"{parent.path.rstrip('/')}/{part}")
                del waiting[name]
        for entry in self._of_this_api("AWS::ApiGateway::Method").values():
            nodes[entry["ResourceId"]].methods[entry["HttpMethod"]] = self._method(entry)
        return nodes[root_id]

    def _method(self, entry: Properties) -> Method:
        validator = self._validators.get(entry.get("RequestValidatorId", ""), {})
        schemas = dict(self._models.values())
        return Method(
            verb=entry["HttpMethod"],
            integration=_integration(entry["Integration"]),
            authorizer=self._authorizers.get(entry.get("AuthorizerId", "")),
            api_key_required=entry.get("ApiKeyRequired", False),
            validate_body=validator.get("ValidateRequestBody", False),
            validate_parameters=validator.get("ValidateRequestParameters", False),
            models={
                media_type: self._models[model][1] if model in self._models else schemas.get(model, {})
                for media_type, model in entry.get("RequestModels", {}).items()
            },
            parameters=entry.get("RequestParameters", {}),
        )

    def _keys(self) -> list[ApiKey]:
        return [
            ApiKey(
                id=self._template.physical_id(name),
                value=entry.get("Value") or secrets.token_urlsafe(30),
                enabled=entry.get("Enabled", False),
            )
            for name, entry in self._template.resources("AWS::ApiGateway::ApiKey").items()
        ]

    def _plans(self, stage: str) -> list[UsagePlan]:
        links = self._template.resources("AWS::ApiGateway::UsagePlanKey").values()
        # The stage is named by Ref, and the control plane gives the physical id of a Stage only if it knows the type.
        stages = {stage, *map(self._template.physical_id, self._of_this_api("AWS::ApiGateway::Stage"))}
        return [
            UsagePlan(
                id=self._template.physical_id(name),
                throttle=_throttle(entry.get("Throttle", {}), "RateLimit", "BurstLimit"),
                quota=_quota(entry.get("Quota")),
                key_ids=frozenset(
                    link["KeyId"] for link in links if link["UsagePlanId"] == self._template.physical_id(name)
                ),
            )
            for name, entry in self._template.resources("AWS::ApiGateway::UsagePlan").items()
            if any(use["ApiId"] == self._api_id and use["Stage"] in stages for use in entry.get("ApiStages", []))
        ]

    def _gateway_responses(self) -> dict[str, GatewayResponse]:
        return {
            entry["ResponseType"]: GatewayResponse(
                status=int(entry["StatusCode"]) if "StatusCode" in entry else None,
                headers={
                    name.removeprefix("gatewayresponse.header."): value
                    for name, value in entry.get("ResponseParameters", {}).items()
                },
                templates=entry.get("ResponseTemplates", {}),
            )
            for entry in self._of_this_api("AWS::ApiGateway::GatewayResponse").values()
        }


def _integration(entry: Properties) -> Integration:
    function = FUNCTION.search(str(entry.get("Uri")))
    if entry["Type"] != "AWS_PROXY" or function is None:
        raise ValueError(f"{entry['Type']} integration {entry.get('Uri')}: only Lambda proxy integrations are served.")
    stream = entry.get("ResponseTransferMode", "BUFFERED") == "STREAM"
    if function.group("version", "action") != (STREAM if stream else BUFFERED):
        mode = "STREAM" if stream else "BUFFERED"
        raise ValueError(f"{entry['Uri']}: API Gateway refuses this URI when ResponseTransferMode is {mode}.")
    return Integration(
        function_name=function["name"], stream=stream, timeout_seconds=entry.get("TimeoutInMillis", 29_000) / 1000
    )


def _authorizer(id: str, entry: Properties) -> Authorizer:
    function = FUNCTION.search(entry["AuthorizerUri"])
    if entry["Type"] != "TOKEN" or function is None:
        raise ValueError(f"{entry['Type']} authorizer {entry.get('Name')}: only TOKEN authorizers are served.")
    return Authorizer(
        id=id,
        function_name=function["name"],
        header=entry.get("IdentitySource", "method.request.header.Authorization").rsplit(".", 1)[-1].lower(),
        validation=entry.get("IdentityValidationExpression"),
        ttl_seconds=float(entry.get("AuthorizerResultTtlInSeconds", 300)),
    )


def _schema(value: Any) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return schema


def _throttle(entry: Properties, rate: str, burst: str) -> Throttle | None:
    if rate not in entry and burst not in entry:
        return None
    return Throttle(rate=float(entry.get(rate, 10_000)), burst=int(entry.get(burst, 5_000)))


def _quota(entry: Properties | None) -> Quota | None:
    if not entry:
        return None
    return Quota(limit=int(entry["Limit"]), period=entry["Period"], offset=int(entry.get("Offset", 0)))


def _method_throttle(settings: list[Properties]) -> dict[str, Throttle]:
    found = {}
    for entry in settings:
        throttle = _throttle(entry, "ThrottlingRateLimit", "ThrottlingBurstLimit")
        if throttle is not None:
            path = entry.get("ResourcePath", "/*").replace("~1", "/")
            found[f"{'*' if path == '/*' else path}/{entry.get('HttpMethod', '*')}"] = throttle
    return found
