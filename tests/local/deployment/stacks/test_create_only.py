"""The properties whose change replaces a resource, compared with CloudFormation's resource schemas."""

from __future__ import annotations

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.deployment.stacks.services import create_only_properties


@pytest.mark.parametrize("resource_type", sorted(create_only_properties()))
def test_they_are_those_of_the_schema(resource_type: str) -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    paths = [path.removeprefix("/properties/") for path in schema["createOnlyProperties"]]
    assert create_only_properties()[resource_type] == sorted({path.split("/")[0] for path in paths})


def test_every_type_that_sagemaker_hosting_needs_is_there() -> None:
    wanted = {f"AWS::SageMaker::{name}" for name in ("Endpoint", "EndpointConfig", "Model")}
    assert wanted <= create_only_properties().keys()
