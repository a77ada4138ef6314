"""The arguments that FrontDoor rejects, and the texts of its errors."""

import json
import re
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Fn, Stack, Token
from front_door.engines import ENGINES

from constructs_lib import InstanceType, Model
from constructs_lib.endpoint.tgi import TgiEndpoint
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.access import Access
from constructs_lib.front_door.assets import known_engines
from constructs_lib.front_door.cors import Cors
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.front_door.function_environment import environment_bytes
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.front_door.doubles import endpoint, served_models, statements, template, variables


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def rejection(stack: Stack, **arguments: Any) -> str:
    if "models" not in arguments:
        arguments["models"] = {"llama": endpoint(stack)}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value)


def test_all_problems_are_reported_together_with_path_value_and_fix(stack: Stack) -> None:
    message = rejection(
        stack,
        models={"llama 3": endpoint(stack), "qwen": "my-endpoint"},
        timeout=Duration.minutes(20),
        memory_size=64,
        rate_limit=0,
        burst_limit=0,
    )
    assert message.startswith("Stack/FrontDoor: 6 problems")
    for part in (
        "models='llama 3'",
        "models['qwen']='my-endpoint'",
        "timeout=",
        "memory_size=64",
        "rate_limit=0",
        "burst_limit=0",
    ):
        assert part in message, part


def test_an_empty_mapping_of_models_is_rejected(stack: Stack) -> None:
    message = rejection(stack, models={})
    assert "must have at least one endpoint" in message
    assert 'Write {"llama": endpoint}' in message


def test_an_endpoint_without_a_name_is_rejected(stack: Stack) -> None:
    assert "must be a mapping of name to endpoint" in rejection(stack, models=endpoint(stack))


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 64, "a?b", "a\n", 7])
def test_a_name_that_would_break_urls_is_rejected(stack: Stack, name: object) -> None:
    message = rejection(stack, models={name: endpoint(stack)})
    assert f"models={name!r}" in message
    assert "1 to 63 letters, digits, dots, underscores or hyphens" in message


@pytest.mark.parametrize("name", ["a", "Llama-3.1_8B", "x" * 63])
def test_a_valid_name_is_accepted(stack: Stack, name: str) -> None:
    assert FrontDoor(stack, "FrontDoor", models={name: endpoint(stack)}).url


def test_an_object_that_is_not_an_endpoint_is_rejected_with_what_it_lacks(stack: Stack) -> None:
    message = rejection(stack, models={"llama": stack})
    assert "must be a model endpoint, but has no endpoint_name, endpoint_arn" in message
    assert "TgiEndpoint.from_endpoint_name" in message


@pytest.mark.parametrize("seconds", [0, 901])
def test_a_streaming_timeout_must_be_1_second_to_15_minutes(stack: Stack, seconds: int) -> None:
    message = rejection(stack, timeout=Duration.seconds(seconds))
    assert f"timeout='{seconds} s': must be a whole number of seconds from 1 to 900, as the API streams" in message


def test_a_fraction_of_a_second_is_rejected(stack: Stack) -> None:
    assert "timeout='1.5 s'" in rejection(stack, timeout=Duration.millis(1500))


def test_a_non_streaming_timeout_must_be_at_most_29_seconds(stack: Stack) -> None:
    message = rejection(stack, timeout=Duration.seconds(30), streaming=False)
    assert "timeout='30 s': must be a whole number of seconds from 1 to 29, as the API does not stream" in message
    assert "streaming=True" in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"memory_size": 127}, "memory_size=127: must be 128 to 10240 MiB"),
        ({"memory_size": 10241}, "memory_size=10241: must be 128 to 10240 MiB"),
        ({"rate_limit": -1}, "rate_limit=-1: must be more than 0 requests per second"),
        ({"rate_limit": True}, "rate_limit=True: must be more than 0 requests per second"),
        ({"burst_limit": 1.5}, "burst_limit=1.5: must be a whole number, at least 1"),
        ({"burst_limit": "20"}, "burst_limit='20': must be a whole number, at least 1"),
        ({"burst_limit": float("inf")}, "burst_limit=inf: must be a whole number, at least 1"),
        ({"rate_limit": float("nan")}, "rate_limit=nan: must be more than 0 requests per second"),
    ],
)
def test_limits_that_aws_would_reject_are_rejected(stack: Stack, arguments: dict[str, Any], message: str) -> None:
    assert message in rejection(stack, **arguments)


FACTS = ServingFacts(
    version="3.3.6",
    revision="0e9e39f249a16976918f6564b8830bc894c89659",
    dtype="bfloat16",
    quantize="fp8",
    max_input_tokens=12288,
    max_total_tokens=16384,
    max_batch_total_tokens=131072,
    max_concurrent_requests=128,
    max_best_of=2,
    max_stop_sequences=4,
    max_top_n_tokens=5,
    max_client_batch_size=4,
    enable_prefill_logprobs=False,
    reads_images=False,
)


