"""Reads a REST API from the deployed template: its Body, stage, API keys and usage plans."""

from __future__ import annotations

import secrets
import string
from typing import TYPE_CHECKING, Any

from local.apigateway.api import ApiKey, Quota, RestApi, Throttle, UsagePlan
from local.apigateway.definition.openapi import import_api
from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local.deployment.cloudformation import Template

    Properties = Mapping[str, Any]


def read_rest_api(
    template: Template,
    *,
    keys: Mapping[str, str] | None = None,
    with_secrets: Callable[[str], str] = lambda text: text,
) -> RestApi:
    """The only REST API of a deployed stack.

    Args:
        template: The template of the stack.
        keys: The values of API keys that have one already, by id. API Gateway generates those of others.
        with_secrets: Replaces the dynamic references in the value of an API key. Default: they stay.

    Raises:
        UserError: The stack does not have exactly one REST API with one stage, API Gateway would reject the API, or
            the emulation cannot serve it.
    """
    apis = template.resources("AWS::ApiGateway::RestApi")
    if len(apis) != 1:
        raise UserError(
            f"The stack has {len(apis)} REST APIs: {', '.join(apis) or 'none'}.", "Choose a STACK with one front door."
        )
    return _Reader(template, keys or {}, with_secrets, *next(iter(apis.items()))).read()


class _Reader:
    def __init__(
        self,
        template: Template,
        keys: Mapping[str, str],
        with_secrets: Callable[[str], str],
        logical_id: str,
        properties: Properties,
    ) -> None:
        self._template = template
        self._known_keys = keys
        self._with_secrets = with_secrets
        self._logical_id = logical_id
        self._properties = properties
        self._api_id = template.physical_id(logical_id)

    def read(self) -> RestApi:
        stages = list(self._of_this_api("AWS::ApiGateway::Stage").values())
        if len(stages) != 1:
            raise UserError(
                f"The API {self._logical_id} has {len(stages)} stages.",
                "The emulated cloud serves APIs with one stage.",
            )
        body = self._properties.get("Body")
        if not isinstance(body, dict):
            raise UserError(
                f"The API {self._logical_id} has no Body.",
                "The emulated gateway serves only APIs with an OpenAPI document in the template.",
            )
        imported = import_api(body, self._logical_id)
        key_source = self._properties.get("ApiKeySourceType", imported.key_source)
        if "x-amazon-apigateway-api-key-source" in body and key_source != imported.key_source:
            raise UserError(
                f"The API key source of {self._logical_id} is {key_source}, but {imported.key_source} in its Body.",
                "Set ApiKeySourceType and x-amazon-apigateway-api-key-source to the same value.",
            )
        stage, pseudo = stages[0], self._template.reference
        return RestApi(
            id=self._api_id,
            region=pseudo("AWS::Region"),
            account=pseudo("AWS::AccountId"),
            partition=pseudo("AWS::Partition"),
            url_suffix=pseudo("AWS::URLSuffix"),
            stage=stage["StageName"],
            root=imported.root,
            key_source=key_source,
            keys=self._keys(),
            plans=self._plans(stage["StageName"]),
            gateway_responses=imported.gateway_responses,
            method_throttle=_method_throttle(stage.get("MethodSettings", [])),
            access_log_format=stage.get("AccessLogSetting", {}).get("Format"),
            binary_media_types=[*self._properties.get("BinaryMediaTypes", []), *imported.binary_media_types],
            stage_variables=stage.get("Variables", {}),
        )

    def _of_this_api(self, kind: str) -> dict[str, dict[str, Any]]:
        return {
            name: entry
            for name, entry in self._template.resources(kind).items()
            if entry.get("RestApiId") == self._api_id
        }

    def _keys(self) -> list[ApiKey]:
        return [
            ApiKey(
                id=self._template.physical_id(name),
                name=entry.get("Name") or self._key_name(name),
                # API Gateway keeps the value that a key was created with, whatever becomes of its secret.
                value=self._known_keys.get(self._template.physical_id(name))
                or self._with_secrets(entry.get("Value", ""))
                or _generated_key(),
                enabled=entry.get("Enabled", False),
            )
            for name, entry in self._template.resources("AWS::ApiGateway::ApiKey").items()
        ]

    def _key_name(self, logical_id: str) -> str:
        """The consumer, and the name of its key if it has one: `team-a/2026-11`."""
        *_, consumer, own = ["", "", *self._template.construct_path(logical_id).split("/")]
        return f"{consumer}/{own.removeprefix('Key-')}" if own.startswith("Key-") else consumer

    def _plans(self, stage: str) -> list[UsagePlan]:
        links = self._template.resources("AWS::ApiGateway::UsagePlanKey").values()
        # A Ref to the stage resolves to its logical id, as the control plane does not have its physical id, the name.
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
            path = entry.get("ResourcePath", "/*").removeprefix("/").replace("~1", "/") or "/"
            found[f"{path}/{entry.get('HttpMethod', '*')}"] = throttle
    return found


def _generated_key() -> str:
    """A key as API Gateway generates it: no sign in it that a command line takes for an option."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
