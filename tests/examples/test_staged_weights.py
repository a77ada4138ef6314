"""examples/staged_weights: an endpoint without internet, whose weights another stack's bucket has."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.constructs_lib.rendered import MODEL, only, resources, text
from tests.e2e.deployed_cloud import Cloud
from tests.examples import synthesis
from tests.examples.catalogue import FOLDER, Example

pytestmark = [pytest.mark.xdist_group("example-staged_weights"), pytest.mark.timeout(300)]


@cache
def templates() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        assembly = synthesis.synthesize(Example(FOLDER / "staged_weights"), Path(folder))
        return {name: json.loads(template) for name, template in synthesis.templates(assembly).items()}


def test_the_endpoint_reads_the_bucket_of_the_other_stack_in_subnets_without_internet() -> None:
    serving = templates()["Serving"]
    model = only(serving, MODEL)
    uri = model["Properties"]["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]["S3Uri"]
    assert "/models/Qwen/Qwen2.5-7B-Instruct/" in json.dumps(uri)
    assert model["Properties"]["EnableNetworkIsolation"] is True
    assert not resources(serving, "AWS::EC2::InternetGateway")
    assert not resources(serving, "AWS::EC2::NatGateway")
    (endpoint,) = resources(serving, "AWS::EC2::VPCEndpoint").values()
    assert text(endpoint["Properties"]["ServiceName"]).endswith(".s3")


def test_the_bucket_outlives_its_stack_and_aborts_what_a_killed_copy_leaves() -> None:
    (bucket,) = resources(templates()["Weights"], "AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == "Retain"
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}


@pytest.mark.slow
def test_the_deployment_copies_and_verifies_the_weights_before_the_endpoint_starts(cloud: Cloud) -> None:
    before, deployed, _ = cloud.log().partition("✓ cdk deploy Weights Serving")
    assert deployed, before[-2000:]
    assert re.search(r"build Serving-\S+: model\.safetensors: 0\.0 MB verified; 4 of 4 files", before), before[-2000:]