def many(stack: Stack, count: int, *, deployed: bool) -> dict[str, Any]:
    """Models with all facts, and endpoints whose names synth or only the deployment knows."""
    models = {}
    for number in range(count):
        one = endpoint(stack, f"production-endpoint-of-one-team-{number:031}", "org/" + "m" * 60, FACTS)
        if deployed:
            one._name = Fn.import_value(f"Endpoint{number}")
        models[f"model-{number}"] = one
    return models


def test_sixty_models_are_accepted_as_their_facts_are_in_a_file(stack: Stack) -> None:
    front_door = FrontDoor(stack, "FrontDoor", models=many(stack, 60, deployed=False))
    environment = variables(template(front_door))
    assert environment_bytes(environment) < 600
    assert "DEPLOYED_VALUES" not in environment
    served = served_models(stack)
    assert list(served) == [f"model-{number}" for number in range(60)]
    assert served["model-59"] == {
        "endpoint_name": f"production-endpoint-of-one-team-{59:031}",
        "engine": "tgi",
        "model_id": "org/" + "m" * 60,
        "max_body_bytes": 6291456,
        **{name: fact for name, fact in asdict(FACTS).items() if fact is not None},
    }


def test_fifty_models_are_accepted_whose_endpoints_get_their_names_at_deployment(stack: Stack) -> None:
    front_door = FrontDoor(
        stack,
        "FrontDoor",
        models=many(stack, 50, deployed=True),
        playground=True,
        cors=Cors(allowed_origins=["https://app.example.com", "http://localhost:3000"]),
    )
    environment = variables(template(front_door))
    longest = {name: re.sub("<[^>]+>", "x" * 63, value) for name, value in environment.items()}
    assert 3500 < environment_bytes(longest) <= 4096
    assert [model["endpoint_name"] for model in served_models(stack).values()] == [
        f"<Endpoint{number}>" for number in range(50)
    ]


def test_more_names_of_the_deployment_than_fit_in_the_functions_environment_are_rejected(stack: Stack) -> None:
    message = rejection(stack, models=many(stack, 60, deployed=True))
    assert message.endswith(
        "models=(60 models): have names of endpoints that only the deployment knows: with them the function's"
        " environment is 4387 bytes, of which Lambda allows 4096; the first 55 fit. Distribute them over several front"
        " doors, or give their endpoints an endpoint_name."
    )
    assert FrontDoor(stack, "FrontDoor", models=many(Stack(App(), "Other"), 55, deployed=True)).url


def test_an_endpoint_under_several_names_takes_its_place_once(stack: Stack) -> None:
    (one,) = many(stack, 1, deployed=True).values()
    front_door = FrontDoor(stack, "FrontDoor", models={f"name-{number}": one for number in range(100)})
    assert variables(template(front_door))["DEPLOYED_VALUES"] == "<Endpoint0>"
    assert {model["endpoint_name"] for model in served_models(stack).values()} == {"<Endpoint0>"}


def test_more_origins_than_fit_in_the_functions_environment_are_rejected(stack: Stack) -> None:
    origins = [f"https://app-{number}.example.com" for number in range(200)]
    message = rejection(stack, cors=Cors(allowed_origins=origins))
    assert message.endswith(
        "cors.allowed_origins=(200 origins): take more than the function's environment has: with them it is 6836 bytes,"
        " of which Lambda allows 4096. Allow fewer origins, or every origin."
    )


def test_a_role_can_be_allowed_a_hundred_endpoints(stack: Stack) -> None:
    models = many(stack, 101, deployed=False)
    message = rejection(stack, models=models)
    assert message.endswith(
        "models=(101 models): are on 101 endpoints or inference components, of which the policies of one function's"
        " role have room for 100. Distribute them over several front doors."
    )
    del models["model-100"]
    assert FrontDoor(stack, "FrontDoor", models={**models, "alias": models["model-0"]}).url


def test_the_environment_is_measured_as_one_json_object_with_escaped_quotation_marks() -> None:
    assert environment_bytes({"A": '{"a":1}', "B": "c"}) == len(r"""{"A":"{\"a\":1}","B":"c"}""")


def test_a_token_is_measured_as_the_longest_name_of_an_endpoint() -> None:
    token = Token.as_string({"Ref": "Endpoint"})
    assert environment_bytes({"A": f"{token}-{token}"}) == environment_bytes({"A": "x" * 127})


def test_values_known_only_at_deployment_are_accepted(stack: Stack) -> None:
    number = Token.as_number({"Fn::ImportValue": "Limit"})
    front_door = FrontDoor(
        stack,
        "FrontDoor",
        models={"llama": endpoint(stack)},
        rate_limit=number,
        burst_limit=number,
        memory_size=number,
    )
    assert front_door.url


