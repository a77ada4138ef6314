"""What FrontDoor refuses, and in which words."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Token

from constructs_lib.endpoint.tgi import TgiEndpoint
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.function_environment import measured_bytes
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.front_door.doubles import endpoint, template, variables


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def refusal(stack: Stack, **arguments: Any) -> str:
    if "models" not in arguments:
        arguments["models"] = {"llama": endpoint(stack)}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "Door", **arguments)
    assert stack.node.try_find_child("Door") is None
    return str(error.value)


def test_all_problems_are_named_at_once_with_path_value_and_fix(stack: Stack) -> None:
    text = refusal(
        stack,
        models={"llama 3": endpoint(stack), "qwen": "my-endpoint"},
        timeout=Duration.minutes(20),
        memory_size=64,
        rate_limit=0,
        burst_limit=0,
    )
    assert text.startswith("Stack/Door: 6 problems")
    for part in (
        "models='llama 3'",
        "models['qwen']='my-endpoint'",
        "timeout=",
        "memory_size=64",
        "rate_limit=0",
        "burst_limit=0",
    ):
        assert part in text, part


def test_no_model_at_all_is_refused(stack: Stack) -> None:
    text = refusal(stack, models={})
    assert "must have at least one endpoint" in text
    assert 'Write {"llama": endpoint}' in text


def test_an_endpoint_without_a_name_for_it_is_refused(stack: Stack) -> None:
    assert "must be a mapping of name to endpoint" in refusal(stack, models=endpoint(stack))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 64, "a?b", "a\n", 7])
def test_a_name_that_would_break_urls_is_refused(stack: Stack, name: object) -> None:
    text = refusal(stack, models={name: endpoint(stack)})
    assert f"models={name!r}" in text
    assert "1 to 63 letters, digits, dots, underscores or hyphens" in text


@pytest.mark.parametrize("name", ["a", "Llama-3.1_8B", "x" * 63])
def test_a_name_that_fits_is_taken(stack: Stack, name: str) -> None:
    assert FrontDoor(stack, "Door", models={name: endpoint(stack)}).url


def test_what_is_no_endpoint_is_refused_with_what_it_lacks(stack: Stack) -> None:
    text = refusal(stack, models={"llama": stack})
    assert "must be a model endpoint, but has no endpoint_name, endpoint_arn" in text
    assert "TgiEndpoint.from_endpoint_name" in text


@pytest.mark.parametrize("seconds", [0, 901])
def test_a_streamed_answer_takes_1_second_to_15_minutes(stack: Stack, seconds: int) -> None:
    text = refusal(stack, timeout=Duration.seconds(seconds))
    assert f"timeout='{seconds} s': must be a whole number of seconds from 1 to 900, since the API streams" in text


def test_a_part_of_a_second_is_refused(stack: Stack) -> None:
    assert "timeout='1.5 s'" in refusal(stack, timeout=Duration.millis(1500))


def test_a_buffered_answer_takes_at_most_29_seconds(stack: Stack) -> None:
    text = refusal(stack, timeout=Duration.seconds(30), streaming=False)
    assert "timeout='30 s': must be a whole number of seconds from 1 to 29, since the API does not stream" in text
    assert "streaming=True" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"memory_size": 127}, "memory_size=127: must be 128 to 10240 MiB"),
        ({"memory_size": 10241}, "memory_size=10241: must be 128 to 10240 MiB"),
        ({"rate_limit": -1}, "rate_limit=-1: must be more than 0 requests per second"),
        ({"rate_limit": True}, "rate_limit=True: must be more than 0 requests per second"),
        ({"burst_limit": 1.5}, "burst_limit=1.5: must be a whole number from 1 on"),
        ({"burst_limit": "20"}, "burst_limit='20': must be a whole number from 1 on"),
        ({"burst_limit": float("inf")}, "burst_limit=inf: must be a whole number from 1 on"),
        ({"rate_limit": float("nan")}, "rate_limit=nan: must be more than 0 requests per second"),
    ],
)
def test_limits_that_aws_would_refuse_are_refused(stack: Stack, arguments: dict[str, Any], words: str) -> None:
    assert words in refusal(stack, **arguments)


def test_more_models_than_the_functions_environment_holds_are_refused(stack: Stack) -> None:
    models = {f"model-{number}": endpoint(stack, f"endpoint-{number}", "org/" + "m" * 60) for number in range(30)}
    text = refusal(stack, models=models)
    assert re.search(
        r"models=\(30 models\): take \d{4} bytes of the function's environment, of which Lambda allows 4096", text
    )
    assert "Spread them over several front doors" in text


def test_lambda_counts_the_variables_as_one_json_object_with_every_quotation_mark_twice_as_long() -> None:
    assert measured_bytes({"MODELS": '{"a":1}', "B": "c"}) == len(r"""{"MODELS":"{\"a\":1}","B":"c"}""")


def test_a_value_known_at_deployment_is_counted_as_long_as_an_endpoints_name_may_be() -> None:
    token = Token.as_string({"Ref": "Endpoint"})
    assert measured_bytes({"A": f"{token}-{token}"}) == measured_bytes({"A": "x" * 127})


def test_as_many_models_as_lambda_takes_are_served(stack: Stack) -> None:
    facts = ServingFacts(version="3.3.6", max_input_tokens=12288, max_total_tokens=16384, max_concurrent_requests=128)
    models = {f"model-{number}": endpoint(stack, f"endpoint-{number}", "org/m", facts) for number in range(16)}
    made = FrontDoor(stack, "Door", models=models)
    told = variables(template(made))
    assert 3000 < measured_bytes(told) <= 4096


def test_values_known_only_at_deployment_are_taken_as_they_are(stack: Stack) -> None:
    number = Token.as_number({"Fn::ImportValue": "Limit"})
    made = FrontDoor(
        stack,
        "Door",
        models={"llama": endpoint(stack)},
        rate_limit=number,
        burst_limit=number,
        memory_size=number,
    )
    assert made.url


def test_a_timeout_known_only_at_deployment_is_refused_since_two_services_count_it_differently(stack: Stack) -> None:
    text = refusal(stack, timeout=Duration.seconds(Token.as_number({"Fn::ImportValue": "Timeout"})))
    assert "Lambda counts it in seconds and API Gateway in milliseconds. Write it as a number." in text


def test_plain_values_where_the_cdk_has_types_are_refused_together(stack: Stack) -> None:
    text = refusal(stack, timeout=60, log_retention=90)
    assert text.startswith("Stack/Door: 2 problems")
    assert "timeout=60: must be a Duration of aws_cdk, which says its unit. Write Duration.seconds(60)." in text
    assert "log_retention=90: must be RetentionDays." in text


def test_an_endpoint_of_another_account_and_region_is_refused() -> None:
    here = Stack(App(), "Here", env=Environment(account="444455556666", region="us-east-1"))
    text = refusal(here, models={"llama": endpoint(Stack(App(), "There", env=Environment(region="eu-west-1")))})
    assert text.startswith("Here/Door: 2 problems")
    assert "models['llama']='111122223333': is the account of the endpoint" in text
    assert "models['llama']='eu-west-1': is the Region of the endpoint, but a front door calls endpoints of its" in text
    assert "own stack's: us-east-1. Put the front door into a stack of that Region." in text


def test_an_endpoint_of_the_same_account_and_region_is_taken() -> None:
    here = Stack(App(), "Here", env=Environment(account="111122223333", region="eu-west-1"))
    assert FrontDoor(here, "Door", models={"llama": endpoint(here)}).url


@pytest.mark.parametrize("value", ["no", None, 0])
def test_a_switch_that_is_neither_true_nor_false_is_refused(stack: Stack, value: object) -> None:
    text = refusal(stack, streaming=value, cloud_watch_role=value, playground=value)
    assert text.startswith("Stack/Door: 3 problems")
    assert f"playground={value!r}: must be True or False" in text
    assert f"streaming={value!r}: must be True or False" in text
    assert f"cloud_watch_role={value!r}: must be True or False" in text


def test_the_class_in_place_of_an_endpoint_is_refused(stack: Stack) -> None:
    text = refusal(stack, models={"llama": TgiEndpoint})
    assert "must be a model endpoint, but is the class TgiEndpoint. Pass a TgiEndpoint" in text


def test_what_only_looks_like_an_endpoint_is_refused_with_what_does_not_fit(stack: Stack) -> None:
    lookalike = SimpleNamespace(
        endpoint_name=None, endpoint_arn="", engine="tgi", grant_invoke="yes", model_id=5, max_body_bytes="6MB"
    )
    text = refusal(stack, models={"llama": lookalike})
    assert "its endpoint_name, endpoint_arn, grant_invoke, model_id, max_body_bytes cannot be an endpoint's" in text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (0, "default_max_tokens=0: must be from 1 to 4294967295 tokens. Raise it to 1 or more."),
        ("256", "default_max_tokens='256': must be a whole number, not str. Write 256."),
        (True, "default_max_tokens=True: must be a whole number, not bool."),
        (
            2000,
            "default_max_tokens=2000: must be less than the 2000 tokens that models['llama'] takes, prompt and answer",
        ),
    ],
)
def test_a_default_that_no_answer_could_have_is_refused(stack: Stack, asked: object, words: str) -> None:
    models = {"llama": endpoint(stack, serving=ServingFacts(max_total_tokens=2000))}
    assert words in refusal(stack, models=models, default_max_tokens=asked)


def test_a_default_known_only_at_deployment_is_refused(stack: Stack) -> None:
    text = refusal(stack, default_max_tokens=Token.as_number({"Fn::ImportValue": "Tokens"}))
    assert "default_max_tokens=(known at deployment): must be a whole number" in text


def test_a_small_model_needs_no_default_of_its_own(stack: Stack) -> None:
    models = {"llama": endpoint(stack, serving=ServingFacts(max_total_tokens=512))}
    assert FrontDoor(stack, "Door", models=models).url


def test_a_page_that_could_not_sign_its_requests_is_refused(stack: Stack) -> None:
    text = refusal(stack, access=Access.iam(), playground=True)
    assert "playground=True: has no meaning with Access.iam(): a page holds no AWS credentials" in text
    assert "Leave playground out, or give another access." in text


def test_what_is_no_access_wall_or_name_is_refused_together_with_how_to_come_by_one(stack: Stack) -> None:
    text = refusal(
        stack,
        access="api_keys",
        cors=["https://app.example.com"],
        domain="llm.example.com",
        web_acl="managed",
        resource_policy={"Statement": []},
        vpc_endpoints="vpce-1",
    )
    assert text.startswith("Stack/Door: 6 problems")
    assert "access='api_keys': must be an Access, not str. Write Access.api_keys(), .jwt(…)" in text
    assert "cors=['https://app.example.com']: must be Cors, not list." in text
    assert "domain='llm.example.com': must be a Domain, not str." in text
    assert "web_acl='managed': must be a WebAcl, not str. Write WebAcl.managed() or WebAcl.from_arn(…)." in text
    assert "must be a PolicyDocument of aws_iam, not dict." in text
    assert "vpc_endpoints='vpce-1': must be a list of which each is a VPC endpoint of aws_ec2, not str." in text
