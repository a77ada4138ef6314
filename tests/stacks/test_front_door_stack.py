"""FrontDoorStack: one URL for several endpoints, chosen in the app or by the context."""

import json

import pytest
from aws_cdk import App, Environment, Stack

import app as composition
from constructs_lib import ConfigurationError, InstanceType, Split, TgiEndpoint, VllmEndpoint
from constructs_lib.planning.engines import ENGINES
from stacks.front_door_context import read_front_door
from stacks.front_door_stack import ExistingEndpoint, FrontDoorStack
from stacks.model_stack import ModelStack
from tests.constructs_lib.front_door.doubles import served_models
from tests.stacks.test_app import CONTEXT, names
from tests.stacks.test_model_stack import logical_id, outputs, template


def built(*selected: str, **context: object) -> App:
    app = App(context={**CONTEXT, "nag": "off", "stacks": ",".join(selected), **context})
    composition.build(app, Environment())
    return app


def error_message(context: object) -> str:
    with pytest.raises(SystemExit) as error:
        read_front_door(context)
    return str(error.value)


def test_existing_endpoints_are_served_under_their_names_with_their_serving_facts() -> None:
    stack = FrontDoorStack(
        App(),
        endpoints={
            "llama": ExistingEndpoint(endpoint_name="llama-prod"),
            "falcon": ExistingEndpoint(
                endpoint_name="falcon-7b", model_id="tiiuae/falcon-7b", serving={"max_total_tokens": 2048}
            ),
        },
    )
    assert served_models(stack) == {
        "llama": {"endpoint_name": "llama-prod", "engine": "tgi", "model_id": None, "max_body_bytes": 6291456},
        "falcon": {
            "endpoint_name": "falcon-7b",
            "engine": "tgi",
            "model_id": "tiiuae/falcon-7b",
            "max_body_bytes": 6291456,
            "max_total_tokens": 2048,
        },
    }


def test_the_function_may_invoke_only_the_named_endpoints() -> None:
    stack = FrontDoorStack(App(), endpoints={"llama": ExistingEndpoint(endpoint_name="llama-prod")})
    text = json.dumps(template(stack))
    assert ":endpoint/llama-prod" in text
    assert ":endpoint/*" not in text


def test_endpoints_of_other_stacks_of_the_app_can_be_served() -> None:
    app = App()
    other = ModelStack(
        app, "Other", name="own", model_id="org/model", instance_type=InstanceType.G5_2XLARGE, cloud_watch_role=False
    )
    stack = FrontDoorStack(
        app, endpoints={"own": other.endpoint, "llama": ExistingEndpoint(endpoint_name="llama-prod")}
    )
    text = json.dumps(template(stack))
    assert "Fn::ImportValue" in text or "Fn::GetStackOutput" in text
    assert "AWS::SageMaker::Endpoint" not in text


def test_endpoints_of_other_stacks_can_share_one_name() -> None:
    app = App()
    tgi, vllm = (
        ModelStack(
            app,
            engine.__name__,
            name="own",
            model_id="org/model",
            instance_type=InstanceType.G5_2XLARGE,
            endpoint_type=engine,
            cloud_watch_role=False,
        )
        for engine in (TgiEndpoint, VllmEndpoint)
    )
    stack = FrontDoorStack(app, endpoints={"own": Split({tgi.endpoint: 95, vllm.endpoint: 5})})
    (model,) = served_models(stack).values()
    assert [each["to"]["target"] for each in model["split"]] == ["TgiEndpoint/Endpoint", "VllmEndpoint/Endpoint"]


def test_the_outputs_are_the_url_the_models_and_how_to_read_the_api_key() -> None:
    rendered = template(FrontDoorStack(App(), endpoints={"llama": ExistingEndpoint(endpoint_name="llama-prod")}))
    values = outputs(rendered)
    assert set(values) == {"Url", "ApiKeyId", "ApiKeyCommand", "Models", "ApiConsole"}
    assert values["Models"] == "llama"
    assert values["ApiKeyId"] == f"<{logical_id(rendered, 'ApiGateway::ApiKey')}>"


def test_a_name_that_would_break_urls_is_rejected_by_the_front_door() -> None:
    with pytest.raises(ConfigurationError, match="models='llama 3': a model's name must be 1 to 63 letters"):
        FrontDoorStack(App(), endpoints={"llama 3": ExistingEndpoint(endpoint_name="llama-prod")})