def test_a_timeout_known_only_at_deployment_is_rejected_as_two_services_use_different_units(stack: Stack) -> None:
    message = rejection(stack, timeout=Duration.seconds(Token.as_number({"Fn::ImportValue": "Timeout"})))
    assert (
        "must be known at synth, as Lambda takes seconds and API Gateway milliseconds. Write it as a number." in message
    )


def test_plain_values_in_place_of_cdk_types_are_reported_together(stack: Stack) -> None:
    message = rejection(stack, timeout=60, log_retention=90)
    assert message.startswith("Stack/FrontDoor: 2 problems")
    assert "timeout=60: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(60)." in message
    assert "log_retention=90: must be a RetentionDays of aws_logs, not int." in message


def test_an_endpoint_of_another_account_and_region_is_rejected() -> None:
    here = Stack(App(), "Here", env=Environment(account="444455556666", region="us-east-1"))
    message = rejection(here, models={"llama": endpoint(Stack(App(), "There", env=Environment(region="eu-west-1")))})
    assert message.startswith("Here/FrontDoor: 2 problems")
    assert "models['llama']='111122223333': is the account of the endpoint" in message
    assert (
        "models['llama']='eu-west-1': is the Region of the endpoint, but a front door calls endpoints in its" in message
    )
    assert (
        "stack's Region: us-east-1. Put the front door in a stack of that Region, or give the endpoint in a Fallback,"
        " Split or Mirror." in message
    )


def test_an_endpoint_of_the_same_account_and_region_is_accepted() -> None:
    here = Stack(App(), "Here", env=Environment(account="111122223333", region="eu-west-1"))
    assert FrontDoor(here, "FrontDoor", models={"llama": endpoint(here)}).url


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        (
            Environment(account="111122223333", region="eu-west-1"),
            None,
            "any account and Region, while this stack is for account 111122223333 in eu-west-1",
        ),
        (None, Environment(region="eu-west-1"), "any account in eu-west-1, while this stack is for any account and"),
        (
            Environment(account="111122223333"),
            Environment(account="444455556666"),
            None,
        ),
        (
            Environment(region="eu-west-1"),
            Environment(account="444455556666", region="eu-west-1"),
            "account 444455556666 in eu-west-1, while this stack is for any account in eu-west-1",
        ),
    ],
)
def test_an_endpoint_whose_generated_name_the_cdk_cannot_pass_is_rejected(
    here: Environment | None, there: Environment | None, words: str | None
) -> None:
    app = App()
    llm = TgiEndpoint(
        Stack(app, "Models", env=there),
        "Llm",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
    )
    message = rejection(Stack(app, "Door", env=here), models={"llm": llm})
    assert message.startswith("Door/FrontDoor: 1 problem to solve")
    if words is None:
        assert "models['llm']='444455556666': is the account of the endpoint, but" in message
        return
    assert f"models['llm']=(TgiEndpoint Models/Llm): is created by Models, which is for {words}" in message
    assert message.endswith(
        ": the CDK passes generated names only between stacks of the same env."
        " Give both stacks the same env, or set endpoint_name of the endpoint."
    )


@pytest.mark.parametrize("name", [None, "team-llm"])
def test_an_endpoint_of_another_stack_is_accepted_if_the_cdk_can_pass_its_name(name: str | None) -> None:
    app = App()
    here = Environment(account="111122223333", region="eu-west-1")
    llm = TgiEndpoint(
        Stack(app, "Models", env=None if name else here),
        "Llm",
        model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
        instance_type=InstanceType.G5_2XLARGE,
        endpoint_name=name,
    )
    door = Stack(app, "Door", env=here)
    FrontDoor(door, "FrontDoor", models={"llm": llm})
    found = served_models(door)["llm"]["endpoint_name"]
    assert re.fullmatch(name or r"<Models:ExportsOutputFnGetAttLlm\w+EndpointName\w+>", found), found


def test_an_engine_that_the_function_does_not_know_is_rejected(stack: Stack) -> None:
    foreign = endpoint(stack)
    foreign._engine = "none"
    message = rejection(stack, models={"llama": foreign})
    assert message.endswith(
        "  - models['llama'].engine='none': is no engine whose protocol the front door speaks:"
        f" {', '.join(known_engines())}. Give an endpoint of such an engine."
    )


def test_a_model_has_as_many_adapter_components_as_one_statement_has_room_for(stack: Stack) -> None:
    components = {f"adapter{number}": f"component-{number}" for number in range(31)}
    message = rejection(stack, models={"llama": endpoint(stack, adapter_components=components)})
    assert message.endswith(
        "  - models['llama'].adapter_components=(31 adapters): have inference components of their own, of which one"
        " statement in the policies of the function's role has room for 30. Distribute them over several endpoints."
    )
    longest = {f"adapter{number}": f"{number:063}" for number in range(30)}
    served = endpoint(Stack(App(), "Other"), adapter_components=longest)
    front_door = FrontDoor(Stack.of(served), "FrontDoor", models={"llama": served})
    statement = next(each for each in statements(template(front_door)) if "sagemaker:InvokeEndpoint" in each["Action"])
    assert len(json.dumps(statement, separators=(",", ":"))) < 6144


