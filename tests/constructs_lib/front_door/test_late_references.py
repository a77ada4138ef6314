"""References that are only created when somebody reads them, and what is remembered for all apps of a process."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk import aws_apigateway as apigateway

from constructs_lib import FrontDoor, TgiEndpoint
from tests.constructs_lib.rendered import Json, resources, template_of, text

# With this flag of the CDK, as new apps have it, a known Region gives a known partition.
PARTITIONS = {"@aws-cdk/core:enablePartitionLiterals": True}


def front_door(region: str | None, app: App | None = None) -> FrontDoor:
    stack = Stack(app or App(context=PARTITIONS), "Team", env=Environment(account="111122223333", region=region))
    endpoint = TgiEndpoint.from_endpoint_name(stack, "Endpoint", "llama-8b")
    return FrontDoor(stack, "Api", models={"llama": endpoint})


def rendered(found: FrontDoor) -> Json:
    return template_of(Stack.of(found))


def test_references_can_be_used_late_and_move_nothing_that_is_there() -> None:
    plain, used = front_door("eu-west-1"), front_door("eu-west-1")
    plain.add_consumer("team-a")
    consumer = used.add_consumer("team-a")
    used.api.root.add_resource("extra").add_method("GET", apigateway.MockIntegration())
    consumer.usage_plan.add_api_key(apigateway.ApiKey(Stack.of(used), "Second"))
    before, after = rendered(plain)["Resources"], rendered(used)["Resources"]
    assert {name: after[name] for name in before} == before
    assert sorted(after[name]["Type"].rpartition("::")[2] for name in after.keys() - before.keys()) == [
        "ApiKey",
        "Method",
        "Resource",
        "UsagePlanKey",
    ]


def test_references_can_be_used_from_another_stack() -> None:
    app = App()
    found = front_door("eu-west-1", app)
    other = Stack(app, "Other", env=Environment(account="111122223333", region="eu-west-1"))
    values = {"Arn": found.api.arn_for_execute_api("GET", "/health", "prod"), "Stage": found.stage.stage_name}
    for name, value in values.items():
        CfnOutput(other, name, value=value)
    outputs = template_of(other)["Outputs"]
    assert "Fn::ImportValue" in str(outputs["Arn"]["Value"])
    assert "Fn::ImportValue" in str(outputs["Stage"]["Value"])


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), (None, "<AWS::Partition>")],
)
def test_each_app_of_a_process_has_its_own_partition_and_region(region: str | None, partition: str) -> None:
    def permitted(rendered: Json) -> list[str]:
        sources: list[Any] = [one["Properties"] for one in resources(rendered, "AWS::Lambda::Permission").values()]
        return [text(one["SourceArn"]).partition(":111122223333:")[0] for one in sources]

    first = rendered(front_door(region))
    # Another app, in another Region, between two that are alike.
    assert permitted(rendered(front_door("eu-central-1"))) == ["arn:aws:execute-api:eu-central-1"] * 2
    assert permitted(first) == [f"arn:{partition}:execute-api:{region or '<AWS::Region>'}"] * 2
    assert rendered(front_door(region)) == first
