"""Split, Fallback and Mirror as models of a front door: what its functions get and may do, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack, Token

import constructs_lib
from constructs_lib import (
    ConfigurationError,
    Cors,
    Fallback,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    ServingFacts,
    SglangEndpoint,
    Split,
    TgiEndpoint,
    VllmEndpoint,
)
from constructs_lib._stack_env import environment_of
from constructs_lib.front_door.models_file import render_models
from stacks.model_stack import ModelStack
from stacks.presets import LlamaTgiStack
from tests.constructs_lib.front_door.doubles import (
    endpoint,
    flat,
    function,
    is_second,
    make_front_door,
    of_type,
    only,
    properties,
    served_models,
    statements,
    template,
    warnings,
)
from tests.stacks.test_app import findings

Json = dict[str, Any]

HERE = Environment(account="111122223333", region="eu-west-1")
FAR = "arn:aws:sagemaker:us-west-2:111122223333:endpoint/{}"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack", env=HERE)


def vllm(stack: Stack, name: str = "vllm", **given: Any) -> Any:
    return VllmEndpoint.from_endpoint_name(stack, f"Vllm-{name}", name, **given)


def far(stack: Stack, name: str = "far") -> Any:
    return VllmEndpoint.from_endpoint_arn(stack, f"Far-{name}", FAR.format(name))


def entry(name: str, target: str, engine: str = "vllm") -> Json:
    """What the function is told of an endpoint of which nothing else is known."""
    return {
        "target": target,
        "endpoint_name": name,
        "engine": engine,
        "model_id": None,
        "max_body_bytes": 6291456,
    }


def llama(target: str = "Stack/Endpoint-llama-8b") -> Json:
    return entry("llama-8b", target, "tgi") | {"model_id": "meta-llama/Llama-3.1-8B-Instruct"}


def rejection(stack: Stack, model: object, **arguments: Any) -> str:
    models: Any = {"llama": model}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", models=models, **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value)


def problems(stack: Stack, model: object, **arguments: Any) -> list[str]:
    return [line.removeprefix("  - ") for line in rejection(stack, model, **arguments).splitlines()[1:]]


def test_a_split_is_the_targets_with_their_weights(stack: Stack) -> None:
    make_front_door(stack, models={"llama": Split({endpoint(stack): 95.0, vllm(stack): 4.5})})
    assert served_models(stack) == {
        "llama": {
            "split": [
                {"weight": 95, "to": llama()},
                {"weight": 4.5, "to": entry("vllm", "Stack/Vllm-vllm")},
            ]
        }
    }


def test_a_whole_number_is_written_as_one_so_that_the_layer_does_not_change_with_its_type(stack: Stack) -> None:
    one, two = endpoint(stack), vllm(stack)
    texts = {
        render_models({"llama": Mirror(Split({one: weight}), to=two, percent=weight)}, environment_of(stack)).text
        for weight in (95, 95.0)
    }
    (text,) = texts
    assert '"weight":95,' in text


def test_a_fallback_is_the_targets_in_their_order(stack: Stack) -> None:
    make_front_door(stack, models={"llama": Fallback([vllm(stack), endpoint(stack)])})
    assert served_models(stack) == {"llama": {"fallback": [entry("vllm", "Stack/Vllm-vllm"), llama()]}}


def test_a_mirror_contains_a_split_and_that_a_fallback(stack: Stack) -> None:
    one, two, copy = endpoint(stack), vllm(stack), vllm(stack, "copy")
    make_front_door(stack, models={"llama": Mirror(Split({Fallback([one, two]): 1, two: 1}), to=copy, percent=5)})
    assert served_models(stack)["llama"] == {
        "mirror": {
            "primary": {
                "split": [
                    {"weight": 1, "to": {"fallback": [llama(), entry("vllm", "Stack/Vllm-vllm")]}},
                    {"weight": 1, "to": entry("vllm", "Stack/Vllm-vllm")},
                ]
            },
            "to": entry("copy", "Stack/Vllm-copy"),
            "percent": 5,
        }
    }


def test_an_endpoint_beside_a_routed_model_is_told_as_ever(stack: Stack) -> None:
    make_front_door(stack, models={"a": Split({endpoint(stack): 1}), "b": vllm(stack)})
    assert "target" not in served_models(stack)["b"]


def test_a_name_that_only_the_deployment_knows_is_found_in_a_routed_model_too() -> None:
    stack = Stack(App(), "Stack")
    named = CfnParameter(stack, "Name").value_as_string
    models = {"llama": Fallback([vllm(stack), VllmEndpoint.from_endpoint_name(stack, "Late", named)])}
    make_front_door(stack, models=models)
    assert [each["endpoint_name"] for each in served_models(stack)["llama"]["fallback"]] == ["vllm", "<Name>"]


def test_an_endpoint_of_another_region_comes_with_its_region_and_the_urls_there(stack: Stack) -> None:
    make_front_door(stack, models={"llama": Fallback([endpoint(stack), far(stack)])})
    first, second = served_models(stack)["llama"]["fallback"]
    assert "region" not in first
    assert second == entry("far", "Stack/Far-far") | {
        "region": "us-west-2",
        "runtime_url": "https://runtime.sagemaker.us-west-2.<AWS::URLSuffix>",
        "sagemaker_url": "https://api.sagemaker.us-west-2.<AWS::URLSuffix>",
    }


def test_in_a_stack_for_any_region_the_region_of_an_arn_counts_as_another_one() -> None:
    stack = Stack(App(), "Stack")
    make_front_door(stack, models={"llama": Fallback([vllm(stack), far(stack)])})
    assert [each.get("region") for each in served_models(stack)["llama"]["fallback"]] == [None, "us-west-2"]


def test_the_function_may_call_and_describe_each_endpoint_that_answers_in_its_own_region(stack: Stack) -> None:
    models = {"llama": Split({endpoint(stack): 1, Fallback([vllm(stack), far(stack)]): 1})}
    allowed = [
        (statement["Action"], flat(statement["Resource"]))
        for statement in statements(template(make_front_door(stack, models=models)))
        if "sagemaker" in str(statement["Action"])
    ]
    invoke = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]
    near = "sagemaker:eu-west-1:111122223333:endpoint/"
    assert allowed == [
        (action, arn)
        for arn in (f"arn:aws:{near}llama-8b", f"arn:<AWS::Partition>:{near}vllm", FAR.format("far"))
        for action in (invoke, "sagemaker:DescribeEndpoint")
    ]


def mirrored(stack: Stack, **arguments: Any) -> Json:
    models = {"llama": Mirror(endpoint(stack), to=vllm(stack), percent=5)}
    return template(make_front_door(stack, models=models, **arguments))


def second_function(rendered: Json) -> tuple[str, Json]:
    (found,) = (
        (logical_id, each["Properties"])
        for logical_id, each in of_type(rendered, "Lambda::Function").items()
        if is_second(each["Properties"])
    )
    return found


def test_without_a_mirror_there_is_one_function_and_nothing_of_a_second_one(stack: Stack) -> None:
    rendered = template(make_front_door(stack, models={"llama": Split({endpoint(stack): 1, vllm(stack): 1})}))
    assert not any(map(is_second, properties(rendered, "Lambda::Function")))
    assert of_type(rendered, "Lambda::EventInvokeConfig") == {}
    assert {"MIRROR_FUNCTION", "LAMBDA_URL"} & function(rendered)["Environment"]["Variables"].keys() == set()


def test_a_mirror_brings_a_second_function_of_the_same_code_and_layer(stack: Stack) -> None:
    rendered = mirrored(stack)
    logical_id, second = second_function(rendered)
    first = function(rendered)
    for name in ("Architectures", "Code", "Handler", "Layers", "MemorySize", "Runtime"):
        assert second[name] == first[name], name
    assert second["Role"] != first["Role"]
    assert second["Timeout"] == 300
    assert second["ReservedConcurrentExecutions"] == 10
    assert {name: flat(value) for name, value in second["Environment"]["Variables"].items()} == {
        "MODELS_FILE": "/opt/front_door/models.json",
        "FRONT_DOOR": "Stack/FrontDoor",
        "DEFAULT_MAX_TOKENS": "1024",
        "SAGEMAKER_RUNTIME_URL": "https://runtime.sagemaker.eu-west-1.<AWS::URLSuffix>",
        "SAGEMAKER_URL": "https://api.sagemaker.eu-west-1.<AWS::URLSuffix>",
        "MIRROR": "on",
    }
    variables = first["Environment"]["Variables"]
    assert variables["MIRROR_FUNCTION"] == {"Ref": logical_id}
    assert flat(variables["LAMBDA_URL"]) == "https://lambda.eu-west-1.<AWS::URLSuffix>"


def test_the_second_function_has_the_names_that_only_the_deployment_knows() -> None:
    stack = Stack(App(), "Stack")
    named = VllmEndpoint.from_endpoint_name(stack, "Late", CfnParameter(stack, "Name").value_as_string)
    rendered = template(make_front_door(stack, models={"llama": Mirror(vllm(stack), to=named, percent=5)}))
    assert second_function(rendered)[1]["Environment"]["Variables"]["DEPLOYED_VALUES"] == {"Ref": "Name"}


def test_copies_are_not_repeated_and_wait_for_a_minute_at_most(stack: Stack) -> None:
    rendered = mirrored(stack)
    logical_id, _ = second_function(rendered)
    assert only(rendered, "Lambda::EventInvokeConfig") == {
        "FunctionName": {"Ref": logical_id},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
    }


def test_concurrency_and_timeout_of_the_second_function_are_its_own(stack: Stack) -> None:
    _, second = second_function(mirrored(stack, mirror_concurrency=3, mirror_timeout=Duration.minutes(2)))
    assert (second["ReservedConcurrentExecutions"], second["Timeout"]) == (3, 120)


def test_concurrency_and_timeout_may_be_what_the_cdk_has_for_numbers(stack: Stack) -> None:
    late = Duration.seconds(Token.as_number({"Ref": "Parameter"}))
    _, second = second_function(mirrored(stack, mirror_concurrency=3.0, mirror_timeout=late))
    assert (second["ReservedConcurrentExecutions"], second["Timeout"]) == (3, {"Ref": "Parameter"})


def test_concurrency_and_timeout_of_copies_are_refused_without_a_mirror(stack: Stack) -> None:
    assert problems(stack, endpoint(stack), mirror_concurrency=3, mirror_timeout=Duration.minutes(2)) == [
        (
            "mirror_concurrency=3: is for the copies of a Mirror, and no model has one. Leave it out, or give a model a"
            " Mirror."
        ),
        (
            "mirror_timeout=(a Duration): is for the copies of a Mirror, and no model has one. Leave it out, or give a"
            " model a Mirror."
        ),
    ]


def test_minutes_that_only_the_deployment_knows_are_refused_as_the_cdk_cannot_convert_them(stack: Stack) -> None:
    late = Duration.minutes(Token.as_number({"Ref": "Parameter"}))
    assert problems(stack, Mirror(endpoint(stack), to=vllm(stack), percent=1), mirror_timeout=late) == [
        (
            "mirror_timeout=(known at deployment): is a number of minutes that only the deployment knows, which the CDK"
            " cannot convert. Write Duration.seconds(…)."
        )
    ]


def test_each_function_may_call_its_own_endpoints_alone_and_the_first_one_the_second(stack: Stack) -> None:
    rendered = mirrored(stack)
    logical_id, second = second_function(rendered)
    own_role = second["Role"]["Fn::GetAtt"][0]
    by_role: dict[bool, list[str]] = {True: [], False: []}
    for policy in properties(rendered, "IAM::Policy"):
        is_second = {"Ref": own_role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]:
            if "sagemaker" in str(statement["Action"]) or "lambda" in str(statement["Action"]):
                by_role[is_second].append(flat(statement["Resource"]))
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/llama-8b"
    assert by_role[True] == ["arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333:endpoint/vllm"]
    assert by_role[False] == [arn, arn, f"<{logical_id}.Arn>"]


def test_the_log_of_copies_is_kept_as_long_as_that_of_requests(stack: Stack) -> None:
    rendered = mirrored(stack)
    groups = {name: each for name, each in of_type(rendered, "Logs::LogGroup").items() if "Mirror" in name}
    (group,) = groups.values()
    assert group["Properties"]["RetentionInDays"] == 90
    assert group["DeletionPolicy"] == "Delete"


def test_only_a_front_door_with_several_endpoints_for_a_name_has_the_query_that_compares_them(stack: Stack) -> None:
    def names(rendered: Json) -> list[str]:
        return [each["Name"] for each in properties(rendered, "Logs::QueryDefinition")]

    name = "Stack/FrontDoor/targets of each model"
    rendered = mirrored(stack)
    (query,) = (each for each in properties(rendered, "Logs::QueryDefinition") if each["Name"] == name)
    assert len(query["LogGroupNames"]) == 2
    assert "by model, is_mirror, target, engine" in query["QueryString"]
    other = Stack(App(), "Stack")
    assert name not in names(template(make_front_door(other)))
    split = Stack(App(), "Stack")
    rendered = template(make_front_door(split, models={"llama": Split({endpoint(split): 1, vllm(split): 1})}))
    (query,) = (each for each in properties(rendered, "Logs::QueryDefinition") if each["Name"] == name)
    assert len(query["LogGroupNames"]) == 1


def test_metrics_of_copies_are_of_the_models_that_have_a_mirror(stack: Stack) -> None:
    front_door = make_front_door(
        stack, models={"llama": Mirror(endpoint(stack), to=vllm(stack), percent=5), "other": vllm(stack, "other")}
    )
    metric = front_door.metric("TimeToFirstToken", mirror="llama")
    assert metric.dimensions == {"FrontDoor": "Stack/FrontDoor", "Mirror": "llama"}
    with pytest.raises(ConfigurationError) as error:
        front_door.metric("Requests", mirror="other")
    assert "mirror='other': is not a model of this front door with a Mirror. Use one of llama." in str(error.value)
    with pytest.raises(ConfigurationError) as error:
        front_door.metric("Requests", model="llama", mirror="llama")
    assert "mirror='llama': cannot be given with model='llama'. Leave one of them out." in str(error.value)


def test_all_problems_of_a_routed_model_are_reported_together(stack: Stack) -> None:
    one, two = endpoint(stack), vllm(stack)
    model: Any = Mirror(Split({one: -1, Fallback([two]): float("nan")}), to=one, percent=101)
    assert problems(stack, model, mirror_concurrency=0, mirror_timeout=Duration.minutes(16)) == [
        (
            "models['llama'].primary.weights[1].endpoints=[(ImportedEndpoint Stack/Vllm-vllm)]: must be a list of at"
            " least two endpoints, in the order in which they are tried. Write Fallback([first, second])."
        ),
        (
            "models['llama'].primary.weights[Stack/Endpoint-llama-8b]=-1: must be a weight of 0 or more. Write a"
            " number such as 95; 0 sends it nothing."
        ),
        (
            "models['llama'].primary.weights[1]=nan: must be a weight of 0 or more. Write a number such as 95; 0"
            " sends it nothing."
        ),
        (
            "models['llama'].to=(ImportedEndpoint Stack/Endpoint-llama-8b): gets the requests already: a copy would"
            " only be the same request a second time. Give an endpoint that is not in the primary."
        ),
        "models['llama'].percent=101: must be a number from 0 to 100. Write percent=5 for one request in 20.",
        "mirror_concurrency=0: must be from 1 to 4294967295 invocations. Raise it to 1 or more.",
        (
            "mirror_timeout='960 s': must be a whole number of seconds from 1 to 900, Lambda's longest timeout."
            " Choose a timeout in that range."
        ),
    ]


def test_what_has_been_checked_stays_when_the_callers_mapping_or_list_changes(stack: Stack) -> None:
    one, two, three = endpoint(stack), vllm(stack), vllm(stack, "three")
    weights, endpoints = {one: 95, two: 5}, [one, two]
    split, fallback = Split(weights), Fallback(endpoints)
    weights[three] = weights[one] = -1
    endpoints.append(three)
    assert (split.weights, fallback.endpoints) == ({one: 95, two: 5}, [one, two])


@pytest.mark.parametrize("weights", [{}, None, ["a"], 95])
def test_a_split_needs_a_mapping_with_a_weight(stack: Stack, weights: Any) -> None:
    assert problems(stack, Split(weights)) == [
        (
            f"models['llama'].weights={weights!r}: must be a mapping of endpoint to weight, with at least one. Write"
            " Split({tgi: 95, vllm: 5})."
        )
    ]


def test_a_split_in_which_nothing_has_a_weight_is_refused(stack: Stack) -> None:
    assert problems(stack, Split({endpoint(stack): 0, vllm(stack): 0.0})) == [
        (
            "models['llama'].weights=[0, 0.0]: are all 0, so that no endpoint would get a request. Give one of them a"
            " weight above 0."
        )
    ]


@pytest.mark.parametrize("weight", [True, "95", None, float("inf")])
def test_a_weight_is_a_finite_number(stack: Stack, weight: Any) -> None:
    (found,) = problems(stack, Split({endpoint(stack): weight}))
    assert found.startswith(
        f"models['llama'].weights[Stack/Endpoint-llama-8b]={weight!r}: must be a weight of 0 or more"
    )


def test_an_integer_beyond_every_float_is_no_weight_and_no_percentage(stack: Stack) -> None:
    one, two = endpoint(stack), endpoint(stack, "vllm")
    found = problems(stack, Mirror(Split({one: 10**400}), to=two, percent=10**400))
    assert [message.partition("… (401 characters): ")[2] for message in found] == [
        "must be a weight of 0 or more. Write a number such as 95; 0 sends it nothing.",
        "must be a number from 0 to 100. Write percent=5 for one request in 20.",
    ]


def test_a_weight_of_0_and_a_percentage_of_0_are_accepted(stack: Stack) -> None:
    split = Split({endpoint(stack): 1, vllm(stack): 0})
    assert make_front_door(stack, models={"llama": Mirror(split, to=vllm(stack, "copy"), percent=0)}).url


def test_weights_and_percentages_must_be_known_at_synth(stack: Stack) -> None:
    late = Token.as_number({"Ref": "Parameter"})
    assert problems(stack, Mirror(Split({endpoint(stack): late}), to=vllm(stack), percent=late)) == [
        f"models['llama'].{place}=(known at deployment): must be known at synth, as a front door passes it to its"
        " function. Write it as a number."
        for place in ("primary.weights[Stack/Endpoint-llama-8b]", "percent")
    ]


def test_mirror_splits_and_fallbacks_are_in_this_order(stack: Stack) -> None:
    one, two, three = endpoint(stack), vllm(stack), vllm(stack, "three")
    order = (
        "The order is Mirror, Split, Fallback, endpoint: Mirror(Split({Fallback([a, b]): 90, c: 10}), to=d, percent=5)."
    )
    split, fallback = Split({one: 1}), Fallback([one, two])
    wrong: Any = [
        (Fallback([split, two]), "endpoints[0]=(a Split): cannot be in a Fallback"),
        (Split({Split({one: 1}): 1}), "weights[0]=(a Split): cannot be in a Split"),
        (Split({Mirror(one, to=two, percent=1): 1}), "weights[0]=(a Mirror): cannot be in a Split"),
        (Mirror(Mirror(one, to=two, percent=1), to=three, percent=1), "primary=(a Mirror): cannot be in a Mirror"),
        (Mirror(three, to=fallback, percent=1), "to=(a Fallback): cannot be in a Mirror's `to`, which is one endpoint"),
    ]
    for model, text in wrong:
        assert problems(stack, model) == [f"models['llama'].{text}. {order}"], text


def test_an_endpoint_cannot_be_twice_where_it_could_not_be_told_apart(stack: Stack) -> None:
    one, again = vllm(stack), VllmEndpoint.from_endpoint_name(stack, "Again", "vllm")
    (found,) = problems(stack, Split({one: 1, again: 1}))
    assert found == (
        "models['llama'].weights[Stack/Again]=(ImportedEndpoint Stack/Again): is in a Split twice. Add the weights, or"
        " give another endpoint."
    )
    (found,) = problems(stack, Split({one: 1, Fallback([again, endpoint(stack)]): 1}))
    assert found.startswith("models['llama'].weights[1]=(ImportedEndpoint Stack/Again): is in a Split twice.")
    (found,) = problems(stack, Fallback([one, again]))
    assert found == (
        "models['llama'].endpoints[1]=(ImportedEndpoint Stack/Again): is in a Fallback twice. Leave it out, or give"
        " another endpoint."
    )


def test_each_of_two_endpoints_may_be_the_fallback_of_the_other(stack: Stack) -> None:
    one, two = endpoint(stack), vllm(stack)
    models = {"llama": Split({Fallback([one, two]): 95, Fallback([two, one]): 5})}
    assert make_front_door(stack, models=models).url


def test_what_is_no_endpoint_is_refused_wherever_it_is(stack: Stack) -> None:
    model: Any = Mirror(Split({"my-endpoint": 1}), to=TgiEndpoint, percent=5)
    fix = "Give a TgiEndpoint, or TgiEndpoint.from_endpoint_name(…) for an existing endpoint."
    first, second = problems(stack, model)
    assert first.startswith("models['llama'].primary.weights[0]='my-endpoint': must be a model endpoint, but has no")
    assert first.endswith(fix)
    assert second.endswith(f": must be a model endpoint, but is the class TgiEndpoint. {fix}")


def test_an_endpoint_of_another_account_is_refused_and_one_of_another_region_is_not(stack: Stack) -> None:
    arn = "arn:aws:sagemaker:us-west-2:999988887777:endpoint/far"
    other = VllmEndpoint.from_endpoint_arn(stack, "Other", arn)
    assert problems(stack, Fallback([endpoint(stack), other])) == [
        (
            "models['llama'].endpoints[1]='999988887777': is the account of the endpoint, but a front door calls"
            " endpoints in its stack's account: 111122223333. Put the front door in a stack of that account."
        )
    ]


def test_an_endpoint_of_another_partition_is_refused(stack: Stack) -> None:
    arn = "arn:aws-cn:sagemaker:cn-north-1:111122223333:endpoint/far"
    other = VllmEndpoint.from_endpoint_arn(stack, "Other", arn)
    assert problems(stack, Fallback([endpoint(stack), other])) == [
        (
            "models['llama'].endpoints[1]='cn-north-1': is the Region of the endpoint, and of the partition aws-cn: aws"
            " has other accounts. Give an endpoint of the front door's partition."
        )
    ]


def test_an_endpoint_that_a_stack_of_another_region_creates_needs_a_name() -> None:
    app = App()
    here, there = (
        Stack(app, name, env=Environment(account="111122223333", region=region))
        for name, region in (("Here", "eu-west-1"), ("There", "us-west-2"))
    )
    model, instance = Model.from_hub("Qwen/Qwen2.5-7B-Instruct"), InstanceType.G5_2XLARGE
    unnamed = TgiEndpoint(there, "Unnamed", model=model, instance_type=instance)
    named = TgiEndpoint(there, "Named", model=model, instance_type=instance, endpoint_name="Far")
    one = endpoint(here)
    (found,) = problems(here, Fallback([one, unnamed]))
    assert found == (
        "models['llama'].endpoints[1]=(TgiEndpoint There/Unnamed): is created in us-west-2 under a name that only the"
        " deployment knows, and the CDK passes such a name to no other Region. Set its endpoint_name, or import it by"
        " from_endpoint_arn."
    )
    make_front_door(here, models={"llama": Fallback([one, named])})
    assert served_models(here)["llama"]["fallback"][1]["endpoint_name"] == "Far"
    assert served_models(here)["llama"]["fallback"][1]["region"] == "us-west-2"


def test_the_default_of_tokens_must_fit_every_endpoint_that_answers(stack: Stack) -> None:
    short = vllm(stack, max_total_tokens=512)
    copy = vllm(stack, "copy", max_total_tokens=256)
    model = Mirror(Split({endpoint(stack): 1, short: 1}), to=copy, percent=5)
    assert problems(stack, model, default_max_tokens=512) == [
        (
            "default_max_tokens=512: must be less than the 512 tokens that Stack/Vllm-vllm in models['llama'] takes,"
            " prompt and answer together. Lower it, or omit it: requests then get 1024, and less if the model takes"
            " less."
        )
    ]


def test_a_target_that_wakes_too_slowly_is_a_problem_only_where_clients_wait_for_it(stack: Stack) -> None:
    slow = vllm(stack, "slow", inference_component_name="slow", wake_seconds=1000)
    (found,) = problems(stack, Fallback([endpoint(stack), slow]), on_wake="hold")
    assert found.startswith(
        "on_wake='hold': models['llama'] takes about 1000 s to wake, but a request has 900 s in all"
    )
    models = {"llama": Mirror(Fallback([slow, vllm(stack, "other")]), to=vllm(stack), percent=5)}
    assert make_front_door(stack, models=models, on_wake="hold").url


def target_warnings(stack: Stack, model: Any) -> list[str]:
    """The warnings about the endpoints of a model, without their ids."""
    found = warnings(make_front_door(stack, models={"llama": model}))
    return [text.partition(" [ack:")[0] for text in found if "noConsumer" not in text]


def test_what_the_targets_of_a_model_lack_of_each_other_is_a_warning(stack: Stack) -> None:
    tgi = endpoint(stack, serving=ServingFacts(adapters=("sql", "fr"), reads_images=True))
    other = vllm(stack, tools=False, adapters=["sql"], reads_images=False)
    copy = SglangEndpoint.from_endpoint_name(stack, "Copy", "copy")
    assert target_warnings(stack, Mirror(Split({tgi: 1, other: 1}), to=copy, percent=5)) == [
        (
            "The endpoints of the model llama differ: Stack/Copy answers no completions of a prompt; Stack/Vllm-vllm"
            " reads no tool calls; Stack/Vllm-vllm reads no images; Stack/Vllm-vllm has no adapter fr; Stack/Copy has"
            " no adapters sql, fr. A request that needs what its endpoint lacks is an error for the client (of a"
            " copy: an error that the mirror counts), and clients can name only adapters that all endpoints have that"
            " answer them. Give them the same options, or acknowledge this."
        ),
        (
            "Clients of the model llama may speak TGI, as one of its endpoints runs TGI, but Stack/Copy answers chats"
            " only: POST /generate, /generate_stream and / with `inputs` are 501 there. Use an engine that completes"
            " prompts, such as vLLM, or acknowledge this if all clients send chats."
        ),
    ]


def test_targets_of_which_nothing_is_known_bring_no_warning(stack: Stack) -> None:
    assert target_warnings(stack, Split({endpoint(stack): 1, vllm(stack): 1, far(stack): 1})) == []


def test_the_environment_has_to_have_room_for_the_name_of_the_second_function(stack: Stack) -> None:
    one, two = endpoint(stack), vllm(stack)

    def size(model: Any) -> int:
        cors = Cors(allowed_origins=[f"https://{'x' * 4000}.example.com"])
        (found,) = re.findall(
            r"environment is (\d+) bytes|with them it is (\d+) bytes", rejection(stack, model, cors=cors)
        )
        return int("".join(found))

    url = f"https://lambda.eu-west-1.{'x' * 63}"
    added = f',"LAMBDA_URL":"{url}","MIRROR_FUNCTION":"{"x" * 64}"'
    assert size(Mirror(one, to=two, percent=5)) - size(one) == len(added)


def test_endpoints_of_one_model_share_the_alarm_that_undoes_updates_and_a_mirror_has_its_own(stack: Stack) -> None:
    def rolled(id: str) -> TgiEndpoint:
        return TgiEndpoint(
            stack,
            id,
            model=Model.from_hub("Qwen/Qwen2.5-7B-Instruct"),
            instance_type=InstanceType.G5_2XLARGE,
            instance_count=2,
        )

    model = Mirror(Split({rolled("One"): 1, rolled("Two"): 1}), to=rolled("Copy"), percent=5)
    rendered = template(make_front_door(stack, models={"llama": model}))
    alarms = {
        name: {each["Name"]: each["Value"] for each in one["Properties"]["Dimensions"]}
        for name, one in of_type(rendered, "CloudWatch::Alarm").items()
        if name.startswith("FrontDoor")
    }
    shared, copies = alarms
    assert alarms == {
        shared: {"FrontDoor": "Stack/FrontDoor", "Model": "llama"},
        copies: {"FrontDoor": "Stack/FrontDoor", "Mirror": "llama"},
    }
    watched = {
        name[:3]: [each["AlarmName"]["Ref"] for each in alarm_names(one) if each["AlarmName"]["Ref"] in alarms]
        for name, one in of_type(rendered, "SageMaker::Endpoint").items()
    }
    assert watched == {"One": [shared], "Two": [shared], "Cop": [copies]}


def alarm_names(endpoint: Json) -> list[Json]:
    found: list[Json] = endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    return found


def test_cdk_nag_finds_nothing_in_a_front_door_with_a_mirror_and_another_region() -> None:
    app = App()
    stack = Stack(app, "Stack", env=HERE)
    models = {"llama": Mirror(Fallback([endpoint(stack), far(stack)]), to=vllm(stack), percent=5)}
    front_door = FrontDoor(stack, "FrontDoor", models=models)
    front_door.add_consumer("team-a")
    assert findings(app) == set()


def test_the_examples_of_the_documentation_run_as_printed() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "front-door.md").read_text(encoding="utf-8")
    section = text.split("\n## Several endpoints for one name\n")[1].split("\n## ")[0]
    front_doors, of_stacks = re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    public = {name: getattr(constructs_lib, name) for name in constructs_lib.__all__}
    *models, front_door = front_doors.splitlines()
    for line in models:
        one = Stack(App(), "Stack", env=HERE)
        endpoints = {name: vllm(one, name) for name in ("tgi", "vllm", "near", "far", "a", "b", "c", "d")}
        exec(f"{line}\n{front_door}", public | endpoints | {"self": one})
    app = App()
    model = Model.from_hub("Qwen/Qwen2.5-7B-Instruct")
    exec(of_stacks, public | {"app": app, "LLAMA": model, "LlamaTgiStack": LlamaTgiStack, "ModelStack": ModelStack})
    found = app.node.find_child("LlamaTgiStack")
    assert isinstance(found, Stack)
    assert len(served_models(found)["llama"]["split"]) == 2