def test_the_engines_that_a_front_door_accepts_are_those_of_its_function() -> None:
    assert sorted(known_engines()) == sorted(ENGINES)


def test_two_front_doors_of_a_stack_cannot_both_set_the_log_role_of_the_account(stack: Stack) -> None:
    FrontDoor(stack, "First", models={"llama": endpoint(stack)})
    message = rejection(stack, models={"qwen": endpoint(stack, "qwen")})
    assert message.endswith(
        "  - cloud_watch_role=True: is one setting for the account and Region, which Stack/First/Api/Account in this"
        " stack makes already. Pass cloud_watch_role=False to this front door."
    )


def test_front_doors_of_two_stacks_can_both_set_the_log_role_as_each_is_deployed_alone() -> None:
    app = App()
    for name in ("One", "Other"):
        stack = Stack(app, name)
        assert FrontDoor(stack, "FrontDoor", models={"llama": endpoint(stack)}).url


@pytest.mark.parametrize("value", ["no", None, 0])
def test_a_flag_that_is_not_a_bool_is_rejected(stack: Stack, value: object) -> None:
    message = rejection(stack, streaming=value, cloud_watch_role=value, playground=value)
    assert message.startswith("Stack/FrontDoor: 3 problems")
    assert f"playground={value!r}: must be True or False" in message
    assert f"streaming={value!r}: must be True or False" in message
    assert f"cloud_watch_role={value!r}: must be True or False" in message


def test_the_class_in_place_of_an_endpoint_is_rejected(stack: Stack) -> None:
    message = rejection(stack, models={"llama": TgiEndpoint})
    assert "must be a model endpoint, but is the class TgiEndpoint. Give a TgiEndpoint" in message


def test_an_object_with_an_endpoints_members_is_rejected_with_those_that_are_invalid(stack: Stack) -> None:
    lookalike = SimpleNamespace(
        endpoint_name=None, endpoint_arn="", engine="tgi", grant_invoke="yes", model_id=5, max_body_bytes="6MB"
    )
    message = rejection(stack, models={"llama": lookalike})
    assert "its endpoint_name, endpoint_arn, grant_invoke, model_id, max_body_bytes cannot be an endpoint's" in message


@pytest.mark.parametrize(
    ("tokens", "message"),
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
def test_an_impossible_default_token_limit_is_rejected(stack: Stack, tokens: object, message: str) -> None:
    models = {"llama": endpoint(stack, serving=ServingFacts(max_total_tokens=2000))}
    assert message in rejection(stack, models=models, default_max_tokens=tokens)


def test_a_default_token_limit_known_only_at_deployment_is_rejected(stack: Stack) -> None:
    message = rejection(stack, default_max_tokens=Token.as_number({"Fn::ImportValue": "Tokens"}))
    assert "default_max_tokens=(known at deployment): must be known at synth, to be compared with" in message


def test_a_model_with_a_small_context_needs_no_default_token_limit(stack: Stack) -> None:
    models = {"llama": endpoint(stack, serving=ServingFacts(max_total_tokens=512))}
    assert FrontDoor(stack, "FrontDoor", models=models).url


def test_a_playground_that_could_not_sign_its_requests_is_rejected(stack: Stack) -> None:
    message = rejection(stack, access=Access.iam(), playground=True)
    assert "playground=True: cannot be used with Access.iam(): a page has no AWS credentials" in message
    assert "Remove playground, or use another access method." in message


def test_arguments_of_wrong_types_are_reported_together_with_how_to_create_the_right_ones(stack: Stack) -> None:
    message = rejection(
        stack,
        access="api_keys",
        cors=["https://app.example.com"],
        domain="llm.example.com",
        web_acl="managed",
        resource_policy={"Statement": []},
        vpc_endpoints="vpce-1",
    )
    assert message.startswith("Stack/FrontDoor: 6 problems")
    assert "access='api_keys': must be an access method, not str. Write Access.api_keys(), .jwt(…)" in message
    assert "cors=['https://app.example.com']: must be a Cors, not list." in message
    assert "domain='llm.example.com': must be a Domain, not str." in message
    assert "web_acl='managed': must be a WebAcl, not str. Write WebAcl.managed() or WebAcl.from_arn(…)." in message
    assert "must be a PolicyDocument of aws_iam, not dict." in message
    assert "vpc_endpoints='vpce-1': must be a list whose every item is a VPC endpoint of aws_ec2, not str." in message
