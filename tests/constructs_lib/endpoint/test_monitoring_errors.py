"""What is wrong with the arguments of monitor, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack

from constructs_lib import ConfigurationError, InstanceType, Model, ScaleToZero, TgiEndpoint, TgiOptions
from tests.constructs_lib.endpoint.fleets import fleet

if TYPE_CHECKING:
    from collections.abc import Callable


QWEN = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")


def endpoint(stack: Stack, **arguments: Any) -> TgiEndpoint:
    defaults: dict[str, Any] = {
        "model": QWEN,
        "instance_type": InstanceType.G6_XLARGE,
        "options": TgiOptions(max_input_tokens=1536, max_total_tokens=2048),
        "detailed_observability": False,
    }
    return TgiEndpoint(stack, "Llm", **{**defaults, **arguments})


def rejection(call: Callable[[], object]) -> str:
    with pytest.raises(ConfigurationError) as raised:
        call()
    return str(raised.value)


def test_every_mistake_is_reported_at_once_and_nothing_is_created(stack: Stack) -> None:
    llm = endpoint(stack)
    given: dict[str, Any] = {
        "topic": "arn:aws:sns:eu-west-1:123456789012:pager",
        "runbook": "see the wiki",
        "model_errors": 0,
        "no_capacity": 1,
        "idle": Duration.minutes(90),
        "disk": "85",
        "host_memory": 101,
        "overlode": 3,
    }
    assert rejection(lambda: llm.monitor(**given)) == (
        "Team/Llm: 8 problems to solve before this can be deployed"
        "\n  - topic='arn:aws:sns:eu-west-1:123456789012:pager': must be a topic of aws_sns, not str."
        ' Give aws_sns.Topic.from_topic_arn(self, "Topic", "<its ARN>"), or a new one.'
        "\n  - runbook='see the wiki': must be an address or a path without spaces and without #."
        " Write it in that form, or leave it out."
        "\n  - model_errors=0: must be above 0 and at most 100, in percent. Choose a number in that range, or leave it"
        " out.\n  - disk='85': must be a number, not str. Give a float, or leave it out."
        "\n  - host_memory=101: must be above 0 and at most 100, in percent."
        " Choose a number in that range, or leave it out."
        "\n  - overlode=3: is none of the alarms here: model_errors, no_capacity, overload, idle, disk, host_memory."
        " Did you mean overload?"
        "\n  - idle=1.5: must be whole hours, from 1 to 168. Write Duration.hours(24), or leave it out."
        "\n  - no_capacity=1: is for inference components; an endpoint without has no such metric. Leave it out."
    )
    assert llm.node.try_find_child("Monitoring") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"idle": 24}, "idle=24: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(24)."),
        ({"idle": Duration.hours(169)}, "idle=169: must be whole hours, from 1 to 168. Write Duration.hours(24), or"),
        ({"idle": Duration.minutes(30)}, "idle=0.5: must be whole hours, from 1 to 168."),
        ({"overload": True}, "overload=True: must be a number, not bool. Give a float, or leave it out."),
        ({"runbook": ""}, "runbook='': must not be empty"),
        ({"runbook": "ops#disk"}, "runbook='ops#disk': must be an address or a path without spaces and without #"),
    ],
)
def test_a_wrong_threshold_is_rejected(stack: Stack, given: dict[str, Any], message: str) -> None:
    assert message in rejection(lambda: endpoint(stack).monitor(**given))


def test_a_threshold_that_only_the_deployment_knows_is_rejected(stack: Stack) -> None:
    number: Any = CfnParameter(stack, "Most", type="Number").value_as_number
    assert rejection(lambda: endpoint(stack).monitor(disk=number)).endswith(
        "disk=(known at deployment): must be known at synth, as the alarm's description says it."
        " Write it as a number, or leave it out."
    )


def test_a_duration_that_only_the_deployment_knows_is_rejected(stack: Stack) -> None:
    number = CfnParameter(stack, "Most", type="Number").value_as_number
    assert "idle=(known at deployment): must be known at synth" in rejection(
        lambda: endpoint(stack).monitor(idle=Duration.seconds(number))
    )


def test_idle_is_no_alarm_of_a_model_that_goes_to_zero(stack: Stack) -> None:
    llm = endpoint(stack, scale_to_zero=ScaleToZero())
    assert rejection(lambda: llm.monitor(idle=Duration.hours(2))).endswith(
        "is for models that always have a copy, and this one goes to zero by itself."
        " Leave it out, and set idle of ScaleToZero."
    )


def test_a_fleet_has_no_alarm_of_a_model_and_a_model_none_of_the_instances(stack: Stack) -> None:
    many: Any = fleet(stack)
    assert "overload=3: is none of the alarms here: disk, host_memory." in rejection(lambda: many.monitor(overload=3))
    chat: Any = many.models["chat"]
    assert "disk=80: is none of the alarms here: model_errors" in rejection(lambda: chat.monitor(disk=80))


def test_a_second_call_is_an_error(stack: Stack) -> None:
    llm = endpoint(stack)
    llm.monitor()
    assert rejection(llm.monitor) == (
        "Team/Llm: 1 problem to solve before this can be deployed"
        "\n  - monitor=(TgiEndpoint Team/Llm): has been called already; the alarms are there."
        " Give everything in one call."
    )


def test_an_endpoint_of_another_region_is_rejected(stack: Stack) -> None:
    there = TgiEndpoint.from_endpoint_arn(stack, "Llm", "arn:aws:sagemaker:us-east-1:123456789012:endpoint/qwen")
    assert rejection(there.monitor).endswith(
        "monitor='us-east-1': is for an endpoint of the region us-east-1, but alarms watch metrics of their own:"
        " eu-west-1. Import it into a stack of its own account and Region."
    )
