"""Reads a deployment from the control plane."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.apigateway.definition.template_reader import read_rest_api
from local.deployment.cloudformation import Template
from local.deployment.control_plane import ACCOUNT, REGION
from local.deployment.deployed_endpoint import read_endpoints
from local.deployment.deployed_function import read_functions
from local.deployment.deployed_scaling import DeployedScaling, read_scaling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from local.apigateway.api import RestApi
    from local.deployment.control_plane import ControlPlane
    from local.deployment.deployed_endpoint import DeployedEndpoint
    from local.deployment.deployed_function import DeployedFunction

REST_API = "AWS::ApiGateway::RestApi"


@dataclass(frozen=True, slots=True)
class DeployedResource:
    """A resource of the stack; `physical_id` is None if the control plane has none."""

    type: str
    logical_id: str
    physical_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The deployed stack that has the API.

    Args:
        stack: The name of the stack.
        resources: The resources of the stack.
        outputs: The outputs of the stack.
        api: The API.
        functions: The functions that the API calls, by name.
        endpoints: All endpoints of the account by name, as the functions may call endpoints of other stacks.
        scaling: What scales in the account.
    """

    stack: str
    resources: list[DeployedResource]
    outputs: Mapping[str, str]
    api: RestApi
    functions: Mapping[str, DeployedFunction]
    endpoints: Mapping[str, DeployedEndpoint]
    scaling: DeployedScaling

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The models that the API serves by their public name, as its functions know them."""
        found: dict[str, Mapping[str, Any]] = {}
        for function in self.functions.values():
            found |= function.models()
        return found

    def has_playground(self) -> bool:
        """Whether `GET /` serves the playground to browsers."""
        return any("PLAYGROUND_PAGE" in function.environment for function in self.functions.values())

    def called_endpoints(self) -> list[DeployedEndpoint]:
        """The endpoints that the API calls; all endpoints if its functions do not list any."""
        called = {entry["endpoint_name"] for entry in self.models().values()}
        return [endpoint for endpoint in self.endpoints.values() if endpoint.name in called or not called]

    def missing_endpoints(self) -> dict[str, Mapping[str, Any]]:
        """The endpoints that the API calls but the account does not have, with what is known of them."""
        called = {entry["endpoint_name"]: entry for entry in self.models().values()}
        return {name: entry for name, entry in called.items() if name not in self.endpoints}


def pseudo_parameters(stack: str, stack_id: str = "") -> dict[str, str]:
    """The pseudo parameters of the emulated account."""
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackId": stack_id,
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": "",
    }


def read_deployment(plane: ControlPlane, stacks: Sequence[str]) -> Deployment:
    """Reads the API of the last stack that has one, and the functions and endpoints behind it.

    Raises:
        UserError: No stack has an API, or the API cannot be served.
    """
    templates = {stack: _read_template(plane, stack) for stack in stacks}
    stack = next((name for name in reversed(stacks) if templates[name].resources(REST_API)), stacks[-1])
    template = templates[stack]
    api = read_rest_api(template)
    function_names = {method.integration.function_name for method in api.methods()}
    function_names |= {method.authorizer.function_name for method in api.methods() if method.authorizer}
    return Deployment(
        stack=stack,
        resources=[
            DeployedResource(entry["Type"], name, _physical_id(template, name))
            for name, entry in template.body["Resources"].items()
            if entry["Type"] != "AWS::CDK::Metadata"
        ],
        outputs=template.outputs(),
        api=api,
        functions=read_functions(plane, list(templates.values()), function_names),
        endpoints={endpoint.name: endpoint for endpoint in read_endpoints(plane)},
        scaling=read_scaling(plane),
    )


def _physical_id(template: Template, logical_id: str) -> str | None:
    physical_id = template.physical_id(logical_id)
    return physical_id if physical_id != logical_id else None


def _read_template(plane: ControlPlane, stack: str) -> Template:
    cloudformation = plane.client("cloudformation")
    body = cloudformation.get_template(StackName=stack)["TemplateBody"]
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    rows = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return Template(
        json.loads(body) if isinstance(body, str) else body,
        pseudo=pseudo_parameters(stack, described["StackId"]),
        parameters={entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])},
        physical_ids={
            row["LogicalResourceId"]: row["PhysicalResourceId"] for row in rows if row.get("PhysicalResourceId")
        },
        exports={entry["Name"]: entry["Value"] for entry in cloudformation.list_exports()["Exports"]},
    )
