"""The commands of the AWS CLI in all documents, in blocks and in the text: operations, options, values, queries."""

from __future__ import annotations

import pytest

from tests.aws_cli import commands, faults
from tests.documented.documents import all_documents

FOUND = [(path.name, command) for path in all_documents() for command in commands(path.read_text(encoding="utf-8"))]


def test_the_runbook_has_a_command_for_nearly_everything() -> None:
    assert len([name for name, _ in FOUND if name == "operations.md"]) > 35


@pytest.mark.parametrize(("name", "command"), FOUND, ids=lambda value: str(value)[:80])
def test_a_documented_command_is_one_of_the_aws_cli(name: str, command: str) -> None:
    assert faults(command) == [], name


def test_commands_are_found_in_blocks_in_the_text_and_inside_others() -> None:
    text = """
```console
$ NAME=$(aws sts get-caller-identity --query Account --output text)
$ aws sagemaker describe-endpoint --endpoint-name <its name> \\
    --query EndpointStatus
$ cdk deploy
```
Print it by `aws s3 ls --recursive`; `aws` alone is no command.
"""
    assert list(commands(text)) == [
        "aws sts get-caller-identity --query Account --output text",
        "aws sagemaker describe-endpoint --endpoint-name $VALUE --query EndpointStatus",
        "aws s3 ls --recursive",
    ]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("aws sagemaker describe-endpoints", "sagemaker has no operation describe-endpoints"),
        ("aws sagemaker describe-endpoint --query EndpointName", "DescribeEndpoint requires EndpointName"),
        ("aws sagemaker describe-endpoint --endpoint-name e --name e", "DescribeEndpoint has no --name"),
        ("aws sagemaker describe-endpoint --endpoint-name e --max-items 1", "DescribeEndpoint has no --max-items"),
        ("aws logs tail group --since 1h --pattern x", "tail has no --pattern"),
        (
            "aws sagemaker describe-endpoint --endpoint-name e --query '[EndpointStatus,Reason]'",
            "DescribeEndpoint returns no 'Reason'",
        ),
        (
            "aws sagemaker describe-endpoint --endpoint-name e --query 'ProductionVariants[].[Variant]'",
            "DescribeEndpoint returns no 'Variant'",
        ),
        (
            "aws cloudformation describe-stacks --query \"Stacks[0].Outputs[?Key=='A'].OutputValue\"",
            "DescribeStacks returns no 'Key'",
        ),
        (
            "aws cloudwatch describe-alarm-history --history-item-type State",
            "--history-item-type: State is none of ConfigurationUpdate, StateUpdate, Action",
        ),
        (
            "aws sagemaker update-endpoint-weights-and-capacities --desired-weights-and-capacities Variant=A",
            "--desired-weights-and-capacities: has no Variant",
        ),
    ],
)
def test_a_wrong_command_is_found(command: str, fault: str) -> None:
    assert fault in "\n".join(faults(command))