@pytest.mark.parametrize(
    "context",
    [
        "llama=llama-prod,falcon=falcon-7b",
        " llama = llama-prod , falcon=falcon-7b, ",
        '{"llama": "llama-prod", "falcon": {"endpoint": "falcon-7b"}}',
        {"llama": "llama-prod", "falcon": {"endpoint": "falcon-7b"}},
    ],
    ids=["a list", "a list with blanks", "JSON", "cdk.json"],
)
def test_the_context_may_be_a_list_or_json(context: object) -> None:
    assert read_front_door(context) == {
        "llama": ExistingEndpoint(endpoint_name="llama-prod"),
        "falcon": ExistingEndpoint(endpoint_name="falcon-7b"),
    }


def test_the_context_can_have_serving_facts() -> None:
    context = '{"llama": {"endpoint": "llama-prod", "model_id": "org/llama", "max_total_tokens": 4096}}'
    assert read_front_door(context) == {
        "llama": ExistingEndpoint(endpoint_name="llama-prod", model_id="org/llama", serving={"max_total_tokens": 4096})
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_the_context_can_name_the_engine_of_an_endpoint(engine: str) -> None:
    endpoints = read_front_door({"qwen": {"endpoint": "qwen-prod", "engine": engine}})
    (model,) = served_models(FrontDoorStack(App(), endpoints=endpoints)).values()
    assert (model["engine"], model["endpoint_name"]) == (engine, "qwen-prod")


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("llama", "front_door=llama: 'llama' is not name=endpoint. Write -c front_door=llama=my-endpoint,falcon="),
        ("llama=,=x", "front_door=llama=,=x: 'llama' is not name=endpoint; 'x' is not name=endpoint."),
        ("", "front_door=: names no endpoint."),
        ("{}", "front_door={}: names no endpoint."),
        ("a=x,a=y", "'a' is listed twice"),
        ('{"a": "x", "a": "y"}', "'a' is listed twice"),
        ('{"a": 7}', "'a' must have the name of an endpoint, not 7"),
        ('{"a": ["x"]}', "'a' must have the name of an endpoint, not ['x']"),
        ('{"a": {"name": "x"}}', "'a' has no 'endpoint'"),
        (
            '{"a": {"endpoint": "x", "max_tokens": 5}}',
            "'a' has unknown members: max_tokens. Known members are endpoint, engine, model_id,",
        ),
        (
            '{"a": {"endpoint": "x", "engine": ["vllm"]}}',
            "'a' has the engine ['vllm']. Known engines are tgi, vllm, sglang, lmi, tgi-neuron.",
        ),
        ('{"a":', 'front_door={"a":: is not JSON: '),
        ({}, "front_door={}: names no endpoint."),
    ],
)
def test_an_invalid_context_is_rejected_with_examples(context: object, message: str) -> None:
    error = error_message(context)
    assert message in error
    assert '-c front_door=\'{"llama": "my-endpoint"}\'' in error


def test_the_app_has_a_front_door_stack_if_the_context_names_endpoints() -> None:
    assert names(built("FrontDoorStack", front_door="llama=llama-prod")) == ["FrontDoorStack"]
    assert names(built("LlamaTgiStack", "FrontDoorStack", front_door="llama=x")) == [
        "LlamaTgiStack",
        "FrontDoorStack",
    ]
    assert "FrontDoorStack" in names(built(front_door="llama=llama-prod"))
    assert "FrontDoorStack" not in names(built())


def test_a_front_door_stack_without_endpoints_is_rejected_with_what_it_requires() -> None:
    with pytest.raises(SystemExit) as error:
        built("FrontDoorStack")
    assert "stacks=FrontDoorStack: the app has no stack of this name." in str(error.value)
    assert "FrontDoorStack requires endpoints: -c front_door=llama=my-endpoint." in str(error.value)


def test_an_exclusive_selection_of_the_front_door_builds_no_other_stacks() -> None:
    app = built(front_door="llama=llama-prod", **{composition.SELECTED_STACKS: ["FrontDoorStack"]})
    assert [child.node.id for child in app.node.children if isinstance(child, Stack)] == ["FrontDoorStack"]
