from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from aws_cdk import App, Aws, Environment, Fn, Stack, Stage, Token
from constructs import Construct

from constructs_lib._stack_env import environment_of
from constructs_lib._tokens import hide_token, is_token, resolved
from constructs_lib.planning.validation.unknown import Unknown


@pytest.fixture
def anywhere(app: App) -> Stack:
    return Stack(app, "Anywhere")


def test_a_document_is_resolved_as_by_the_cdk_for_every_form_of_token(anywhere: Stack) -> None:
    document = {
        "plain": ["text", 1, 0.5, True, {"deep": ["a", "b"]}],
        "alone": Aws.REGION,
        "within": f"arn:{Aws.PARTITION}:logs:{anywhere.region}:*",
        "again": [f"arn:{Aws.PARTITION}:logs:{anywhere.region}:*"],
        "list": Fn.split(",", "a,b"),
        "number": Token.as_number({"Ref": "Size"}),
        "object": Fn.condition_equals(Aws.REGION, "eu-west-1"),
    }
    rendered = resolved(anywhere, document)
    assert rendered == anywhere.resolve(document)
    assert rendered["again"] == [{"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":logs:", *REGION]]}]


REGION = [{"Ref": "AWS::Region"}, ":*"]


@pytest.mark.parametrize("value", ["${Token}", "text", 7, None, [], {"a": [None]}])
def test_plain_values_are_returned_without_asking_the_cdk(anywhere: Stack, value: object) -> None:
    with patch.object(Stack, "resolve", side_effect=AssertionError("asked")):
        assert resolved(anywhere, value) == value


def test_a_token_that_resolves_to_nothing_is_none(anywhere: Stack) -> None:
    assert resolved(anywhere, [Token.as_any({"Ref": "Here"}), Token.as_any(None)]) == [{"Ref": "Here"}, None]


def test_a_string_is_a_token_only_if_the_cdk_created_it(anywhere: Stack) -> None:
    assert is_token(anywhere.region)
    assert not is_token("${Token")
    assert not is_token("${AWS::Region}")


def test_an_object_is_a_token_even_without_a_creation_stack() -> None:
    assert is_token(Fn.condition_equals(Aws.REGION, "eu-west-1"))
    assert is_token(Token.as_any({"Ref": "Size"}))
    assert not is_token(Path())


def test_a_hidden_token_is_unknown_and_keeps_what_the_template_writes(anywhere: Stack) -> None:
    assert hide_token(anywhere.region) == Unknown(anywhere.region)
    hidden = hide_token(Token.as_number({"Ref": "Size"}))
    assert isinstance(hidden, Unknown)
    assert anywhere.resolve(hidden.text) == {"Ref": "Size"}


@pytest.mark.parametrize("value", ["text", 7, None, ["a"]])
def test_a_plain_value_is_not_hidden(value: object) -> None:
    assert hide_token(value) is value


def test_the_cdk_is_asked_once_for_the_environment_of_a_stack(app: App) -> None:
    stack = Stack(app, "Known", env=Environment(account="123456789012", region="eu-west-1"))
    inside = Construct(stack, "Inside")
    assert environment_of(inside) is environment_of(stack)
    with patch.object(Stack, "of", side_effect=AssertionError("asked again")):
        assert (
            environment_of(inside).arn("logs", "log-group:a")
            == f"arn:{stack.partition}:logs:eu-west-1:123456789012:log-group:a"
        )
    assert (
        environment_of(inside).arn("ecr", "b", region="us-east-1", account="1")
        == f"arn:{stack.partition}:ecr:us-east-1:1:b"
    )


def test_stacks_of_the_same_name_in_two_stages_have_separate_environments(app: App) -> None:
    regions = ("eu-west-1", "us-east-1")
    stacks = [Stack(Stage(app, f"In{region}"), "Same", env=Environment(region=region)) for region in regions]
    assert tuple(environment_of(stack).region for stack in stacks) == regions


def test_a_construct_outside_a_stack_has_no_environment(app: App) -> None:
    with pytest.raises(RuntimeError, match="Construct at 'Alone' should be created in the scope of a Stack"):
        environment_of(Construct(app, "Alone"))
