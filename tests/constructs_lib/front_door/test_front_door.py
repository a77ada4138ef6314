"""What FrontDoor renders."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from constructs_lib._functions import newest_python_name
from constructs_lib.front_door.assets import openapi_text
from constructs_lib.front_door.front_door import FrontDoor
from constructs_lib.planning.serving_limits import ServingFacts
from tests.constructs_lib.front_door.doubles import (
    ARN,
    REGION,
    body,
    default,
    endpoint,
    flat,
    function,
    make_front_door,
    of_type,
    only,
    operations,
    properties,
    served_models,
    statements,
    template,
    variables,
)


def test_the_function_is_arm64_on_the_newest_python_and_starts_with_its_wrapper() -> None:
    rendered = function(default())
    assert rendered["Architectures"] == ["arm64"]
    assert rendered["Runtime"] == newest_python_name()
    assert rendered["Handler"] == "front_door.lambda_runtime.managed.handler"
    assert rendered["MemorySize"] == 256
    assert rendered["TracingConfig"] == {"Mode": "Active"}
    assert rendered["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"] == "/var/task/front_door/bootstrap"


def test_the_newest_python_is_the_one_with_the_highest_version_not_the_last_in_the_alphabet() -> None:
    def version(name: str) -> tuple[int, ...]:
        return tuple(int(part) for part in name.removeprefix("python").split("."))

    known = [runtime.name for runtime in lambda_.Runtime.ALL if runtime.family == lambda_.RuntimeFamily.PYTHON]
    assert newest_python_name() == max(known, key=version)
    assert newest_python_name() != max(known)  # python3.9


def test_the_timeout_is_that_of_the_function_and_the_integrations() -> None:
    rendered = template(make_front_door(timeout=Duration.minutes(2)))
    assert function(rendered)["Timeout"] == 120
    timeouts = {each["x-amazon-apigateway-integration"]["timeoutInMillis"] for each in operations(rendered).values()}
    assert timeouts == {120_000}


def test_a_front_door_without_streaming_has_29_seconds_and_no_wrapper() -> None:
    rendered = template(make_front_door(streaming=False))
    assert function(rendered)["Timeout"] == 29
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in variables(rendered)
    for operation in operations(rendered).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert integration["responseTransferMode"] == "BUFFERED"
        assert integration["timeoutInMillis"] == 29_000
        assert re.fullmatch(r".*:lambda:path/2015-03-31/functions/<\w+\.Arn>/invocations", flat(integration["uri"]))


def test_every_operation_streams_from_the_function_for_up_to_15_minutes() -> None:
    assert function(default())["Timeout"] == 900
    for operation in operations(default()).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert {key: value for key, value in integration.items() if key != "uri"} == {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "responseTransferMode": "STREAM",
            "timeoutInMillis": 900_000,
        }
        assert re.fullmatch(
            r"arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2021-11-15/functions/<FrontDoorFunction\w+\.Arn>"
            r"/response-streaming-invocations",
            flat(integration["uri"]),
        )


def test_the_function_gets_its_models_in_order_and_the_urls_of_sagemaker() -> None:
    stack = Stack(App(), "Stack")
    models = {"zeta": endpoint(stack, "zeta"), "alpha": endpoint(stack, "alpha", model_id=None)}
    environment = variables(template(make_front_door(stack, models=models)))
    assert list(served_models(stack).items()) == [
        (
            "zeta",
            {
                "endpoint_name": "zeta",
                "engine": "tgi",
                "model_id": "meta-llama/Llama-3.1-8B-Instruct",
                "max_body_bytes": 6291456,
            },
        ),
        ("alpha", {"endpoint_name": "alpha", "engine": "tgi", "model_id": None, "max_body_bytes": 6291456}),
    ]
    assert environment["SAGEMAKER_RUNTIME_URL"] == "https://runtime.sagemaker.<AWS::Region>.<AWS::URLSuffix>"
    assert environment["SAGEMAKER_URL"] == "https://api.sagemaker.<AWS::Region>.<AWS::URLSuffix>"


def test_the_function_gets_the_known_serving_facts_of_a_model_only() -> None:
    stack = Stack(App(), "Stack")
    facts = ServingFacts(version="3.3.6", max_input_tokens=1000, max_total_tokens=2000, max_best_of=2)
    make_front_door(stack, models={"llama": endpoint(stack, serving=facts)})
    assert served_models(stack)["llama"] == {
        "endpoint_name": "llama-8b",
        "engine": "tgi",
        "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "max_body_bytes": 6291456,
        "version": "3.3.6",
        "max_input_tokens": 1000,
        "max_total_tokens": 2000,
        "max_best_of": 2,
    }


def test_the_function_gets_each_adapter_with_the_inference_component_that_serves_it() -> None:
    stack = Stack(App(), "Stack")
    components = {"fr": CfnParameter(stack, "Component").value_as_string, "de": "llama-de"}
    served = endpoint(stack, serving=ServingFacts(adapters=("sql", "fr")), adapter_components=components)
    make_front_door(stack, models={"llama": served})
    assert served_models(stack)["llama"]["adapters"] == {"sql": None, "fr": "<Component>", "de": "llama-de"}


def test_the_description_of_the_api_is_in_the_layer_of_the_models_and_not_in_the_code() -> None:
    front_door = make_front_door()
    app = Stack.of(front_door).node.root
    assert isinstance(app, App)
    folder = Path(app.synth().directory)
    described = [path.relative_to(folder) for path in folder.rglob("openapi.json")]
    (layer,) = (path for path in described if path.parts[1:] == ("front_door", "openapi.json"))
    assert (folder / layer).read_text() == openapi_text()
    assert (folder / layer).with_name("models.json").is_file()
    assert described == [layer]


def test_the_default_token_limit_is_1024_or_the_argument() -> None:
    assert variables(default())["DEFAULT_MAX_TOKENS"] == "1024"
    assert variables(template(make_front_door(default_max_tokens=256)))["DEFAULT_MAX_TOKENS"] == "256"


def test_the_stage_limits_the_requests_of_all_callers_together() -> None:
    (settings,) = only(default(), "ApiGateway::Stage")["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (100, 200)
    (chosen,) = only(template(make_front_door(rate_limit=0.5, burst_limit=2)), "ApiGateway::Stage")["MethodSettings"]
    assert (chosen["ThrottlingRateLimit"], chosen["ThrottlingBurstLimit"]) == (0.5, 2)


def test_the_function_may_invoke_and_describe_only_its_endpoints() -> None:
    stack = Stack(App(), "Stack")
    rendered = template(make_front_door(stack, models={name: endpoint(stack, name) for name in ("one", "two")}))
    allowed: dict[str, set[str]] = {}
    for statement in statements(rendered):
        actions, resources = (
            [each] if isinstance(each, str) else each for each in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            if action.startswith("sagemaker:"):
                allowed.setdefault(action, set()).update(flat(resource) for resource in resources)
    both = {ARN.format(REGION, "one"), ARN.format(REGION, "two")}
    assert allowed == {
        "sagemaker:InvokeEndpoint": both,
        "sagemaker:InvokeEndpointWithResponseStream": both,
        "sagemaker:DescribeEndpoint": both,
    }


@pytest.mark.parametrize("in_vpc", [False, True])
@pytest.mark.parametrize("minimize", [False, True])
def test_iam_accepts_the_policies_of_the_most_endpoints_with_the_longest_names(minimize: bool, in_vpc: bool) -> None:
    app = App(context={"@aws-cdk/aws-iam:minimizePolicies": minimize})
    stack = Stack(app, "Stack", env=Environment(account="111122223333", region="ap-southeast-1"))
    front_door = make_front_door(
        stack,
        models={f"m{number}": endpoint(stack, f"{number:x>63}") for number in range(100)},
        vpc=ec2.Vpc(stack, "Vpc") if in_vpc else None,
    )
    rendered = template(front_door)
    (inline,) = (
        each["PolicyDocument"] for each in properties(rendered, "IAM::Policy") if "sagemaker" in json.dumps(each)
    )
    managed = [each["PolicyDocument"] for each in properties(rendered, "IAM::ManagedPolicy")]
    sizes = [len(json.dumps(document, separators=(",", ":"))) for document in managed]
    (role,) = (
        each for name, each in of_type(rendered, "IAM::Role").items() if name.startswith("FrontDoorFunctionRole")
    )
    own = [each["PolicyDocument"] for each in role["Properties"].get("Policies", [])]
    assert sum(len(json.dumps(document, separators=(",", ":"))) for document in [inline, *own]) <= 10_240
    assert 0 < len(sizes) <= 10
    assert max(sizes) <= 6144
    allowed = [statement for document in [inline, *managed] for statement in document["Statement"]]
    for action in ("InvokeEndpoint", "InvokeEndpointWithResponseStream", "DescribeEndpoint"):
        granted = json.dumps([each["Resource"] for each in allowed if f"sagemaker:{action}" in each["Action"]])
        assert Counter(re.findall(r"endpoint/(x+\d+)", granted)) == {f"{number:x>63}": 1 for number in range(100)}


def test_no_role_has_a_managed_policy() -> None:
    assert not [role for role in properties(default(), "IAM::Role") if "ManagedPolicyArns" in role]


def test_one_permission_allows_the_stage_to_invoke_the_function_and_one_the_authorizer() -> None:
    permissions = properties(default(), "Lambda::Permission")
    assert {each["Principal"] for each in permissions} == {"apigateway.amazonaws.com"}
    (api,) = of_type(default(), "ApiGateway::RestApi")
    prefix = f"arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{api}>"
    assert sorted(flat(each["SourceArn"]) for each in permissions) == [
        f"{prefix}/authorizers/*",
        f"{prefix}/prod/*",
    ]


def test_the_access_log_is_json_with_what_an_operator_needs_and_nothing_from_the_body() -> None:
    setting = only(default(), "ApiGateway::Stage")["AccessLogSetting"]
    fields = json.loads(setting["Format"])
    assert (
        fields.items()
        >= {
            "requestId": "$context.requestId",
            "apiKeyId": "$context.identity.apiKeyId",
            "httpMethod": "$context.httpMethod",
            "resourcePath": "$context.resourcePath",
            "status": "$context.status",
            "responseLatency": "$context.responseLatency",
            "integrationLatency": "$context.integration.latency",
            "responseTransferMode": "$context.integration.responseTransferMode",
            "timeToAllHeaders": "$context.integration.timeToAllHeaders",
            "timeToFirstContent": "$context.integration.timeToFirstContent",
            "errorMessage": "$context.error.message",
            "integrationError": "$context.integration.error",
        }.items()
    )
    assert all(re.fullmatch(r'"\$context[\w.]+"', json.dumps(value)) for value in fields.values()), "all in quotes"
    assert "validationErrorString" not in setting["Format"]
    assert "$context.path" not in setting["Format"]
    assert 'identity.apiKey"' not in setting["Format"]
    (log,) = (logical_id for logical_id in of_type(default(), "Logs::LogGroup") if "AccessLogs" in logical_id)
    assert flat(setting["DestinationArn"]).endswith(f":log-group:<{log}>")


def test_execution_logs_are_off_as_they_could_quote_a_prompt() -> None:
    (settings,) = only(default(), "ApiGateway::Stage")["MethodSettings"]
    assert settings["LoggingLevel"] == "OFF"
    assert settings["DataTraceEnabled"] is False


def test_logs_expire_and_only_the_access_log_is_retained_after_the_stack() -> None:
    groups = of_type(default(), "Logs::LogGroup")
    assert {group["Properties"]["RetentionInDays"] for group in groups.values()} == {90}
    policies = Counter(("AccessLogs" in logical_id, group["DeletionPolicy"]) for logical_id, group in groups.items())
    assert policies == {(True, "Retain"): 1, (False, "Delete"): 2}


def test_the_log_role_of_the_account_is_retained_and_the_stage_depends_on_it() -> None:
    (account,) = of_type(default(), "ApiGateway::Account").items()
    role = account[1]["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
    assert account[1]["DeletionPolicy"] == "Retain"
    assert default()["Resources"][role]["DeletionPolicy"] == "Retain"
    (stage,) = of_type(default(), "ApiGateway::Stage").values()
    assert account[0] in stage["DependsOn"]


def test_the_log_role_is_set_after_the_api_so_that_iam_has_spread_it() -> None:
    (api,) = of_type(default(), "ApiGateway::RestApi")
    (account,) = of_type(default(), "ApiGateway::Account").values()
    assert account["DependsOn"] == [api]
    # The API comes after the function, and so after the endpoint: a role needs seconds.
    (role,) = (resource for name, resource in of_type(default(), "IAM::Role").items() if "AccountLogRole" in name)
    assert "DependsOn" not in role


def test_a_stage_goes_live_once_api_gateway_may_invoke_the_functions() -> None:
    (stage,) = of_type(default(), "ApiGateway::Stage").values()
    permissions = set(of_type(default(), "Lambda::Permission"))
    assert len(permissions) == 2
    assert permissions <= set(stage["DependsOn"])


def test_a_second_front_door_waits_for_the_log_role_that_the_first_one_sets() -> None:
    stack = Stack(App(), "Stack")
    models = {"llama": endpoint(stack)}
    FrontDoor(stack, "First", models=models)
    rendered = template(FrontDoor(stack, "Second", models=models, cloud_watch_role=False))
    (account,) = of_type(rendered, "ApiGateway::Account")
    for stage in of_type(rendered, "ApiGateway::Stage").values():
        assert account in stage["DependsOn"]


def test_the_log_role_of_the_account_can_be_left_alone() -> None:
    rendered = template(make_front_door(cloud_watch_role=False))
    assert not of_type(rendered, "ApiGateway::Account")
    assert len(of_type(rendered, "IAM::Role")) == 2  # of the two functions


def test_the_api_is_regional_and_traced() -> None:
    assert only(default(), "ApiGateway::RestApi")["EndpointConfiguration"]["Types"] == ["REGIONAL"]
    assert only(default(), "ApiGateway::Stage")["TracingEnabled"] is True


def test_the_url_follows_region_and_partition() -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack)
    (api,) = of_type(template(front_door), "ApiGateway::RestApi")
    assert flat(stack.resolve(front_door.url)) == f"https://<{api}>.execute-api.<AWS::Region>.<AWS::URLSuffix>/prod"
    china = Stack(App(), "Stack", env=Environment(account="111122223333", region="cn-north-1"))
    assert ".execute-api.cn-north-1.<AWS::URLSuffix>/prod" in flat(china.resolve(make_front_door(china).url))


def test_no_partition_or_region_is_hardcoded_if_both_are_unknown() -> None:
    text = json.dumps(
        {
            logical_id: each
            for logical_id, each in default()["Resources"].items()
            if not logical_id.startswith("FrontDoorFunctionRole")
        }
    )
    assert not re.search(r"arn:aws|amazonaws\.com(?!\")|(us|eu)-(west|east)-1", text)


def test_the_attributes_refer_to_the_resources() -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack)
    consumer = front_door.add_consumer("team-a")
    rendered = template(front_door)
    attributes = {
        "ApiKey": consumer.api_key.key_id,
        "UsagePlan": consumer.usage_plan.usage_plan_id,
        "RestApi": front_door.api.rest_api_id,
        "Stage": front_door.stage.stage_name,
    }
    for kind, value in attributes.items():
        (logical_id,) = of_type(rendered, f"ApiGateway::{kind}")
        assert stack.resolve(value) == {"Ref": logical_id}
    assert stack.resolve(front_door.function.function_arn) == {
        "Fn::GetAtt": [stack.resolve(front_door.function_resource.logical_id), "Arn"]
    }
    assert front_door.function is front_door.function


def test_what_invokes_the_function_follows_it_to_another_logical_id() -> None:
    stack = Stack(App(), "Stack")
    front_door = make_front_door(stack)
    front_door.function_resource.override_logical_id("Renamed")
    rendered = template(front_door)
    (api,) = of_type(rendered, "ApiGateway::RestApi").values()
    uris = {
        json.dumps(operation["x-amazon-apigateway-integration"]["uri"])
        for item in api["Properties"]["Body"]["paths"].values()
        for operation in item.values()
    }
    (uri,) = uris
    assert flat(json.loads(uri)) == (
        "arn:<AWS::Partition>:apigateway:<AWS::Region>:lambda:path/2021-11-15/functions/<Renamed.Arn>"
        "/response-streaming-invocations"
    )


def test_one_stack_can_have_two_front_doors() -> None:
    stack = Stack(App(), "Stack")
    models = {"llama": endpoint(stack)}
    FrontDoor(stack, "One", models=models)
    rendered = template(FrontDoor(stack, "Two", models=models, cloud_watch_role=False))
    assert len(of_type(rendered, "ApiGateway::RestApi")) == 2


@pytest.mark.parametrize("kind", ["ApiGateway::ApiKey", "ApiGateway::UsagePlan", "Lambda::Function", "Logs::LogGroup"])
def test_no_resource_that_a_rename_would_replace_has_a_name(kind: str) -> None:
    front_door = make_front_door()
    front_door.add_consumer("team-a")
    found = properties(template(front_door), kind)
    assert found
    assert not [each for each in found if {"Name", "UsagePlanName", "FunctionName", "LogGroupName"} & set(each)]


def test_the_name_of_the_api_has_no_slashes() -> None:
    assert only(default(), "ApiGateway::RestApi")["Name"] == body(default())["info"]["title"] == "Stack-FrontDoor"
