"""Reads a deployment from the control plane."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from local.apigateway.definition.template_reader import read_rest_api
from local.deployment.cloudformation import Template
from local.deployment.control_plane import ACCOUNT, REGION
from local.deployment.deployed_endpoint import read_endpoints
from local.deployment.deployed_function import FUNCTION, endpoint_entries, read_functions
from local.deployment.deployed_scaling import DeployedScaling, read_scaling
from local.deployment.secrets import with_secrets
from local.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence, Set

    from local.apigateway.api import RestApi
    from local.deployment.control_plane import ControlPlane
    from local.deployment.deployed_endpoint import DeployedEndpoint
    from local.deployment.deployed_function import DeployedFunction

ENDPOINT = "AWS::SageMaker::Endpoint"
REST_API = "AWS::ApiGateway::RestApi"


@dataclass(frozen=True, slots=True)
class DeployedResource:
    """A resource of the stack; `physical_id` is None if the control plane has none."""

    type: str
    logical_id: str
    physical_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is deployed in the account at this moment, and runs without an API.

    Args:
        functions: The functions that the emulated Lambda can run, by name.
        problems: Why it cannot run the others.
        endpoints: The endpoints by name.
        own_endpoints: The names of the endpoints that the stacks of the session have, or their functions call.
        models: The models that functions serve by their public name, as the functions know them.
        scaling: What scales.
    """

    functions: Mapping[str, DeployedFunction]
    problems: Mapping[str, UserError]
    endpoints: Mapping[str, DeployedEndpoint]
    own_endpoints: Set[str]
    models: Mapping[str, Mapping[str, Any]]
    scaling: DeployedScaling

    def labels(self) -> dict[str, str]:
        """The public names of models by endpoint or inference component."""
        return {
            entry.get("inference_component") or entry["endpoint_name"]: _label(name, entry)
            for name, model in self.models.items()
            for entry in endpoint_entries(model)
        }

    def hosted(self) -> dict[str, DeployedEndpoint]:
        """The endpoints whose containers run here."""
        return {name: endpoint for name, endpoint in self.endpoints.items() if name in self.own_endpoints}


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
    """

    stack: str
    resources: list[DeployedResource]
    outputs: Mapping[str, str]
    api: RestApi
    functions: Mapping[str, DeployedFunction]
    endpoints: Mapping[str, DeployedEndpoint]

    def models(self) -> dict[str, Mapping[str, Any]]:
        """The models that the API serves by their public name, as its functions know them."""
        return _models_of(self.functions.values())

    def endpoint_entries(self) -> list[Mapping[str, Any]]:
        """What the functions know of each endpoint behind the models."""
        return [entry for model in self.models().values() for entry in endpoint_entries(model)]

    def has_playground(self) -> bool:
        """Whether `GET /` serves the playground to browsers."""
        return any("PLAYGROUND_PAGE" in function.environment for function in self.functions.values())

    def called_endpoints(self) -> list[DeployedEndpoint]:
        """The endpoints that the API calls, all if its functions list none; and asynchronous ones, which none calls."""
        called = {entry["endpoint_name"] for entry in self.endpoint_entries()}
        return [
            endpoint
            for endpoint in self.endpoints.values()
            if endpoint.name in called or not called or endpoint.async_inference is not None
        ]

    def missing_endpoints(self) -> dict[str, Mapping[str, Any]]:
        """The endpoints that the API calls but the account does not have, with what is known of them."""
        called = {entry["endpoint_name"]: entry for entry in self.endpoint_entries()}
        return {name: entry for name, entry in called.items() if name not in self.endpoints}


def pseudo_parameters(stack: str, stack_id: str = "") -> dict[str, str]:
    """The pseudo parameters of the emulated account; before a deployment, an id in the form that it will have."""
    before = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{stack}/00000000-0000-4000-8000-000000000000"
    return {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::StackId": stack_id or before,
        "AWS::StackName": stack,
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": "",
    }


def endpoints_of(plane: ControlPlane, stack: str) -> set[str]:
    """The names of the endpoints of a stack."""
    return {str(resource.physical_id).rsplit("/", 1)[-1] for resource in plane.stacks.resources(ENDPOINT, stack)}


def read_account(plane: ControlPlane, stacks: Sequence[str]) -> Account:
    """Reads what runs without an API.

    Args:
        plane: The control plane.
        stacks: The names of the stacks of the session.
    """
    functions, problems = read_functions(plane)
    own = [resource for stack in stacks for resource in plane.stacks.resources(FUNCTION, stack)]
    models = _models_of([functions[name] for each in own if (name := str(each.physical_id)) in functions])
    endpoints = {name for stack in stacks for name in endpoints_of(plane, stack)}
    return Account(
        functions=functions,
        problems=problems,
        endpoints={endpoint.name: endpoint for endpoint in read_endpoints(plane)},
        own_endpoints=endpoints
        | {entry["endpoint_name"] for model in models.values() for entry in endpoint_entries(model)},
        models=models,
        scaling=read_scaling(plane),
    )


def read_deployment(
    plane: ControlPlane, stacks: Sequence[str], *, account: Account | None = None, former: RestApi | None = None
) -> Deployment:
    """Reads the API of the last stack that has one, and the functions and endpoints behind it.

    Args:
        plane: The control plane.
        stacks: The names of the stacks of the session.
        account: What runs. Default: it is read.
        former: The API as it was read before: values that were generated for its keys stay.

    Raises:
        UserError: No stack has an API, or the API cannot be served.
    """
    account = account or read_account(plane, stacks)
    templates = {stack: _read_template(plane, stack) for stack in stacks if plane.has_stack(stack)}
    if not templates:
        raise UserError("No stack is deployed.", "Deploy one: STACK=LlamaTgiStack.")
    stacks = list(templates)
    stack = next((name for name in reversed(stacks) if templates[name].resources(REST_API)), stacks[-1])
    template = templates[stack]
    known = {key.id: key.value for key in former.keys} if former else {}
    api = read_rest_api(template, keys=known, with_secrets=partial(with_secrets, plane))
    function_names = {method.integration.function_name for method in api.methods()}
    function_names |= {method.authorizer.function_name for method in api.methods() if method.authorizer}
    return Deployment(
        stack=stack,
        resources=[
            DeployedResource(entry["Type"], name, _physical_id(template, name))
            for name, entry in template.body["Resources"].items()
            if entry["Type"] != "AWS::CDK::Metadata"
        ],
        outputs=_outputs(plane, stack),
        api=api,
        functions={name: _require(account, name) for name in sorted(function_names)},
        endpoints=account.endpoints,
    )


def _label(name: str, entry: Mapping[str, Any]) -> str:
    return f"{name}, {entry['target']}" if "target" in entry else name


def _require(account: Account, name: str) -> DeployedFunction:
    if name in account.problems:
        raise account.problems[name]
    if name not in account.functions:
        raise UserError(
            f"The API calls functions that no deployed stack has: {name}.", "Deploy their stacks too: STACK=A,B."
        )
    return account.functions[name]


def _models_of(functions: Iterable[DeployedFunction]) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for function in functions:
        found |= function.models()
    return found


def _outputs(plane: ControlPlane, stack: str) -> dict[str, str]:
    (described,) = plane.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


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
        references=plane.stacks.references(stack),
    )
