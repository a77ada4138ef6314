"""examples/staged_weights: an endpoint without internet, whose weights another stack's bucket has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import MODEL, only, resources, text

ROOT = Path(__file__).resolve().parent.parent.parent


@cache
def templates() -> dict[str, Any]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "CDK_"))}
    with TemporaryDirectory() as folder:
        env = clean | {"CDK_OUTDIR": folder, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "app.py"], cwd=ROOT / "examples" / "staged_weights", env=env, check=True)
        return {name: json.loads(Path(folder, f"{name}.template.json").read_text()) for name in ("Weights", "Serving")}


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


def test_cloudformation_takes_the_templates() -> None:
    for template in templates().values():
        found = lint_template(json.dumps(template), ["eu-west-1"])
        assert [f"{each.rule.id} {each.path}: {each.message}" for each in found] == []
