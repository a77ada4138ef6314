"""What FrontDoor does with models that have zero copies."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack, Token

from constructs_lib import InstanceType, Model, ScaleToZero, TgiEndpoint
from constructs_lib.endpoint.imported import ImportedEndpoint
from constructs_lib.errors import ConfigurationError
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.planning.scaling.hours import OpeningHours
from constructs_lib.planning.scaling.wake import WakeFacts
from tests.constructs_lib.front_door.doubles import (
    default,
    endpoint,
    flat,
    make_front_door,
    operations,
    served_models,
    statements,
    template,
    variables,
)

WAKE = "/models/{model}/wake"
HOURS = OpeningHours(windows=((0, 480, 1140),), time_zone="Europe/Berlin", tz="CET-1CEST", outside="closed")


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack", env=Environment(account="111122223333", region="eu-west-1"))


def sleeper(stack: Stack, name: str = "chat", **facts: Any) -> ImportedEndpoint:
    facts = {"inference_component_name": f"{name}-component", "wake_seconds": 300, **facts}
    return TgiEndpoint.from_endpoint_name(stack, f"Endpoint-{name}", name, **facts)


def rejection(stack: Stack, **arguments: Any) -> str:
    if "models" not in arguments:
        arguments["models"] = {"llama": sleeper(stack)}
    with pytest.raises(ConfigurationError) as error:
        FrontDoor(stack, "FrontDoor", **arguments)
    assert stack.node.try_find_child("FrontDoor") is None
    return str(error.value).partition("\n")[2].strip().removeprefix("- ")


def test_the_function_gets_component_estimate_and_hours_of_a_model_that_has_them(stack: Stack) -> None:
    foreign = SimpleNamespace(
        endpoint_name="foreign",
        endpoint_arn="arn:aws:sagemaker:eu-west-1:111122223333:endpoint/foreign",
        engine="tgi",
        max_body_bytes=6291456,
        model_id=None,
        grant_invoke=lambda _: None,
        inference_component_name="foreign-component",
        wake=WakeFacts(seconds=240, hours=HOURS),
    )
    models = {"llama": sleeper(stack), "plain": endpoint(stack), "foreign": foreign}
    make_front_door(stack, models=models)
    served = served_models(stack)
    waking = ("inference_component", "wake_seconds", "hours")
    assert {name: [model.get(member) for member in waking] for name, model in served.items()} == {
        "llama": ["chat-component", 300, None],
        "plain": [None, None, None],
        "foreign": [
            "foreign-component",
            240,
            {"windows": [[0, 480, 1140]], "tz": "CET-1CEST", "time_zone": "Europe/Berlin", "outside": "closed"},
        ],
    }
    assert not set(waking) & set(served["plain"])


def test_an_endpoint_of_this_app_that_scales_to_zero_brings_all_of_it(stack: Stack) -> None:
    own = TgiEndpoint(
        stack,
        "Endpoint",
        model=Model.from_hub("teknium/OpenHermes-2.5-Mistral-7B"),
        instance_type=InstanceType.G5_2XLARGE,
        scale_to_zero=ScaleToZero.hours("mon-fri 08:00-19:00", time_zone="Europe/Berlin", outside="closed"),
    )
    assert own.wake is not None
    make_front_door(stack, models={"llama": own}, on_wake="hold", wake=True)
    (model,) = served_models(stack).values()
    assert model["inference_component"] == own.inference_component_name
    assert model["wake_seconds"] == own.wake.seconds
    assert model["hours"]["windows"] == [[day, 480, 1140] for day in range(5)]
    assert (model["hours"]["time_zone"], model["hours"]["outside"]) == ("Europe/Berlin", "closed")


def test_clients_are_held_and_models_woken_only_with_the_arguments(stack: Stack) -> None:
    given = variables(template(make_front_door(stack, models={"llama": sleeper(stack)}, on_wake="hold", wake=True)))
    assert (given["ON_WAKE"], given["WAKE_ROUTE"]) == ("hold", "on")
    assert not {"ON_WAKE", "WAKE_ROUTE"} & set(variables(default()))


def test_the_api_has_the_route_that_wakes_only_with_the_argument() -> None:
    assert ("ANY", WAKE) not in operations(default())
    with_route = operations(template(make_front_door(wake=True)))
    assert set(with_route) - set(operations(default())) == {("ANY", WAKE)}
    assert with_route["ANY", WAKE]["security"] == with_route["ANY", "/generate"]["security"]


def allowed(rendered: dict[str, Any], action: str) -> list[list[str]]:
    found = []
    for statement in statements(rendered):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if action in actions:
            resources = statement["Resource"]
            found.append([flat(each) for each in (resources if isinstance(resources, list) else [resources])])
    return found


ARN = "arn:<AWS::Partition>:sagemaker:eu-west-1:111122223333:"


def test_the_function_may_invoke_the_component_and_the_endpoint(stack: Stack) -> None:
    rendered = template(make_front_door(stack, models={"llama": sleeper(stack)}))
    invoked = [[f"{ARN}endpoint/chat", f"{ARN}inference-component/chat-component"]]
    assert allowed(rendered, "sagemaker:InvokeEndpoint") == invoked
    assert allowed(rendered, "sagemaker:InvokeEndpointWithResponseStream") == invoked
    assert allowed(rendered, "sagemaker:DescribeEndpoint") == [[f"{ARN}endpoint/chat"]]


def test_the_function_may_invoke_each_component_of_one_endpoint(stack: Stack) -> None:
    models = {
        name: TgiEndpoint.from_endpoint_name(stack, name, "fleet", inference_component_name=name)
        for name in ("one", "two")
    }
    rendered = template(make_front_door(stack, models={**models, "alias": models["one"]}))
    resources = {each for found in allowed(rendered, "sagemaker:InvokeEndpoint") for each in found}
    assert resources == {f"{ARN}endpoint/fleet", f"{ARN}inference-component/one", f"{ARN}inference-component/two"}
    assert allowed(rendered, "sagemaker:DescribeEndpoint") == [[f"{ARN}endpoint/fleet"]]


def test_a_component_is_invoked_in_the_account_and_region_of_its_endpoint(stack: Stack) -> None:
    imported = TgiEndpoint.from_endpoint_arn(
        stack,
        "Endpoint",
        "arn:aws:sagemaker:us-east-1:444455556666:endpoint/chat",
        inference_component_name="Chat-Component",
    )
    role = make_front_door(stack).function.role
    assert role is not None
    imported.grant_invoke(role)
    component = "arn:<AWS::Partition>:sagemaker:us-east-1:444455556666:inference-component/"
    # Calls need the name's own case. Which of the two the ARN has, only its owner knows.
    assert [component + name for name in ("Chat-Component", "chat-component")] == [
        arn
        for found in allowed(template_of(stack), "sagemaker:InvokeEndpoint")
        for arn in found
        if "inference-component" in arn
    ]


def template_of(stack: Stack) -> dict[str, Any]:
    app = stack.node.root
    assert isinstance(app, App)
    rendered: dict[str, Any] = app.synth().get_stack_by_name(stack.stack_name).template
    return rendered


def test_a_role_can_be_allowed_a_hundred_components_of_one_endpoint(stack: Stack) -> None:
    models = {
        f"model-{index}": TgiEndpoint.from_endpoint_name(
            stack, f"Model{index}", "x" * 63, inference_component_name=f"{index:03}" + "y" * 60
        )
        for index in range(101)
    }
    assert rejection(stack, models=models).endswith(
        "models=(101 models): are on 101 endpoints or inference components, of which the policies of one function's"
        " role have room for 100. Distribute them over several front doors."
    )
    del models["model-100"]
    rendered = template(make_front_door(stack, models=models))
    managed = [each for each in rendered["Resources"].values() if each["Type"] == "AWS::IAM::ManagedPolicy"]
    assert len(managed) <= 10


def test_a_component_whose_name_only_the_deployment_knows_is_a_deployed_value(stack: Stack) -> None:
    component = Token.as_string({"Ref": "Component"})
    make_front_door(stack, models={"llama": sleeper(stack, inference_component_name=component)})
    assert served_models(stack)["llama"]["inference_component"] == "<Component>"


ALONE = "or leave it out: clients then get 503 with the time that the wake takes."


@pytest.mark.parametrize("value", ["Hold", "wait", True, 5, ""])
def test_an_unknown_on_wake_is_rejected(stack: Stack, value: object) -> None:
    assert rejection(stack, on_wake=value) == f'on_wake={value!r}: must be "hold". Write "hold", {ALONE}'


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_a_wake_that_is_no_bool_is_rejected(stack: Stack, value: object) -> None:
    assert rejection(stack, wake=value).startswith(f"wake={value!r}: must be True or False, not ")


def test_without_streaming_no_client_can_be_held(stack: Stack) -> None:
    assert rejection(stack, on_wake="hold", streaming=False) == (
        "on_wake='hold': requires streaming=True: without it a request has 29 seconds in all."
        f" Use streaming=True, {ALONE}"
    )


def test_a_wake_that_takes_longer_than_the_timeout_cannot_be_waited_for(stack: Stack) -> None:
    models = {"quick": sleeper(stack, "quick"), "slow": sleeper(stack, "slow", wake_seconds=301)}
    assert rejection(stack, models=models, on_wake="hold", timeout=Duration.minutes(5)) == (
        "on_wake='hold': models['slow'] takes about 301 s to wake, but a request has 300 s in all."
        f" Raise the timeout up to 900 s, {ALONE}"
    )
    for name in ("quick", "slow"):
        stack.node.try_remove_child(f"Endpoint-{name}")
    models = {"slow": sleeper(stack, "slow", wake_seconds=901)}
    assert rejection(stack, models=models, on_wake="hold") == (
        "on_wake='hold': models['slow'] takes about 901 s to wake, but a request has 900 s in all."
        f" Use faster hardware, {ALONE}"
    )
    assert FrontDoor(stack, "Told", models=models, timeout=Duration.minutes(1)).url


def test_models_whose_wake_is_as_long_as_the_timeout_or_unknown_are_waited_for(stack: Stack) -> None:
    models = {
        "longest": sleeper(stack, "longest", wake_seconds=900),
        "unknown": sleeper(stack, "unknown", wake_seconds=None),
        "plain": endpoint(stack),
    }
    assert FrontDoor(stack, "FrontDoor", models=models, on_wake="hold").url


@pytest.mark.parametrize(("attribute", "value"), [("inference_component_name", 7), ("wake", 300)])
def test_a_component_name_or_wake_of_another_type_is_rejected(stack: Stack, attribute: str, value: object) -> None:
    foreign = SimpleNamespace(
        endpoint_name="e", endpoint_arn="arn", engine="tgi", max_body_bytes=1, model_id=None, grant_invoke=print
    )
    setattr(foreign, attribute, value)
    assert f"its {attribute} cannot be an endpoint's" in rejection(stack, models={"llama": foreign}, on_wake="hold")


class TestImport:
    """The arguments of `from_endpoint_name` and `from_endpoint_arn`."""

    def problems(self, stack: Stack, **arguments: Any) -> str:
        with pytest.raises(ConfigurationError) as error:
            TgiEndpoint.from_endpoint_name(stack, "Endpoint", "chat", **arguments)
        return str(error.value).partition("\n")[2].strip().removeprefix("- ")

    def test_a_wake_without_a_component_is_rejected(self, stack: Stack) -> None:
        assert self.problems(stack, wake_seconds=300) == (
            "wake_seconds=300: requires inference_component_name: only inference components have zero copies."
            " Give inference_component_name, or leave wake_seconds out."
        )

    def test_a_component_name_of_another_form_is_rejected(self, stack: Stack) -> None:
        assert self.problems(stack, inference_component_name="a_b").startswith("inference_component_name='a_b': ")

    @pytest.mark.parametrize("seconds", [0, 1.5, "300", 86401])
    def test_a_wake_of_other_seconds_is_rejected(self, stack: Stack, seconds: object) -> None:
        found = self.problems(stack, inference_component_name="c", wake_seconds=seconds)
        assert found.startswith(f"wake_seconds={seconds!r}: must be ")

    def test_a_wake_that_only_the_deployment_knows_is_rejected(self, stack: Stack) -> None:
        token = Token.as_number({"Ref": "Seconds"})
        found = self.problems(stack, inference_component_name="c", wake_seconds=token)
        assert "must be known at synth, as a front door passes it to its function. Write it as a number." in found

    def test_the_attributes_are_those_of_the_arguments(self, stack: Stack) -> None:
        imported = sleeper(stack)
        assert (imported.inference_component_name, imported.wake) == ("chat-component", WakeFacts(seconds=300))
        plain = TgiEndpoint.from_endpoint_name(stack, "Plain", "plain")
        assert (plain.inference_component_name, plain.wake) == (None, None)
