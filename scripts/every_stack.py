"""Every stack of this repository: the app's, the examples', the bench's, and one for each way to use the constructs."""

from __future__ import annotations

import json
import runpy
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from unittest import mock

import aws_cdk
from aws_cdk import App, Environment, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns

from app import build
from constructs_lib import (
    AsyncTgiEndpoint,
    DataCapture,
    FrontDoor,
    ImageMirror,
    InstanceType,
    Model,
    TgiEndpoint,
    TgiImage,
)
from scripts.logical_ids.examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Template = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
_HERE = Environment(account="123456789012", region="eu-west-1")
_ENDPOINTS = "llama=llama-prod,falcon=falcon-7b"
_MONITORED = {"monitoring": "on", "alarm_email": "team@example.com"}
# The step of the move in which most of its resources exist.
_CONTEXT = {"move_from_tgi": {"step": "mirror"}}


def every_stack(prepare: Callable[[App], object] = lambda _app: None) -> dict[str, Template]:
    """The template of each stack by its name.

    Args:
        prepare: What is done to each app before it is synthesized. Default: nothing.
    """
    templates: dict[str, Template] = {}
    for app in every_app():
        prepare(app)
        # Validation is for templates that get deployed, and takes as long as everything else.
        stacks = app.synth(skip_validation=True).stacks
        templates |= {stack.stack_name: json.loads(Path(stack.template_full_path).read_text()) for stack in stacks}
    return templates


def programs() -> list[Path]:
    """The apps that are programs of their own."""
    return [*sorted((ROOT / "examples").glob("**/app.py")), ROOT / "bench" / "everything_app.py"]


def every_app() -> Iterator[App]:
    """Each app with all that it has, before it is synthesized."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    with _new_app(context | {"front_door": _ENDPOINTS, "nag": "off", "hardened": "on", **_MONITORED}) as app:
        build(app, Environment())
        yield app
    with _new_app({}) as app:
        for name, build_one in {**EXAMPLES, **_FURTHER}.items():
            build_one(Stack(app, name, env=_HERE))
        yield app
    for program in programs():
        settings = program.with_name("cdk.json")
        own = json.loads(settings.read_text()).get("context", {}) if settings.exists() else context
        with _new_app(own | _CONTEXT.get(program.parent.name, {})) as app:
            with mock.patch.object(aws_cdk, "App", lambda app=app: app), mock.patch.object(app, "synth"):
                runpy.run_path(str(program))
            yield app


def _encrypted(stack: Stack) -> None:
    """What needs rights on keys and places in S3."""
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    weights = _bucket(stack, key)
    qwen = "Qwen/Qwen2.5-7B-Instruct"
    TgiEndpoint(
        stack,
        "Folder",
        model=Model.from_s3(weights, "qwen/v1", like=qwen),
        instance_type=InstanceType.G7_2XLARGE,
        volume_key=key,
        data_capture=DataCapture(bucket=weights, key=key),
        vpc=ec2.Vpc.from_vpc_attributes(
            stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"], private_subnet_ids=["subnet-1"]
        ),
    )
    archive = Model.from_s3_archive(weights, "qwen.tar.gz", like=qwen)
    topic = sns.Topic(stack, "Alarms", master_key=key)
    TgiEndpoint(stack, "Archive", model=archive, instance_type=InstanceType.G5_2XLARGE).monitor(topic=topic)
    AsyncTgiEndpoint(
        stack,
        "Batch",
        model=Model.from_hub(qwen),
        instance_type=InstanceType.G5_2XLARGE,
        bucket=weights,
        success_topic=topic,
    )


def _bucket(stack: Stack, key: kms.IKey) -> s3.Bucket:
    public = s3.BlockPublicAccess.BLOCK_ALL
    return s3.Bucket(stack, "Weights", encryption_key=key, block_public_access=public, enforce_ssl=True, versioned=True)


def _mirrored(stack: Stack) -> None:
    """An image from a pull-through cache in another account."""
    mirror = ImageMirror(account="111122223333", prefix="mirror", pull_through_cache=True)
    TgiEndpoint(
        stack,
        "Llama",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        image=TgiImage.version("3.3.6").mirrored(mirror, digest=f"sha256:{'0' * 64}"),
    )


def _staged(stack: Stack) -> None:
    """Weights that a job copies, with a key and a token, and deletes with the stack."""
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    model = Model.staged(
        "Qwen/Qwen2.5-7B-Instruct",
        revision="a09a35458c702b33eeacc393d103063234e8bc28",
        bucket=_bucket(stack, key),
        token=secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hugging-face-token"),
        encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,
    )
    TgiEndpoint(stack, "Llm", model=model, instance_type=InstanceType.G5_2XLARGE, network_isolation=True)


def _protected(stack: Stack) -> None:
    """A front door with a key, a VPC, and consumers with limits and keys that rotate."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-1",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=["eu-west-1a", "eu-west-1b"],
        isolated_subnet_ids=["subnet-1", "subnet-2"],
        isolated_subnet_route_table_ids=["rtb-1", "rtb-2"],
    )
    front_door = FrontDoor(
        stack,
        "Api",
        models={"llama": TgiEndpoint.from_endpoint_name(stack, "Llama", "llama")},
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        service_endpoints=True,
        reserved_concurrency=10,
        execution_logging=True,
    )
    front_door.add_consumer("Team", tokens_per_day=1_000_000, concurrent_streams=4, keys=["one", "two"])
    front_door.add_smoke_test()


_FURTHER = {"Encrypted": _encrypted, "Mirrored": _mirrored, "Staged": _staged, "Protected": _protected}


@contextmanager
def _new_app(context: Mapping[str, Any]) -> Iterator[App]:
    with TemporaryDirectory() as folder:
        yield App(outdir=folder, context=context)
