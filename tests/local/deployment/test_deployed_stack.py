"""Reading a deployment from the control plane."""

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from local.apigateway.api import Quota, Throttle
from local.deployment.control_plane import ControlPlane
from local.deployment.deployed_stack import read_account
from local.deployment.prerequisites import create_endpoints
from local.errors import UserError
from tests.local.deployment.deployments import StackFailedError
from tests.local.deployment.sample_stack import TEMPLATE, control_plane, deploy, layer, put_archive, uri

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with control_plane() as running:
        yield running


def test_the_api_is_read_with_everything_that_affects_requests(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    api = deployment.api
    post, any_method = api.root.methods["POST"], api.root.children["v1"].children["{proxy+}"].methods["ANY"]
    main = next(name for name, entry in deployment.functions.items() if entry.handler == "front.handler")
    guard = next(name for name, entry in deployment.functions.items() if entry.handler == "guard.handler")
    assert len(deployment.functions) == 2
    assert (api.stage, api.key_source, api.access_log_format) == ("live", "AUTHORIZER", "$context.status")
    assert (post.integration.function_name, post.integration.stream, post.integration.timeout_seconds) == (
        main,
        True,
        900,
    )
    assert post.api_key_required
    assert post.authorizer is not None
    assert (post.authorizer.function_name, post.authorizer.headers, post.authorizer.validation) == (
        guard,
        ("authorization",),
        "^Bearer .+$",
    )
    assert post.authorizer.ttl_seconds == 60
    assert (any_method.integration.stream, any_method.integration.timeout_seconds) == (False, 29)
    assert (any_method.authorizer, any_method.api_key_required) == (None, False)
    assert api.method_throttle == {"*/*": Throttle(rate=5, burst=9)}
    assert api.gateway_responses["THROTTLED"].headers == {"Retry-After": "'1'"}
    assert api.domain == f"{api.id}.execute-api.us-east-1.amazonaws.com"
    assert deployment.outputs == {"Url": f"https://{api.domain}/live/"}


def test_api_keys_get_the_value_of_the_template_or_a_generated_one(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    keys = {key.id: key for key in deployment.api.keys}
    (plan,) = deployment.api.plans
    assert len(plan.key_ids) == 1
    assert (plan.throttle, plan.quota) == (Throttle(rate=2, burst=3), Quota(limit=100, period="WEEK"))
    (key,) = deployment.api.usage_plan_keys()
    assert (key, key.name) == (keys[next(iter(plan.key_ids))], "team-a")
    assert 20 <= len(key.value) <= 128
    assert keys["Known"].value == "known" * 5
    assert keys["Known"].name == "team-b", "the id of the parent construct"


def test_functions_and_endpoints_are_read_with_their_configuration(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    (endpoint,) = deployment.endpoints.values()
    main = next(entry for entry in deployment.functions.values() if entry.handler == "front.handler")
    assert main.environment == {"ENDPOINT": endpoint.name}
    assert (main.timeout_seconds, main.memory_mb) == (30, 256)
    assert main.arn == f"arn:aws:lambda:us-east-1:123456789012:function:{main.name}"
    assert zipfile.ZipFile(io.BytesIO(main.code_zip)).namelist() == ["front.py"]
    assert endpoint.instance_type == "ml.g5.2xlarge"
    (container,) = endpoint.containers()
    assert container.environment == {"HF_MODEL_ID": "m/m", "HF_TOKEN": "placeholder-of-the-emulated-cloud"}


@pytest.mark.parametrize(
    "source",
    [
        {"S3Uri": "s3://weights/llama/", "S3DataType": "S3Prefix", "CompressionType": "None"},
        {"S3Uri": "s3://weights/llama.tar.gz", "S3DataType": "S3Object", "CompressionType": "Gzip"},
    ],
    ids=["folder", "archive"],
)
def test_an_endpoint_with_weights_in_s3_is_deployed_like_any_other(source: dict[str, Any], plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    given = {"S3DataSource": source | {"ModelAccessConfig": {"AcceptEula": True}}}
    template["Resources"]["Model"]["Properties"]["PrimaryContainer"] |= {"ModelDataSource": given}
    (endpoint,) = deploy(plane, template).endpoints.values()
    (container,) = endpoint.containers()
    model = plane.client("sagemaker").describe_model(ModelName=container.model_name)
    assert model["PrimaryContainer"]["ModelDataSource"] == given
    assert container.environment["HF_MODEL_ID"] == "m/m"


def test_a_stack_without_an_api_is_an_error(plane: ControlPlane) -> None:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with pytest.raises(UserError, match=r"The stack has 0 REST APIs: none.\nChoose a STACK with one front door."):
        deploy(plane, topic)


def test_an_api_that_api_gateway_would_reject_is_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    post = template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/"]["post"]
    post["x-amazon-apigateway-integration"]["uri"] = uri("2015-03-31", "invocations", "Main")
    with pytest.raises(UserError, match="API Gateway rejects this URI when responseTransferMode is STREAM"):
        deploy(plane, template)


def test_an_api_without_a_body_is_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    del template["Resources"]["Deployment"], template["Resources"]["Stage"]["Properties"]["DeploymentId"]
    template["Resources"]["Api"]["Properties"] = {"Name": "front-door"}
    with pytest.raises(
        UserError,
        match=r"has no Body\.\nThe emulated gateway serves only APIs with an OpenAPI document in the template\.",
    ):
        deploy(plane, template)


def test_an_api_without_operations_is_not_deployed(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Api"]["Properties"]["Body"]["paths"] = {"/": {}}
    with pytest.raises(StackFailedError, match="Deployment: The REST API doesn't contain any methods"):
        deploy(plane, template)


def test_contradicting_api_key_sources_are_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Api"]["Properties"]["ApiKeySourceType"] = "HEADER"
    with pytest.raises(UserError, match=r"The API key source of Api is HEADER, but AUTHORIZER in its Body\."):
        deploy(plane, template)


def test_the_api_of_the_last_stack_with_one_is_read_with_the_endpoints_of_all_stacks(plane: ControlPlane) -> None:
    gateway = copy.deepcopy(TEMPLATE)
    model = gateway["Resources"].pop("Endpoint"), gateway["Resources"].pop("Config"), gateway["Resources"].pop("Model")
    hosted = {
        "Resources": {
            "Role": TEMPLATE["Resources"]["Role"],
            **dict(zip(("Endpoint", "Config", "Model"), model, strict=True)),
        },
        "Outputs": {
            "Name": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}, "Export": {"Name": "hosted:endpoint"}}
        },
    }
    models = {
        "llama": {"endpoint_name": {"deployed": 1}},
        "other": {"endpoint_name": "nowhere", "deployed": {}},
        "claude-*": {"alias": "llama"},
    }
    put_archive(plane, "page.zip", **{"page/index.html": ""})
    put_archive(plane, "old.zip", **{"facts/models.json": "{}"})
    put_archive(plane, "new.zip", **{"facts/models.json": json.dumps(models)})
    gateway["Resources"] |= {name: layer(f"{name.lower()}.zip") for name in ("Old", "New", "Page")}
    gateway["Resources"]["Main"]["Properties"] |= {
        "Layers": [{"Ref": name} for name in ("Old", "New", "Page")],
        "Environment": {
            "Variables": {
                "MODELS_FILE": "/opt/facts/models.json",
                "DEPLOYED_VALUES": {"Fn::Sub": ["unused ${Name}", {"Name": {"Fn::ImportValue": "hosted:endpoint"}}]},
            }
        },
    }
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    deployment = deploy(plane, hosted, TEMPLATE, gateway, topic)
    endpoint = next(name for name in deployment.endpoints if name.startswith("S0-"))
    assert (deployment.stack, len(deployment.endpoints)) == ("S2", 2)
    assert [called.name for called in deployment.called_endpoints()] == [endpoint]
    assert {name: entry["endpoint_name"] for name, entry in deployment.models().items()} == {
        "llama": endpoint,
        "other": "nowhere",
    }
    assert list(deployment.missing_endpoints()) == ["nowhere"]


def test_the_endpoints_of_a_model_that_divides_its_requests_are_read(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    primary = {
        "split": [
            {"weight": 95, "to": {"endpoint_name": "one", "target": "One"}},
            {"weight": 5, "to": {"fallback": [{"endpoint_name": {"deployed": 0}, "target": "Two"}]}},
        ]
    }
    mirror = {"mirror": {"primary": primary, "to": {"endpoint_name": "three", "target": "Three"}, "percent": 5}}
    models = {"llama": mirror, "falcon": {"endpoint_name": "four"}}
    put_archive(plane, "models.zip", **{"facts/models.json": json.dumps(models)})
    template["Resources"]["Models"] = layer("models.zip")
    template["Resources"]["Main"]["Properties"] |= {
        "Layers": [{"Ref": "Models"}],
        "Environment": {
            "Variables": {
                "MODELS_FILE": "/opt/facts/models.json",
                "DEPLOYED_VALUES": {"Fn::GetAtt": ["Endpoint", "EndpointName"]},
            }
        },
    }
    deployment = deploy(plane, template)
    (endpoint,) = deployment.endpoints
    assert [entry["endpoint_name"] for entry in deployment.endpoint_entries()] == ["one", endpoint, "three", "four"]
    assert [called.name for called in deployment.called_endpoints()] == [endpoint]
    assert list(deployment.missing_endpoints()) == ["one", "three", "four"]
    account = read_account(plane, ["S0"])
    assert account.own_endpoints == {"one", endpoint, "three", "four"}
    assert account.labels() == {"one": "llama, One", endpoint: "llama, Two", "three": "llama, Three", "four": "falcon"}


def test_what_is_done_with_events_of_a_function_is_read(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    properties = {
        "FunctionName": {"Ref": "Main"},
        "Qualifier": "$LATEST",
        "MaximumRetryAttempts": 0,
        "MaximumEventAgeInSeconds": 60,
    }
    template["Resources"]["Options"] = {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": properties}
    deploy(plane, template)
    functions = read_account(plane, ["S0"]).functions.values()
    found = sorted((function.event_retries, function.event_age_seconds) for function in functions)
    assert found == [(0, 60), *[(2, 21600)] * (len(functions) - 1)]


def test_a_function_whose_models_are_in_no_layer_is_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Main"]["Properties"]["Environment"] = {"Variables": {"MODELS_FILE": "/opt/m.json"}}
    with pytest.raises(
        UserError,
        match=r"No layer of the function S0-Main-\w+ has /opt/m\.json\.\nSynthesize and deploy its stack again\.",
    ):
        deploy(plane, template)


def test_a_placeholder_endpoint_has_the_limits_that_the_function_knows(plane: ControlPlane) -> None:
    entry = {"endpoint_name": "prod", "model_id": "a/b", "max_body_bytes": 1000, "max_total_tokens": 64, "dtype": "x"}
    create_endpoints(plane, {"prod": entry, "bare": {"endpoint_name": "bare", "model_id": None}})
    deployment = deploy(plane)
    prod, bare = (deployment.endpoints[name].container for name in ("prod", "bare"))
    assert prod is not None
    assert bare is not None
    assert prod.environment == {
        "HF_MODEL_ID": "a/b",
        "MAX_TOTAL_TOKENS": "64",
        "PAYLOAD_LIMIT": "1000",
    }
    assert bare.environment == {"HF_MODEL_ID": "bare"}
    assert plane.client("sagemaker").describe_endpoint(EndpointName="prod")["EndpointStatus"] == "InService"


@pytest.mark.parametrize(
    ("entry", "environment"),
    [
        (
            {"engine": "vllm", "model_id": "a/b", "max_total_tokens": 64},
            {
                "TOY_ENGINE": "vllm",
                "SM_VLLM_MODEL": "a/b",
                "SM_VLLM_MAX_MODEL_LEN": "64",
                "SM_VLLM_ENABLE_AUTO_TOOL_CHOICE": "true",
                "SM_VLLM_TOOL_CALL_PARSER": "hermes",
            },
        ),
        (
            {"engine": "openai", "model_id": None, "tools": False},
            {"TOY_ENGINE": "vllm", "SM_VLLM_MODEL": "prod"},
        ),
        (
            {"engine": "sglang", "model_id": "a/b", "max_total_tokens": 64, "tools": False},
            {"TOY_ENGINE": "sglang", "SM_SGLANG_MODEL_PATH": "a/b", "SM_SGLANG_CONTEXT_LENGTH": "64"},
        ),
        (
            {"engine": "lmi", "model_id": "a/b", "max_total_tokens": 64, "tools": False},
            {"TOY_ENGINE": "lmi", "HF_MODEL_ID": "a/b", "OPTION_MAX_MODEL_LEN": "64"},
        ),
        (
            {"engine": "tgi-neuron", "model_id": "a/b"},
            {"TOY_ENGINE": "tgi-neuron", "MODEL_ID": "a/b", "HF_MODEL_ID": "a/b"},
        ),
    ],
    ids=lambda value: value.get("engine"),
)
def test_a_placeholder_endpoint_answers_as_the_engine_that_the_function_knows(
    plane: ControlPlane, entry: dict[str, Any], environment: dict[str, str]
) -> None:
    create_endpoints(plane, {"prod": {"endpoint_name": "prod", **entry}})
    container = deploy(plane).endpoints["prod"].container
    assert container is not None
    assert container.environment == environment


def test_a_resource_of_a_type_that_moto_lacks_can_be_referenced(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"] |= {
        "Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Scope": "REGIONAL"}},
        "Pool": {"Type": "AWS::Cognito::UserPool"},
        "Gone": {"Type": "AWS::WAFv2::WebACL", "Condition": "Never"},
    }
    template["Resources"]["Main"]["Properties"]["Environment"]["Variables"] = {
        "ISSUER": {"Fn::Sub": "https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}"}
    }
    template["Outputs"]["Acl"] = {"Value": {"Fn::GetAtt": ["Acl", "Arn"]}}
    deployment = deploy(plane, template)
    main = next(entry for entry in deployment.functions.values() if entry.handler == "front.handler")
    outputs = plane.client("cloudformation").describe_stacks(StackName="S0")["Stacks"][0]["Outputs"]
    acl = "arn:aws:wafv2:us-east-1:123456789012:Acl"
    assert main.environment == {"ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/Pool"}
    assert {entry["OutputKey"]: entry["OutputValue"] for entry in outputs}["Acl"] == deployment.outputs["Acl"] == acl
    physical_ids = {entry.logical_id: entry.physical_id for entry in deployment.resources}
    assert (physical_ids["Acl"], physical_ids["Stage"]) == (None, None)
    assert physical_ids["Api"] == deployment.api.id


def test_the_layers_of_a_function_are_read_in_their_order_from_every_stack(plane: ControlPlane) -> None:
    for name in ("facts", "page"):
        put_archive(plane, f"{name}.zip", **{name: ""})
    shared = {
        "Resources": {"Page": layer("page.zip")},
        "Outputs": {"Page": {"Value": {"Ref": "Page"}, "Export": {"Name": "shared:page"}}},
    }
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Facts"] = layer("facts.zip")
    template["Resources"]["Main"]["Properties"]["Layers"] = [{"Fn::ImportValue": "shared:page"}, {"Ref": "Facts"}]
    functions = {function.handler: function for function in deploy(plane, shared, template).functions.values()}
    layers = functions["front.handler"].layers
    assert [zipfile.ZipFile(io.BytesIO(archive)).namelist() for archive in layers] == [["page"], ["facts"]]
    assert list(functions["guard.handler"].layers) == []


@pytest.mark.parametrize(
    ("arns", "message"),
    [
        (
            ["arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:1"],
            (
                r"The function S0-Main-\w+ has layers that no deployed stack has: "
                r"arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:1\.\n"
                r"Deploy their stacks too: STACK=A,B\."
            ),
        ),
        (
            [{"Ref": "Facts"}] * 6,
            r"The function S0-Main-\w+ has 6 layers\.\nLambda allows 5: put their files together\.",
        ),
    ],
    ids=["of nobody", "six"],
)
def test_layers_that_the_emulated_lambda_cannot_give_a_function_are_an_error(
    arns: list[Any], message: str, plane: ControlPlane
) -> None:
    put_archive(plane, "facts.zip")
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Facts"] = layer("facts.zip")
    template["Resources"]["Main"]["Properties"]["Layers"] = arns
    with pytest.raises(UserError, match=message):
        deploy(plane, template)


def test_inline_code_is_a_module_named_index(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Guard"]["Properties"] |= {
        "Code": {"ZipFile": "def handler(): ..."},
        "Handler": "index.handler",
    }
    guard = next(entry for entry in deploy(plane, template).functions.values() if entry.handler == "index.handler")
    with zipfile.ZipFile(io.BytesIO(guard.code_zip)) as archive:
        assert archive.read("index.py") == b"def handler(): ..."


def test_a_function_in_another_language_is_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Guard"]["Properties"]["Runtime"] = "nodejs24.x"
    with pytest.raises(
        UserError, match=r"has the runtime nodejs24\.x\.\nThe emulated Lambda only runs Python functions\."
    ):
        deploy(plane, template)


def test_a_function_that_no_deployed_stack_has_is_an_error(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:elsewhere"
    schemes["Bearer"]["x-amazon-apigateway-authorizer"]["authorizerUri"] = (
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
    with pytest.raises(UserError, match="functions that no deployed stack has: elsewhere"):
        deploy(plane, template)
