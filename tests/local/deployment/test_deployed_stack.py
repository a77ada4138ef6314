"""What is read back from the control plane after a deployment."""

import copy
import io
import zipfile
from collections.abc import Iterator

import pytest
from botocore.parsers import ResponseParserError

from local.apigateway.api import Quota, Throttle
from local.deployment.control_plane import ControlPlane
from local.deployment.prerequisites import create_endpoints
from local.errors import UserError
from tests.local.deployment.sample_stack import TEMPLATE, control_plane, deploy, uri

pytestmark = pytest.mark.xdist_group("control_plane")


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with control_plane() as running:
        yield running


def test_everything_a_request_can_notice_is_read_from_the_deployment(plane: ControlPlane) -> None:
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
    assert (post.api_key_required, post.validate_body, list(post.models)) == (True, True, ["application/json"])
    assert post.authorizer is not None
    assert (post.authorizer.function_name, post.authorizer.header, post.authorizer.validation) == (
        guard,
        "authorization",
        "^Bearer .+$",
    )
    assert post.authorizer.ttl_seconds == 60
    assert (any_method.integration.stream, any_method.integration.timeout_seconds) == (False, 29)
    assert (any_method.authorizer, any_method.api_key_required) == (None, False)
    assert api.method_throttle == {"*/*": Throttle(rate=5, burst=9)}
    assert api.gateway_responses["THROTTLED"].headers == {"Retry-After": "'1'"}
    assert api.domain == f"{api.id}.execute-api.us-east-1.amazonaws.com"
    assert deployment.outputs == {"Url": f"https://{api.domain}/live/"}


