"""An asynchronous endpoint with all it can have: no open finding of cdk-nag, none of cfn-lint, a caller's grants."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_cdk import App, Environment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

import constructs_lib
from constructs_lib import AsyncTgiEndpoint, InstanceType, Model
from scripts.lint_templates import lint_template
from tests.constructs_lib.rendered import resources, template_of
from tests.stacks.test_app import Recorder, assert_acknowledgments_are_needed, findings

ROOT = Path(__file__).resolve().parent.parent.parent


def build() -> App:
    app = App()
    stack = Stack(app, "Stack", env=Environment(account="111122223333", region="eu-west-1"))
    topic = sns.Topic.from_topic_arn(stack, "Told", "arn:aws:sns:eu-west-1:111122223333:told")
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/1234")
    batch = AsyncTgiEndpoint(
        stack,
        "Batch",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "team-bucket"),
        input_bucket=s3.Bucket.from_bucket_name(stack, "Inbox", "team-inbox"),
        output_key=key,
        success_topic=topic,
        error_topic=topic,
        include_response_in=["success", "error"],
        max_instances=4,
    )
    batch.grant_invoke_async(iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    return app


def test_no_finding_is_open() -> None:
    assert findings(build()) == set()


def test_every_acknowledgment_is_for_a_finding_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    Recorder.given = {}
    monkeypatch.setattr(Validations, "of", Recorder)
    assert_acknowledgments_are_needed(build())
    assert all(len(reason) > 40 for reason in Recorder.given.values())


def test_cfn_lint_has_no_finding() -> None:
    stack = build().node.find_child("Stack")
    assert isinstance(stack, Stack)
    assert lint_template(json.dumps(template_of(stack)), ["eu-west-1"]) == []


def test_the_code_in_the_documentation_runs_as_printed() -> None:
    text = (ROOT / "docs" / "how-to" / "asynchronous_inference.md").read_text(encoding="utf-8")
    code = re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert code is not None
    stack = Stack(App(), "Team")
    names = {
        "self": stack,
        "bucket": s3.Bucket.from_bucket_name(stack, "Bucket", "my-bucket"),
        "topic": sns.Topic(stack, "Topic"),
        "alarms": sns.Topic(stack, "Alarms"),
        "role": iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")),
    }
    exec(code[1], {name: getattr(constructs_lib, name) for name in constructs_lib.__all__} | names)
    assert resources(template_of(stack), "AWS::SageMaker::Endpoint")
