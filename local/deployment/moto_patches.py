"""Patches for moto 5.2, applied before the control plane starts.

Each function patches one feature that a deployment needs and moto lacks, and says why.
"""

from __future__ import annotations

import base64
import json
import threading
from functools import cache, wraps
from typing import Any

import botocore.loaders

from local.deployment import code_build, inference_components, recorded_resources, scalable_targets, subscriptions
from local.deployment.stacks.engine import Engine
from local.deployment.stacks.install import install


def apply(engine: Engine) -> None:
    """Applies all patches; calling it again only exchanges the engine.

    Args:
        engine: Runs the operations on stacks.
    """
    _ENGINES[:] = [engine]
    _accept_all_instance_types()
    _deploy_imported_apis()
    _identify_layer_versions()
    _update_functions()
    _tag_keys()
    _isolate_models()
    _look_up_no_events()
    _update_one_item_at_a_time()
    _record_resources()
    _run_builds()


_ENGINES: list[Engine] = []


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

    def update(original_resource: Any, cloudformation_json: dict[str, Any], **_: Any) -> Any:
        original_resource.paths = cloudformation_json["Properties"].get("Body", {}).get("paths", {})
        return original_resource

    def create_deployment(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        properties = entry["Properties"]
        api = apigateway_backends[account][region].get_rest_api(properties["RestApiId"])
        if not any(api.paths.values()):
            return deploy(name, entry, account, region, **more)
        return api.create_deployment(properties.get("StageName"), properties.get("Description", ""))

    RestAPI.create_from_cloudformation_json = create
    RestAPI.update_from_cloudformation_json = update
    Deployment.create_from_cloudformation_json = create_deployment


@cache
def _identify_layer_versions() -> None:
    """Moto knows no physical id of a layer version, which is its ARN, so that nothing can reference one."""
    from moto.awslambda.models import LayerVersion

    LayerVersion.physical_resource_id = property(lambda version: version.arn)


@cache
def _update_functions() -> None:
    """Moto takes the source in a template for an archive when it updates a function, and keeps removed variables."""
    from moto.awslambda.models import LambdaFunction

    def update(original_resource: Any, cloudformation_json: dict[str, Any], **_: Any) -> Any:
        properties = cloudformation_json["Properties"]
        original_resource.update_configuration({"Environment": {"Variables": {}}, "Layers": [], **properties})
        code = dict(properties["Code"])
        if "ZipFile" in code:
            archive = original_resource._create_zipfile_from_plaintext_code(code["ZipFile"])
            code["ZipFile"] = base64.b64encode(archive).decode()
        original_resource.update_function_code(code)
        return original_resource

    LambdaFunction.update_from_cloudformation_json = update


@cache
def _tag_keys() -> None:
    """Moto takes the tags of a KMS key in a template for those of KMS's API, whose members have other names."""
    from moto.kms.models import Key

    create_key = Key.create_from_cloudformation_json

    def create(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        properties = entry["Properties"]
        tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in properties.get("Tags", ())]
        return create_key(name, {**entry, "Properties": {**properties, "Tags": tags}}, account, region, **more)

    Key.create_from_cloudformation_json = create


@cache
def _isolate_models() -> None:
    """Moto forgets whether a model's containers are isolated from the network."""
    from moto.sagemaker.models import Model

    create_model = Model.create_from_cloudformation_json

    def create(name: str, entry: dict[str, Any], account: str, region: str, **more: Any) -> Any:
        model = create_model(name, entry, account, region, **more)
        model.enable_network_isolation = entry["Properties"].get("EnableNetworkIsolation") in (True, "true")
        return model

    Model.create_from_cloudformation_json = create


@cache
def _look_up_no_events() -> None:
    """The CDK CLI asks CloudTrail what else is known of a failed deployment, and moto has no LookupEvents."""
    from moto.cloudtrail.responses import CloudTrailResponse

    CloudTrailResponse.lookup_events = lambda _: json.dumps({"Events": []})


@cache
def _update_one_item_at_a_time() -> None:
    """Moto checks the condition of an UpdateItem and then updates, with nothing that keeps other threads out."""
    from moto.dynamodb.models import DynamoDBBackend

    update_item, lock = DynamoDBBackend.update_item, threading.Lock()

    @wraps(update_item)
    def update(*arguments: Any, **more: Any) -> Any:
        with lock:
            return update_item(*arguments, **more)

    DynamoDBBackend.update_item = update


@cache
def _record_resources() -> None:
    """Moto has neither CloudFormation types for what scales, nor the rules of its services, nor rollbacks."""
    recorded_resources.install({**inference_components.CHECKS, **scalable_targets.CHECKS, **subscriptions.CHECKS})
    inference_components.install()
    install(lambda: _ENGINES[0])


@cache
def _run_builds() -> None:
    """Moto has no CloudFormation type for CodeBuild's projects, and builds that succeed as soon as one looks."""
    code_build.install(lambda: _ENGINES[0])
