"""Lines of an app that the documents for beginners show without the app around them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

import constructs_lib
from constructs_lib import InstanceType, Model, TgiEndpoint, VllmEndpoint
from tests.documented.blocks import Block, blocks_of
from tests.documented.documents import run_documents
from tests.documented.rules import calls

FRAGMENTS = [
    block
    for path in run_documents()
    for block in blocks_of(path)
    if block.language == "python" and not block.title and not calls(block) and "(Stack):" not in block.code
]


def names_of(stack: Stack) -> dict[str, Any]:
    """What the text around a fragment has introduced."""
    qwen: Any = {
        "model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        "instance_type": InstanceType.G5_2XLARGE,
        "detailed_observability": False,
    }
    zone = route53.HostedZone.from_hosted_zone_attributes(
        stack, "Zone", hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com"
    )
    tgi = TgiEndpoint(stack, "Tgi", **qwen)
    return {
        **{name: getattr(constructs_lib, name) for name in constructs_lib.__all__},
        "s3": s3,
        "token": secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hugging-face-token"),
        "bucket": s3.Bucket.from_bucket_name(stack, "Weights", "team-weights"),
        "key": kms.Key(stack, "Key"),
        "vpc": ec2.Vpc(stack, "Vpc"),
        "llama": tgi,
        "falcon": TgiEndpoint(stack, "Falcon", **qwen),
        "tgi": tgi,
        "vllm": VllmEndpoint(stack, "Vllm", **qwen),
        "hosted_zone": zone,
        "certificate": acm.Certificate(stack, "Certificate", domain_name="llm.example.com"),
    }


def test_there_are_fragments() -> None:
    assert len(FRAGMENTS) >= 7


@pytest.mark.parametrize("block", FRAGMENTS, ids=[block.place for block in FRAGMENTS])
def test_a_fragment_runs_in_an_app(block: Block, tmp_path: Path) -> None:
    statements = ast.parse(block.code).body
    alternatives = [[one] for one in statements] if block.code.count("FrontDoor(") > 1 else [statements]
    for number, alternative in enumerate(alternatives):
        app = App(outdir=str(tmp_path / f"cdk.out.{number}"))
        stack = Stack(app, "Team", env=Environment(account="123456789012", region="us-east-1"))
        names = names_of(stack) | {"self": Construct(stack, "Scope")}
        exec(compile(ast.Module(alternative, []), block.place, "exec"), names)
