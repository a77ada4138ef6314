"""docs/how-to/adopt_an_endpoint.md and several_accounts.md: their code runs, and names that exist are kept."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

import constructs_lib
from constructs_lib import InstanceType, Model, VllmEndpoint, VllmOptions
from local.deployment.cdk_cli import cli_environment, find_cli
from local.deployment.control_plane import ControlPlane

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to"
PUBLIC = {name: getattr(constructs_lib, name) for name in constructs_lib.__all__}


def blocks(document: str) -> list[str]:
    text = (DOCS / document).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run(code: str) -> tuple[App, Stack]:
    app = App()
    stack = Stack(app, "Team")
    token = secretsmanager.Secret.from_secret_name_v2(stack, "Token", "hugging-face-token")
    exec(code, PUBLIC | {"self": stack, "token": token, "Stack": Stack, "kms": kms, "s3": s3})
    return app, stack


def resources(stack: Stack, resource_type: str) -> list[dict[str, Any]]:
    found = Template.from_stack(stack).find_resources(resource_type)
    return [each["Properties"] for each in found.values()]


def adopted() -> tuple[str, str]:
    over, beside = blocks("adopt_an_endpoint.md")
    return over, beside


def test_a_front_door_over_an_endpoint_creates_nothing_of_sagemaker_and_may_call_it_alone() -> None:
    _, stack = run(adopted()[0])
    template = Template.from_stack(stack).to_json()
    assert [one for one in template["Resources"].values() if one["Type"].startswith("AWS::SageMaker::")] == []
    called = [
        statement["Resource"]
        for policy in resources(stack, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
        if "sagemaker:InvokeEndpoint" in json.dumps(statement["Action"])
    ]
    assert called
    assert all(json.dumps(one).endswith(':endpoint/llama-prod"]]}') for one in called)


def test_an_endpoint_beside_it_has_a_name_of_its_own_and_a_share_of_the_callers() -> None:
    _, stack = run(adopted()[1])
    (endpoint,) = resources(stack, "AWS::SageMaker::Endpoint")
    assert endpoint["EndpointName"] == "llama"


@pytest.mark.parametrize("code", blocks("several_accounts.md"), ids=["stages", "weights"])
def test_the_code_for_several_accounts_runs_as_printed(code: str) -> None:
    _, stack = run(code)
    stacks = [each for each in stack.node.children if isinstance(each, Stack)] or [stack]
    counts = [
        variant["InitialInstanceCount"]
        for each in stacks
        for config in resources(each, "AWS::SageMaker::EndpointConfig")
        for variant in config["ProductionVariants"]
    ]
    assert counts in ([1, 4], [1])


def test_weights_of_another_account_are_read_and_decrypted_by_the_endpoints_role() -> None:
    _, stack = run(blocks("several_accounts.md")[1])
    policies = json.dumps(resources(stack, "AWS::IAM::Policy"))
    assert '"s3:GetObject"' in policies
    assert "weights-of-the-tools-account/qwen/v1/*" in policies
    key = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    assert '"kms:Decrypt"' in policies
    assert key in policies


def named_stack(app: App) -> Stack:
    stack = Stack(app, "Llama")
    endpoint = VllmEndpoint(
        stack,
        "Endpoint",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G6E_XLARGE,
        options=VllmOptions(max_model_len=8192),
        endpoint_name="Llama-Prod-2023",
        variant_name="AllTraffic-v2",
    )
    endpoint.auto_scale(max_instances=3)
    endpoint.metric_invocations(period=Duration.minutes(1)).create_alarm(
        stack, "Calls", threshold=1, evaluation_periods=1
    )
    return stack


def test_names_that_exist_are_written_as_they_are_also_where_they_are_part_of_another() -> None:
    stack = named_stack(App())
    (endpoint,) = resources(stack, "AWS::SageMaker::Endpoint")
    (config,) = resources(stack, "AWS::SageMaker::EndpointConfig")
    assert endpoint["EndpointName"] == "Llama-Prod-2023"
    assert config["ProductionVariants"][0]["VariantName"] == "AllTraffic-v2"
    assert "EndpointConfigName" not in config
    (target,) = resources(stack, "AWS::ApplicationAutoScaling::ScalableTarget")
    parts = json.dumps(target["ResourceId"])
    assert "/variant/AllTraffic-v2" in parts
    (alarm,) = resources(stack, "AWS::CloudWatch::Alarm")
    assert {"Name": "VariantName", "Value": "AllTraffic-v2"} in alarm["Dimensions"]


@pytest.mark.slow
def test_cdk_import_writes_the_mapping_of_names_to_logical_ids(tmp_path: Path) -> None:
    """CloudFormation's own answer is not tried: moto has no change sets of the type IMPORT."""
    app = App(outdir=str(tmp_path / "assembly"))
    named_stack(app)
    app.synth()
    template = json.loads((tmp_path / "assembly" / "Llama.template.json").read_text(encoding="utf-8"))
    (name,) = (key for key, one in template["Resources"].items() if one["Type"] == "AWS::SageMaker::Endpoint")
    given = {name: {"EndpointName": "Llama-Prod-2023"}}
    with ControlPlane() as plane:
        environment = cli_environment(tmp_path, plane.url)
        command = [find_cli(environment["PATH"]), "import", "Llama", "--app", "assembly"]
        command += ["--resource-mapping-inline", json.dumps(given), "--record-resource-mapping", "mapping.json"]

        async def call() -> tuple[int | None, str]:
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, cwd=tmp_path, env=environment, stdout=pipe, stderr=asyncio.subprocess.STDOUT
            )
            out, _ = await process.communicate()
            return process.returncode, out.decode()

        code, output = asyncio.run(call())
    assert code == 0, output
    assert json.loads((tmp_path / "mapping.json").read_text(encoding="utf-8")) == given