def test_keys_get_the_value_of_the_template_or_a_made_up_one(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    keys = {key.id: key for key in deployment.api.keys}
    (plan,) = deployment.api.plans
    assert len(plan.key_ids) == 1
    assert (plan.throttle, plan.quota) == (Throttle(rate=2, burst=3), Quota(limit=100, period="WEEK"))
    (planned,) = deployment.api.planned_keys()
    assert (planned, planned.name) == (keys[next(iter(plan.key_ids))], "team-a")
    assert 20 <= len(planned.value) <= 128
    assert keys["Known"].value == "known" * 5
    assert keys["Known"].name == "team-b", "the id of the construct that holds the key"


def test_functions_and_endpoints_come_with_what_they_run_with(plane: ControlPlane) -> None:
    deployment = deploy(plane)
    (endpoint,) = deployment.endpoints.values()
    main = next(entry for entry in deployment.functions.values() if entry.handler == "front.handler")
    assert main.environment == {"ENDPOINT": endpoint.name}
    assert (main.timeout_seconds, main.memory_mb) == (30, 256)
    assert main.arn == f"arn:aws:lambda:us-east-1:123456789012:function:{main.name}"
    assert zipfile.ZipFile(io.BytesIO(main.code_zip)).namelist() == ["front.py"]
    assert endpoint.instance_type == "ml.g5.2xlarge"
    assert endpoint.environment == {"HF_MODEL_ID": "m/m", "HF_TOKEN": "made-up-for-the-emulated-cloud"}


def test_a_stack_without_an_api_is_told(plane: ControlPlane) -> None:
    topic = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with pytest.raises(UserError, match=r"The stack has 0 REST APIs: none.\nChoose a STACK with one front door."):
        deploy(plane, topic)


def test_an_api_that_api_gateway_would_refuse_is_told(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    post = template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/"]["post"]
    post["x-amazon-apigateway-integration"]["uri"] = uri("2015-03-31", "invocations", "Main")
    with pytest.raises(UserError, match="API Gateway refuses this URI when responseTransferMode is STREAM"):
        deploy(plane, template)


def test_an_api_without_a_body_is_told(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    del template["Resources"]["Deployment"], template["Resources"]["Stage"]["Properties"]["DeploymentId"]
    template["Resources"]["Api"]["Properties"] = {"Name": "door"}
    with pytest.raises(
        UserError, match=r"The API Api has no Body.\nThe emulated gateway serves APIs that are made from"
    ):
        deploy(plane, template)


def test_an_api_whose_body_has_no_operation_is_not_deployed_as_on_aws(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Api"]["Properties"]["Body"]["paths"] = {"/": {}}
    # moto answers in the words of API Gateway and in JSON, which a client of CloudFormation does not expect.
    with pytest.raises(ResponseParserError, match="contain any methods"):
        deploy(plane, template)


def test_two_places_that_name_the_source_of_keys_have_to_agree(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Api"]["Properties"]["ApiKeySourceType"] = "HEADER"
    with pytest.raises(UserError, match="takes keys from HEADER, and its Body from AUTHORIZER"):
        deploy(plane, template)


def test_the_api_of_the_last_stack_that_has_one_is_served_with_the_endpoints_of_all(plane: ControlPlane) -> None:
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
    gateway["Resources"]["Main"]["Properties"]["Environment"]["Variables"] = {
        "MODELS": {
            "Fn::Sub": [
                '{"llama":{"endpoint_name":"${Name}"},"other":{"endpoint_name":"nowhere"}}',
                {"Name": {"Fn::ImportValue": "hosted:endpoint"}},
            ]
        }
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


def test_an_endpoint_that_no_stack_has_is_made_up_of_what_the_api_knows_of_its_model(plane: ControlPlane) -> None:
    known = {"endpoint_name": "prod", "model_id": "a/b", "max_body_bytes": 1000, "max_total_tokens": 64, "dtype": "x"}
    create_endpoints(plane, {"prod": known, "bare": {"endpoint_name": "bare", "model_id": None}})
    deployment = deploy(plane)
    assert deployment.endpoints["prod"].environment == {
        "HF_MODEL_ID": "a/b",
        "MAX_TOTAL_TOKENS": "64",
        "PAYLOAD_LIMIT": "1000",
    }
    assert deployment.endpoints["bare"].environment == {"HF_MODEL_ID": "bare"}
    assert plane.client("sagemaker").describe_endpoint(EndpointName="prod")["EndpointStatus"] == "InService"


def test_a_resource_of_a_type_that_moto_does_not_know_can_be_named(plane: ControlPlane) -> None:
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
    told = plane.client("cloudformation").describe_stacks(StackName="S0")["Stacks"][0]["Outputs"]
    acl = "arn:aws:wafv2:us-east-1:123456789012:Acl"
    assert main.environment == {"ISSUER": "https://cognito-idp.us-east-1.amazonaws.com/Pool"}
    assert {entry["OutputKey"]: entry["OutputValue"] for entry in told}["Acl"] == deployment.outputs["Acl"] == acl
    kept = {entry.logical_id: entry.physical_id for entry in deployment.resources}
    assert (kept["Acl"], kept["Stage"]) == (None, None)
    assert kept["Api"] == deployment.api.id


def test_code_that_stands_in_the_template_is_a_module_index(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Guard"]["Properties"] |= {
        "Code": {"ZipFile": "def handler(): ..."},
        "Handler": "index.handler",
    }
    guard = next(entry for entry in deploy(plane, template).functions.values() if entry.handler == "index.handler")
    with zipfile.ZipFile(io.BytesIO(guard.code_zip)) as archive:
        assert archive.read("index.py") == b"def handler(): ..."


def test_a_function_in_another_language_is_told(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    template["Resources"]["Guard"]["Properties"]["Runtime"] = "nodejs24.x"
    with pytest.raises(
        UserError, match=r"whose runtime is nodejs24\.x\.\nThe emulated Lambda runs functions in Python\."
    ):
        deploy(plane, template)


def test_a_function_that_no_deployed_stack_has_is_told(plane: ControlPlane) -> None:
    template = copy.deepcopy(TEMPLATE)
    schemes = template["Resources"]["Api"]["Properties"]["Body"]["components"]["securitySchemes"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:elsewhere"
    schemes["Bearer"]["x-amazon-apigateway-authorizer"]["authorizerUri"] = (
        f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    )
    with pytest.raises(UserError, match="functions that none of the deployed stacks has: elsewhere"):
        deploy(plane, template)
