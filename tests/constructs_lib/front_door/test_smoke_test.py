"""The custom resource that tests the models of a front door after a deployment."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, NestedStack, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from constructs_lib import (
    ConfigurationError,
    Fallback,
    FrontDoor,
    InstanceType,
    Mirror,
    Model,
    ModelFleet,
    ScaleToZero,
    Split,
    TgiEndpoint,
    TgiOptions,
)
from tests.constructs_lib.circles import circles
from tests.constructs_lib.endpoint.fleets import needed_by, qwen
from tests.constructs_lib.rendered import COMPONENT, CONFIG, ENDPOINT, ROLE, Json, only, resources, template_of, text
from tests.stacks.test_app import findings

CUSTOM = "Custom::TgiEndpointSmokeTest"
STACK = "AWS::CloudFormation::Stack"
ZEPHYR = "HuggingFaceH4/zephyr-7b-beta"


def new_stack(app: App | None = None, name: str = "Team") -> Stack:
    return Stack(app or App(), name, env=Environment(account="123456789012", region="eu-west-1"))


def endpoint(stack: Any, id: str = "Llama", **arguments: Any) -> TgiEndpoint:
    given = {
        "model": Model.from_hub(ZEPHYR),
        "instance_type": InstanceType.G5_2XLARGE,
        "detailed_observability": False,
    } | arguments
    return TgiEndpoint(stack, id, **given)


def deploy(stack: Stack | None = None, models: Any = None, timeout: Duration | None = None, **arguments: Any) -> Stack:
    stack = stack or new_stack()
    front_door = FrontDoor(stack, "FrontDoor", models=models or {"llama": endpoint(stack)}, **arguments)
    front_door.add_smoke_test(timeout=timeout)
    return stack


@cache
def default() -> Json:
    return template_of(deploy())


def custom(template: Json) -> Json:
    return dict(only(template, CUSTOM)["Properties"])


def own_function(template: Json) -> Json:
    (found,) = (
        one["Properties"]
        for one in resources(template, "AWS::Lambda::Function").values()
        if one["Properties"]["Handler"] == "smoke_test.handler.handler"
    )
    return dict(found)


def hash_of(**arguments: Any) -> str:
    front_door = arguments.pop("front_door", {})
    stack = new_stack()
    return str(
        custom(template_of(deploy(stack, {"llama": endpoint(stack, **arguments)}, **front_door)))["Test"]["Hash"]
    )


def infos(stack: Stack) -> list[str]:
    app = stack.node.root
    assert isinstance(app, App)
    messages = app.synth().get_stack_by_name(stack.stack_name).messages
    return [str(message.entry.data) for message in messages if message.level.name == "INFO"]


def test_the_custom_resource_knows_what_to_ask_and_what_to_say() -> None:
    properties = custom(default())
    function = properties["Function"]["Ref"]
    assert default()["Resources"][function]["Properties"]["Handler"] == "front_door.lambda_runtime.managed.handler"
    assert properties["Test"]["Models"] == ["llama"]
    assert "Skipped" not in properties
    assert "Targets" not in properties["Test"]
    assert {name: text(value) for name, value in properties["Logs"].items()} == {
        "llama": f"/aws/sagemaker/Endpoints/<{next(iter(resources(default(), ENDPOINT)))}.EndpointName>"
    }
    front_door_logs = default()["Resources"][function]["Properties"]["LoggingConfig"]["LogGroup"]
    assert properties["FrontDoorLogs"] == front_door_logs
    (causes,) = properties["Causes"].values()
    assert len(causes) == 3
    assert causes[0].startswith("Out of memory: by the plan each GPU of ml.g5.2xlarge has ")
    assert text(properties["ServiceToken"]) == f"<{_logical_id('smoke_test.handler.handler')}.Arn>"


def _logical_id(handler: str) -> str:
    (found,) = (
        name
        for name, one in resources(default(), "AWS::Lambda::Function").items()
        if one["Properties"]["Handler"] == handler
    )
    return found


def test_the_time_is_what_the_slowest_model_takes_to_load_and_the_function_has_a_minute_more() -> None:
    properties = custom(default())
    # 105 s for the instance, 350 s to start, 6 s for each of 13.5 GiB.
    assert properties["Timeout"] == 536
    assert own_function(default())["Timeout"] == 596
    assert properties["ServiceTimeout"] == 656


def test_the_time_is_at_most_fourteen_minutes_and_lambda_has_room_for_the_report() -> None:
    stack = new_stack()
    large = endpoint(
        stack, model=Model.from_hub("bigscience/bloom"), instance_type=InstanceType.P4DE_24XLARGE, options=BLOOM
    )
    template = template_of(deploy(stack, {"bloom": large}))
    assert custom(template)["Timeout"] == 840
    assert own_function(template)["Timeout"] == 900


BLOOM = TgiOptions(
    max_input_tokens=1024, max_total_tokens=2048, max_batch_prefill_tokens=2048, max_batch_total_tokens=8192
)


def test_the_time_can_be_chosen() -> None:
    template = template_of(deploy(timeout=Duration.minutes(2)))
    assert (custom(template)["Timeout"], own_function(template)["Timeout"]) == (120, 180)


def test_it_runs_after_the_endpoint_and_the_function_with_its_policies_and_nothing_waits_for_it() -> None:
    template = default()
    name = next(iter(resources(template, CUSTOM)))
    needed = needed_by(template, name)
    types = {template["Resources"][one]["Type"] for one in needed}
    assert {ENDPOINT, CONFIG, "AWS::SageMaker::Model", "AWS::IAM::Policy", "AWS::Lambda::LayerVersion"} < types
    policies = resources(template, "AWS::IAM::Policy")
    (own,) = (key for key, one in policies.items() if "FrontDoorFunctionRole" in text(one["Properties"]["Roles"][0]))
    assert own in needed
    assert [key for key in template["Resources"] if name in needed_by(template, key)] == []


def test_it_also_waits_for_the_policy_of_an_endpoint_that_may_be_replaced() -> None:
    stack = new_stack()
    template = template_of(deploy(stack, {"llama": endpoint(stack, replace_on_instance_type_change=True)}))
    needed = needed_by(template, next(iter(resources(template, CUSTOM))))
    assert set(resources(template, "AWS::IAM::ManagedPolicy")) <= needed


def test_its_role_may_do_what_it_needs_and_nothing_else() -> None:
    (role,) = (one["Properties"] for key, one in resources(default(), ROLE).items() if "SmokeTest" in key)
    assert "ManagedPolicyArns" not in role
    (policy,) = role["Policies"]
    allowed = [(one["Effect"], one["Action"], text(one["Resource"])) for one in policy["PolicyDocument"]["Statement"]]
    (logs_group,) = (key for key in resources(default(), "AWS::Logs::LogGroup") if "SmokeTest" in key)
    assert allowed == [
        ("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], f"<{logs_group}.Arn>"),
        ("Allow", ["lambda:InvokeFunction"], f"<{_logical_id('front_door.lambda_runtime.managed.handler')}.Arn>"),
        ("Allow", ["cloudformation:DescribeStacks"], "<AWS::StackId>"),
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_nobody_but_api_gateway_and_the_test_may_invoke_the_front_doors_function() -> None:
    function = _logical_id("front_door.lambda_runtime.managed.handler")
    permissions = [
        (one["Properties"]["Principal"], "SourceArn" in one["Properties"])
        for one in resources(default(), "AWS::Lambda::Permission").values()
        if text(one["Properties"]["FunctionName"]) == f"<{function}.Arn>"
    ]
    assert permissions == [("apigateway.amazonaws.com", True)]
    granted = [
        key
        for key, one in default()["Resources"].items()
        if one["Type"].startswith("AWS::IAM") and "lambda:Invoke" in str(one)
    ]
    assert ["SmokeTest" in key for key in granted] == [True]


def test_the_api_sends_its_function_proxy_events_only() -> None:
    (api,) = resources(default(), "AWS::ApiGateway::RestApi").values()
    integrations = [
        operation["x-amazon-apigateway-integration"]
        for path in api["Properties"]["Body"]["paths"].values()
        for operation in path.values()
    ]
    to_function = [each for each in integrations if each["type"] != "mock"]
    assert {each["type"] for each in to_function} == {"aws_proxy"}
    assert not any("requestTemplates" in each for each in to_function)


def test_its_log_is_kept_as_long_as_those_of_the_front_door_and_deleted_with_the_stack() -> None:
    stack = deploy(log_retention=logs.RetentionDays.ONE_WEEK)
    (group,) = (one for key, one in resources(template_of(stack), "AWS::Logs::LogGroup").items() if "Smoke" in key)
    assert (group["Properties"], group["DeletionPolicy"]) == ({"RetentionInDays": 7}, "Delete")
    function = own_function(default())
    assert text(function["LoggingConfig"]["LogGroup"]).startswith("<FrontDoorSmokeTestLogs")
    assert "ReservedConcurrentExecutions" not in function


def test_its_runtime_is_that_of_the_front_door() -> None:
    main = default()["Resources"][_logical_id("front_door.lambda_runtime.managed.handler")]["Properties"]
    function = own_function(default())
    assert (function["Runtime"], function["Architectures"]) == (main["Runtime"], main["Architectures"])


def test_the_same_app_has_the_same_hash() -> None:
    assert hash_of() == custom(default())["Test"]["Hash"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": Model.from_hub("Qwen/Qwen2.5-7B-Instruct")},
        {"model": Model.from_hub(ZEPHYR, revision="abc123")},
        {"instance_type": InstanceType.G6E_2XLARGE},
        {"options": TgiOptions(max_input_tokens=1000, max_total_tokens=2000)},
        {"environment": {"TEAM_SETTING": "on"}},
        {"startup_timeout": Duration.minutes(30)},
        {"endpoint_name": "zephyr"},
        {"front_door": {"streaming": False}},
        {"front_door": {"default_max_tokens": 7}},
    ],
    ids="-".join,
)
def test_the_hash_changes_with_what_decides_how_a_model_answers(arguments: dict[str, Any]) -> None:
    assert hash_of(**arguments) != custom(default())["Test"]["Hash"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"tags": {"team": "chat"}},
        {"front_door": {"log_retention": logs.RetentionDays.ONE_WEEK}},
        {"front_door": {"rate_limit": 7}},
        {"front_door": {"timeout": None}},
    ],
    ids=["tags", "log_retention", "rate_limit", "nothing"],
)
def test_the_hash_stays_if_the_answers_stay_the_same(arguments: dict[str, Any]) -> None:
    assert hash_of(**arguments) == custom(default())["Test"]["Hash"]


def test_the_hash_stays_with_what_scales_and_watches_the_endpoint() -> None:
    stack = new_stack()
    llama = endpoint(stack)
    deploy(stack, {"llama": llama})
    llama.auto_scale(max_instances=3).on_concurrency()
    llama.monitor()
    assert custom(template_of(stack))["Test"]["Hash"] == custom(default())["Test"]["Hash"]


def test_the_hash_changes_with_the_code_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    before = custom(default())["Test"]["Hash"]
    monkeypatch.setattr("constructs_lib.front_door.lambda_functions.lambda_asset", _other_asset)
    assert hash_of() != before


def _other_asset(scope: Any, _folder: str) -> Any:
    from constructs_lib._functions import lambda_asset

    return lambda_asset(scope, "smoke_test")


def test_a_value_that_only_the_deployment_knows_changes_a_property_too() -> None:
    """The EndpointConfig gets another name whenever it changes, and so does the Model that it names."""
    stack = new_stack()
    image = CfnParameter(stack, "Revision").value_as_string
    template = template_of(deploy(stack, {"llama": endpoint(stack, model=Model.from_hub(ZEPHYR, revision=image))}))
    (config,) = resources(template, CONFIG)
    assert [text(value) for value in custom(template)["Configurations"]] == [f"<{config}.EndpointConfigName>"]


def test_each_model_of_a_fleet_is_tested_after_its_component() -> None:
    stack = new_stack()
    fleet = ModelFleet(
        stack,
        "Fleet",
        instance_type=InstanceType.G5_12XLARGE,
        models={"chat": qwen(), "code": qwen(), "rare": qwen(scale_to_zero=ScaleToZero())},
        detailed_observability=False,
    )
    deploy(stack, fleet.models)
    assert infos(stack) == [
        (
            "The smoke test leaves out rare: it has no copy while nobody asks, and a test would start one."
            " [ack: tgi-endpoint:notSmokeTested]"
        )
    ]
    template = template_of(stack)
    properties = custom(template)
    assert properties["Test"]["Models"] == ["chat", "code"]
    assert properties["Skipped"] == {"rare": "it has no copy while nobody asks, and a test would start one"}
    assert len(properties["Configurations"]) == 1
    chat, code, rare = (
        next(key for key in resources(template, COMPONENT) if f"Models{name}" in key)
        for name in ("chat", "code", "rare")
    )
    depends = only(template, CUSTOM)["DependsOn"]
    assert {chat, code, *resources(template, ENDPOINT)} == set(depends)
    assert rare not in depends
    assert text(properties["Logs"]["chat"]).startswith("/aws/sagemaker/InferenceComponents/")


def test_the_hash_changes_with_a_component_which_is_updated_in_place() -> None:
    def hashed(**model: Any) -> str:
        stack = new_stack()
        fleet = ModelFleet(
            stack,
            "Fleet",
            instance_type=InstanceType.G5_12XLARGE,
            models={"chat": qwen(**model)},
            detailed_observability=False,
        )
        return str(custom(template_of(deploy(stack, fleet.models)))["Test"]["Hash"])

    assert hashed(startup_timeout=Duration.minutes(40)) != hashed()
    assert hashed(copies=(1, 2)) == hashed()


def test_each_endpoint_of_a_model_is_tested_that_of_a_mirror_by_the_function_that_calls_it() -> None:
    stack = new_stack()
    tgi, second, copy = endpoint(stack), endpoint(stack, "Second"), endpoint(stack, "Copy")
    imported = TgiEndpoint.from_endpoint_name(stack, "Old", "llama-prod")
    split = Split({tgi: 95, second: 0, imported: 5})
    template = template_of(deploy(stack, {"llama": Mirror(split, to=copy, percent=1), "plain": second}))
    properties = custom(template)
    labels = ["llama at Team/Llama", "llama at Team/Second", "llama at Team/Copy", "plain"]
    assert properties["Test"]["Models"] == labels
    (mirror,) = (name for name in resources(template, "AWS::Lambda::Function") if "MirrorFunction" in name)
    assert properties["Test"]["Targets"] == {
        "llama at Team/Llama": {"Model": "llama", "Target": "Team/Llama"},
        "llama at Team/Second": {"Model": "llama", "Target": "Team/Second"},
        "llama at Team/Copy": {"Model": "llama", "Target": "Team/Copy", "Function": {"Ref": mirror}},
    }
    assert list(properties["Skipped"]) == ["llama at Team/Old"]
    assert list(properties["Logs"]) == list(properties["Causes"]) == labels
    depends = set(only(template, CUSTOM)["DependsOn"])
    assert {mirror, *resources(template, ENDPOINT)} <= depends
    assert any(name.startswith("FrontDoorMirrorRoleDefaultPolicy") for name in depends)
    role = next(one for key, one in resources(template, ROLE).items() if "SmokeTest" in key)
    (policy,) = role["Properties"]["Policies"]
    invoked = [
        text(one["Resource"])
        for one in policy["PolicyDocument"]["Statement"]
        if one["Action"] == ["lambda:InvokeFunction"]
    ]
    assert invoked == [f"<{properties['Function']['Ref']}.Arn>", f"<{mirror}.Arn>"]


def shared(weights: tuple[float, float], percent: float, *, turned: bool = False) -> Json:
    stack = new_stack()
    first, second, copy = endpoint(stack), endpoint(stack, "Second"), endpoint(stack, "Copy")
    fallback = Fallback([first, second] if turned else [second, first])
    split = Split({(second if turned else first): weights[0], fallback: weights[1]})
    return custom(template_of(deploy(stack, {"llama": Mirror(split, to=copy, percent=percent)})))


def test_no_test_keeps_a_failed_endpoint_from_being_drained() -> None:
    before = shared((95, 5), 5)
    assert shared((100, 0), 0) == before
    assert shared((95, 5), 5, turned=True)["Test"]["Hash"] != before["Test"]["Hash"]


def test_each_variant_of_an_endpoint_is_tested_also_one_that_is_added_after_the_test() -> None:
    stack = new_stack()
    llama = endpoint(stack, variant_weight=9)
    deploy(stack, {"llama": llama})
    llama.add_variant("trial", weight=0)
    properties = custom(template_of(stack))
    assert properties["Test"]["Models"] == ["llama (variant AllTraffic)", "llama (variant trial)"]
    assert properties["Test"]["Targets"] == {
        f"llama (variant {name})": {"Model": "llama", "Variant": name, "Of": "llama"}
        for name in ("AllTraffic", "trial")
    }
    assert list(properties["Logs"]) == ["llama"]


def test_without_a_model_to_test_there_is_no_resource_and_the_synthesis_says_so() -> None:
    stack = new_stack()
    imported = TgiEndpoint.from_endpoint_name(stack, "Old", "llama-prod")
    zero = endpoint(stack, "Rare", scale_to_zero=ScaleToZero())
    deploy(stack, {"old": imported, "rare": zero})
    template = template_of(stack)
    assert resources(template, CUSTOM) == {}
    assert [key for key in template["Resources"] if "SmokeTest" in key] == []
    assert infos(stack) == [
        (
            "The smoke test leaves out old: its endpoint is imported, so this deployment does not change it; rare: it"
            " has no copy while nobody asks, and a test would start one. [ack: tgi-endpoint:notSmokeTested]"
        )
    ]


def test_an_endpoint_of_another_stack_is_left_out() -> None:
    app = App()
    other, stack = new_stack(app, "Models"), new_stack(app)
    deploy(stack, {"far": endpoint(other), "near": endpoint(stack, "Near")})
    properties = custom(template_of(stack))
    assert properties["Test"]["Models"] == ["near"]
    assert properties["Skipped"] == {
        "far": "its endpoint is in another stack, which a failure here would not roll back"
    }


@pytest.mark.parametrize("place", ["endpoint", "front door", "both"])
def test_an_endpoint_of_a_stack_nested_in_the_same_one_is_tested(app: App, place: str) -> None:
    parent = new_stack(app)
    of_endpoint = NestedStack(parent, "Models") if place != "front door" else parent
    of_door = NestedStack(parent, "Api") if place != "endpoint" else parent
    front_door = FrontDoor(of_door, "FrontDoor", models={"llama": endpoint(of_endpoint)})
    front_door.add_smoke_test()
    assert circles(app) == []
    rendered = template_of(parent) if of_door is parent else template_of_nested(parent, of_door)
    assert custom(rendered)["Test"]["Models"] == ["llama"]
    (needed,) = names_of(parent, "Models", STACK) or names_of(parent, "Llama", ENDPOINT)
    (waits,) = names_of(parent, "Api", STACK) or names_of(parent, "FrontDoor", CUSTOM)
    assert needed in template_of(parent)["Resources"][waits]["DependsOn"]


def test_in_a_nested_stack_it_reads_the_status_of_that_stack() -> None:
    parent = new_stack()
    nested = NestedStack(parent, "Nested")
    FrontDoor(nested, "FrontDoor", models={"llama": endpoint(nested)}).add_smoke_test()
    rendered = template_of_nested(parent, nested)
    (role,) = (one["Properties"] for key, one in resources(rendered, ROLE).items() if "SmokeTest" in key)
    assert role["Policies"][0]["PolicyDocument"]["Statement"][2]["Resource"] == {"Ref": "AWS::StackId"}


def names_of(stack: Stack, start: str, kind: str) -> list[str]:
    return [name for name in resources(template_of(stack), kind) if name.startswith(start)]


def template_of_nested(parent: Stack, nested: NestedStack) -> Json:
    import json
    from pathlib import Path

    app = parent.node.root
    assert isinstance(app, App)
    rendered: Json = json.loads(Path(app.synth().directory, nested.template_file).read_text())
    return rendered


def test_boundaries_and_tags_of_the_stack_reach_it() -> None:
    stack = deploy()
    iam.PermissionsBoundary.of(stack).apply(iam.ManagedPolicy.from_managed_policy_name(stack, "Boundary", "boundary"))
    Tags.of(stack).add("team", "chat")
    template = template_of(stack)
    own = [one for key, one in template["Resources"].items() if "SmokeTest" in key and one["Type"] != CUSTOM]
    assert len(own) == 3
    for resource in own:
        assert {"Key": "team", "Value": "chat"} in resource["Properties"]["Tags"], resource["Type"]
    (role,) = (one for one in own if one["Type"] == ROLE)
    assert text(role["Properties"]["PermissionsBoundary"]).endswith(":policy/boundary")


def test_cdk_nag_has_no_open_finding() -> None:
    app = App()
    deploy(new_stack(app))
    assert {found for found in findings(app) if "SmokeTest" in found[1]} == set()


def test_a_timeout_that_only_the_deployment_knows_is_an_error() -> None:
    stack = new_stack()
    seconds = CfnParameter(stack, "Seconds", type="Number").value_as_number
    with pytest.raises(ConfigurationError) as raised:
        deploy(stack, timeout=Duration.seconds(seconds))
    assert [str(problem) for problem in raised.value.problems] == [
        (
            "timeout=(known at deployment): must be known at synth, as the timeout of the test's function is worked out"
            " from it. Write it as a number, or leave it out."
        )
    ]


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        (
            Duration.minutes(15),
            "timeout=900: must be from 10 to 840 seconds. Lower it to 840 or less.",
        ),
        (Duration.seconds(5), "timeout=5: must be from 10 to 840 seconds. Raise it to 10 or more."),
        (60, "timeout=60: must be a Duration of aws_cdk, which has a unit. Write Duration.seconds(60)."),
    ],
)
def test_a_wrong_timeout_is_an_error(timeout: Any, message: str) -> None:
    stack = new_stack()
    with pytest.raises(ConfigurationError) as raised:
        deploy(stack, timeout=timeout)
    assert [str(problem) for problem in raised.value.problems] == [message]
    assert raised.value.path == "Team/FrontDoor"


def test_a_second_test_is_an_error() -> None:
    stack = new_stack()
    front_door = FrontDoor(stack, "FrontDoor", models={"llama": endpoint(stack)})
    front_door.add_smoke_test()
    with pytest.raises(ConfigurationError) as raised:
        front_door.add_smoke_test()
    assert [str(problem) for problem in raised.value.problems] == [
        (
            "smoke_test=(a second one): tests the models that the first one tests already. Call add_smoke_test once for"
            " each front door."
        )
    ]


def test_without_the_call_there_is_none() -> None:
    stack = new_stack()
    FrontDoor(stack, "FrontDoor", models={"llama": endpoint(stack)})
    assert resources(template_of(stack), CUSTOM) == {}
