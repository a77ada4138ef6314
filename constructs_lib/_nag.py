"""Acknowledges findings of cdk-nag, one resource and one reason at a time, without importing cdk-nag.

What is acknowledged, and why, is in `acknowledgements.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import Acknowledgment, Reference, Stack, Tokenization, Validations
from constructs import IValidation

from constructs_lib._stack_env import PSEUDO, environment_of
from constructs_lib._tokens import is_token, resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from constructs import IConstruct


class Pack(StrEnum):
    """A rule pack of cdk-nag: what the ids of its findings begin with."""

    AWS_SOLUTIONS = "AwsSolutions"
    SERVERLESS = "Serverless"
    NIST = "NIST.800.53.R5"
    HIPAA = "HIPAA.Security"
    PCI = "PCI.DSS.321"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a resource does not meet.

    Args:
        name: Its name, which is the same in all packs that have it, such as `LambdaDLQ`.
        packs: Those packs.
        reason: Why the resource does not meet it, in one or two sentences.
    """

    name: str
    packs: tuple[Pack, ...]
    reason: str

    @property
    def ids(self) -> list[str]:
        """The id of the finding in each pack, such as `Serverless-LambdaDLQ`."""
        return [f"{pack}-{self.name}" for pack in self.packs]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What is acknowledged about one kind of resource.

    Args:
        about: The resource.
        rules: The rules that it does not meet.
        late_rules: The same, once the CDK has connected the stacks: what another stack has is then named otherwise.
            None: nothing is.
    """

    about: str
    rules: tuple[Rule, ...]
    late_rules: Callable[[], tuple[Rule, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A wildcard that is acknowledged in the resources of a policy statement.

    The id of the finding contains the resource, which the construct fills in (`at`).

    Args:
        about: The role, and what it is allowed.
        reason: Why the statement cannot name its resources, in one or two sentences.
    """

    about: str
    reason: str

    def at(self, scope: IConstruct, *resources: str) -> Acknowledged:
        """The same for the resources of one statement; those without a wildcard have no finding.

        Args:
            scope: A construct of the stack.
            resources: The resources of the statement.
        """

        def rules() -> tuple[Rule, ...]:
            names = [_wildcard_rule(scope, resource) for resource in resources]
            return tuple(Rule(name, (Pack.AWS_SOLUTIONS,), self.reason) for name in names if "*" in name)

        is_late = any(_refers_to_others(scope, resource) for resource in resources)
        return Acknowledged(self.about, rules(), rules if is_late else None)


def acknowledge(construct: IConstruct, *acknowledged: Acknowledged) -> None:
    """Acknowledge findings of validation plugins about one construct.

    Args:
        construct: The resource that the findings are about.
        acknowledged: The findings. One that two of them have gets both reasons.
    """
    _acknowledge(construct, [rule for one in acknowledged for rule in one.rules])
    for one in acknowledged:
        if one.late_rules is not None:
            construct.node.add_validation(_Late(construct, one.rules, one.late_rules))


def _acknowledge(construct: IConstruct, rules: Iterable[Rule]) -> None:
    reasons: dict[str, dict[str, None]] = {}
    for rule in rules:
        for finding in rule.ids:
            reasons.setdefault(finding, {})[rule.reason] = None
    if reasons:
        Validations.of(construct).acknowledge(
            *(Acknowledgment(id=finding, reason=" ".join(texts)) for finding, texts in reasons.items())
        )


@jsii.implements(IValidation)
class _Late:
    """Acknowledges findings by the names that they have when the CDK has connected the stacks, before it validates."""

    def __init__(
        self, construct: IConstruct, rules: tuple[Rule, ...], late_rules: Callable[[], tuple[Rule, ...]]
    ) -> None:
        self._construct, self._rules, self._late_rules = construct, rules, late_rules

    def validate(self) -> list[str]:
        """No error."""
        _acknowledge(self._construct, [rule for rule in self._late_rules() if rule not in self._rules])
        return []


def _refers_to_others(scope: IConstruct, resource: str) -> bool:
    """Whether a resource of a policy statement is one of another stack."""
    text = _with_placeholders(resource)
    if not is_token(text):
        return False
    here = environment_of(scope).stack.node.path
    tokens: list[Any] = Tokenization.reverse_string(text).tokens
    return any(Reference.is_reference(token) and Stack.of(token.target).node.path != here for token in tokens)


def _wildcard_rule(scope: IConstruct, resource: str) -> str:
    """The name under which cdk-nag's AwsSolutions pack reports a wildcard in an IAM resource.

    It contains the resource, with placeholders such as `<AWS::Region>` for values that are known only at deployment.

    Args:
        scope: A construct of the stack.
        resource: The resource of the policy statement.
    """
    text = _with_placeholders(resource)
    if is_token(text):
        text = _flat(resolved(environment_of(scope).stack, resource))
    return f"IAM5[Resource::{text}]"


def _with_placeholders(resource: str) -> str:
    """The resource with cdk-nag's words for what every stack has, without asking the CDK for them."""
    for parameter, name in ((PSEUDO.partition, "Partition"), (PSEUDO.region, "Region"), (PSEUDO.account, "AccountId")):
        resource = resource.replace(parameter, f"<AWS::{name}>")
    return resource


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(_flat(part) for part in parts)
    # The name of an import; any other intrinsic function as JSON, as cdk-nag writes it.
    return _flat(value["Fn::ImportValue"]) if "Fn::ImportValue" in value else json.dumps(value, separators=(",", ":"))
