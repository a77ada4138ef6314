"""The serving facts of endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aws_cdk import aws_iam as iam

from constructs_lib import ConfigurationError, InstanceType, Model, TgiEndpoint, TgiOptions
from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.planning.engines import engine_named
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.rendered import statement_with, template_of, text

if TYPE_CHECKING:
    from aws_cdk import Stack


def test_a_hosted_endpoint_has_the_serving_facts_of_its_plan(stack: Stack) -> None:
    endpoint = TgiEndpoint(
        stack,
        "Qwen",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        options=TgiOptions(max_input_tokens=3000, max_total_tokens=4000),
    )
    found = endpoint.serving
    assert (found.version, found.max_input_tokens, found.max_total_tokens) == ("3.3.6", 3000, 4000)


def test_an_imported_endpoint_has_the_declared_serving_facts_only(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/chat"
    by_name = TgiEndpoint.from_endpoint_name(stack, "Name", "chat", max_total_tokens=4096, version="3.3.6")
    by_arn = TgiEndpoint.from_endpoint_arn(stack, "Arn", arn, max_total_tokens=4096, version="3.3.6")
    assert by_name.serving == by_arn.serving == ServingFacts(max_total_tokens=4096, version="3.3.6")
    assert TgiEndpoint.from_endpoint_name(stack, "Bare", "chat").serving == ServingFacts()


def test_impossible_serving_facts_are_reported_with_the_other_problems(stack: Stack) -> None:
    with pytest.raises(ConfigurationError) as raised:
        TgiEndpoint.from_endpoint_name(stack, "Name", "-chat-", max_total_tokens=0, version="3")
    assert str(raised.value).startswith("Team/Name: 3 problems")
    assert "max_total_tokens=0: must be from 2 to" in str(raised.value)
    assert "version='3': must be a full version such as 3.3.6" in str(raised.value)


def imported(stack: Stack, components: object) -> ImportedEndpoint:
    return ImportedEndpoint.from_endpoint_attributes(
        stack,
        "Chat",
        engine=engine_named("tgi"),
        endpoint_name="chat",
        variant_name="AllTraffic",
        model_id=None,
        max_body_bytes=1000,
        adapter_components=components,  # type: ignore[arg-type]
    )


def test_whoever_may_invoke_an_imported_endpoint_may_invoke_its_adapters(stack: Stack) -> None:
    endpoint = imported(stack, {"sql": "Llama-Sql", "fr": "llama-fr"})
    assert endpoint.adapter_components == {"sql": "Llama-Sql", "fr": "llama-fr"}
    endpoint.grant_invoke(iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")))
    granted = statement_with(template_of(stack), "sagemaker:InvokeEndpoint")["Resource"]
    assert [text(each).rpartition(":")[2] for each in granted] == [
        "endpoint/chat",
        "inference-component/Llama-Sql",
        "inference-component/llama-sql",
        "inference-component/llama-fr",
    ]


@pytest.mark.parametrize(
    ("components", "words"),
    [
        (["sql"], "adapter_components=['sql']: must be a mapping of adapter to inference component. Write"),
        ({"a:b": "llama-sql"}, "adapter_components='a:b': must be a name without spaces and colons"),
        ({"sql": "a b"}, "adapter_components['sql']='a b': must be 1 to 63 letters"),
    ],
)
def test_impossible_adapters_of_an_imported_endpoint_are_rejected(stack: Stack, components: object, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        imported(stack, components)
    assert words in str(raised.value)
