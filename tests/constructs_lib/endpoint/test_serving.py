"""What an endpoint says of how it serves, to a front door and to whoever else asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiOptions
from constructs_lib.planning.serving_limits import ServingFacts

if TYPE_CHECKING:
    from aws_cdk import Stack


def test_an_owned_endpoint_says_what_its_plan_is_certain_of(stack: Stack) -> None:
    endpoint = TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        options=TgiOptions(max_input_tokens=3000, max_total_tokens=4000),
    )
    found = endpoint.serving
    assert (found.version, found.max_input_tokens, found.max_total_tokens) == ("3.3.6", 3000, 4000)


def test_an_imported_endpoint_says_what_the_caller_states_and_nothing_else(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/chat"
    by_name = TgiEndpoint.from_endpoint_name(stack, "Name", "chat", max_total_tokens=4096, version="3.3.6")
    by_arn = TgiEndpoint.from_endpoint_arn(stack, "Arn", arn, max_total_tokens=4096, version="3.3.6")
    assert by_name.serving == by_arn.serving == ServingFacts(max_total_tokens=4096, version="3.3.6")
    assert TgiEndpoint.from_endpoint_name(stack, "Bare", "chat").serving == ServingFacts()


def test_facts_that_no_endpoint_could_have_are_refused_with_the_other_mistakes(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint.from_endpoint_name(stack, "Name", "-chat-", max_total_tokens=0, version="3")
    assert str(raised.value).startswith("Team/Name: 3 problems")
    assert "max_total_tokens=0: must be from 2 to" in str(raised.value)
    assert "version='3': must be a full version such as 3.3.6" in str(raised.value)
