"""Resolves the intrinsic functions of CloudFormation templates."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
DYNAMIC = re.compile(r"\{\{resolve:secretsmanager:([^}]+)\}\}")
NO_VALUE = object()


class OutputName(NamedTuple):
    """What a weak reference names: the output of a stack in a Region."""

    stack: str
    name: str
    region: str


def output_named(reference: Mapping[str, str], region: str) -> OutputName:
    """The output that the argument of `Fn::GetStackOutput` names.

    Args:
        reference: The argument, resolved.
        region: The Region of the stack that refers to it.
    """
    return OutputName(reference["StackName"], reference["OutputName"], reference.get("Region", region))


class Template:
    """A template with its values resolved.

    Args:
        body: The template.
        pseudo: The pseudo parameters, such as `AWS::Region`.
        parameters: The parameters. Default: the defaults of the template.
        physical_ids: Physical ids by logical id. Default: the logical id.
        exports: Exports of other stacks by name. Default (before a deployment): each export resolves to its name.
        references: Outputs of other stacks that the template refers to weakly. Default (before a deployment): each
            output resolves to its name.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        *,
        pseudo: Mapping[str, str],
        parameters: Mapping[str, str] | None = None,
        physical_ids: Mapping[str, str] | None = None,
        exports: Mapping[str, str] | None = None,
        references: Mapping[OutputName, str] | None = None,
    ) -> None:
        self.body = body
        self._pseudo = pseudo
        declared = {name: entry.get("Default") for name, entry in body.get("Parameters", {}).items()}
        self._parameters = {**declared, **(parameters or {})}
        self._physical_ids = dict(physical_ids or {})
        self._exports = exports
        self._references = references
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self.reference,
            "Fn::GetAtt": self._get_att,
            "Fn::Join": lambda value: self.resolve(value[0]).join(map(str, self.resolve(value[1]))),
            "Fn::Sub": self._sub,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": lambda value: self.resolve(value[1] if self.condition(value[0]) else value[2]),
            "Fn::Select": lambda value: self.resolve(value[1])[int(self.resolve(value[0]))],
            "Fn::Split": lambda value: self.resolve(value[1]).split(self.resolve(value[0])),
            "Fn::Base64": lambda value: b64encode(self.resolve(value).encode()).decode(),
            "Fn::ImportValue": lambda value: self._import(self.resolve(value)),
            "Fn::GetStackOutput": lambda value: self._refer(self.resolve(value)),
            "Fn::ToJsonString": lambda value: json.dumps(self.resolve(value), separators=(",", ":")),
            "Fn::GetAZs": lambda value: [f"{self.resolve(value) or pseudo['AWS::Region']}{zone}" for zone in "abc"],
            "Fn::Equals": lambda value: self.resolve(value[0]) == self.resolve(value[1]),
            "Fn::Not": lambda value: not self.condition(value[0]),
            "Fn::And": lambda value: all(map(self.condition, value)),
            "Fn::Or": lambda value: any(map(self.condition, value)),
        }

    def resources(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """The resolved properties of all resources of a type whose condition is true, by logical id."""
        return {
            logical_id: self.resolve(resource.get("Properties", {}))
            for logical_id, resource in self.body.get("Resources", {}).items()
            if resource["Type"] == resource_type and self._exists(resource)
        }

    def outputs(self) -> dict[str, str]:
        """The resolved outputs whose condition is true."""
        return {
            name: str(self.resolve(entry["Value"]))
            for name, entry in self.body.get("Outputs", {}).items()
            if self._exists(entry)
        }

    def _exists(self, entry: Mapping[str, Any]) -> bool:
        return "Condition" not in entry or self.condition(entry["Condition"])

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function replaced by its result.

        Raises:
            ValueError: A function or reference is unknown; the message names it.
        """
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise ValueError(f"{name}: the emulated cloud cannot resolve this function.")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def reference(self, name: str) -> Any:
        """The value of `Ref`."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name in self.body.get("Resources", {}):
            return self.physical_id(name)
        raise ValueError(f"Ref {name}: neither a parameter nor a resource of the template.")

    def physical_id(self, logical_id: str) -> str:
        """The physical id, or the logical id if the control plane has none."""
        return self._physical_ids.get(logical_id) or logical_id

    def construct_path(self, logical_id: str) -> str:
        """The CDK path of a resource; "" if the template has none."""
        path: str = self.body["Resources"][logical_id].get("Metadata", {}).get("aws:cdk:path", "")
        return path

    def condition(self, value: Any) -> bool:
        """Whether a condition (a name, a `Condition` reference or a function) is true."""
        if isinstance(value, str):
            return bool(self.resolve(self.body["Conditions"][value]))
        if "Condition" in value:
            return self.condition(value["Condition"])
        return bool(self.resolve(value))

    def _get_att(self, value: Any) -> str:
        logical_id, attribute = value.split(".", 1) if isinstance(value, str) else value
        resource_type = self.body["Resources"][logical_id]["Type"]
        return attribute_of(resource_type, self.physical_id(logical_id), attribute, self._pseudo)

    def _sub(self, value: Any) -> str:
        text, variables = (value, {}) if isinstance(value, str) else value

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in variables:
                return str(self.resolve(variables[name]))
            return str(self._get_att(name) if "." in name else self.reference(name))

        return VARIABLE.sub(replace, text)

    def _import(self, name: str) -> str:
        if self._exports is None:
            return name
        if name not in self._exports:
            raise ValueError(f"Fn::ImportValue {name}: no deployed stack exports it.")
        return self._exports[name]

    def _refer(self, reference: Mapping[str, str]) -> str:
        output = output_named(reference, self._pseudo["AWS::Region"])
        if self._references is None:
            return output.name
        if output not in self._references:
            raise ValueError(f"Fn::GetStackOutput {output.stack}.{output.name}: has not been resolved.")
        return self._references[output]

    def _find_in_map(self, value: Any) -> Any:
        name, first, second = (self.resolve(part) for part in value[:3])
        found = self.body.get("Mappings", {}).get(name, {}).get(first, {}).get(second, NO_VALUE)
        if found is not NO_VALUE:
            return found
        if len(value) > 3:
            return self.resolve(value[3]["DefaultValue"])
        raise ValueError(f"Fn::FindInMap [{name}, {first}, {second}]: the mapping has no such entry.")


def attribute_of(resource_type: str, physical_id: str, attribute: str, pseudo: Mapping[str, str]) -> str:
    """The value of `Fn::GetAtt`; `<physical id>.<attribute>` if the format of the attribute is unknown.

    Args:
        resource_type: The resource type.
        physical_id: The physical id of the resource.
        attribute: The attribute, for example `Arn`.
        pseudo: The pseudo parameters.
    """
    if attribute == "Arn" or (resource_type, attribute) in ARN_ATTRIBUTES:
        return _arn(resource_type, physical_id, pseudo)
    if (resource_type, attribute) in ATTRIBUTES:
        return ATTRIBUTES[resource_type, attribute].format(id=physical_id, region=pseudo["AWS::Region"])
    if attribute.endswith("Name"):
        return physical_id.rsplit("/", 1)[-1]
    return f"{physical_id}.{attribute}"


def _arn(resource_type: str, physical_id: str, pseudo: Mapping[str, str]) -> str:
    if physical_id.startswith("arn:"):
        return physical_id
    partition, region, account = (pseudo[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId"))
    service, form = ARNS.get(resource_type, (resource_type.split("::")[1].lower(), "{id}"))
    scope = f"{'' if service == 'iam' else region}:{account}"
    return f"arn:{partition}:{service}:{scope}:{form.format(id=physical_id)}"


ARN_ATTRIBUTES = {
    ("AWS::SageMaker::Endpoint", "EndpointArn"),
    ("AWS::SageMaker::InferenceComponent", "InferenceComponentArn"),
}
ATTRIBUTES = {
    ("AWS::ApplicationAutoScaling::ScalableTarget", "Id"): "{id}",
    ("AWS::Cognito::UserPool", "ProviderName"): "cognito-idp.{region}.amazonaws.com/{id}",
    ("AWS::Cognito::UserPool", "ProviderURL"): "https://cognito-idp.{region}.amazonaws.com/{id}",
}
ARNS = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", "alarm:{id}"),
    "AWS::CodeBuild::Project": ("codebuild", "project/{id}"),
    "AWS::Lambda::Function": ("lambda", "function:{id}"),
    "AWS::IAM::Role": ("iam", "role/{id}"),
    "AWS::Logs::LogGroup": ("logs", "log-group:{id}:*"),
    "AWS::SageMaker::Endpoint": ("sagemaker", "endpoint/{id}"),
}


def secret_references(value: Any) -> set[str]:
    """All dynamic references to secrets in a resolved value, as `<id>:SecretString:…`."""
    if isinstance(value, str):
        return set(DYNAMIC.findall(value))
    if isinstance(value, dict):
        value = list(value.values())
    return set().union(*map(secret_references, value)) if isinstance(value, list) else set()


def parse_secret(reference: str) -> tuple[str, str]:
    """The name or ARN of the secret and JSON key ("": all) of `<id>:SecretString:<key>:<stage>:<version>`."""
    identifier, _, rest = reference.partition(":SecretString")
    return identifier, rest.split(":")[1] if ":" in rest else ""


def replace_secrets(text: str, read: Callable[[str], str]) -> str:
    """The text with each dynamic reference replaced by `read("<id>:SecretString:…")`."""
    return DYNAMIC.sub(lambda match: read(match[1]), text)
