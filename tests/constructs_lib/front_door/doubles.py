"""Creates front doors and reads their templates, so that tests can state an expectation in one line."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_cdk import App, Stack, Token

from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.front_door.front_door import FrontDoor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs_lib.planning.serving_limits import ServingFacts

Json = dict[str, Any]

ANY = "x-amazon-apigateway-any-method"
REGION = "eu-west-1"
ARN = "arn:aws:sagemaker:{}:111122223333:endpoint/{}"


def endpoint(
    stack: Stack,
    name: str = "llama-8b",
    model_id: str | None = "meta-llama/Llama-3.1-8B-Instruct",
    serving: ServingFacts | None = None,
    adapter_components: Mapping[str, str] | None = None,
) -> ImportedEndpoint:
    return ImportedEndpoint(
        stack,
        f"Endpoint-{name}",
        endpoint_arn=ARN.format(REGION if Token.is_unresolved(stack.region) else stack.region, name),
        endpoint_name=name,
        engine="tgi",
        variant_name="AllTraffic",
        model_id=model_id,
        max_body_bytes=6291456,
        serving=serving,
        adapter_components=adapter_components,
    )


def make_front_door(stack: Stack | None = None, **arguments: Any) -> FrontDoor:
    stack = stack or Stack(App(), "Stack")
    if "models" not in arguments:
        arguments["models"] = {"llama": endpoint(stack)}
    return FrontDoor(stack, "FrontDoor", **arguments)


def template(front_door: FrontDoor) -> Json:
    stack = Stack.of(front_door)
    app = stack.node.root
    assert isinstance(app, App)
    found: Json = app.synth().get_stack_by_name(stack.stack_name).template
    return found


@cache
def default() -> Json:
    """The template of a front door with default arguments; rendered once, never changed."""
    return template(make_front_door())


def of_type(rendered: Json, resource_type: str) -> dict[str, Json]:
    return {
        logical_id: resource
        for logical_id, resource in rendered["Resources"].items()
        if resource["Type"] == f"AWS::{resource_type}"
    }


def properties(rendered: Json, resource_type: str) -> list[Json]:
    return [resource["Properties"] for resource in of_type(rendered, resource_type).values()]


def only(rendered: Json, resource_type: str) -> Json:
    (found,) = properties(rendered, resource_type)
    assert isinstance(found, dict)
    return found


def function(rendered: Json, folder: str = "front_door") -> Json:
    (found,) = (
        each
        for each in properties(rendered, "Lambda::Function")
        if each["Handler"].startswith(folder) and not is_second(each)
    )
    return found


def is_second(function: Json) -> bool:
    """Whether it is the second function of a front door, which sends the copies of a Mirror."""
    return "MIRROR" in function.get("Environment", {}).get("Variables", {})


def variables(rendered: Json, folder: str = "front_door") -> dict[str, str]:
    return {name: flat(value) for name, value in function(rendered, folder)["Environment"]["Variables"].items()}


def served_models(stack: Stack) -> dict[str, Json]:
    """The models of a stack's one front door, as its function reads them: with references in place of names."""
    found = function_file(stack, "MODELS_FILE")
    assert found is not None
    return found


def callers(stack: Stack) -> Json | None:
    """The callers of a stack's one front door, likewise; None if its function has no file of them."""
    return function_file(stack, "CALLERS_FILE")


def function_file(stack: Stack, variable: str) -> Json | None:
    """A file that the function of a stack's one front door reads, with references in place of deployed values."""
    app = stack.node.root
    assert isinstance(app, App)
    assembly = app.synth()
    rendered = assembly.get_stack_by_name(stack.stack_name).template
    environment = variables(rendered)
    layers = [of_type(rendered, "Lambda::LayerVersion")[each["Ref"]] for each in function(rendered)["Layers"]]
    folders = [f"asset.{layer['Properties']['Content']['S3Key'].removesuffix('.zip')}" for layer in layers]
    if variable not in environment:
        return None
    path = Path(environment[variable]).relative_to("/opt")
    (file,) = (file for file in (Path(assembly.directory, folder, path) for folder in folders) if file.is_file())
    values = environment.get("DEPLOYED_VALUES", "").split(" ")
    replaced: Json = json.loads(
        file.read_text(), object_hook=lambda value: values[value["deployed"]] if "deployed" in value else value
    )
    return replaced


def flat(value: Any) -> str:
    """A value with its references, joined into one string."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(flat(part) for part in parts)
        case {"Fn::Sub": str(text)}:
            return text.replace("${", "<").replace("}", ">")
        case {"Fn::ImportValue": name}:
            return f"<{name}>"
    raise AssertionError(value)


def body(rendered: Json) -> Json:
    """The API definition."""
    found: Json = only(rendered, "ApiGateway::RestApi")["Body"]
    return found


def operations(rendered: Json) -> dict[tuple[str, str], Json]:
    """Every operation by its method (including ANY) and path."""
    return {
        ("ANY" if method == ANY else method.upper(), path): operation
        for path, item in body(rendered)["paths"].items()
        for method, operation in item.items()
    }


def required_schemes(operation: Json) -> list[str]:
    """The names of the security schemes that an operation requires."""
    return [name for requirement in operation.get("security", []) for name in requirement]


def responses(rendered: Json) -> dict[str, Json]:
    """The gateway responses by their type."""
    found: dict[str, Json] = body(rendered)["x-amazon-apigateway-gateway-responses"]
    return found


def statements(rendered: Json) -> list[Json]:
    inline = [policy for role in properties(rendered, "IAM::Role") for policy in role.get("Policies", [])]
    documents = [each["PolicyDocument"] for each in [*inline, *properties(rendered, "IAM::Policy")]]
    return [statement for document in documents for statement in document["Statement"]]


def warnings(front_door: FrontDoor) -> list[str]:
    """All warnings of the synthesis."""
    app = Stack.of(front_door).node.root
    assert isinstance(app, App)
    return [
        str(message.entry.data)
        for artifact in app.synth().stacks
        for message in artifact.messages
        if message.level.name == "WARNING"
    ]
