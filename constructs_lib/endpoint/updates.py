"""What an update of a running endpoint keeps, and which endpoints a new one can take over from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import CfnOutput, CfnResource, Names, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import IValidation

from constructs_lib.planning.scaling.updates import other_stack_error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aws_cdk.aws_sagemaker import CfnEndpoint
    from constructs import IConstruct

MAX_OWN_POLICIES = 4
"""A role may have ten managed policies. An update that changes all types has twice these for a while, and the CDK makes
one of what exceeds the size of an inline policy."""

_OWN = "Invoke-"


def keep_instance_count(endpoint: CfnEndpoint) -> None:
    """Let updates keep the number of instances that scaling has set; nothing else of the variant.

    Without this, an update applies all that the EndpointConfig says. SageMaker knows no list of what to keep, only one
    of what not to keep (`RetainAllVariantProperties`, `ExcludeRetainedVariantProperties`).

    Args:
        endpoint: The endpoint, whose instances something scales.
    """
    excluded = sagemaker.CfnEndpoint.VariantPropertyProperty
    endpoint.retain_all_variant_properties = True
    endpoint.exclude_retained_variant_properties = [
        excluded(variant_property_type="DesiredWeight"),
        excluded(variant_property_type="DataCaptureConfig"),
    ]


def own_policy(grantee: iam.IGrantable, endpoint: CfnEndpoint) -> iam.IGrantable:
    """A policy of the grantee for this endpoint alone; the grantee itself if it is no role of this app.

    CloudFormation creates the policy for a new endpoint before it updates the grantee, and deletes the one for the old
    endpoint after that. A changed statement would deny the old endpoint before the grantee knows the new one.

    Args:
        grantee: The principal.
        endpoint: The endpoint, whose id changes with its instance type.
    """
    role = grantee.grant_principal
    if not isinstance(role, iam.Role):
        return grantee
    name = f"{_OWN}{Names.unique_id(endpoint)}"
    own = {child.node.id: child for child in role.node.children if child.node.id.startswith(_OWN)}
    if name not in own and len(own) >= MAX_OWN_POLICIES:
        return grantee
    policy: Any = own[name] if name in own else iam.ManagedPolicy(role, name, roles=[role])
    return policy  # type: ignore[no-any-return]


def refuse_other_stacks(endpoint: CfnEndpoint) -> None:
    """Make it an error of the synthesis if another stack uses the endpoint.

    Args:
        endpoint: The endpoint, whose logical id changes with its instance type.
    """
    endpoint.node.add_validation(_OneStack(endpoint))


@jsii.implements(IValidation)
class _OneStack:
    """Validates that no value of an endpoint leaves its stack.

    The CDK validates after it has turned references between stacks into outputs of the stack that is referred to.
    """

    def __init__(self, endpoint: CfnEndpoint) -> None:
        self._endpoint = endpoint

    def validate(self) -> list[str]:
        """The error, if there is one."""
        stack: Stack | None = Stack.of(self._endpoint)
        names = {self._endpoint.logical_id}
        while stack is not None:
            names = {str(stack.resolve(name)) for name in names}
            constructs = stack.node.find_all()
            if any(_mentions(stack, value, names) for value in _leaving(constructs)):
                return [other_stack_error()]
            # From a nested stack values reach its parent, which may pass them on.
            outputs = [each for each in constructs if isinstance(each, CfnOutput)]
            names = {f"Outputs.{each.logical_id}" for each in outputs if _mentions(stack, each.value, names)}
            stack = stack.nested_stack_parent
        return []


def _leaving(constructs: Sequence[IConstruct]) -> Iterator[Any]:
    """What other stacks can refer to: exports, the outputs of weak references, and parameters in another Region."""
    for construct in constructs:
        if isinstance(construct, CfnOutput):
            if construct.export_name is not None or "/Publish/" in construct.node.path:
                yield construct.value
        elif isinstance(construct, CfnResource) and "/ExportsWriter" in construct.node.path:
            yield construct._cfn_properties


def _mentions(stack: Stack, value: Any, names: set[str]) -> bool:
    text = json.dumps(stack.resolve(value))
    return any(json.dumps(name) in text for name in names)
