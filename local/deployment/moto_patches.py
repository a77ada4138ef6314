"""Patches for moto 5.2, applied before the control plane starts.

Each function patches one feature that a deployment needs and moto lacks, and says why.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.loaders

from local.deployment.cloudformation import attribute_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def apply() -> None:
    """Applies all patches; calling it again has no effect."""
    _accept_all_instance_types()
    _deploy_imported_apis()
    _identify_layer_versions()
    _keep_unknown_resources()


@cache
def instance_types() -> frozenset[str]:
    """Every instance type that SageMaker accepts for a production variant, from botocore's service model."""
    model = botocore.loaders.create_loader().load_service_model("sagemaker", "service-2")
    return frozenset(model["shapes"]["ProductionVariantInstanceType"]["enum"])


@cache
def _accept_all_instance_types() -> None:
    """Moto's list of instance types ends at ml.g4dn; botocore's list replaces it."""
    from moto.sagemaker.exceptions import ValidationError
    from moto.sagemaker.models import FakeEndpointConfig

    def validate_instance_type(_: object, instance_type: str) -> None:
        if instance_type not in instance_types():
            raise ValidationError(
                message=f"Value '{instance_type}' at 'instanceType' failed to satisfy constraint: "
                "Member must satisfy enum value set of ProductionVariantInstanceType."
            )

    FakeEndpointConfig.validate_instance_type = validate_instance_type


@cache
def _deploy_imported_apis() -> None:
    """Moto ignores an API's Body and then rejects the deployment because the API has no methods.

    Moto's own import supports neither x-amazon-apigateway-any-method nor APIs whose name is in the document. The
    emulated gateway reads the Body itself, so the paths of the Body are sufficient here.
    """
    from moto.apigateway.models import Deployment, RestAPI, apigateway_backends

    create_api, deploy = RestAPI.create_from_cloudformation_json, Deployment.create_from_cloudformation_json

    def create(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        properties = entry["Properties"]
        body = properties.get("Body", {})
        properties.setdefault("Name", body.get("info", {}).get("title", name))
        api = create_api(name, entry, account, region, **more)
        api.paths = body.get("paths", {})
        return api

    def create_deployment(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        properties = entry["Properties"]
        api = apigateway_backends[account][region].get_rest_api(properties["RestApiId"])
        if not any(api.paths.values()):
            return deploy(name, entry, account, region, **more)
        return api.create_deployment(properties.get("StageName"), properties.get("Description", ""))

    RestAPI.create_from_cloudformation_json = create
    Deployment.create_from_cloudformation_json = create_deployment


@cache
def _identify_layer_versions() -> None:
    """Moto knows no physical id of a layer version, which is its ARN, so that nothing can reference one."""
    from moto.awslambda.models import LayerVersion

    LayerVersion.physical_resource_id = property(lambda version: version.arn)


class UnknownResource:
    """A resource of a type that moto's CloudFormation does not support.

    Its physical id is its logical id, as in `local.deployment.cloudformation`. Without it, moto fails on outputs and
    variables that reference an attribute of the resource.
    """

    def __init__(self, resource_type: str, logical_id: str, account: str, region: str) -> None:
        self.cf_resource_type = resource_type
        self.logical_resource_id = logical_id
        self.physical_resource_id = logical_id
        self._pseudo = {"AWS::Partition": "aws", "AWS::Region": region, "AWS::AccountId": account}

    def get_cfn_attribute(self, name: str) -> str:
        """The value of `Fn::GetAtt`."""
        return attribute_of(self.cf_resource_type, self.physical_resource_id, name, self._pseudo)

    def is_created(self) -> bool:
        """Always true: nothing is created."""
        return True

    def delete(self, account: str, region: str) -> None:
        """Does nothing: nothing was created."""

    @classmethod
    def has_cfn_attr(cls, name: str) -> bool:
        """Always true; moto calls it for outputs."""
        return True

    @classmethod
    def update_from_cloudformation_json(cls, original_resource: UnknownResource, **_: Any) -> UnknownResource:
        """Returns the resource unchanged."""
        return original_resource


@cache
def _keep_unknown_resources() -> None:
    """Moto skips a resource of a type that it does not support, and fails if another resource references it."""
    from moto.cloudformation import parsing

    create, class_of = parsing.parse_and_create_resource, parsing.resource_class_from_type

    def is_unknown(resource_type: str) -> bool:
        handled = resource_type in parsing.NULL_MODELS or resource_type.startswith("Custom::")
        return not handled and resource_type not in parsing.get_model_map()

    def parse_and_create_resource(
        logical_id: str, resource_json: Mapping[str, Any], resources_map: Any, account_id: str, region_name: str
    ) -> Any:
        resource_type, condition = resource_json["Type"], resource_json.get("Condition")
        if not is_unknown(resource_type):
            return create(logical_id, resource_json, resources_map, account_id, region_name)
        if condition and not resources_map.lazy_condition_map[condition]:
            return None
        return UnknownResource(resource_type, logical_id, account_id, region_name)

    parsing.parse_and_create_resource = parse_and_create_resource
    parsing.resource_class_from_type = lambda resource_type: (
        UnknownResource if is_unknown(resource_type) else class_of(resource_type)
    )
