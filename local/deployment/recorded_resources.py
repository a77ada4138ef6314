"""Resource types that the emulated CloudFormation records, as moto does not support them.

A recorded resource exists with its resolved properties, its `Ref` and its attributes, and does nothing. A type that
neither moto nor `RECORDED` has fails the deployment, so that nothing is left out of a deployed stack unnoticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local.deployment.cloudformation import attribute_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[["RecordedResource"], None]

RECORDED = frozenset(
    {
        "AWS::ApiGateway::Account",
        "AWS::ApiGateway::ApiKey",
        "AWS::ApiGateway::BasePathMapping",
        "AWS::ApiGateway::BasePathMappingV2",
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGateway::DomainNameAccessAssociation",
        "AWS::ApiGateway::DomainNameV2",
        "AWS::ApiGateway::Stage",
        "AWS::ApiGateway::UsagePlan",
        "AWS::ApiGateway::UsagePlanKey",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CDK::Metadata",
        "AWS::CertificateManager::Certificate",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CodeBuild::Project",
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::ECR::RepositoryPolicy",
        "AWS::Lambda::Alias",
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::SubscriptionFilter",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
        "AWS::SageMaker::InferenceComponent",
        "AWS::SecretsManager::Secret",
        "AWS::WAFv2::WebACL",
        "AWS::WAFv2::WebACLAssociation",
        # Custom resources of the CDK whose results nothing reads.
        "Custom::LogRetention",
        "Custom::S3AutoDeleteObjects",
        "Custom::VpcRestrictDefaultSG",
    }
)
"""The types that may be recorded. Add a type only if a deployed stack works without its behaviour."""

# What `Ref` gives, where CloudFormation gives no name: its documentation of each type's return values.
_PHYSICAL_IDS: dict[str, str] = {
    "AWS::SageMaker::InferenceComponent": "arn:aws:sagemaker:{region}:{account}:inference-component/{name}",
    "AWS::ApplicationAutoScaling::ScalableTarget": "{ResourceId}|{ScalableDimension}|{ServiceNamespace}",
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        "arn:aws:autoscaling:{region}:{account}:scalingPolicy:{logical_id}:resource/{target}:policyName/{PolicyName}"
    ),
}
# The property with the name, and the longest name, of types whose name other resources or requests contain.
_NAMES: dict[str, tuple[str, int]] = {
    "AWS::SageMaker::InferenceComponent": ("InferenceComponentName", 63),
    "AWS::CloudWatch::Alarm": ("AlarmName", 255),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName", 255),
    "AWS::CodeBuild::Project": ("Name", 150),
}


class RecordedResource:
    """A resource without behaviour, as moto's CloudFormation keeps it.

    Its physical id is its logical id, as in `local.deployment.cloudformation`, unless CloudFormation's is not a name
    that only people read.

    Args:
        resource_type: The resource type.
        logical_id: The logical id.
        properties: The resolved properties.
        stack: The name of the stack, for generated names.
        account: The account.
        region: The Region.
    """

    def __init__(
        self,
        resource_type: str,
        logical_id: str,
        properties: Mapping[str, Any],
        *,
        stack: str,
        account: str,
        region: str,
    ) -> None:
        self.cf_resource_type = resource_type
        self.logical_resource_id = logical_id
        self.properties = properties
        self.stack = stack
        self.account = account
        self.region = region
        self.name = self._name()
        self.physical_resource_id = self._physical_id()

    def _name(self) -> str:
        if self.cf_resource_type not in _NAMES:
            return self.logical_resource_id
        property_name, longest = _NAMES[self.cf_resource_type]
        given = self.properties.get(property_name)
        return str(given) if given else f"{self.stack}-{self.logical_resource_id}"[-longest:].lstrip("-")

    def _physical_id(self) -> str:
        form = _PHYSICAL_IDS.get(self.cf_resource_type)
        if form is None:
            return self.name
        values = {"account": self.account, "region": self.region, "name": self.name}
        target = self.properties.get("ScalingTargetId", "").split("|")[0] or self.properties.get("ResourceId", "")
        values |= {"logical_id": self.logical_resource_id, "target": f"sagemaker/{target}"}
        return form.format_map({**self.properties, **values})

    def get_cfn_attribute(self, name: str) -> str:
        """The value of `Fn::GetAtt`."""
        pseudo = {"AWS::Partition": "aws", "AWS::Region": self.region, "AWS::AccountId": self.account}
        return attribute_of(self.cf_resource_type, self.physical_resource_id, name, pseudo)

    def is_created(self) -> bool:
        """Always true: recording takes no time."""
        return True

    def delete(self, account: str, region: str) -> None:
        """Forgets the resource, unless another one has replaced it."""
        found = resources_of(account, region)
        if found.get((self.stack, self.logical_resource_id)) is self:
            del found[self.stack, self.logical_resource_id]

    @classmethod
    def has_cfn_attr(cls, name: str) -> bool:
        """Always true; moto calls it for outputs."""
        return True

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: RecordedResource, cloudformation_json: Mapping[str, Any], **_: Any
    ) -> RecordedResource:
        """Records the new properties."""
        old = original_resource
        old.delete(old.account, old.region)
        try:
            return record(
                cls(
                    old.cf_resource_type,
                    old.logical_resource_id,
                    cloudformation_json.get("Properties", {}),
                    stack=old.stack,
                    account=old.account,
                    region=old.region,
                )
            )
        except Exception:
            keep(old)
            raise


def resources_of(account: str, region: str) -> dict[tuple[str, str], RecordedResource]:
    """The recorded resources of an account and Region by stack and logical id, in the order of their creation.

    They are part of moto's state of SageMaker, so that they go when moto's state is reset.
    """
    from moto.sagemaker.models import sagemaker_backends

    found: dict[tuple[str, str], RecordedResource] = vars(sagemaker_backends[account][region]).setdefault(
        "recorded", {}
    )
    return found


def record(resource: RecordedResource) -> RecordedResource:
    """Keeps a resource.

    Raises:
        ValidationError: The service would refuse it.
    """
    if check := _CHECKS.get(resource.cf_resource_type):
        check(resource)
    keep(resource)
    return resource


def keep(resource: RecordedResource) -> None:
    """Keeps a resource in the place of any other one with its logical id."""
    resources_of(resource.account, resource.region)[resource.stack, resource.logical_resource_id] = resource


def refusal(message: str) -> Exception:
    """The error of a service that refuses a resource."""
    from moto.sagemaker.exceptions import ValidationError

    error: Exception = ValidationError(message=message)
    return error


def others(resource: RecordedResource, resource_type: str) -> list[RecordedResource]:
    """The recorded resources of a type in the account and Region of a resource, without that resource."""
    found = resources_of(resource.account, resource.region).values()
    return [entry for entry in found if entry.cf_resource_type == resource_type and entry is not resource]


_CHECKS: dict[str, Check] = {}


def install(checks: Mapping[str, Check]) -> None:
    """Makes moto's CloudFormation know the types that are recorded here.

    Args:
        checks: What raises moto's ValidationError for a resource that its service would refuse, by resource type.
    """
    from moto.cloudformation import parsing

    class_of = parsing.resource_class_from_type
    _CHECKS.update(checks)
    # Moto knows the first name of custom resources (Custom::…), not the second.
    known = {*RECORDED, "AWS::CloudFormation::CustomResource"}
    parsing.resource_class_from_type = lambda resource_type: (
        RecordedResource if resource_type in known else class_of(resource_type)
    )


def is_recorded(resource_type: str) -> bool:
    """Whether resources of this type are only recorded."""
    return resource_type in RECORDED


def name_property(resource_type: str) -> str | None:
    """The property with the name of a recorded resource, if others refer to it by name."""
    return _NAMES[resource_type][0] if resource_type in _NAMES else None
