"""Reads the templates of stacks, so that tests can state an expectation in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aws_cdk import Stack

Json = dict[str, Any]

MODEL = "AWS::SageMaker::Model"
CONFIG = "AWS::SageMaker::EndpointConfig"
ENDPOINT = "AWS::SageMaker::Endpoint"
COMPONENT = "AWS::SageMaker::InferenceComponent"
ROLE = "AWS::IAM::Role"
POLICY = "AWS::IAM::Policy"


def template_of(stack: Stack) -> Json:
    """The stack's template; the first call synthesizes the app, which must not change after that."""
    from aws_cdk import App

    app = stack.node.root
    assert isinstance(app, App)
    template: Json = app.synth().get_stack_by_name(stack.stack_name).template
    return template


def resources(template: Json, resource_type: str) -> dict[str, Json]:
    """The resources of one type by logical id."""
    return {key: resource for key, resource in template["Resources"].items() if resource["Type"] == resource_type}


def only(template: Json, resource_type: str) -> Json:
    """The only resource of a type, with Properties, DependsOn and so on."""
    (resource,) = resources(template, resource_type).values()
    return resource


def properties(template: Json, resource_type: str) -> Json:
    """The properties of the only resource of a type."""
    found: Json = only(template, resource_type)["Properties"]
    return found


def container(template: Json) -> Json:
    """The container of the only Model."""
    found: Json = properties(template, MODEL)["PrimaryContainer"]
    return found


def variant(template: Json) -> Json:
    """The only production variant."""
    (found,) = properties(template, CONFIG)["ProductionVariants"]
    assert isinstance(found, dict)
    return found


def statements(template: Json) -> list[Json]:
    """Every statement of every policy, in the order of the template."""
    return [
        statement
        for policy in resources(template, POLICY).values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def statement_with(template: Json, action: str) -> Json:
    """The only statement that allows an action."""
    (found,) = (s for s in statements(template) if action in as_list(s["Action"]))
    return found


def as_list(value: object) -> list[Any]:
    """The CDK renders a list of one item as the item."""
    return value if isinstance(value, list) else [value]


def text(value: object) -> str:
    """A value with its references as `<Ref>` and `<Resource.Attribute>`, joined."""
    match value:
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(resource), str(attribute)]}:
            return f"<{resource}.{attribute}>"
        case {"Fn::ImportValue": str(name)}:
            return f"<{name}>"
        case {"Fn::GetStackOutput": {"StackName": str(stack), "OutputName": str(name)}}:
            return f"<{stack}.{name}>"
        case {"Fn::FindInMap": [str(name), key, str(field)]}:
            return f"<{name}[{text(key)}].{field}>"
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(text(part) for part in parts)
        case _:
            return str(value)
