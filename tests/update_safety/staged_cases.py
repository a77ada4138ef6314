"""The changes of each argument of Model.staged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from constructs_lib import FrontDoor, InstanceType, Model, TgiEndpoint
from constructs_lib.planning.models.facts import known_model
from tests.update_safety.subjects import Change, Subject, change, fixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

    from tests.update_safety.subjects import Given

QWEN, MISTRAL = "Qwen/Qwen2.5-7B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3"


def add_staged_endpoint(stack: Stack, given: Given) -> None:
    """An endpoint whose weights are copied at deployment, behind a front door with a consumer."""
    arguments: Any = {"revision": "a" * 40, "bucket": bucket("weights")(stack)["bucket"]} | given
    model = Model.staged(arguments.pop("model_id", QWEN), **arguments)
    endpoint = TgiEndpoint(stack, "Llama", model=model, instance_type=InstanceType.G5_2XLARGE, network_isolation=True)
    FrontDoor(stack, "Api", models={"llama": endpoint}).add_consumer("Team")


def bucket(name: str) -> Callable[[Stack], Given]:
    return lambda stack: {"bucket": s3.Bucket.from_bucket_name(stack, f"Bucket-{name}", name)}


def token(name: str) -> Callable[[Stack], Given]:
    return lambda stack: {"token": secretsmanager.Secret.from_secret_name_v2(stack, f"Token-{name}", name)}


def key(stack: Stack) -> Given:
    arn = "arn:aws:kms:eu-west-1:123456789012:key/12345678-1234-1234-1234-123456789012"
    return {"encryption_key": kms.Key.from_key_arn(stack, "Key", arn)}


STAGED = Subject(
    "Model.staged",
    add_staged_endpoint,
    cases={
        "model_id": [change("model_id", QWEN, MISTRAL)],
        "revision": [change("revision", "a" * 40, "b" * 40)],
        "bucket": [Change(bucket("one"), bucket("two"))],
        "prefix": [change("prefix", "", "team")],
        "include": [change("include", None, ["*.safetensors", "*.json", "tokenizer*"])],
        "exclude": [change("exclude", None, [])],
        "trust_remote_code": [change("trust_remote_code", False, True)],
        "pickles": [change("pickles", False, True)],
        "like": [change("like", None, QWEN, model_id="team/own")],
        "facts": [change("facts", None, known_model(QWEN), model_id="team/own")],
        "token": [Change(fixed(), token("one")), Change(token("one"), token("two"))],
        "hub": [change("hub", None, "https://hub.example.com")],
        "log_retention": [change("log_retention", logs.RetentionDays.ONE_DAY, logs.RetentionDays.ONE_WEEK)],
        "encryption_key": [Change(fixed(), key)],
        "removal_policy": [change("removal_policy", RemovalPolicy.RETAIN, RemovalPolicy.DESTROY)],
    },
    takes=Model.staged,
)
